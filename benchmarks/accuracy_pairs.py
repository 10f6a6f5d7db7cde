"""Do the fast paths train as well as the author's loop? Mean test accuracy over paired runs.

Recipe: settings drawn from the steady part of the published space (`settings.py` says which and
why), each with a seed of its own, trained to the end of their patience both ways: same split,
weights and order of images. Two of our processes train side by side, then the author's loop trains
alone. Reported is the mean difference of test accuracy, ours less the reference's, with its 95 %
interval (Student's t over pairs). The lower end must be above -0.2 points. With `--populations
DEVICE` the same settings then train in lock-step there, as two populations, against the same
figures: on a CPU in fp32, else in the precision asked for.

Every pair is kept in a file as soon as it is done, so that an hour of it can be interrupted; called
again it goes on.

    python benchmarks/accuracy_pairs.py [--pairs 40] [--populations cuda]
        [--precision fp32] [--record build/accuracy_pairs.jsonl] [--quick]
"""

import argparse
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, stdev

from scipy.stats import t

import kept
import ours
from actlab.records import Setting
from actlab.studies.executors.local import LocalProcesses
from bench import publish
from reference_loop import in_own_process
from settings import steady_settings

LOWEST = -0.002
RECORD = Path("build/accuracy_pairs.jsonl")


@dataclass(frozen=True)
class Pair:
    """The test accuracies of one setting and seed, trained both ways."""

    seed: int
    reference: float
    own: float
    precision: str


def go_on(
    path: Path, chosen: list[Setting], directory: str, precision: str, executor: Executor
) -> list[Pair]:
    """Train the pairs that are missing; a setting's seed is its place, from 1."""
    pairs = kept.read(path, Pair)
    if len(pairs) >= len(chosen):
        return pairs[: len(chosen)]
    plan = ours.published_plan(directory, precision)
    environment = executor.submit(ours.prepare, plan).result()
    for place in range(len(pairs), len(chosen), 2):
        two = list(enumerate(chosen[place : place + 2], start=place + 1))
        futures = [
            executor.submit(ours.train_and_test, plan, environment, setting, seed)
            for seed, setting in two
        ]
        own = [future.result().test for future in futures]
        for (seed, setting), mine in zip(two, own, strict=True):
            theirs = float(in_own_process(setting, seed, directory)["test accuracy"])
            pairs.append(Pair(seed, theirs, mine, environment.precision))
        kept.append(path, pairs[place:])
    return pairs


def in_lockstep(
    chosen: list[Setting], directory: str, device: str, precision: str, executor: Executor
) -> tuple[list[float], str]:
    """Return the test accuracies of the settings trained as two populations, and the precision."""
    plan = ours.published_plan(directory, "fp32" if device == "cpu" else precision, device)
    environment = executor.submit(ours.prepare, plan).result()
    seeded = list(enumerate(chosen, start=1))
    middle = (len(seeded) + 1) // 2
    populations = [
        executor.submit(ours.train_together_and_test, plan, environment, part)
        for part in (seeded[:middle], seeded[middle:])
    ]
    together = [one.test for future in populations for one in future.result()]
    return together, environment.precision


def against(own: list[float], theirs: list[float]) -> dict[str, object]:
    """Return how a way to train differs from the reference, with the 95 % interval of the mean."""
    differences = [mine - one for mine, one in zip(own, theirs, strict=True)]
    count = len(differences)
    half = float("inf")
    if count > 1:
        half = float(t.ppf(0.975, count - 1)) * stdev(differences) / count**0.5
    low, high = mean(differences) - half, mean(differences) + half
    return {
        "pairs": count,
        "mean": mean(own),
        "reference's mean": mean(theirs),
        "difference": mean(differences),
        "95 % interval": [low, high],
        "lower end above -0.2 points": low > LOWEST,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", default="../shared/mnist")
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--populations", choices=("cpu", "cuda"))
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--record", type=Path, default=RECORD)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    path, count = given.record, given.pairs
    if given.quick:
        path, count = path.with_suffix(".quick.jsonl"), 1
        path.unlink(missing_ok=True)
    directory = str(Path(given.data_dir).resolve())
    chosen = steady_settings(count)
    executor = LocalProcesses(2, timeout=7200)
    try:
        pairs = go_on(path, chosen, directory, given.precision, executor)
        theirs = [pair.reference for pair in pairs]
        figures: dict[str, object] = {
            "precision": sorted({pair.precision for pair in pairs}),
            "ours": against([pair.own for pair in pairs], theirs),
            "record": [asdict(pair) for pair in pairs],
        }
        if given.populations:
            where = (directory, given.populations, given.precision)
            together, precision = in_lockstep(chosen, *where, executor)
            found = {"precision": precision, **against(together, theirs), "of each": together}
            figures[f"in lock-step, {given.populations}"] = found
    finally:
        executor.shutdown()
    publish("test accuracy of paired trainings, less the reference's", figures)


if __name__ == "__main__":
    main()
