"""Training a population of networks in lock-step, as one; for devices that wait on launches."""

from actlab.training.fused.choice import faster_precision_together, fused_gain, train_together
from actlab.training.fused.layers import fusable
from actlab.training.fused.population import train_population

__all__ = [
    "faster_precision_together",
    "fusable",
    "fused_gain",
    "train_population",
    "train_together",
]
