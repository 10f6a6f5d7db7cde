"""Mutation testing: would the tests notice a small mistake in the code they are for?

Recipe: every place of a folder where an operator, a comparison, a constant, a condition or a
returned value can be another one is a mutant; a seeded sample of them is made, one at a time. At
first the tests of the folder are run once as they are, and it is noted which of them comes to which
line. Then the tests are imported, and for each mutant a fork of that process runs those that come
to its line, up to 20 seconds of them, until one fails; a mutant outside of functions is tried in a
new import. Tests that fail in such a fork without a mutant are left out, and more than ten of them
end the run. A mutant that no test notices survives; a test that takes ten times as long as without
it notices. The share that is killed has Wilson's
95 % interval; survivors that cannot be noticed, as they change no answer, stand with their reasons
in mutants_without_effect.json. Lines go to build/mutants.jsonl; an interrupted run goes on, and
`--survivors` tries those again that survived, after tests were written for them.

    python benchmarks/mutants.py [--sample 400] [--seed 1] [--folder NAME] [--jobs 2] [--page]
    python benchmarks/mutants.py --survivors [--tests TEST ...] ...
"""

import argparse
import importlib
import json
import os
import random
import sys
import time
from collections.abc import Sequence
from typing import Any

from mutant_places import ROOT, Place, places
from mutant_tests import Outcome, Survey, after_import, in_place, survey_of
from reliability_page import processor, write_between

RESULTS = ROOT / "build" / "mutants.jsonl"
WITHOUT_EFFECT = ROOT / "benchmarks" / "mutants_without_effect.json"
"""Mutants that were read and found to change no answer, with the reason of each."""

FOLDERS = {
    "stats": ("tests/stats", "tests/verdicts"),
    "verdicts": (
        "tests/verdicts",
        "tests/stats",
        "tests/cli/test_verdict.py",
        "tests/cli/test_verdicts.py",
        "tests/studies/confirm/test_judging.py",
        "tests/studies/confirm/test_verdict_text.py",
        "tests/studies/report/test_verdict_page.py",
        "tests/studies/report/test_verdict_paper.py",
        "tests/studies/report/test_verdict_rule.py",
        "tests/test_docs_verdict.py",
    ),
    "activations/facts": (
        "tests/activations/facts",
        "tests/activations/formula",
        "tests/activations/test_recognised.py",
        "tests/golden/test_golden.py::test_a_command_says_what_it_said[functions]",
    ),
    "checker/analysis": ("tests/checker",),
}
PRELOADED = ("numpy", "scipy.stats", "torch", "mpmath", "pandas", "pytest")


def rows_of(seed: int) -> list[dict[str, Any]]:
    """Return what is known of the mutants of a seed in the source as it is, the last of each."""
    kept = RESULTS.read_text().splitlines() if RESULTS.exists() else []
    current = {(place.name, place.digest) for folder in FOLDERS for place in places(folder)}
    rows = {
        row["which"]: row
        for row in map(json.loads, kept)
        if row["seed"] == seed and (row["which"], row["digest"]) in current
    }
    return [*rows.values()]


def try_mutants(folder: str, mutants: Sequence[Place], survey: Survey, seed: int, of: int) -> None:
    """Try some mutants of a folder and write down what came of each."""
    shown = os.dup(1)

    def report(outcome: Outcome) -> None:
        row = {"seed": seed, "folder": folder, "of": of, "which": outcome.place.name}
        row |= {"digest": outcome.place.digest, "killed": outcome.killed, "what": outcome.what}
        row |= {"test": outcome.test}
        with RESULTS.open("a") as stream:
            stream.write(json.dumps(row | {"seconds": round(outcome.seconds, 1)}) + "\n")
        if not outcome.killed:
            os.write(shown, f"survives: {outcome.place.name}: {outcome.what}\n".encode())

    for place in in_place(mutants, survey, report):
        report(after_import(place, survey))


def try_folder(folder: str, given: argparse.Namespace) -> None:
    """Try the sample of a folder in as many processes as are asked for."""
    everything = places(folder)
    size = min(given.sample, len(everything))
    sample = random.Random(f"{given.seed} {folder}").sample(everything, size)
    known = {(row["which"], row["digest"]): row["killed"] for row in rows_of(given.seed)}
    wanted = (None, False) if given.survivors else (None,)
    left = [place for place in sample if known.get((place.name, place.digest)) in wanted]
    if not left:
        return
    survey = survey_of(folder, given.tests or FOLDERS[folder])
    print(f"{folder}: {len(left)} of {len(everything)} mutants, {len(survey.seconds)} tests")
    sys.stdout.flush()
    lanes = []
    for lane in range(min(given.jobs, len(left))):
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                mine = left[lane :: given.jobs]
                try_mutants(folder, mine, survey, given.seed, len(everything))
                code = 0
            except SystemExit as error:
                print(error, file=sys.stderr, flush=True)
            finally:
                os._exit(code)
        lanes.append(pid)
    codes = [os.waitpid(pid, 0)[1] for pid in lanes]
    if any(codes):
        sys.exit(f"the mutants of {folder} were not all tried; run it again to go on")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", choices=[*FOLDERS], default=None)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--survivors", action="store_true", help="try again what survived")
    parser.add_argument("--tests", nargs="*", help="in place of all tests: those that are new")
    parser.add_argument("--page", action="store_true", help="write docs/reliability.md")
    given = parser.parse_args()
    RESULTS.parent.mkdir(exist_ok=True)
    for name in PRELOADED:
        importlib.import_module(name)
    for folder in FOLDERS if given.folder is None else [given.folder]:
        try_folder(folder, given)
    rows = rows_of(given.seed)
    print(table(rows))
    if given.page:
        command = f"`python benchmarks/mutants.py --seed {given.seed} --page`"
        first = f"{command}, {processor()}, {time.strftime('%Y-%m-%d')}."
        write_between("mutants", f"{first}\n\n{table(rows)}")


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the mutants killed by folder as a table in Markdown.

    Those that survived and were found by hand to change no answer are counted apart.
    """
    from scipy.stats import binomtest

    without_effect = {(one["file"], one["what"]) for one in json.loads(WITHOUT_EFFECT.read_text())}
    columns = ("folder", "mutants", "sampled", "killed", "95 % interval", "without effect")
    head = " | ".join((*columns, "killed of the rest"))
    lines = [f"| {head} |", "|---|--:|--:|--:|--:|--:|--:|"]
    for folder in dict.fromkeys(row["folder"] for row in rows):
        same = [row for row in rows if row["folder"] == folder]
        hits = sum(row["killed"] for row in same)
        left = [(row["which"].rpartition(" ")[0], row["what"]) for row in same if not row["killed"]]
        apart = sum(one in without_effect for one in left)
        interval = binomtest(hits, len(same)).proportion_ci(method="wilson")
        share = f"{hits} ({100 * hits / len(same):.1f} %)"
        bounds = f"{100 * interval.low:.1f} to {100 * interval.high:.1f} %"
        rest = f"{100 * hits / (len(same) - apart):.1f} %"
        numbers = f"{same[0]['of']} | {len(same)} | {share} | {bounds} | {apart} | {rest}"
        lines.append(f"| `{folder}` | {numbers} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
