"""What computing positions first saves per training step and per scored image.

Recipe: the published network in float32 on one thread, 32 images a step, AdamW; the sequence that
only pools first and the one that computes positions first take one step each in turn, on the same
images from the same weights. Time is the process's own processor time. Rounding is the distance of
all gradients from float64's, relative to their length.

    python benchmarks/step.py [--steps 60] [--quick]
"""

import argparse
import copy
import time
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab import training, worker
from actlab.networks import build, pooling_first, positions_first
from bench import publish, spread

WAYS: dict[str, Callable[[nn.Sequential], nn.Module]] = {
    "pooling first": pooling_first,
    "positions first": positions_first,
}
ACTIVATIONS = ("relu", "tanh", "prelu")
BATCH = 32


def network(way: str, activation: str) -> nn.Module:
    torch.manual_seed(0)
    return training.place(WAYS[way](build("published_cnn", activation, "tanh", "softmax")), "cpu")


def steps(model: nn.Module, images: Tensor, labels: Tensor) -> Callable[[Tensor], float]:
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)

    def step(batch: Tensor) -> float:
        started = time.process_time()
        optimiser.zero_grad()
        loss = F.cross_entropy(model(images.index_select(0, batch)), labels.index_select(0, batch))
        torch.autograd.backward(loss)
        optimiser.step()
        return time.process_time() - started

    return step


def scoring(model: nn.Module, examples: training.Examples) -> float:
    started = time.process_time()
    training.score(model, examples)
    seconds = time.process_time() - started
    model.train()
    return seconds / len(examples)


def gradients(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    loss = F.cross_entropy(model(images), labels)
    found = torch.autograd.grad(loss, list(model.parameters()))
    return torch.cat([gradient.double().flatten() for gradient in found])


def rounding(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    exact = gradients(copy.deepcopy(model).double(), images.double(), labels)
    return float((gradients(model, images, labels) - exact).norm() / exact.norm())


def measure(activation: str, count: int) -> dict[str, object]:
    images, labels = torch.rand(1000, 1, 28, 28) * 2 - 1, torch.randint(0, 10, (1000,))
    examples = training.Examples(images, labels)
    models = {way: network(way, activation) for way in WAYS}
    figures: dict[str, object] = {
        f"{way}: rounding": rounding(model, images[:BATCH], labels[:BATCH])
        for way, model in models.items()
    }
    take = {way: steps(model, images, labels) for way, model in models.items()}
    by_step: dict[str, list[float]] = {way: [] for way in WAYS}
    by_image: dict[str, list[float]] = {way: [] for way in WAYS}
    for round_number in range(count + 3):  # the first three warm up
        batch = torch.randint(0, len(images), (BATCH,))
        for way in WAYS:
            seconds = take[way](batch)
            if round_number >= 3:
                by_step[way].append(seconds)
        if round_number % 10 == 4:
            for way in WAYS:
                by_image[way].append(scoring(models[way], examples))
    for what, times in (("step", by_step), ("image scored", by_image)):
        for way in WAYS:
            figures[f"{way}: seconds per {what}"] = spread(times[way])
        plain, ours = times.values()
        figures[f"ratio per {what}"] = median(a / b for a, b in zip(plain, ours, strict=True))
    return {f"{activation}: {name}": value for name, value in figures.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    worker.initialise()
    figures: dict[str, object] = {}
    for activation in ACTIVATIONS[: 1 if given.quick else None]:
        figures |= measure(activation, 12 if given.quick else given.steps)
    publish("training step of the published network, two orders of memory, one thread", figures)


if __name__ == "__main__":
    main()
