"""A gate for the next candidate: pairs of runs until it is better, worse or tied, or undecided.

The paired t test is asked at planned looks. Each look may err with a level of its own, and the
levels are such that *any* of them errs with probability alpha at most: levels that add up to alpha
(Bonferroni) always do. Because looks share their pairs, they may all be raised by one factor; how
far is found by simulating the null with a fixed seed, where alpha is large enough for that.

A candidate whose runs fail is not *better* while its rate of failures, by the bound of a single
look, is above `TOLERANCE`; it is *worse* where that holds at the level of all looks together.

Several candidates tried on the same validation data are several chances to be fooled: candidate i
of a ledger gets alpha x i^(-3/2) / zeta(3/2), which adds up to alpha however many come.

Source: levels that add up: Pocock (1977), Biometrika 64, 191-199, and Jennison and Turnbull (2000),
Group Sequential Methods, chapter 2; spending over a stream of hypotheses: Foster and Stine (2008),
Alpha-investing, JRSS B 70, 429-444, section 2.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from actlab import stats
from actlab.errors import VerdictError
from actlab.i18n import _
from actlab.verdicts.rule import TOLERANCE

Decision = Literal["better", "worse", "tied", "undecided"]
Side = Literal["base", "candidate"]
Run = tuple[Side, int]

LOOKS = (3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 65, 80, 100)
_STREAMS = 40_000
_LEAST_SIMULATED = 0.01
"""Below this alpha too few simulated streams cross a level to calibrate it."""

_ZETA = float(special.zeta(1.5))


@dataclass(frozen=True)
class GatePlan:
    """How a gate decides: up to `max_seeds` pairs, at error `alpha` for each of its answers."""

    max_seeds: int = 20
    margin: float = 0.0
    higher_is_better: bool = True
    alpha: float = 0.05

    @property
    def looks(self) -> tuple[int, ...]:
        """Return after how many pairs the gate looks."""
        return (*(n for n in LOOKS if n < self.max_seeds), self.max_seeds)


@dataclass(frozen=True)
class GateResult:
    """What a gate says. `difference` is candidate - base, above zero in the direction of better.

    `low` and `high` hold it over all looks at the gate's error. `failures` counts failed runs of
    both sides; `tried` is which candidate of its ledger this one is (1 without a ledger), `alpha`
    what it was allowed to err in. `reason` is "unreliable" where failures decided, "failures" where
    they are too many for *better*. `notices` has "baseline_constant" where three runs or more of
    the baseline have one score, "no_margin" where nothing could be shown to be tied.
    """

    decision: Decision
    pairs: int
    difference: float | None
    low: float | None
    high: float | None
    failures: Mapping[Side, int]
    tried: int
    alpha: float
    reason: str = ""
    notices: tuple[str, ...] = ()


def alpha_of(number: int, alpha: float) -> float:
    """Return what candidate `number` of a ledger may err in; over all numbers it adds up to alpha.

    >>> round(alpha_of(1, 0.05), 4), round(sum(alpha_of(n, 0.05) for n in range(1, 51)), 3)
    (0.0191, 0.045)
    """
    return float(alpha / _ZETA * number**-1.5)


@cache
def levels(looks: tuple[int, ...], alpha: float) -> tuple[float, ...]:
    """Return the one-sided level of the t test at each look, in proportion to its pairs.

    >>> found = levels((3, 5, 10), 0.05)
    >>> sum(found) >= 0.05, found[0] < found[2] < 0.05
    (True, True)
    """
    shares = np.array(looks, dtype=np.float64) / sum(looks)
    base = alpha * shares
    if len(looks) == 1 or alpha < _LEAST_SIMULATED:
        return tuple(base.tolist())
    smallest = (_null_p_values(looks) / base).min(axis=1)
    # The factor at which the share of streams that cross any level is two standard errors short.
    wanted = alpha - 2.0 * math.sqrt(alpha * (1.0 - alpha) / _STREAMS)
    factor = max(1.0, float(np.quantile(smallest, wanted)))
    return tuple((factor * base).tolist())


@cache
def _null_p_values(looks: tuple[int, ...]) -> NDArray[np.float64]:
    """Return one-sided p-values of the t test at the looks, of simulated streams of noise."""
    noise = np.random.default_rng(0).standard_normal((_STREAMS, looks[-1]))
    sums, squares = noise.cumsum(axis=1), (noise**2).cumsum(axis=1)
    found = []
    for n in looks:
        if n < 2:
            found.append(np.ones(_STREAMS))
            continue
        mean = sums[:, n - 1] / n
        variance = (squares[:, n - 1] - n * mean**2) / (n - 1)
        found.append(special.stdtr(n - 1, -mean / np.sqrt(variance / n)))
    return np.stack(found, axis=1)


def run_gate(
    plan: GatePlan,
    run: Callable[[Sequence[Run]], Mapping[Run, float | None]],
    *,
    tried: int = 1,
) -> GateResult:
    """Run pairs of seeds until they decide; `run` gives a score for each (side, seed), None failed.

    Raises VerdictError where the baseline itself does not run reliably.
    """
    scores: dict[Run, float | None] = {}
    looks = plan.looks
    for place, look in enumerate(looks):
        sides: tuple[Side, Side] = ("base", "candidate")
        wanted = [(side, seed) for seed in range(look) for side in sides]
        scores.update(run([one for one in wanted if one not in scores]))
        result = _look(plan, scores, place, tried)
        if result is not None:
            return result
    reason = "failures" if _fails_too_often(scores, looks[-1]) else ""
    return _result(plan, scores, len(looks) - 1, tried, "undecided", reason)


def _fails_too_often(scores: Mapping[Run, float | None], runs: int) -> bool:
    """Return whether the candidate would be unreliable if this were the only look."""
    return stats.failure_rate_low(_failures(scores)["candidate"], runs) > TOLERANCE


def _look(
    plan: GatePlan, scores: Mapping[Run, float | None], place: int, tried: int
) -> GateResult | None:
    runs = plan.looks[place]
    confidence = 1.0 - 0.05 / len(plan.looks)
    for side in ("base", "candidate"):
        failed = _failures(scores)[side]
        if stats.failure_rate_low(failed, runs, confidence) > TOLERANCE:
            if side == "candidate":
                return _result(plan, scores, place, tried, "worse", "unreliable")
            message = _(
                "The baseline failed in {failures} of {runs} runs; a gate needs one that runs. See "
                "what it prints with a seed in place of {{seed}}."
            )
            raise VerdictError(message.format(failures=failed, runs=runs))
    first, second = _trained(plan, scores)
    if len(first) < 2:
        return None
    found = stats.paired_difference(second, first)
    level = levels(plan.looks, plan.alpha)[place]
    error = found.standard_deviation / math.sqrt(found.n)
    half = stats.t_quantile(1.0 - level, found.degrees) * error
    low, high = found.mean - half, found.mean + half
    if plan.margin > 0.0 and -plan.margin < low and high < plan.margin:
        return _result(plan, scores, place, tried, "tied")
    if low > 0.0 and not _fails_too_often(scores, runs):
        return _result(plan, scores, place, tried, "better")
    if high < 0.0:
        return _result(plan, scores, place, tried, "worse")
    return None


def _failures(scores: Mapping[Run, float | None]) -> dict[Side, int]:
    found: dict[Side, int] = {"base": 0, "candidate": 0}
    for (side, _seed), score in scores.items():
        found[side] += score is None
    return found


def _trained(plan: GatePlan, scores: Mapping[Run, float | None]) -> tuple[list[float], list[float]]:
    """Return the scores of the seeds on which both trained, turned so that higher is better."""
    sign = 1.0 if plan.higher_is_better else -1.0
    pairs = [
        (base, scores["candidate", seed])
        for (side, seed), base in scores.items()
        if side == "base" and base is not None
    ]
    both = [(sign * base, sign * other) for base, other in pairs if other is not None]
    return [base for base, _other in both], [other for _base, other in both]


def _result(
    plan: GatePlan,
    scores: Mapping[Run, float | None],
    place: int,
    tried: int,
    decision: Decision,
    reason: str = "",
) -> GateResult:
    first, second = _trained(plan, scores)
    difference = low = high = None
    if first:
        found = stats.paired_difference(second, first)
        difference = found.mean
        if found.n > 1:
            level = levels(plan.looks, plan.alpha)[place]
            error = found.standard_deviation / math.sqrt(found.n)
            half = stats.t_quantile(1.0 - level, found.degrees) * error
            low, high = found.mean - half, found.mean + half
    baseline = [score for (side, _seed), score in scores.items() if side == "base"]
    constant = len(baseline) > 2 and len(set(baseline)) == 1
    no_margin = decision == "undecided" and not reason and not plan.margin
    notices = {"baseline_constant": constant, "no_margin": no_margin}
    return GateResult(
        decision=decision,
        pairs=len(first),
        difference=difference,
        low=low,
        high=high,
        failures=_failures(scores),
        tried=tried,
        alpha=plan.alpha,
        reason=reason,
        notices=tuple(code for code, holds in notices.items() if holds),
    )
