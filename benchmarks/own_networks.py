"""How much faster networks of one's own train here than in a plain loop with a DataLoader.

Recipe: five networks, 2,000 rows to learn from and 500 to stop by, batches of 32, one thread each.
The plain loop takes rows one by one from a TensorDataset through a DataLoader and steps with AdamW
as torch makes it; validation goes through a DataLoader too. Ours is the loop of the studies on the
same network as a worker builds it, in the precision that a study takes here. Some epochs of each in
turn, after a round to warm up; time is the process's own processor time per epoch, which holds
while other programs run too. A study also trains one network on each core, which is not counted
here: both have one.

    python benchmarks/own_networks.py [--rounds 5] [--epochs 3] [--only NETWORK] [--quick]
"""

import argparse
import time
from collections.abc import Callable
from statistics import fmean, median

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from actlab import training
from actlab.addresses import offer
from actlab.records import Precision, Protocol, Setting
from actlab.studies import worker
from actlab.studies.worker.inputs import built
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
    features = [nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2)]
    features += [nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
    return nn.Sequential(*features, nn.Linear(64 * 25, 128), nn.ReLU(), nn.Linear(128, 10))


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


def plain(
    make: Callable[[], nn.Module], learn: TensorDataset, valid: TensorDataset, epochs: int
) -> Callable[[], float]:
    """Return what trains some epochs in a plain loop and gives the processor time of one."""
    model, criterion = make(), nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    batches: DataLoader[tuple[Tensor, ...]] = DataLoader(learn, BATCH, shuffle=True)
    checks: DataLoader[tuple[Tensor, ...]] = DataLoader(valid, BATCH)

    def epoch() -> None:
        model.train()
        for inputs, labels in batches:
            optimizer.zero_grad()
            loss = criterion(model(inputs), labels)
            loss.backward()
            optimizer.step()
        model.eval()
        correct = 0
        with torch.no_grad():
            for inputs, labels in checks:
                correct += int((model(inputs).argmax(dim=1) == labels).sum())

    def per_epoch() -> float:
        started = time.process_time()
        for _number in range(epochs):
            epoch()
        return (time.process_time() - started) / epochs

    return per_epoch


def ours(
    name: str,
    make: Callable[[], nn.Module],
    learn: TensorDataset,
    valid: TensorDataset,
    epochs: int,
) -> tuple[Callable[[], float], Precision]:
    """Return what trains some epochs as a study does, and in which precision."""
    offer(f"here:{name}", make)
    example = learn.tensors[0][:2]
    model = built(
        f"here:{name}",
        Setting("relu", "relu", 1e-3),
        "logits",
        1,
        "cpu",
        example=example,
        init="keep",
    )
    parts = [
        training.Examples(_laid_out(part.tensors[0]), part.tensors[1]) for part in (learn, valid)
    ]
    data = training.TrainingData(
        parts[0], parts[1], training.Examples(example, learn.tensors[1][:2])
    )
    precision = training.resolve_precision(
        "auto", "cpu", lambda: training.faster_precision(model, parts[0].images[:BATCH])
    )
    recipe = training.Recipe(
        1e-3,
        Protocol("corrected", "logits", batch_size=BATCH, patience=1000),
        order_seed=1,
        policy=training.POLICIES[precision],
    )
    state: list[bytes | None] = [None]
    done = [0]

    def per_epoch() -> float:
        started = time.process_time()
        done[0] += epochs
        state[0] = training.train(model, data, recipe, state[0], done[0]).state
        return (time.process_time() - started) / epochs

    return per_epoch, precision


def _laid_out(rows: Tensor) -> Tensor:
    return rows.to(memory_format=torch.channels_last) if rows.ndim == 4 else rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--only", choices=sorted(NETWORKS))
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    rounds, epochs = (1, 1) if given.quick else (given.rounds, given.epochs)
    worker.initialise()
    figures: dict[str, object] = {}
    ratios = []
    for name, (make, rows) in NETWORKS.items():
        if given.only not in (None, name):
            continue
        torch.manual_seed(0)
        learn = TensorDataset(rows(ROWS), torch.randint(0, 10, (ROWS,)))
        valid = TensorDataset(rows(VALID), torch.randint(0, 10, (VALID,)))
        theirs, (own, precision) = (
            plain(make, learn, valid, epochs),
            ours(name, make, learn, valid, epochs),
        )
        times = [(theirs(), own()) for _round in range(rounds + 1)][1:]
        found = [one / other for one, other in times]
        ratios.append(median(found))
        figures[f"{name}, {precision}: ratio"] = spread(found)
        figures[f"{name}: s per epoch, plain and ours"] = " ".join(
            f"{median(column):.3f}" for column in zip(*times, strict=True)
        )
    figures["mean of the ratios"] = fmean(ratios)
    publish("an epoch of networks of one's own, a plain loop against the studies'", figures)


if __name__ == "__main__":
    main()
