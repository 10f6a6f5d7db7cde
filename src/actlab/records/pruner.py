"""Pruners: when a training of a search is given up."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class NoPruner:
    """Every training of a search goes to its own end, as published."""

    name: Literal["none"] = "none"


@dataclass(frozen=True)
class MedianPruner:
    """Give up a training whose best accuracy so far is below the median of the completed ones'.

    `startup_trials` complete first; a training is asked after each `segment_epochs`, from
    `warmup_epochs` on, where at least `min_trials` others got as far.
    """

    name: Literal["median"] = "median"
    startup_trials: int = 5
    warmup_epochs: int = 3
    min_trials: int = 1
    segment_epochs: int = 1


@dataclass(frozen=True)
class HyperbandPruner:
    """Give up all but the best 1 / `reduction_factor` of each rung (Li et al. 2018, JMLR 18:185).

    Rungs are at `min_epochs` times the powers of the factor; brackets of trials, which begin at
    higher and higher rungs, follow from `max_epochs`. Beyond that, early stopping decides alone.
    `bootstrap_count` trainings reach a rung before one goes on from it.
    """

    name: Literal["hyperband"] = "hyperband"
    min_epochs: int = 2
    max_epochs: int = 18
    reduction_factor: int = 3
    bootstrap_count: int = 0
    segment_epochs: int = 1


Pruner = NoPruner | MedianPruner | HyperbandPruner
