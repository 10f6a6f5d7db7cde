"""What computing Winograd first saves per training step and per scored image.

Recipe: the published network on one thread, 32 images a step, AdamW; the sequence that only pools
first and the one that computes Winograd first, in fp32 and, where the processor has it, in bf16,
take one step each in turn, on the same images from the same weights. Time is the process's own
processor time; ratios are to pooling first in fp32. Rounding is the distance of all gradients from
float64's, relative to their length.

    python benchmarks/step.py [--steps 60] [--quick]
"""

import argparse
import copy
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab import training
from actlab.networks import build, pooling_first, winograd_first
from actlab.records import Precision
from actlab.studies import worker
from actlab.training.precision import has_bf16
from bench import publish, spread

ORDERS: dict[str, Callable[[nn.Sequential], nn.Module]] = {
    "pooling first": pooling_first,
    "Winograd first": winograd_first,
}
PRECISIONS: tuple[Precision, ...] = ("fp32", "bf16") if has_bf16("cpu") else ("fp32",)
ACTIVATIONS = ("relu", "tanh", "prelu", "silu")
BATCH = 32


@dataclass(frozen=True)
class Way:
    """A network in an order of computing, with its arithmetic."""

    model: nn.Module
    policy: training.PrecisionPolicy

    def __call__(self, images: Tensor) -> Tensor:
        """Return the outputs."""
        return self.policy(self.model, images)


def ways_of(activation: str) -> dict[str, Way]:
    found = {}
    for order, arrange in ORDERS.items():
        for precision in PRECISIONS:
            torch.manual_seed(0)
            written = build("published_cnn", activation, "tanh", "softmax")
            model = training.place(arrange(written), "cpu")
            found[f"{order}, {precision}"] = Way(model, training.POLICIES[precision])
    return found


def steps(way: Way, images: Tensor, labels: Tensor) -> Callable[[Tensor], float]:
    model = way.model
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)

    def step(batch: Tensor) -> float:
        started = time.process_time()
        optimiser.zero_grad()
        loss = F.cross_entropy(way(images.index_select(0, batch)), labels.index_select(0, batch))
        torch.autograd.backward(loss)
        optimiser.step()
        return time.process_time() - started

    return step


def scoring(way: Way, examples: training.Examples) -> float:
    started = time.process_time()
    training.score(way.model, examples, way.policy)
    seconds = time.process_time() - started
    way.model.train()
    return seconds / len(examples)


def gradients(way: Way, images: Tensor, labels: Tensor) -> Tensor:
    loss = F.cross_entropy(way(images), labels)
    found = torch.autograd.grad(loss, list(way.model.parameters()))
    return torch.cat([gradient.double().flatten() for gradient in found])


def rounding(way: Way, images: Tensor, labels: Tensor) -> float:
    exact = Way(copy.deepcopy(way.model).double(), training.POLICIES["fp32"])
    truth = gradients(exact, images.double(), labels)
    return float((gradients(way, images, labels) - truth).norm() / truth.norm())


def measure(activation: str, count: int) -> dict[str, object]:
    images, labels = torch.rand(1000, 1, 28, 28) * 2 - 1, torch.randint(0, 10, (1000,))
    examples = training.Examples(images, labels)
    ways = ways_of(activation)
    figures: dict[str, object] = {
        f"{name}: rounding": rounding(way, images[:BATCH], labels[:BATCH])
        for name, way in ways.items()
    }
    take = {name: steps(way, images, labels) for name, way in ways.items()}
    by_step: dict[str, list[float]] = {name: [] for name in ways}
    by_image: dict[str, list[float]] = {name: [] for name in ways}
    for round_number in range(count + 3):  # the first three warm up
        batch = torch.randint(0, len(images), (BATCH,))
        for name in ways:
            seconds = take[name](batch)
            if round_number >= 3:
                by_step[name].append(seconds)
        if round_number % 10 == 4:
            for name, way in ways.items():
                by_image[name].append(scoring(way, examples))
    for what, times in (("step", by_step), ("image scored", by_image)):
        first, *_others = times.values()
        for name, own in times.items():
            figures[f"{name}: ms per {what}"] = spread([1e3 * seconds for seconds in own])
            ratios = [plain / mine for plain, mine in zip(first, own, strict=True)]
            figures[f"{name}: ratio per {what}"] = median(ratios)
    return {f"{activation}, {name}": value for name, value in figures.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    worker.initialise()
    figures: dict[str, object] = {}
    for activation in ACTIVATIONS[: 1 if given.quick else None]:
        figures |= measure(activation, 12 if given.quick else given.steps)
    publish(
        "training step of the published network, by order of computing and precision, one thread",
        figures,
    )


if __name__ == "__main__":
    main()
