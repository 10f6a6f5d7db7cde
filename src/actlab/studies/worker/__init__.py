"""What runs in a worker process: opening data by name, building the network, training it.

Every function is a pure function of its arguments, so that any executor can run it anywhere. The
folder itself is light, since the driving process imports it too: torch is loaded inside functions.
"""

from actlab.studies.worker.environment import initialise, prepare, reset
from actlab.studies.worker.output_layers import train_output
from actlab.studies.worker.trials import test_accuracy, train, train_many

__all__ = ["initialise", "prepare", "reset", "test_accuracy", "train", "train_many", "train_output"]
