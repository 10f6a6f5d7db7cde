"""How much time `actlab.watch` adds to a training at its default interval.

Recipe: blocks of training steps of one network, alternately bare and inside
`with actlab.watch(model)`: entering, leaving and the summary are in the watched time. The order of
the two changes from pair to pair. Time is the process's own processor time on one thread, so that
other programs disturb little. Reported are medians of the blocks and the ratios within pairs, which
drifts of the machine do not touch; and, steadier than either on a busy machine, what a sampled
pass costs beyond the steps beside it, and what is paid once: entering, the first pass, leaving and
the summary. The target is at most 1.03.

    python benchmarks/watch_overhead.py [--network published|perceptron|tiny] [--pairs 10]
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

import actlab
from actlab.networks.builders import build
from bench import publish, spread

STEPS = {"published": 200, "perceptron": 1000, "tiny": 5000}
EVERY = 100
"""The default interval."""

Times = tuple[float, list[float], float]
"""Seconds of a block, of each of its steps, and of everything in it but the steps."""


def network(name: str) -> tuple[nn.Module, Tensor]:
    if name == "tiny":
        return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)), torch.randn(32, 64)
    if name == "perceptron":
        layers = (nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU())
        return nn.Sequential(*layers, nn.Linear(256, 10)), torch.randn(64, 784)
    return build("published_cnn", "relu", "relu", "logits"), torch.randn(32, 1, 28, 28)


def train(model: nn.Module, optimizer: Any, x: Tensor, y: Tensor, steps: int) -> list[float]:
    """Train, and return the time of each step."""
    times = []
    for _step in range(steps):
        started = time.process_time()
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        times.append(time.process_time() - started)
    return times


def bare_block(run: Callable[[], list[float]]) -> Times:
    started = time.process_time()
    times = run()
    seconds = time.process_time() - started
    return seconds, times, seconds - sum(times)


def watched_block(run: Callable[[], list[float]], model: nn.Module) -> Times:
    started = time.process_time()
    with actlab.watch(model, show=str):
        times = run()
    seconds = time.process_time() - started
    return seconds, times, seconds - sum(times)


def sampling_costs(times: list[float]) -> list[float]:
    """Return what passes that are due cost, in steps: each and its next, beyond their neighbours.

    The first is left out: it is paid once in a training.
    """
    costs = []
    for place in range(EVERY, len(times), EVERY):
        usual = median(times[place + 2 : place + 22])
        costs.append((times[place] + times[place + 1]) / usual - 2.0)
    return costs


def cost_once(times: list[float], beyond: float) -> float:
    """Return what a training pays once, in steps: its first pass, and what is beyond its steps."""
    usual = median(times[2:22])
    return (times[0] + times[1] + beyond) / usual - 2.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", choices=tuple(STEPS), default="published")
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    pairs = 1 if given.quick else given.pairs
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model, x = network(given.network)
    y = torch.arange(x.shape[0]) % 10
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    run = partial(train, model, optimizer, x, y, STEPS[given.network])
    watched_block(partial(train, model, optimizer, x, y, 3), model)  # imports and warms up
    bare: list[float] = []
    watched: list[float] = []
    costs: list[float] = []
    once: list[float] = []
    for pair in range(pairs):
        if pair % 2:
            bare.append(bare_block(run)[0])
        seconds, times, beyond = watched_block(run, model)
        if not pair % 2:
            bare.append(bare_block(run)[0])
        watched.append(seconds)
        costs += sampling_costs(times)
        once.append(cost_once(times, beyond))
    ratios = [one / other for one, other in zip(watched, bare, strict=True)]
    publish(
        f"added time of actlab.watch, {given.network} network, {pairs} interleaved pairs of "
        f"{STEPS[given.network]} steps, every={EVERY}, one thread",
        {
            "bare, seconds": spread(bare),
            "watched, seconds": spread(watched),
            "ratio of medians": median(watched) / median(bare),
            "ratio within pairs": spread(ratios),
            "a due pass costs, in steps": spread(costs),
            "ratio by due passes alone": 1.0 + sum(costs) / len(costs) / EVERY,
            "once in a training, in steps": spread(once),
        },
    )


if __name__ == "__main__":
    main()
