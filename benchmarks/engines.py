"""What an engine adds to local processes: the same tasks on two workers of each, in turn.

Recipe: two workers; a warm-up task on each; then tasks that sleep 5 s in their process, two at a
time. Sleeping keeps other work on the machine out of the comparison: what is left is what an engine
costs. Reported is the wall time over that of the sleeping alone.

    python benchmarks/engines.py [--engines local dask://HOST:PORT ray://auto] [--tasks 8]
"""

import argparse
import time
from concurrent.futures import wait

from actlab.studies.executors.engines import executor_factory
from bench import publish

SECONDS = 5.0


def over(engine: str, tasks: int) -> float:
    """Return the wall time of the tasks over what two workers must sleep."""
    executor = executor_factory(engine)(2, 600.0)
    try:
        # Long enough that the second worker has to start, too.
        wait([executor.submit(time.sleep, 20.0) for _worker in range(2)])
        started = time.perf_counter()
        under_way = [executor.submit(time.sleep, SECONDS) for _worker in range(2)]
        left = tasks - 2
        while under_way:
            done, rest = wait(under_way, return_when="FIRST_COMPLETED")
            fresh = min(len(done), left)
            left -= fresh
            under_way = [*rest, *(executor.submit(time.sleep, SECONDS) for _task in range(fresh))]
        return (time.perf_counter() - started) / (SECONDS * tasks / 2)
    finally:
        executor.shutdown(cancel_futures=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engines", nargs="+", default=["local", "ray://auto"])
    parser.add_argument("--tasks", type=int, default=8)
    given = parser.parse_args()
    figures = {engine.split(":")[0]: over(engine, given.tasks) for engine in given.engines}
    publish(
        f"{given.tasks} tasks of {SECONDS:g} s on two workers, over the sleeping alone", figures
    )


if __name__ == "__main__":
    main()
