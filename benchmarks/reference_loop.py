"""The published study's training loop as its author wrote it: the yardstick of every speed-up.

Images go one by one through a DataLoader: a byte image becomes float / 255 (ToTensor), then
(p - 0.5) / 0.5 (Normalize), and 32 of them a batch. Convolution, activation, pooling in the order
of the page, in float32, with torch's own number of threads, AdamW as torch makes it, early stopping
on the whole of valid (epoch). No trick, neither for nor against it. The splits, the weights and the
order of images are those of actlab's own training of the same seeds, so that results can be paired.

    python benchmarks/reference_loop.py [--epochs 2] [--quick]
"""

import argparse
import copy
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Sampler

from actlab import data
from actlab.networks import build
from actlab.records import Protocol, Setting, SplitSizes
from bench import publish

SIZES = SplitSizes(train=3000, valid_epoch=2000, valid_trial=5000, test=10000)
PROTOCOL = Protocol("published", "softmax")


@dataclass(frozen=True)
class Outcome:
    """What one training gave: epochs and images seen, seconds of training, accuracies.

    One that was cut short by a limit on epochs is not scored.
    """

    epochs: int
    images: int
    seconds: float
    valid_epoch: tuple[float, ...]
    valid_trial: float | None
    test: float | None


class Images(Dataset[tuple[Tensor, int]]):
    """One image at a time, turned into a normalised tensor when it is asked for."""

    def __init__(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        self.images, self.labels = images, labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        tensor = torch.from_numpy(self.images[index]).to(torch.float32).div(255)
        return (tensor - 0.5) / 0.5, int(self.labels[index])


class Shuffled(Sampler[int]):
    """A new order for every epoch: the one that actlab's training takes from the same seed."""

    def __init__(self, count: int, seed: int) -> None:
        self.count, self.seed, self.epoch = count, seed, 0

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Any:
        self.epoch += 1
        return iter(np.random.default_rng((self.seed, self.epoch)).permutation(self.count).tolist())


def train(setting: Setting, seed: int, directory: str | None, epochs: int | None) -> Outcome:
    """Train one setting by the published protocol, for at most `epochs`; score it on the test."""
    dataset = data.open_dataset("mnist", directory)
    splits = data.draw_splits(dataset, SIZES, seed)
    sets = {name: Images(part.images, part.labels) for name, part in vars(splits).items()}
    test = data.final_test_split(dataset, SIZES, seed)
    order = Shuffled(len(sets["train"]), seed)
    batch = PROTOCOL.batch_size
    learn: DataLoader[Any] = DataLoader(sets["train"], batch, sampler=order)
    torch.manual_seed(seed)
    model = build("published_cnn", setting.conv_activation, setting.fc_activation, PROTOCOL.head)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=setting.learning_rate)
    curve: list[float] = []
    best, best_weights = -1.0, model.state_dict()
    started = time.perf_counter()
    while len(curve) - (curve.index(best) + 1 if curve else 0) < PROTOCOL.patience:
        if epochs is not None and len(curve) >= epochs:
            break
        model.train()
        for images, labels in learn:
            optimizer.zero_grad()
            loss = criterion(model(images), labels)
            loss.backward()
            optimizer.step()
        curve.append(accuracy(model, sets["valid_epoch"]))
        if curve[-1] > best:
            best, best_weights = curve[-1], copy.deepcopy(model.state_dict())
    seconds = time.perf_counter() - started
    model.load_state_dict(best_weights)
    return Outcome(
        epochs=len(curve),
        images=len(curve) * (SIZES.train + SIZES.valid_epoch),
        seconds=seconds,
        valid_epoch=tuple(curve),
        valid_trial=accuracy(model, sets["valid_trial"]) if epochs is None else None,
        test=accuracy(model, Images(test.images, test.labels)) if epochs is None else None,
    )


def accuracy(model: nn.Module, examples: Images) -> float:
    """Return the fraction of examples that the model gets right, batch by batch."""
    model.eval()
    correct = 0
    with torch.no_grad():
        for images, labels in DataLoader(examples, PROTOCOL.batch_size):
            correct += int((model(images).argmax(dim=1) == labels).sum())
    return correct / len(examples)


def in_own_process(
    setting: Setting, seed: int, directory: str, epochs: int | None = None
) -> dict[str, Any]:
    """Return the figures of one training in a new process, so that nothing of ours is in it."""
    named = (setting.conv_activation, setting.fc_activation, repr(setting.learning_rate))
    command = [sys.executable, __file__, "--setting", *named, "--data-dir", directory]
    command += ["--seed", str(seed), "--epochs", str(epochs or 0)]
    shown = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    figures: dict[str, Any] = json.loads(shown.splitlines()[-1])["figures"]
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", default="../shared/mnist")
    parser.add_argument("--setting", nargs=3, default=("relu", "tanh", "0.002"))
    parser.add_argument("--epochs", type=int, default=3, help="0: to the end of its patience")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    conv, fc, rate = given.setting
    epochs = 1 if given.quick else given.epochs or None
    outcome = train(Setting(conv, fc, float(rate)), given.seed, given.data_dir, epochs)
    publish(
        f"the author's loop: {conv}, {fc}, learning rate {rate}, seed {given.seed}",
        {
            "threads": torch.get_num_threads(),
            "epochs": outcome.epochs,
            "seconds per epoch": outcome.seconds / outcome.epochs,
            "images per second": outcome.images / outcome.seconds,
            "valid accuracy by epoch": list(outcome.valid_epoch),
            "valid (trial) accuracy": outcome.valid_trial,
            "test accuracy": outcome.test,
            "seconds": outcome.seconds,
        },
    )


if __name__ == "__main__":
    main()
