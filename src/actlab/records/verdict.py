"""A verdict: what the replicates of a study support, with the numbers it rests on.

Accuracies and their differences are fractions (0.005 is half a point), p-values are two-sided.
Sentences are in the language that was active when the verdict was made.
"""

import math
from dataclasses import dataclass
from typing import Literal

from actlab.records.trial import Setting

SlotName = Literal["conv", "fc"]
Group = Literal["best", "tied", "worse", "unclear"]
ClaimOutcome = Literal["supported", "not supported", "not enough evidence"]


@dataclass(frozen=True)
class Candidate:
    """One activation in one slot, judged by the replicates of its chosen setting.

    `scores` has one accuracy per seed, in the order of the seeds, the same for every candidate; a
    replicate that diverged counts at chance level. `difference` is mean - best's mean (<= 0), its
    interval is of paired differences. `smallest_margin` is the margin from which on the candidate
    would be tied. `more_seeds` is how many seeds on top would separate it from the best. `cost` is
    the time of the function relative to a copy of the tensor. None stands for "no such number".
    """

    activation: str
    group: Group
    sentence: str
    setting: Setting | None = None
    scores: tuple[float, ...] = ()
    diverged: int = 0
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    bca_low: float | None = None
    bca_high: float | None = None
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    p_adjusted: float | None = None
    p_wilcoxon: float | None = None
    p_permutation: float | None = None
    smallest_margin: float | None = None
    probability_of_best: float | None = None
    more_seeds: int | None = None
    cost: float | None = None
    test_accuracy: float | None = None

    @property
    def n(self) -> int:
        """Return the number of replicates that count."""
        return len(self.scores)


@dataclass(frozen=True)
class Pair:
    """Two candidates of a slot: first - second, paired by seed.

    `low` and `high` bound the 95 % interval, `low_90` and `high_90` the one that ties are read
    from. `p_value` is of the paired t-test, `p_adjusted` after Holm over all pairs of the slot.
    """

    first: str
    second: str
    difference: float
    low: float
    high: float
    p_value: float
    p_adjusted: float
    probability_of_improvement: float
    low_90: float = -math.inf
    high_90: float = math.inf


@dataclass(frozen=True)
class Ranks:
    """Friedman's test with Nemenyi's critical difference over the seeds: a picture, no verdict.

    `mean_ranks` has 1 for the best; each clique is a run of candidates within the critical
    difference of each other.
    """

    mean_ranks: dict[str, float]
    critical_difference: float
    p_value: float
    cliques: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class SlotVerdict:
    """The verdict on one slot: candidates by falling mean, those without a mean last."""

    slot: SlotName
    candidates: tuple[Candidate, ...]
    pairs: tuple[Pair, ...]
    ranks: Ranks | None
    summary: str
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class RatePoint:
    """One trial of the search: its learning rate and accuracy (None where it did not complete)."""

    learning_rate: float
    accuracy: float | None


@dataclass(frozen=True)
class RateBin:
    """A range of learning rates: how many trials it has and how many of them failed."""

    low: float
    high: float
    trials: int
    failures: int


@dataclass(frozen=True)
class RateCurve:
    """How an activation of a slot takes the learning rate, over the trials of the search.

    `points` are the trials by rising learning rate, `smoothed` the curve through them. The plateau
    is the range of learning rates within the margin of the curve's best; `plateau_decades` its
    width in powers of ten. A failure is a trial that did not complete or learnt next to nothing;
    `bins` has the failures against the learning rate.
    """

    slot: SlotName
    activation: str
    points: tuple[RatePoint, ...]
    best_learning_rate: float | None
    plateau_low: float | None
    plateau_high: float | None
    plateau_decades: float | None
    failures: int
    smoothed: tuple[RatePoint, ...] = ()
    bins: tuple[RateBin, ...] = ()


@dataclass(frozen=True)
class Importance:
    """How much of the variance of accuracy one parameter of the setting explains."""

    parameter: str
    ped_anova: float | None
    fanova: float | None


@dataclass(frozen=True)
class Mechanism:
    """Whether a property of the trained networks goes with accuracy across candidates.

    `correlation` is Spearman's, over the candidates of the slot, with a 95 % interval; None where
    there is nothing to correlate, which `sentence` explains. `values` has the property of each
    candidate. `key` names it for scripts, `property_name` for people.
    """

    slot: SlotName
    property_name: str
    correlation: float | None
    low: float | None
    high: float | None
    candidates: int
    claim: int | None
    sentence: str
    values: dict[str, float]
    key: str = ""


@dataclass(frozen=True)
class ProbeRow:
    """A property of one layer in the networks of one candidate: its mean over the networks.

    The interval is Student's at 95 %, None for a single network. A row without a layer is of the
    whole network. `key` names the property for scripts, `property_name` for people.
    """

    slot: SlotName
    activation: str
    layer: str | None
    key: str
    property_name: str
    mean: float
    low: float | None
    high: float | None
    networks: int


@dataclass(frozen=True)
class Claim:
    """A claim of the published study, judged."""

    number: int
    text: str
    outcome: ClaimOutcome
    reason: str


@dataclass(frozen=True)
class Verdict:
    """All that a study's replicates support."""

    slots: tuple[SlotVerdict, ...]
    margin: float
    seeds: int
    rows_overlap: bool
    chance: float
    claims: tuple[Claim, ...] = ()
    rates: tuple[RateCurve, ...] = ()
    importance: tuple[Importance, ...] = ()
    mechanisms: tuple[Mechanism, ...] = ()
    probes: tuple[ProbeRow, ...] = ()
    notices: tuple[str, ...] = ()
    methods: str = ""
