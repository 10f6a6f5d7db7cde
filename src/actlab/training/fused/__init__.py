"""Training a population of networks in lock-step, as one: for launch-bound devices such as GPUs."""

from actlab.training.fused.layers import fusable
from actlab.training.fused.population import (
    faster_precision_together,
    fused_gain,
    side_by_side_gain,
    train_population,
    train_side_by_side,
    train_together,
)

__all__ = [
    "faster_precision_together",
    "fusable",
    "fused_gain",
    "side_by_side_gain",
    "train_population",
    "train_side_by_side",
    "train_together",
]
