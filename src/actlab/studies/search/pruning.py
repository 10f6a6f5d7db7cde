"""Trainings in segments, and who goes on: Optuna's pruners with every option explicit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from actlab.i18n import _
from actlab.records import HyperbandPruner, MedianPruner, NoPruner, Outcome, Pruner, Record

if TYPE_CHECKING:
    import optuna

Ask = Callable[[Record], bool]
"""Told the epochs of a paused training, says whether it is to be given up."""


def optuna_pruner(pruner: Pruner) -> optuna.pruners.BasePruner:
    """Return the pruner in Optuna's terms; steps are epochs, from 1."""
    import optuna

    if isinstance(pruner, MedianPruner):
        return optuna.pruners.MedianPruner(
            n_startup_trials=pruner.startup_trials,
            n_warmup_steps=pruner.warmup_epochs,
            interval_steps=1,
            n_min_trials=pruner.min_trials,
        )
    if isinstance(pruner, HyperbandPruner):
        return optuna.pruners.HyperbandPruner(
            min_resource=pruner.min_epochs,
            max_resource=pruner.max_epochs,
            reduction_factor=pruner.reduction_factor,
            bootstrap_count=pruner.bootstrap_count,
        )
    return optuna.pruners.NopPruner()


def segment_end(pruner: Pruner, epochs: int) -> int | None:
    """Return until which epoch a training goes on that has trained `epochs`; None: to its end.

    >>> segment_end(NoPruner(), 0), segment_end(MedianPruner(segment_epochs=2), 2)
    (None, 4)
    """
    return None if isinstance(pruner, NoPruner) else epochs + pruner.segment_epochs


def after_segment(record: Record, ask: Ask) -> Record:
    """Return the record of a segment as it is, or as pruned where `ask` says so."""
    if record.outcome is not Outcome.PAUSED or not ask(record):
        return record
    reason = _("Pruned after epoch {epoch}: others were better by then.")
    return replace(
        record, outcome=Outcome.PRUNED, reason=reason.format(epoch=record.epochs), probes=None
    )
