"""The five tasks as values: what the target is, and the head, loss and metric that fit it."""

from actlab.tasks.definitions import TASKS, Task, task
from actlab.tasks.digits import LABELS, OUTPUTS, target_of_digits
from actlab.tasks.fitting import check_target, target_faults
from actlab.tasks.own import output_count, own_target
from actlab.tasks.scaling import fit_scale, to_original, to_training
from actlab.tasks.settings import counterpart, is_right, output_settings, right_output
from actlab.tasks.suggestion import Alternative, Suggestion, suggest
from actlab.tasks.summary import summarise

__all__ = [
    "LABELS",
    "OUTPUTS",
    "TASKS",
    "Alternative",
    "Suggestion",
    "Task",
    "check_target",
    "counterpart",
    "fit_scale",
    "is_right",
    "output_count",
    "output_settings",
    "own_target",
    "right_output",
    "suggest",
    "summarise",
    "target_faults",
    "target_of_digits",
    "task",
    "to_original",
    "to_training",
]
