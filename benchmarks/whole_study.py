"""The whole published study by its command: how long, how many epochs, how good.

Recipe: `actlab study run published` as a user types it, into a folder of its own, with the clock
around the command, start-up, self-check and report included. On a GPU (`--device cuda`) the trials
train as populations.

    python benchmarks/whole_study.py [--device cpu] [--trials 120] [--seed 1] [--quick]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import publish


def run(device: str, trials: int, seed: int, directory: str) -> dict[str, Any]:
    """Return what one study took and found."""
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "run"
        command = [sys.executable, "-m", "actlab", "study", "run", "published"]
        command += ["--data-dir", directory, "--device", device, "--out", str(out)]
        command += ["--trials", str(trials), "--seed", str(seed)]
        started = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - started
        shown = [sys.executable, "-m", "actlab", "study", "show", str(out), "--json"]
        document = json.loads(subprocess.run(shown, check=True, stdout=subprocess.PIPE).stdout)
    epochs = sum(trial["epochs"] for trial in document["trials"])
    valid = [trial["valid_accuracy"] or 0.0 for trial in document["trials"]]
    return {
        "seconds": seconds,
        "trials": len(document["trials"]),
        "epochs": epochs,
        "seconds per epoch": seconds / epochs,
        "best valid (trial) accuracy": max(valid),
        "test accuracy": document["test_accuracy"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", default="../shared/mnist")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--trials", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    trials = 2 if given.quick else given.trials
    figures = run(given.device, trials, given.seed, str(Path(given.data_dir).resolve()))
    targets = {"cpu": "120 trials: 15 min, aim 9", "cuda": "120 trials: 60 s, aim 15"}
    publish(
        f"the published study, {trials} trials, device {given.device}",
        {**figures, "targets": targets[given.device]},
    )


if __name__ == "__main__":
    main()
