"""A verdict: what scores over several seeds support, as codes and numbers.

Scores of a study are accuracies as fractions (0.005 is half a point); p-values are two-sided. What
it says in words is made where it is shown (`actlab.verdicts.text`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from actlab.records.slot import SlotName
from actlab.records.trial import Setting

Group = Literal["best", "tied", "worse", "unclear", "unreliable"]
ClaimOutcome = Literal["supported", "not supported", "not enough evidence"]


@dataclass(frozen=True)
class Difference:
    """The mean of first - second, with two intervals and the two-sided p-value.

    `low` and `high` bound the 95 % interval, `low_90` and `high_90` the one that ties are read
    from. `n` counts the pairs, or all values where nothing is paired (Welch).
    `standard_deviation` is that of one difference, `degrees` are Student's degrees of freedom.
    """

    mean: float
    low: float
    high: float
    low_90: float
    high_90: float
    p_value: float
    n: int
    standard_deviation: float
    degrees: float

    def turned(self) -> "Difference":
        """Return second - first.

        >>> Difference(0.1, 0.05, 0.15, 0.06, 0.14, 0.01, 5, 0.02, 4).turned().high_90
        -0.06
        """
        return replace(
            self,
            mean=-self.mean,
            low=-self.high,
            high=-self.low,
            low_90=-self.high_90,
            high_90=-self.low_90,
        )


@dataclass(frozen=True)
class Pair:
    """Two candidates, first - second: `p_adjusted` is over all comparisons that were made."""

    first: str
    second: str
    difference: Difference
    p_adjusted: float
    probability_of_improvement: float | None = None

    def seen_from(self, name: str) -> "Pair":
        """Return the pair with `name`, which is one of the two, as its first."""
        if name == self.first:
            return self
        chance = self.probability_of_improvement
        return Pair(
            first=self.second,
            second=self.first,
            difference=self.difference.turned(),
            p_adjusted=self.p_adjusted,
            probability_of_improvement=None if chance is None else 1.0 - chance,
        )


@dataclass(frozen=True)
class Candidate:
    """One candidate, judged by its runs with several seeds.

    `scores` has one score per seed, in the order of the seeds, the same for every candidate; None
    is a run that failed. Mean and interval are of the runs that trained. `failures` counts all
    failed runs, `diverged` those of them that ended without a score; `failure_rate_low` is the
    lower 95 % bound of the rate of failures, `p_failures` compares it with that of the best.
    `difference` is to the best (or to the baseline), below zero in the direction of worse, over the
    seeds on which both trained. `smallest_margin` is the margin from which on the candidate would
    be tied. `posterior` has the probabilities that it is worse, within the margin, and better, over
    blocks. `more_seeds` is how many seeds on top would show a difference of the margin to the best.
    `cost` is the time of the function relative to a copy of the tensor. None stands for "no such
    number".
    """

    name: str
    group: Group
    setting: Setting | None = None
    scores: tuple[float | None, ...] = ()
    diverged: int = 0
    failures: int = 0
    failure_rate_low: float | None = None
    p_failures: float | None = None
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
    posterior: tuple[float, float, float] | None = None
    more_seeds: int | None = None
    cost: float | None = None
    test_accuracy: float | None = None

    @property
    def n(self) -> int:
        """Return the number of runs that count, failed ones among them."""
        return len(self.scores)

    @property
    def trained(self) -> int:
        """Return the number of runs that trained."""
        return sum(score is not None for score in self.scores)


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
class Notice:
    """What a reader must know before believing the groups: a code, with numbers and names."""

    code: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Comparison:
    """Candidates compared with each other: by falling mean, those without a mean last.

    `seeds` is how many each candidate should have. Over blocks (`unit`) a score is the mean of a
    block, `seeds` counts blocks, and `runs` has the number of runs that failures are counted of.
    """

    candidates: tuple[Candidate, ...]
    pairs: tuple[Pair, ...]
    ranks: Ranks | None
    seeds: int
    notices: tuple[Notice, ...] = ()
    unit: Literal["seeds", "blocks"] = "seeds"
    runs: Mapping[str, int] = field(default_factory=dict)

    def runs_of(self, row: Candidate) -> int:
        """Return the number of a candidate's runs, failed ones among them."""
        return self.runs.get(row.name, row.n)

    @property
    def best(self) -> Candidate | None:
        """Return the candidate that the others are compared with; None where nothing is."""
        return next((row for row in self.candidates if row.group == "best"), None)


@dataclass(frozen=True, kw_only=True)
class SlotVerdict(Comparison):
    """The verdict on one slot."""

    slot: SlotName


@dataclass(frozen=True, kw_only=True)
class BlockVerdict(Comparison):
    """The verdict within one block: a data set, a task, a fold."""

    block: str


@dataclass(frozen=True)
class Metric:
    """What is compared: its name, its direction, the largest difference that does not matter.

    `in_percent` says that it is an accuracy, a fraction that is shown in percent.
    """

    name: str
    higher_is_better: bool
    margin: float
    in_percent: bool = False


@dataclass(frozen=True)
class ScoreVerdict:
    """The verdict on a table of scores: over all of it, and within each block.

    `columns` says which column was taken for what. With blocks, `overall` compares their means.
    """

    source: str
    metric: Metric
    pairing: Literal["paired", "unpaired"]
    overall: Comparison
    blocks: tuple[BlockVerdict, ...] = ()
    notices: tuple[Notice, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    baseline: str | None = None


@dataclass(frozen=True)
class DryRun:
    """What a table could show: with so many seeds, comparisons and such a spread of a difference.

    `smallest_difference` shows with the probability `power`; `seeds_for_margin` is how many seeds
    a difference as large as the margin needs (None: no number is enough).
    """

    source: str
    metric: Metric
    pairing: Literal["paired", "unpaired"]
    candidates: int
    seeds: int
    comparisons: int
    spread: float
    smallest_difference: float
    power: float
    seeds_for_margin: int | None


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

    `key` names the property. `correlation` is Spearman's, over the candidates of the slot, with a
    95 % interval; None where there is nothing to correlate. `values` has the property of each
    candidate; `equal_accuracies` says that all of these have the same accuracy.
    """

    slot: SlotName
    key: str
    correlation: float | None
    low: float | None
    high: float | None
    claim: int | None
    values: dict[str, float]
    equal_accuracies: bool = False


@dataclass(frozen=True)
class ProbeRow:
    """A property of one layer in the networks of one candidate: its mean over the networks.

    The interval is Student's at 95 %, None for a single network. A row without a layer is of the
    whole network. `key` names the property.
    """

    slot: SlotName
    activation: str
    layer: str | None
    key: str
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
class Conditions:
    """How the replicates of a study were made, for its paragraph of methods.

    `replicates` counts them; `evaluation_rows` and `train_rows` are those of one;
    `rows_overlap` says that replicates share rows, `stopped_early` that candidates which were
    clearly behind got fewer seeds. `chance` is the accuracy of guessing.
    """

    replicates: int
    evaluation_rows: int
    train_rows: int
    chance: float
    rows_overlap: bool = False
    stopped_early: bool = False


@dataclass(frozen=True)
class Verdict:
    """All that a study's replicates support; without a `metric` they are accuracies."""

    slots: tuple[SlotVerdict, ...]
    margin: float
    seeds: int
    conditions: Conditions
    rates: tuple[RateCurve, ...] = ()
    importance: tuple[Importance, ...] = ()
    mechanisms: tuple[Mechanism, ...] = ()
    probes: tuple[ProbeRow, ...] = ()
    metric: Metric | None = None
