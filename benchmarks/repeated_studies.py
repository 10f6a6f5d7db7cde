"""Does a verdict agree with itself? Whole studies of the digits with different plan seeds.

Recipe: the preset `digits`, or another on data that are there, is searched, chosen, trained again
and judged, in this process, with another plan seed each time. Printed: over all pairs of studies,
how often a candidate has the same group in both, and how often it is *worse* in one and *best* or
*tied* in the other. The studies are run folders in a folder; called again it goes on where it was.

    python benchmarks/repeated_studies.py [--preset digits] [--studies 5] [--first 1]
        [--runs build/repeated_studies]
"""

import argparse
import logging
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from statistics import fmean

import torch

from actlab.records import Confirmation
from actlab.studies.confirm.confirmation import ask_for, confirm
from actlab.studies.confirm.stopping import stopping_rule
from actlab.studies.executors.in_process import InThisProcess
from actlab.studies.interface.progress import StudyProgress
from actlab.studies.interface.verdicts import verdict_of
from actlab.studies.plan.file import read_plan
from actlab.studies.run_folder import RunFolder
from actlab.studies.search.search import run_search
from bench import publish

RUNS = Path("build/repeated_studies")


@dataclass(frozen=True)
class Repeated:
    """What a study said: the group of every candidate by "slot name", trainings, seconds."""

    preset: str
    seed: int
    groups: dict[str, str]
    trainings: int
    seconds: float


def study(preset: str, seed: int, runs: Path) -> Repeated:
    """Search, choose, train again and judge, without a page; what has a record is not trained."""
    overrides = {"seed": seed, "execution": {"device": "cpu", "precision": "fp32"}}
    plan, path = read_plan(preset, overrides), runs / f"{preset}-{seed}"
    folder = RunFolder.open(path) if path.exists() else RunFolder.create(path, plan)
    with StudyProgress() as progress:
        ask_for(folder, Confirmation(plan.replicates))
        run_search(folder, "", progress, InThisProcess)
        confirm(folder, "", progress, InThisProcess, stopping_rule(folder))
    verdict, records = verdict_of(folder), folder.all_records()
    assert verdict is not None
    return Repeated(
        preset=preset,
        seed=seed,
        groups={f"{s.slot} {row.name}": row.group for s in verdict.slots for row in s.candidates},
        trainings=len(records),
        seconds=sum(record.seconds for record in records),
    )


def figures_of(found: list[Repeated]) -> dict[str, object]:
    """Return how often two studies agree, over all pairs of one preset."""
    same, against, count, pairs = 0, [], 0, 0
    for one, other in combinations(found, 2):
        if one.preset != other.preset:
            continue
        pairs += 1
        for key in one.groups.keys() & other.groups.keys():
            groups = {one.groups[key], other.groups[key]}
            same += len(groups) == 1
            if "worse" in groups and groups & {"best", "tied"}:
                against.append(f"{key} ({one.seed}, {other.seed})")
            count += 1
    return {
        "studies": len(found),
        "pairs": pairs,
        "candidates compared": count,
        "same group": same / max(count, 1),
        "worse in one, best or tied in the other": len(against) / max(count, 1),
        "which": against,
        "seconds of training a study, on the clock": fmean(one.seconds for one in found),
        "trainings a study": fmean(one.trainings for one in found),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="digits")
    parser.add_argument("--studies", type=int, default=5)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--runs", type=Path, default=RUNS)
    given = parser.parse_args()
    logging.getLogger("actlab").setLevel(logging.ERROR)
    torch.set_num_threads(1)
    seeds = range(given.first, given.first + given.studies)
    made = [study(given.preset, seed, given.runs) for seed in seeds]
    publish("whole studies repeated with other plan seeds", figures_of(made))


if __name__ == "__main__":
    main()
