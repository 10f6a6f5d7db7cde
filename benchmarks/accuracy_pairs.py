"""Do the fast paths train as well as the author's loop? Mean test accuracy over paired runs.

Recipe: settings drawn from the steady part of the published space (`settings.py` says which and
why), each with a seed of its own, trained to the end of their patience three ways: same split,
weights and order of images. Two of our processes train side by side, then the author's loop trains
alone; in the end the same settings train in lock-step, as two populations. Reported is the mean
difference of test accuracy to the reference's, with its 95 % interval (Student's t over pairs).
The lower end must be above -0.2 points.

    python benchmarks/accuracy_pairs.py [--pairs 40] [--precision fp32] [--without-populations]
        [--quick]
"""

import argparse
from statistics import mean, stdev

from scipy.stats import t

import ours
from actlab.studies.executor import LocalProcesses
from bench import publish
from reference_loop import in_own_process
from settings import steady_settings

LOWEST = -0.002


def interval(differences: list[float]) -> tuple[float, float]:
    """Return the 95 % interval of the mean."""
    count = len(differences)
    if count < 2:
        return (float("-inf"), float("inf"))
    half = float(t.ppf(0.975, count - 1)) * stdev(differences) / count**0.5
    return mean(differences) - half, mean(differences) + half


def against(own: list[float], theirs: list[float]) -> dict[str, object]:
    """Return how a way to train differs from the reference."""
    differences = [mine - one for mine, one in zip(own, theirs, strict=True)]
    low, high = interval(differences)
    return {
        "mean": mean(own),
        "difference": mean(differences),
        "95 % interval": [low, high],
        "lower end above -0.2 points": low > LOWEST,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", default="../shared/mnist")
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--without-populations", action="store_true")
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    pairs = 1 if given.quick else given.pairs
    plan = ours.published_plan(given.data_dir, given.precision)
    executor = LocalProcesses(2, timeout=7200)
    own: list[float] = []
    theirs: list[float] = []
    together: list[float] = []
    try:
        environment = executor.submit(ours.prepare, plan).result()
        chosen = list(enumerate(steady_settings(pairs), start=1))
        for place in range(0, pairs, 2):
            two = chosen[place : place + 2]
            trained = [
                executor.submit(ours.train_and_test, plan, environment, setting, seed)
                for seed, setting in two
            ]
            own += [future.result().test for future in trained]
            theirs += [
                float(in_own_process(setting, seed, given.data_dir)["test accuracy"])
                for seed, setting in two
            ]
        if not (given.quick or given.without_populations):
            middle = (pairs + 1) // 2
            populations = [
                executor.submit(ours.train_together_and_test, plan, environment, part)
                for part in (chosen[:middle], chosen[middle:])
            ]
            together = [one.test for future in populations for one in future.result()]
    finally:
        executor.shutdown()
    figures: dict[str, object] = {
        "precision": environment.precision,
        "reference, mean": mean(theirs),
        "ours": against(own, theirs),
        "accuracies, reference": theirs,
        "accuracies, ours": own,
    }
    if together:
        figures |= {"in lock-step": against(together, theirs), "accuracies, lock-step": together}
    publish(f"test accuracy of {pairs} paired trainings, less the reference's", figures)


if __name__ == "__main__":
    main()
