"""Two workers against one, and the memory of a worker.

Recipe: one process of ours trains for some epochs, then two side by side, in turn. Reported is the
median ratio of images per second, and the resident and peak memory of a worker after training and
scoring on the test split.

    python benchmarks/workers.py [--rounds 5] [--epochs 3] [--quick]
"""

import argparse
from statistics import median

import ours
from actlab.studies.executors.local import LocalProcesses
from bench import publish, spread
from settings import settings
from throughput import SEED, side_by_side


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", default="../shared/mnist")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    rounds, epochs = (1, 1) if given.quick else (given.rounds, given.epochs)
    plan = ours.published_plan(given.data_dir)
    chosen = settings(rounds)
    one, two = [], []
    executor = LocalProcesses(2, timeout=3600)
    try:
        environment = executor.submit(ours.prepare, plan).result()
        side_by_side(executor, plan, environment, chosen[:1] * 2, 1)
        for setting in chosen:
            one.append(side_by_side(executor, plan, environment, [setting], epochs))
            two.append(side_by_side(executor, plan, environment, [setting] * 2, epochs))
        if not given.quick:
            executor.submit(ours.train_and_test, plan, environment, chosen[0], SEED).result()
        used = [executor.submit(ours.memory).result() for _worker in range(2)]
    finally:
        executor.shutdown()
    ratios = [both / alone for both, alone in zip(two, one, strict=True)]
    publish(
        f"images per second of two workers against one, {rounds} rounds of {epochs} epochs",
        {
            "one": spread(one),
            "two": spread(two),
            "ratio": round(median(ratios), 3),
            "ratio by round": spread(ratios),
            "resident memory of a worker, MiB": max(worker["resident"] for worker in used),
            "peak memory of a worker, MiB": max(worker["peak"] for worker in used),
        },
    )


if __name__ == "__main__":
    main()
