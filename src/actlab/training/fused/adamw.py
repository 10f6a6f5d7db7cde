"""AdamW with a learning rate and a weight decay per trial."""

from collections.abc import Sequence

import torch
from torch import Tensor

_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-8
"""Torch's defaults, which the plain loop has."""


class StackedAdamW:
    """AdamW on a matrix of weights (T, width) whose rows are trials of their own.

    w <- w (1 - rate decay); m <- b1 m + (1 - b1) g; v <- b2 v + (1 - b2) g^2;
    w <- w - rate (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps). Loshchilov and Hutter 2019,
    arXiv:1711.05101, algorithm 2. The weights are changed in place, and the number of steps t is a
    tensor, so that the steps can be captured in a graph. Weights where `spared`, a matrix of
    truths, is true do not decay.

    >>> weights = torch.ones(2, 1)
    >>> StackedAdamW(weights, rates=[0.1, 0.0], decays=[0.0, 0.0]).step(torch.ones(2, 1))
    >>> [round(weight, 6) for weight in weights.flatten().tolist()]
    [0.9, 1.0]
    """

    def __init__(
        self,
        weights: Tensor,
        rates: Sequence[float],
        decays: Sequence[float],
        spared: Tensor | None = None,
    ) -> None:
        self._weights = weights
        self._rates = weights.new_tensor(rates).unsqueeze(1)
        self._kept = weights.new_tensor(
            [1 - rate * decay for rate, decay in zip(rates, decays, strict=True)]
        ).unsqueeze(1)
        if spared is not None:
            self._kept = torch.where(spared, torch.ones_like(weights), self._kept)
        self._first, self._second = torch.zeros_like(weights), torch.zeros_like(weights)
        self._steps = torch.zeros((), dtype=torch.float64, device=weights.device)

    @torch.no_grad()
    def step(self, gradient: Tensor) -> None:
        """Take one step along `gradient`, of the shape of the weights."""
        self._steps += 1
        of_first, of_second = 1 - _BETA_1**self._steps, (1 - _BETA_2**self._steps).sqrt()
        self._first.lerp_(gradient, 1 - _BETA_1)
        self._second.mul_(_BETA_2).addcmul_(gradient, gradient, value=1 - _BETA_2)
        # Both sides of the quotient times sqrt(1 - b2^t): two passes over the weights fewer.
        spread = self._second.sqrt().add_(_EPSILON * of_second)
        direction = self._first * (self._rates * (of_second / of_first))
        self._weights.mul_(self._kept).addcdiv_(direction, spread, value=-1)

    @torch.no_grad()
    def freeze(self, rows: Tensor) -> None:
        """Change these trials no more: their weights are 0 from now on.

        What is not a finite number in a row is gone with it.
        """
        for matrix in (self._weights, self._first, self._second, self._rates):
            matrix[rows] = 0
        self._kept[rows] = 1

    def take_over(self, other: "StackedAdamW", rows: Tensor) -> None:
        """Go on where these rows of another stand."""
        self._first, self._second = other._first[rows], other._second[rows]
        self._steps.copy_(other._steps)
