"""A plan: a study as a value, and what may be asked for once it is done."""

from dataclasses import dataclass, field
from typing import Literal

from actlab.records.output import OutputPlan
from actlab.records.protocol import Protocol
from actlab.records.slot import Init, SlotName
from actlab.records.training_plan import USUAL_TRAINING, TrainingPlan

FORMAT_VERSION = 1
"""Version of the records and of the run folder. History: 1, the first (2026-11)."""

Precision = Literal["fp32", "bf16"]


@dataclass(frozen=True)
class SplitSizes:
    """Numbers of images in the named splits.

    `train`, `valid_epoch` and `valid_trial` are drawn without overlap from the training pool of a
    data set, `test` from its test pool.
    """

    train: int
    valid_epoch: int
    valid_trial: int
    test: int


@dataclass(frozen=True)
class DataPlan:
    """Which data set, from which folder (None: wherever it is found), in which splits.

    `targets` is a file with targets of the user's for a run of tasks, None where they are made
    from the labels.
    """

    name: str
    splits: SplitSizes
    directory: str | None = None
    targets: str | None = None


@dataclass(frozen=True)
class SlotCandidates:
    """Candidates for a slot of the user's own choice.

    `name` is a path or pattern of paths (`encoder.*.act`), or a kind of slot (`gate`, `norm`); with
    `each` every place that fits is a slot by itself.
    """

    name: SlotName
    candidates: tuple[str, ...]
    each: bool = False


@dataclass(frozen=True)
class Space:
    """What a study chooses from: activations for its slots, a log-uniform learning rate.

    After convolutions stand the candidates of `conv_activation`, after linear layers those of
    `fc_activation`; without candidates such a place stays what it is. `slots` are further ones,
    which take their places from these two. `same` names candidates that were left out because they
    compute the same function as another: (left out, kept).
    """

    conv_activation: tuple[str, ...]
    fc_activation: tuple[str, ...]
    learning_rate_low: float
    learning_rate_high: float
    slots: tuple[SlotCandidates, ...] = ()
    same: tuple[tuple[str, str], ...] = ()

    @property
    def by_slot(self) -> dict[SlotName, tuple[str, ...]]:
        """Return the candidates of every slot that has some, the two usual slots first.

        >>> Space(("relu", "tanh"), (), 0.001, 0.01).by_slot
        {'conv': ('relu', 'tanh')}
        """
        usual = {"conv": self.conv_activation, "fc": self.fc_activation}
        found = usual | {slot.name: slot.candidates for slot in self.slots}
        return {slot: names for slot, names in found.items() if names}

    @property
    def first(self) -> dict[SlotName, str]:
        """Return the first candidate of every slot."""
        return {slot: names[0] for slot, names in self.by_slot.items()}

    @property
    def rounds(self) -> list[dict[SlotName, str]]:
        """Return activations by slot such that every candidate of every slot stands once at least.

        >>> Space(("relu", "tanh"), ("elu",), 0.1, 0.2).rounds
        [{'conv': 'relu', 'fc': 'elu'}, {'conv': 'tanh', 'fc': 'elu'}]
        """
        by_slot = self.by_slot
        longest = max((len(names) for names in by_slot.values()), default=0)
        return [
            {
                slot: names[place] if place < len(names) else names[0]
                for slot, names in by_slot.items()
            }
            for place in range(longest)
        ]


@dataclass(frozen=True)
class TpeSampler:
    """Every option of the Parzen estimator (TPE); nothing is left to a library's defaults.

    `start` is how the first trials are chosen: `random` (as published) or `each_candidate`, in
    which every activation of every slot has at least one trial. With a `lag` of n, trial k is
    chosen from the outcomes of the trials up to k - n and no others, and at most n train at a time:
    the same search again, whoever is faster. Without one it learns from whatever has ended.
    """

    name: Literal["tpe"] = "tpe"
    startup_trials: int = 10
    candidates: int = 24
    multivariate: bool = False
    constant_liar: bool = False
    start: Literal["random", "each_candidate"] = "random"
    lag: int | None = None


@dataclass(frozen=True)
class BalancedSampler:
    """The same budget for every activation: the slots fully crossed, learning rates in strata.

    It has no options: how many learning rates each pair has follows from the number of trials.
    """

    name: Literal["balanced"] = "balanced"


@dataclass(frozen=True)
class FittedSampler:
    """The search of `BalancedSampler`, and no trainings to choose the learning rates by.

    Every candidate is trained again at the rate at which its fitted response curve is highest, and
    no longer once it is clearly behind: the same verdict from about half of the trainings.
    """

    name: Literal["fitted"] = "fitted"


Sampler = TpeSampler | BalancedSampler | FittedSampler


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


POPULATION = 32
"""Trainings in lock-step on a GPU, unless the plan says otherwise: a fresh choice of settings after
each, so more of them would tell the sampler less."""


@dataclass(frozen=True)
class Execution:
    """Where and how trials run; none of it changes what a record means, except `precision`."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    workers: int | None = None
    trial_timeout: float = 3600.0


@dataclass(frozen=True)
class Plan:
    """A study as a value.

    `margin` is the largest difference of accuracy that does not matter, as a fraction: candidates
    within it are tied.

    `replicates` is on how many new seeds the best settings are trained again once the search is
    done, which the verdict is made from; with 0 the study ends with its search.
    `init` is what becomes of the network's weights where its activations are swapped.

    With `tasks` it is a run of tasks: instead of searching the space, every output layer is
    trained with its first setting, and `trials` counts these trainings.
    """

    name: str
    data: DataPlan
    network: str
    space: Space
    protocol: Protocol
    trials: int
    seed: int
    sampler: Sampler = field(default_factory=TpeSampler)
    execution: Execution = field(default_factory=Execution)
    tasks: OutputPlan | None = None
    margin: float = 0.005
    replicates: int = 0
    pruner: Pruner = field(default_factory=NoPruner)
    init: Init = "reset"
    training: TrainingPlan = USUAL_TRAINING
    format_version: int = FORMAT_VERSION

    @property
    def is_balanced(self) -> bool:
        """Whether every activation has the same budget, at rates all over the range."""
        return isinstance(self.sampler, BalancedSampler | FittedSampler)

    def together(self, device: str) -> int:
        """Return how many trainings go on in lock-step on `device`; 1 where each is by itself."""
        if device != "cuda" or not isinstance(self.pruner, NoPruner):
            return 1
        return self.execution.workers or POPULATION


@dataclass(frozen=True)
class Confirmation:
    """On how many seeds each chosen setting is trained; `sequential` stops the clearly behind."""

    seeds: int
    sequential: bool = False
    format_version: int = FORMAT_VERSION
