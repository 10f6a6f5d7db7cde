"""Training one network by one setting; needs torch and numpy only."""

from actlab.training.examples import Examples, TrainingData, to_examples
from actlab.training.loop import Recipe, Training, train
from actlab.training.progress import weights_from_bytes
from actlab.training.scoring import Score, score

__all__ = [
    "Examples",
    "Recipe",
    "Score",
    "Training",
    "TrainingData",
    "score",
    "to_examples",
    "train",
    "weights_from_bytes",
]
