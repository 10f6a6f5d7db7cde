"""Networks with slots for activations, by name, and their layer tables."""

from actlab.networks.builders import NAMES, build, input_shape
from actlab.networks.summary import summarise

__all__ = ["NAMES", "build", "input_shape", "summarise"]
