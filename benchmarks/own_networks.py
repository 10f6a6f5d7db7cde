"""How much faster networks of one's own train here than in a plain loop with a DataLoader.

Recipe: five networks, 2,000 rows to learn from and 500 to stop by, batches of 32. The plain loop is
a process of its own with torch's default threads; it takes rows one by one from a TensorDataset
through a DataLoader and steps with AdamW as torch makes it; validation goes through a DataLoader
too. Ours is the loop of the studies on the same network as a worker builds it, in the precision
that a study takes here: a process of one thread on each of two cores, as a study has, so that two
trainings end in the time of an epoch. Some epochs of each in turn, after a round to warm up; a
ratio is of the clock's seconds per epoch and training.

On a GPU (`--device cuda`) both have one process. Ours is one training by itself, then `--together`
of them at the same time as a study trains them there: as one network where they are plain
sequences, else side by side.

    python benchmarks/own_networks.py [--rounds 5] [--epochs 3] [--only NETWORK] [--device cpu]
        [--together 32] [--quick]
"""

import argparse
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from statistics import fmean, median

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from actlab import networks, training
from actlab.addresses import offer
from actlab.records import Precision, Protocol, Setting
from actlab.studies import worker
from actlab.studies.worker.inputs import built
from actlab.training import fused
from bench import publish, spread

ROWS, VALID, BATCH = 2000, 500, 32


class Residual(nn.Module):
    """A residual CNN with batch normalisation, for images of 28 x 28."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.stem_act = nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.ReLU()
        self.norm, self.pool = nn.BatchNorm2d(16), nn.MaxPool2d(2)
        self.first, self.first_norm = nn.Conv2d(16, 16, 3, padding=1), nn.BatchNorm2d(16)
        self.second, self.second_norm = nn.Conv2d(16, 16, 3, padding=1), nn.BatchNorm2d(16)
        self.act, self.act2 = nn.ReLU(), nn.ReLU()
        self.out = nn.Linear(16, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Return class scores."""
        x = self.pool(self.stem_act(self.norm(self.stem(images))))
        inner = self.second_norm(self.second(self.act(self.first_norm(self.first(x)))))
        scores: Tensor = self.out(self.act2(x + inner).mean((2, 3)))
        return scores


def table() -> nn.Module:
    """Return an MLP for tables of 30 columns."""
    hidden = [nn.Linear(30, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU()]
    return nn.Sequential(*hidden, nn.Linear(64, 10))


class Tokens(nn.Module):
    """A transformer encoder on 32 tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(1000, 64)
        self.encoder = nn.TransformerEncoderLayer(64, 4, 128, 0.0, batch_first=True)
        self.out = nn.Linear(64, 10)

    def forward(self, ids: Tensor) -> Tensor:
        """Return class scores."""
        scores: Tensor = self.out(self.encoder(self.embed(ids)).mean(1))
        return scores


class Recurrent(nn.Module):
    """An LSTM on 32 tokens, with an activation before the scores."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.lstm = nn.Embedding(1000, 32), nn.LSTM(32, 64, batch_first=True)
        self.hidden, self.act, self.out = nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)

    def forward(self, ids: Tensor) -> Tensor:
        """Return class scores."""
        last = self.lstm(self.embed(ids))[0][:, -1]
        scores: Tensor = self.out(self.act(self.hidden(last)))
        return scores


def published() -> nn.Module:
    """Return the published CNN as somebody writes it."""
    layers = [nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(64, 64, 3), nn.ReLU()]
    layers += [nn.Flatten(), nn.Linear(1024, 64), nn.ReLU(), nn.Linear(64, 10)]
    return nn.Sequential(*layers)


def images(count: int) -> Tensor:
    return torch.rand(count, 1, 28, 28) * 2 - 1


def ids(count: int) -> Tensor:
    return torch.randint(0, 1000, (count, 32))


NETWORKS: dict[str, tuple[Callable[[], nn.Module], Callable[[int], Tensor]]] = {
    "residual CNN with BatchNorm": (Residual, images),
    "MLP on a table": (table, lambda count: torch.randn(count, 30)),
    "transformer encoder on tokens": (Tokens, ids),
    "LSTM on tokens": (Recurrent, ids),
    "published CNN": (published, images),
}


def rows_of(name: str) -> tuple[TensorDataset, TensorDataset]:
    """Return what a network learns from, and what it is validated on."""
    torch.manual_seed(0)
    rows = NETWORKS[name][1]
    learn, valid = (
        TensorDataset(rows(count), torch.randint(0, 10, (count,))) for count in (ROWS, VALID)
    )
    return learn, valid


def now(device: training.Device) -> float:
    """Return the clock's seconds, the device waited for."""
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


class Plain:
    """A network in a plain loop with a DataLoader."""

    def __init__(self, name: str, device: training.Device) -> None:
        learn, valid = rows_of(name)
        self._device: training.Device = device
        self._model, self._criterion = NETWORKS[name][0]().to(device), nn.CrossEntropyLoss()
        self._optimizer = torch.optim.AdamW(self._model.parameters(), lr=1e-3)
        self._batches = DataLoader(learn, BATCH, shuffle=True)
        self._checks = DataLoader(valid, BATCH)

    def epochs(self, count: int) -> float:
        """Train some epochs, and return the seconds of one."""
        started = now(self._device)
        for _number in range(count):
            self._epoch()
        return (now(self._device) - started) / count

    def _epoch(self) -> None:
        model, device = self._model, self._device
        model.train()
        for inputs, labels in self._batches:
            self._optimizer.zero_grad()
            loss = self._criterion(model(inputs.to(device)), labels.to(device))
            loss.backward()
            self._optimizer.step()
        model.eval()
        correct = 0
        with torch.no_grad():
            for inputs, labels in self._checks:
                scores = model(inputs.to(device))
                correct += int((scores.argmax(dim=1) == labels.to(device)).sum())


class Ours:
    """A network as a worker builds it, its data on the device, in the precision of a study."""

    def __init__(self, name: str, device: training.Device) -> None:
        learn, valid = rows_of(name)
        offer(f"here:{name}", NETWORKS[name][0])
        self._name, self._example = name, learn.tensors[0][:2]
        self._device: training.Device = device
        self._model, self._state, self._done = self.model(), b"", 0
        parts = (learn.tensors, valid.tensors, (self._example, learn.tensors[1][:2]))
        self._data = training.TrainingData(
            *(
                training.Examples(_laid_out(rows).to(device), labels.to(device))
                for rows, labels in parts
            )
        )
        batch = self._data.train.images[:BATCH]
        self.precision: Precision = training.resolve_precision(
            "auto", device, lambda: training.faster_precision(self._model, batch)
        )

    def model(self) -> nn.Module:
        """Return the network on the device."""
        setting, address = Setting("relu", "relu", 1e-3), f"here:{self._name}"
        return built(
            address, setting, "logits", 1, self._device, example=self._example, init="keep"
        )

    def recipe(self, epochs: int) -> training.Recipe:
        """Return a training of so many epochs."""
        protocol = Protocol(
            "corrected", "logits", batch_size=BATCH, patience=epochs, max_epochs=epochs
        )
        policy = training.POLICIES[self.precision]
        return training.Recipe(1e-3, protocol, order_seed=1, policy=policy)

    def epochs(self, count: int) -> float:
        """Train some epochs, and return the seconds of one."""
        started = now(self._device)
        self._done += count
        made = training.train(
            self._model, self._data, self.recipe(10_000), self._state or None, self._done
        )
        self._state = made.state
        return (now(self._device) - started) / count

    def together(self, count: int, epochs: int) -> float:
        """Return the seconds of an epoch of one of some that a study trains at the same time."""
        models = [self.model() for _number in range(count)]
        given = ([self._data] * count, [self.recipe(epochs + 1)] * count)
        found = fused.train_together(models, *given, networks.as_written)
        return median(epoch.seconds for epoch in found[0].curve[1:])


def _laid_out(rows: Tensor) -> Tensor:
    return rows.to(memory_format=torch.channels_last) if rows.ndim == 4 else rows


_MADE: dict[str, Plain | Ours] = {}


def plain_epochs(name: str, count: int) -> float:
    """Train the plain loop of this process on, and return the seconds of an epoch."""
    made = _MADE.setdefault(name, _MADE.get(name) or Plain(name, "cpu"))
    return made.epochs(count)


def our_epochs(name: str, count: int) -> float:
    """Train this process's network of ours on, and return the seconds of an epoch."""
    made = _MADE.setdefault(name, _MADE.get(name) or Ours(name, "cpu"))
    return made.epochs(count)


def precision_of(name: str) -> Precision:
    """Return the precision that this process trains a network in."""
    made = _MADE[name]
    assert isinstance(made, Ours)
    return made.precision


def on_two_cores(names: list[str], rounds: int, epochs: int) -> dict[str, object]:
    """Return how the two compare, a plain loop on two cores and a process of ours on each."""
    figures: dict[str, object] = {}
    ratios = []
    context = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        loop = stack.enter_context(ProcessPoolExecutor(1, context))
        workers = [
            stack.enter_context(ProcessPoolExecutor(1, context, worker.initialise))
            for _core in range(2)
        ]
        for name in names:
            times = []
            for _round in range(rounds + 1):
                theirs = loop.submit(plain_epochs, name, epochs).result()
                begun = [one.submit(our_epochs, name, epochs) for one in workers]
                times.append((theirs, max(one.result() for one in begun) / len(workers)))
            precision = workers[0].submit(precision_of, name).result()
            found = [theirs / own for theirs, own in times[1:]]
            ratios.append(median(found))
            figures[f"{name}, {precision}: ratio"] = spread(found)
            figures[f"{name}: s per epoch, plain and ours"] = " ".join(
                f"{median(column):.4f}" for column in zip(*times[1:], strict=True)
            )
    return {**figures, "mean of the ratios": fmean(ratios)}


def on_a_gpu(names: list[str], rounds: int, epochs: int, together: int) -> dict[str, object]:
    """Return how the two compare on one GPU, one training at a time and many."""
    figures: dict[str, object] = {}
    alone, shared = [], []
    for name in names:
        theirs, own = Plain(name, "cuda"), Ours(name, "cuda")
        times = [(theirs.epochs(epochs), own.epochs(epochs)) for _round in range(rounds + 1)][1:]
        plain, single = (median(column) for column in zip(*times, strict=True))
        many = own.together(together, epochs)
        alone.append(plain / single)
        shared.append(plain / many)
        figures[f"{name}, {own.precision}: s per epoch, plain, ours, each of {together}"] = (
            f"{plain:.4f} {single:.4f} {many:.4f}"
        )
        figures[f"{name}: ratios, ours and each of {together}"] = (
            f"{alone[-1]:.2f} {shared[-1]:.2f}"
        )
    return {**figures, "means of the ratios": f"{fmean(alone):.2f} {fmean(shared):.2f}"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--only", choices=sorted(NETWORKS))
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--together", type=int, default=32)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    rounds, epochs = (1, 1) if given.quick else (given.rounds, given.epochs)
    names = [name for name in NETWORKS if given.only in (None, name)]
    if given.device == "cuda":
        figures = on_a_gpu(names, rounds, epochs, given.together)
    else:
        figures = on_two_cores(names, rounds, epochs)
    publish(
        "an epoch of networks of one's own, a plain loop against the studies'",
        {**figures, "targets": "1.5 each, 2.5 in the mean"},
    )


if __name__ == "__main__":
    main()
