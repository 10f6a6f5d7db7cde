"""The user's whole training as one function: given a setting and a seed, it gives a score."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from actlab.addresses import UserCodeError, find, user_code
from actlab.i18n import _
from actlab.records import Outcome, Record, Trial

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class TrainingSetting:
    """What a training function is to train with.

    `activations` has the candidate's name by slot, `learning_rate` the rate.
    """

    activations: dict[str, str]
    learning_rate: float

    def module(self, slot: str | None = None) -> nn.Module:
        """Return a new module of a slot's activation, of the only slot's without a name.

        >>> TrainingSetting({"policy": "leaky_relu(0.2)"}, 0.001).module()
        LeakyReLU(negative_slope=0.2)
        """
        from actlab.networks.candidates import module_of

        return module_of(self.activations[slot or next(iter(self.activations))])

    @property
    def modules(self) -> dict[str, nn.Module]:
        """Return a new module of every slot's activation."""
        return {slot: self.module(slot) for slot in self.activations}

    @property
    def name(self) -> str:
        """Return the names of the activations."""
        return ", ".join(self.activations.values())


def train_by_function(trial: Trial, blank: Record) -> tuple[bytes, Record]:
    """Return no weights, and the record of a training that the user's function ran.

    `blank` is the record without what came out. Raises UserCodeError where the function raises, or
    gives no number.
    """
    from dataclasses import replace

    import torch

    address = trial.training.function
    assert address is not None, "a training by a function has one"
    function = find(address)
    setting = TrainingSetting(trial.setting.activations, trial.setting.learning_rate)
    started = time.perf_counter()
    advice = _("A training function is called with setting and seed, and returns a number.")
    with user_code(address, UserCodeError, advice=advice), torch.random.fork_rng(devices=[]):
        torch.manual_seed(trial.seeds.weights)
        found: Any = function(setting, trial.seeds.weights)
    seconds = time.perf_counter() - started
    try:
        score = float(found)
    except (TypeError, ValueError):
        message = _("{address} must return a number, the score; it returns {kind}.")
        raise UserCodeError(message.format(address=address, kind=type(found).__name__)) from None
    if not math.isfinite(score):
        return b"", replace(
            blank,
            outcome=Outcome.DIVERGED,
            reason=_("The score was not a finite number."),
            seconds=seconds,
        )
    in_percent = trial.training.measured.in_percent
    return b"", replace(
        blank,
        outcome=Outcome.COMPLETED,
        reason=None,
        seconds=seconds,
        valid_accuracy=score if in_percent else None,
        valid_score=None if in_percent else score,
    )
