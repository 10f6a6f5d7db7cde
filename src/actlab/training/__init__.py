"""Training one network by one setting; needs torch and numpy only."""

from actlab.training.examples import Examples, TrainingData, to_examples
from actlab.training.loop import Recipe, Training, train
from actlab.training.machine import (
    Device,
    describe_machine,
    keep_pages,
    place,
    resolve_device,
    versions_of,
)
from actlab.training.objective import CLASSIFICATION, Objective, objective_of
from actlab.training.precision import (
    POLICIES,
    PrecisionPolicy,
    faster_precision,
    resolve_precision,
)
from actlab.training.probes import ActivationProbe, GradientTrace
from actlab.training.progress import weights_from_bytes
from actlab.training.scoring import Score, predict, score

__all__ = [
    "CLASSIFICATION",
    "POLICIES",
    "ActivationProbe",
    "Device",
    "Examples",
    "GradientTrace",
    "Objective",
    "PrecisionPolicy",
    "Recipe",
    "Score",
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
