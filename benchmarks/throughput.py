"""Images per second against the author's loop: same settings, seeds and epochs, in turn.

Recipe: for each setting the reference trains alone, with torch's default threads, for a few epochs;
then two of our processes, one thread each, train it and the next setting side by side. Images are
training and valid (epoch) images; start-up, reading and hashing of data are left out of both (our
processes train one epoch before they count). Reported is the median ratio over rounds.

    python benchmarks/throughput.py [--rounds 8] [--epochs 3] [--quick]
"""

import argparse
from concurrent.futures import Executor
from statistics import median

import ours
from actlab.records import Environment, Plan, Record, Setting
from actlab.studies.executors.local import LocalProcesses
from bench import publish, spread
from reference_loop import in_own_process
from settings import settings

SEED = 1


def side_by_side(
    executor: Executor, plan: Plan, environment: Environment, pair: list[Setting], epochs: int
) -> float:
    """Return the images per second of two processes together."""
    futures = [
        executor.submit(ours.train, plan, environment, setting, SEED, epochs) for setting in pair
    ]
    return sum(images_per_second(future.result()) for future in futures)


def images_per_second(record: Record) -> float:
    """Return images per second over the epochs of a training."""
    sizes = 3000 + 2000
    return sizes * len(record.curve) / sum(epoch.seconds for epoch in record.curve)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", default="../shared/mnist")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    rounds, epochs = (1, 1) if given.quick else (given.rounds, given.epochs)
    plan = ours.published_plan(given.data_dir, given.precision)
    chosen = settings(rounds + 1)
    theirs, own = [], []
    executor = LocalProcesses(2, timeout=3600)
    try:
        environment = executor.submit(ours.prepare, plan).result()
        side_by_side(executor, plan, environment, chosen[:2], 1)
        for place in range(rounds):
            theirs.append(
                float(
                    in_own_process(chosen[place], SEED, given.data_dir, epochs)["images per second"]
                )
            )
            pair = chosen[place : place + 2]
            own.append(side_by_side(executor, plan, environment, pair, epochs))
    finally:
        executor.shutdown()
    ratios = [mine / one for mine, one in zip(own, theirs, strict=True)]
    publish(
        f"images per second, {rounds} settings of {epochs} epochs in turn, two cores",
        {
            "precision": environment.precision,
            "reference": spread(theirs),
            "two processes of ours": spread(own),
            "ratio": round(median(ratios), 3),
            "ratio by round": spread(ratios),
            "targets": "4 at least, 6 the aim",
        },
    )


if __name__ == "__main__":
    main()
