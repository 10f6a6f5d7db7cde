"""Targets of the five tasks: fitted, scaled, suggested; a run of right and wrong heads."""

from actlab.studies.tasks.fitting import check_target, target_faults
from actlab.studies.tasks.own import output_count, own_target
from actlab.studies.tasks.scaling import fit_scale, to_original, to_training
from actlab.studies.tasks.settings import counterpart, is_right, output_settings, right_output
from actlab.studies.tasks.suggestion import Alternative, Suggestion, suggest
from actlab.studies.tasks.summary import summarise

__all__ = [
    "Alternative",
    "Suggestion",
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
    "to_original",
    "to_training",
]
