"""Targets of the five tasks: fitted, scaled, suggested; a run of right and wrong heads."""

from actlab.studies.tasks.output_summary import summarise
from actlab.studies.tasks.settings import counterpart, is_right, output_settings, right_output
from actlab.studies.tasks.suggestion import Alternative, Suggestion, suggest
from actlab.studies.tasks.targets import (
    as_target,
    check_target,
    fit_scale,
    output_count,
    target_faults,
    to_original,
    to_training,
)

__all__ = [
    "Alternative",
    "Suggestion",
    "as_target",
    "check_target",
    "counterpart",
    "fit_scale",
    "is_right",
    "output_count",
    "output_settings",
    "right_output",
    "suggest",
    "summarise",
    "target_faults",
    "to_original",
    "to_training",
]
