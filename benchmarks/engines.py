"""What an engine adds to local processes: the same trainings on two workers of each, in turn.

Recipe: two workers of every engine, all there at the same time. Trainings of the digits preset's
network with as many epochs as take 5 s on a local worker while another one trains, too. In every
round each engine, in an order that turns, first warms up its workers with a short training each,
and then has the same trainings, two at a time, timed by the clock. Reported are the medians over
the rounds of seconds and of the ratio to local processes within a round, and the processor time of
this process (the driver) for each training. With `--sleep` the tasks sleep instead, so that other
work on the machine stays out of the comparison.

    dask scheduler --port 18799 --no-dashboard &
    dask worker tcp://127.0.0.1:18799 --nworkers 2 --nthreads 1 --no-dashboard &
    python benchmarks/engines.py --engines dask://127.0.0.1:18799 ray://auto
        [--tasks 4] [--rounds 5] [--seconds 5] [--sleep]
"""

import argparse
import time
from collections.abc import Callable
from concurrent.futures import Executor, wait
from dataclasses import replace
from statistics import median
from typing import Any

from actlab.records import Execution, Setting, Trial
from actlab.studies import worker
from actlab.studies.executors.engines import executor_factory
from actlab.studies.plan.file import read_plan
from actlab.studies.trials import search_trial
from bench import publish

Task = tuple[Callable[..., Any], tuple[Any, ...]]
FEW_EPOCHS = 10


def trainings(count: int) -> list[Trial]:
    """Return trials that train for many epochs."""
    plan = read_plan("digits", {})
    protocol = replace(plan.protocol, patience=1_000_000, max_epochs=1_000_000)
    execution = Execution(device="cpu", precision="fp32", workers=2)
    plan = replace(plan, protocol=protocol, execution=execution)
    environment = worker.prepare(plan, "", "")
    settings = [Setting(*pair, 0.001) for pair in (("relu", "tanh"), ("gelu", "silu"))]
    return [
        search_trial(plan, environment, number, settings[number % 2]) for number in range(count)
    ]


def timed(executor: Executor, tasks: list[Task]) -> tuple[float, float]:
    """Return the wall time of tasks, two at a time, and this process's time for each of them."""
    waiting = list(reversed(tasks))
    started, spent = time.perf_counter(), time.process_time()
    under_way = {submit(executor, waiting.pop()) for _worker in range(2)}
    while under_way:
        done, under_way = wait(under_way, return_when="FIRST_COMPLETED")
        for future in done:
            future.result()
            if waiting:
                under_way.add(submit(executor, waiting.pop()))
    return time.perf_counter() - started, (time.process_time() - spent) / len(tasks)


def submit(executor: Executor, task: Task) -> Any:
    function, arguments = task
    return executor.submit(function, *arguments)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engines", nargs="+", default=["ray://auto"])
    parser.add_argument("--tasks", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--sleep", action="store_true")
    given = parser.parse_args()
    names = ["local", *given.engines]
    executors = {name: executor_factory(name)(2, 600.0) for name in names}
    try:
        trials = trainings(given.tasks)
        few: list[Task] = [(worker.train, (trial, None, FEW_EPOCHS)) for trial in trials[:2]]
        for executor in executors.values():
            timed(executor, few)
        epochs = round(FEW_EPOCHS * given.seconds / timed(executors["local"], few)[0])
        tasks: list[Task] = [(worker.train, (trial, None, epochs)) for trial in trials]
        if given.sleep:
            tasks = [(time.sleep, (given.seconds,)) for _trial in trials]
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
        for number in range(given.rounds):
            turn = number % len(names)
            for name in (*names[turn:], *names[:turn]):
                timed(executors[name], few)
                found[name].append(timed(executors[name], tasks))
    finally:
        for executor in executors.values():
            executor.shutdown(cancel_futures=True)
    figures = {
        name.split(":")[0]: {
            "seconds": median(seconds for seconds, _driver in rounds),
            "over local": median(
                seconds / local
                for (seconds, _), (local, _) in zip(rounds, found["local"], strict=True)
            ),
            "driver ms a training": 1e3 * median(driver for _seconds, driver in rounds),
        }
        for name, rounds in found.items()
    }
    what = "sleeping" if given.sleep else f"trainings of {epochs} epochs"
    publish(f"{given.tasks} times {what}, two at a time, {given.rounds} rounds", figures)


if __name__ == "__main__":
    main()
