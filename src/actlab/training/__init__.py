"""Training one network by one setting; needs torch and numpy only."""

from actlab.training.allocator import keep_pages
from actlab.training.device import Device, place, resolve_device, resolve_precision
from actlab.training.examples import Examples, TrainingData, to_examples
from actlab.training.gradient_trace import GradientTrace
from actlab.training.loop import Recipe, Training, train
from actlab.training.machine import describe_machine, versions_of
from actlab.training.objective import CLASSIFICATION, Objective, objective_of
from actlab.training.precision import ARITHMETIC, Arithmetic, faster_precision
from actlab.training.probes import ActivationProbe, Site
from actlab.training.progress import weights_from_bytes
from actlab.training.scoring import Score, predict, score

__all__ = [
    "ARITHMETIC",
    "CLASSIFICATION",
    "ActivationProbe",
    "Arithmetic",
    "Device",
    "Examples",
    "GradientTrace",
    "Objective",
    "Recipe",
    "Score",
    "Site",
    "Training",
    "TrainingData",
    "describe_machine",
    "faster_precision",
    "keep_pages",
    "objective_of",
    "place",
    "predict",
    "resolve_device",
    "resolve_precision",
    "score",
    "to_examples",
    "train",
    "versions_of",
    "weights_from_bytes",
]
