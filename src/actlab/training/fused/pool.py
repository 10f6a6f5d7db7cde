"""The examples that a population reads: on the device, and once where trials share them."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from actlab.training.examples import Examples, epoch_order
from actlab.training.fused.network import FusedNetwork
from actlab.training.precision import PrecisionPolicy
from actlab.training.scoring import Score


@dataclass(frozen=True)
class Batch:
    """Images (S, N, ...) and labels (S, N), where S is the number of trials, or 1 for all.

    Images have their channels last.
    """

    images: Tensor
    labels: Tensor


ROWS = 8192
"""Rows that are scored at a time, all trials together: enough for a GPU's kernels to be worth their
launch, and less than 3 GiB of the published network in fp32."""


class Pool:
    """One part of the data (train, say) of every trial."""

    def __init__(self, parts: Sequence[Examples]) -> None:
        distinct = list({id(part): part for part in parts}.values())
        self.count = len(parts[0])
        if any(len(part) != self.count for part in distinct):
            raise ValueError("the trials of a population must have the same numbers of examples")
        self._images = _joined([_channels_last(part.images) for part in distinct])
        self._labels = _joined([part.labels for part in distinct])
        places = {id(part): place for place, part in enumerate(distinct)}
        starts = [places[id(part)] * self.count for part in parts]
        self._starts = torch.tensor(starts[: 1 if len(distinct) == 1 else None])
        self.device = self._labels.device

    def orders(self, seeds: Sequence[int], epoch: int) -> Tensor:
        """Return the rows that an epoch visits, (S, count), each trial's in the order of its seed.

        S is 1 where all trials visit the same examples in the same order.
        """
        drawn = {
            seed: torch.from_numpy(epoch_order(self.count, seed, epoch)) for seed in set(seeds)
        }
        if len(drawn) == 1:
            orders = drawn[seeds[0]].unsqueeze(0)
        else:
            orders = torch.stack([drawn[seed] for seed in seeds])
        return (orders + self._starts.unsqueeze(1)).to(self.device)

    def batch(self, rows: Tensor) -> Batch:
        """Return the examples of rows (S, N)."""
        flat = rows.reshape(-1)
        return Batch(
            torch.unflatten(self._images.index_select(0, flat), 0, rows.shape),
            torch.unflatten(self._labels.index_select(0, flat), 0, rows.shape),
        )

    def score(self, network: FusedNetwork, policy: PrecisionPolicy) -> list[Score]:
        """Return every trial's mean cross entropy and accuracy over all examples."""
        trials = len(network.weights)
        losses = torch.zeros(trials, dtype=torch.float64, device=self.device)
        right = torch.zeros(trials, dtype=torch.int64, device=self.device)
        every = (torch.arange(self.count) + self._starts.unsqueeze(1)).to(self.device)
        with torch.inference_mode():
            for rows in torch.split(every, max(1, ROWS // trials), dim=1):
                batch = self.batch(rows)
                outputs = policy(network, batch.images)
                losses += cross_entropies(outputs, batch.labels).sum(dim=1)
                right += (outputs.argmax(dim=2) == batch.labels).sum(dim=1)
        figures = zip(losses.tolist(), right.tolist(), strict=True)
        return [Score(loss / self.count, count / self.count) for loss, count in figures]


def cross_entropies(outputs: Tensor, labels: Tensor) -> Tensor:
    """Return the cross entropy of every row, (T, N), of outputs (T, N, O) and labels (S, N)."""
    targets = labels.expand(outputs.shape[:2]).reshape(-1)
    losses = F.cross_entropy(outputs.flatten(0, 1), targets, reduction="none")
    return torch.unflatten(losses, 0, outputs.shape[:2])


def _joined(tensors: list[Tensor]) -> Tensor:
    return tensors[0] if len(tensors) == 1 else torch.cat(tensors)


def _channels_last(images: Tensor) -> Tensor:
    """Return images (N, C, H, W) as (N, H, W, C); examples that are no images as they are."""
    return images.movedim(1, 3).contiguous() if images.ndim == 4 else images
