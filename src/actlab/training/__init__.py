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
from actlab.training.parts import USUAL, Parts
from actlab.training.precision import (
    POLICIES,
    PrecisionPolicy,
    faster_precision,
    resolve_precision,
)
from actlab.training.probes import ActivationProbe, GradientTrace
from actlab.training.progress import weights_from_bytes
from actlab.training.scoring import Score, predict, score
from actlab.training.study_objective import (
    ColumnScale,
    class_weights,
    measure_of,
    objective_of_study,
    parts_of,
)

__all__ = [
    "CLASSIFICATION",
    "POLICIES",
    "USUAL",
    "ActivationProbe",
    "ColumnScale",
    "Device",
    "Examples",
    "GradientTrace",
    "Objective",
    "Parts",
    "PrecisionPolicy",
    "Recipe",
    "Score",
    "Training",
    "TrainingData",
    "class_weights",
    "describe_machine",
    "faster_precision",
    "keep_pages",
    "measure_of",
    "objective_of",
    "objective_of_study",
    "parts_of",
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
