"""A training that costs nothing, for tests of `actlab gate`."""

import sys
from pathlib import Path

import pytest

SCRIPT = """
import json, random, sys, time
seed, lift, how = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
if how == "hang": time.sleep(60)
if how == "crash": sys.exit("no luck")
if how == "slow": time.sleep(0.4)
open("runs.txt", "a").write(f"{seed} {lift}\\n")
score = random.Random(seed).gauss(0.9, 0.02) + lift + random.Random(f"{seed}{lift}").gauss(0, 0.002)
print("epoch 1 score=0.1")
print("score=nan" if how == "nan" else f"score={score}") if how in ("text", "nan") else print(
    json.dumps({"score": score, "seconds": 1}), "after the score", sep="\\n")
"""


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "train.py").write_text(SCRIPT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def command(lift: float, how: str = "fine") -> str:
    return f"{sys.executable} train.py {{seed}} {lift} {how}"
