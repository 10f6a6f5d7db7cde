"""The same edges under a fuzzer that follows coverage (atheris), which breeds inputs that go far.

An edge may answer or raise ActlabError; anything else ends the run with the input that did it, kept
in build/atheris. Needs `pip install atheris` (Linux). Each edge runs in a process of its own.

    python benchmarks/fuzz_guided.py [--runs 20000] [--seed 1] [--edge NAME] [--page]
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import atheris

EDGES = (
    "activations.formula.parser",
    "activations.query",
    "addresses",
    "capture.program",
    "cli.gate_ledger",
    "data.arrays",
    "data.idx",
    "studies.executors.engines",
    "studies.interface.user_inputs",
    "studies.plan.file",
    "studies.run_folder",
    "studies.search.import_trials",
    "studies.summary",
    "verdicts.tables",
)
"""The modules that read, whose branches are followed."""

with atheris.instrument_imports(include=["actlab"], enable_loader_override=False):
    for module in EDGES:
        importlib.import_module(f"actlab.{module}")
    import fuzz
    from actlab.errors import ActlabError
    from reliability_page import processor, write_between

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "build" / "atheris"


def guided(name: str, runs: int, seed: int) -> None:
    """Run one edge in this process, which ends with it."""
    place = Path(tempfile.mkdtemp())
    edge, good = fuzz.good_inputs(place)[name]
    corpus = place / "corpus"
    corpus.mkdir()
    for number, content in enumerate(good):
        (corpus / str(number)).write_bytes(content)
    inside = place / "edge"
    inside.mkdir()

    def one(content: bytes) -> None:
        try:
            edge(content, inside)
        except ActlabError:
            return

    KEPT.mkdir(parents=True, exist_ok=True)
    options = [f"-runs={runs}", f"-seed={seed}", "-timeout=5", "-rss_limit_mb=2500"]
    options += [f"-artifact_prefix={KEPT}/{name.replace(' ', '_')}-", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], one)
    atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--edge", default=None)
    parser.add_argument("--here", action="store_true", help="run the edge in this process")
    parser.add_argument("--page", action="store_true", help="write docs/reliability.md")
    given = parser.parse_args()
    if given.here:
        guided(given.edge, given.runs, given.seed)
        return
    with tempfile.TemporaryDirectory() as folder:
        names = [name for name in fuzz.good_inputs(Path(folder)) if given.edge in (None, name)]
    rows = []
    for name in names:
        order = ["--here", "--edge", name, "--runs", str(given.runs), "--seed", str(given.seed)]
        ended = subprocess.run(
            [sys.executable, __file__, *order],
            capture_output=True,
            text=True,
            env=os.environ,
            check=False,
        )
        rows.append({"name": name, "runs": given.runs, "crashes": int(ended.returncode != 0)})
        print(json.dumps(rows[-1]), flush=True)
        if ended.returncode:
            print((ended.stdout + ended.stderr)[-3000:], flush=True)
    if given.page:
        command = (
            f"`python benchmarks/fuzz_guided.py --runs {given.runs} --seed {given.seed} --page`"
        )
        lines = [f"{command}, {processor()}, {time.strftime('%Y-%m-%d')}.", ""]
        lines += ["| edge | inputs, bred by coverage | crashes, hangs over 5 s, over 2.5 GB |"]
        lines += ["|---|--:|--:|"]
        lines += [f"| {row['name']} | {row['runs']} | {row['crashes']} |" for row in rows]
        write_between("guided", "\n".join(lines))
    sys.exit(any(row["crashes"] for row in rows))


if __name__ == "__main__":
    main()
