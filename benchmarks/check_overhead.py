"""What `actlab.check` costs, as a multiple of one plain forward and backward pass.

Recipe: the published network with 64 images of noise and cross entropy, as published (softmax head:
the noise probe runs) and corrected. Plain passes and checks alternate, one of each to a pair;
reported are medians, and the median ratio of the two of a pair, which drifts of the machine do not
touch. The target is at most 5.

    python benchmarks/check_overhead.py [--pairs 20]
"""

import argparse
import time
from statistics import median

import torch
from torch import Tensor, nn

import actlab
from actlab.networks.builders import build
from bench import publish, spread


def plain(model: nn.Module, loss: nn.Module, x: Tensor, y: Tensor) -> float:
    started = time.perf_counter()
    loss(model(x), y).backward()
    seconds = time.perf_counter() - started
    model.zero_grad(set_to_none=True)
    return seconds


def checked(model: nn.Module, loss: nn.Module, x: Tensor, y: Tensor) -> float:
    started = time.perf_counter()
    actlab.check(model, loss, (x, y))
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    pairs = 2 if given.quick else given.pairs
    torch.manual_seed(0)
    torch.set_num_threads(1)
    x, y, loss = torch.randn(64, 1, 28, 28), torch.arange(64) % 10, nn.CrossEntropyLoss()
    figures: dict[str, object] = {"target_ratio": 5.0}
    for head in ("softmax", "logits"):
        model = build("published_cnn", "relu", "tanh", head)
        plain(model, loss, x, y)
        checked(model, loss, x, y)  # imports and warms up
        passes, checks = [], []
        for _pair in range(pairs):
            passes.append(plain(model, loss, x, y))
            checks.append(checked(model, loss, x, y))
        ratios = [check / one for check, one in zip(checks, passes, strict=True)]
        figures[f"{head}: plain pass, seconds"] = spread(passes)
        figures[f"{head}: check, seconds"] = spread(checks)
        figures[f"{head}: ratio"] = round(median(ratios), 3)
    publish("actlab.check on the published network, 64 images, one thread", figures)


if __name__ == "__main__":
    main()
