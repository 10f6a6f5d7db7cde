"""How much time `actlab.watch` adds to a training at its default interval.

Recipe: blocks of 200 training steps of one network, alternately bare and inside
`with actlab.watch(model)`: entering, leaving and the summary are in the watched time. The order of
the two changes from pair to pair. Time is the process's own processor time on one thread, so that
other programs disturb little. Reported are medians of the blocks, and the ratios within pairs,
which drifts of the machine do not touch. The target is at most 1.03.

    python benchmarks/watch_overhead.py [--network published|perceptron|tiny] [--pairs 10]
"""

import argparse
import time
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

import actlab
from actlab.networks.builders import build
from bench import publish, spread

STEPS = 200


def network(name: str) -> tuple[nn.Module, Tensor]:
    if name == "tiny":
        return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)), torch.randn(32, 64)
    if name == "perceptron":
        layers = (nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU())
        return nn.Sequential(*layers, nn.Linear(256, 10)), torch.randn(64, 784)
    return build("published_cnn", "relu", "relu", "logits"), torch.randn(32, 1, 28, 28)


def block(model: nn.Module, optimizer: Any, x: Tensor, y: Tensor, steps: int) -> None:
    for _step in range(steps):
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def timed(model: nn.Module, optimizer: Any, x: Tensor, y: Tensor, *, watched: bool) -> float:
    started = time.process_time()
    if watched:
        with actlab.watch(model, show=str):
            block(model, optimizer, x, y, STEPS)
    else:
        block(model, optimizer, x, y, STEPS)
    return time.process_time() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--network", choices=("published", "perceptron", "tiny"), default="published"
    )
    parser.add_argument("--pairs", type=int, default=10)
    given = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model, x = network(given.network)
    y = torch.arange(x.shape[0]) % 10
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    timed(model, optimizer, x, y, watched=True)  # imports and warms up
    bare: list[float] = []
    watched: list[float] = []
    for pair in range(given.pairs):
        for turn in (pair % 2 == 0, pair % 2 == 1):
            seconds = timed(model, optimizer, x, y, watched=turn)
            (watched if turn else bare).append(seconds)
    ratios = [one / other for one, other in zip(watched, bare, strict=True)]
    publish(
        f"added time of actlab.watch, {given.network} network, {given.pairs} interleaved pairs of "
        f"{STEPS} steps, every=100, one thread",
        {
            "bare, seconds": spread(bare),
            "watched, seconds": spread(watched),
            "ratio of medians": median(watched) / median(bare),
            "ratio within pairs": spread(ratios),
        },
    )


if __name__ == "__main__":
    main()
