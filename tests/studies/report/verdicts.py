"""Verdicts to draw: eight candidates on ten seeds with every group in it, and meagre ones."""

import itertools
from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from actlab.records import (
    Candidate,
    Claim,
    Conditions,
    Difference,
    Group,
    Importance,
    Mechanism,
    Notice,
    Pair,
    ProbeRow,
    Ranks,
    RateCurve,
    RatePoint,
    Setting,
    SlotName,
    SlotVerdict,
    Verdict,
)
from actlab.verdicts.rule import group_of, pair_with

Scores = NDArray[np.float64]

MARGIN = 0.005
CHANCE = 0.1135
NEMENYI_OF_EIGHT = 3.031
"""Of eight candidates at 5 %: J. Demšar, JMLR 7 (2006), table 5(a)."""
NAMES = ("prelu", "leaky_relu_0.01", "relu", "elu", "silu", "leaky_relu_0.1", "tanh", "sigmoid")
MEANS = {
    "conv": (0.9815, 0.9811, 0.9808, 0.9799, 0.9788, 0.9781, 0.9762, 0.9543),
    "fc": (0.9809, 0.9806, 0.9800, 0.9797, 0.9806, 0.9795, 0.9811, 0.9814),
}
NOISE = {"silu": 0.0032}
COSTS = {"relu": 1.1, "prelu": 1.6, "sigmoid": 2.4}


def scores(slot: SlotName, seeds: int, diverged: int = 0) -> dict[str, Scores]:
    """Planted accuracies, correlated by seed; in conv the sigmoid diverges `diverged` times."""
    random = np.random.default_rng(7 if slot == "conv" else 8)
    luck = random.normal(0, 0.0011, seeds)
    found = {}
    for name, mean in zip(NAMES, MEANS[slot], strict=True):
        own = mean + luck + random.normal(0, NOISE.get(name, 0.0009), seeds)
        if slot == "conv" and name == "sigmoid":
            own[:diverged] = CHANCE
        found[name] = np.round(own, 4)
    return found


def holm(p_values: list[float]) -> list[float]:
    """Holm's step-down adjustment."""
    order = np.argsort(p_values)
    adjusted, highest = [0.0] * len(p_values), 0.0
    for place, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def half_width(values: Scores, level: float) -> float:
    error = float(np.std(values, ddof=1) / np.sqrt(len(values)))
    quantile = float(stats.t.ppf(0.5 + level / 2, len(values) - 1))
    return quantile * error


def pairs_of(found: dict[str, Scores]) -> tuple[Pair, ...]:
    rows = []
    for first, second in itertools.combinations(found, 2):
        d = found[first] - found[second]
        mean, half, half_90 = float(d.mean()), half_width(d, 0.95), half_width(d, 0.9)
        ends = (mean - half, mean + half, mean - half_90, mean + half_90)
        p = float(stats.ttest_rel(found[first], found[second]).pvalue)
        difference = Difference(mean, *ends, p, len(d), float(d.std(ddof=1)), len(d) - 1.0)
        rows.append((first, second, difference, float((d > 0).mean())))
    adjusted = holm([difference.p_value for _first, _second, difference, _chance in rows])
    return tuple(
        Pair(first, second, difference, q, chance)
        for (first, second, difference, chance), q in zip(rows, adjusted, strict=True)
    )


def ranks_of(found: dict[str, Scores]) -> Ranks:
    table = np.array([stats.rankdata(-row) for row in np.array(list(found.values())).T])
    mean_ranks = dict(sorted(zip(found, table.mean(axis=0).tolist(), strict=True), key=_second))
    k, n = len(found), len(table)
    critical = NEMENYI_OF_EIGHT * (k * (k + 1) / (6 * n)) ** 0.5
    names, cliques = list(mean_ranks), list[tuple[str, ...]]()
    for start in range(k):
        run = [n for n in names[start:] if mean_ranks[n] - mean_ranks[names[start]] <= critical]
        if len(run) > 1 and not any(set(run) <= set(other) for other in cliques):
            cliques.append(tuple(run))
    p = float(stats.friedmanchisquare(*found.values()).pvalue) if n > 2 else 1.0
    return Ranks(mean_ranks, critical, p, tuple(cliques))


def _second(item: tuple[str, float]) -> float:
    return item[1]


def candidate(
    name: str, found: dict[str, Scores], best: str, pairs: tuple[Pair, ...], diverged: int
) -> Candidate:
    own = found[name]
    mean, half = float(own.mean()), half_width(own, 0.95)
    row = Candidate(
        name=name,
        group="best",
        setting=Setting(name, "tanh", 0.00213),
        scores=tuple(own.tolist()),
        diverged=diverged,
        failures=diverged,
        mean=mean,
        low=mean - half,
        high=mean + half,
        bca_low=mean - 0.9 * half,
        bca_high=mean + 0.8 * half,
        probability_of_best=0.51,
        cost=COSTS.get(name),
        test_accuracy=mean + 0.0007,
    )
    if name == best:
        return row
    d = found[best] - own
    p = next(pair.p_adjusted for pair in pairs if {pair.first, pair.second} == {name, best})
    smallest = float(d.mean()) + half_width(d, 0.9)
    group: Group = "tied" if smallest < MARGIN else "worse" if p < 0.05 else "unclear"
    return replace(
        row,
        group=group,
        difference=-float(d.mean()),
        difference_low=-float(d.mean()) - half_width(d, 0.95),
        difference_high=-float(d.mean()) + half_width(d, 0.95),
        p_adjusted=p,
        p_wilcoxon=float(stats.wilcoxon(d).pvalue),
        p_permutation=min(1.0, 1.1 * p),
        smallest_margin=smallest,
        probability_of_best=0.07,
        more_seeds=12 if group == "unclear" else None,
    )


def slot_verdict(slot: SlotName, seeds: int, diverged: int = 0) -> SlotVerdict:
    """The verdict of a slot: n = 0 for a ninth candidate that never finished a trial."""
    found = scores(slot, seeds, diverged)
    pairs = pairs_of(found)
    best = max(found, key=lambda name: float(found[name].mean()))
    judged = sorted(
        (
            candidate(n, found, best, pairs, diverged if (slot, n) == ("conv", "sigmoid") else 0)
            for n in found
        ),
        key=lambda row: -(row.mean or 0),
    )
    never = Candidate("softplus", "unclear")
    return SlotVerdict(
        slot=slot,
        candidates=(*judged, never) if slot == "conv" else tuple(judged),
        pairs=pairs,
        ranks=ranks_of(found),
        seeds=seeds,
        notices=(Notice("failures", counts={"sigmoid": diverged}),) if diverged else (),
    )


def rate_curve(slot: SlotName, name: str, place: int) -> RateCurve:
    random = np.random.default_rng(place + (100 if slot == "fc" else 0))
    rates = np.geomspace(0.0005, 0.01, 16) * random.uniform(0.95, 1.05, 16)
    best = 0.0012 * 1.25**place
    drop = (np.log10(rates / best) ** 2) * (0.01 + 0.004 * place)
    values = 0.98 - 0.001 * place - drop + random.normal(0, 0.001, 16)
    lost = 4 if name == "sigmoid" else 0
    points = tuple(
        RatePoint(float(rate), None if index >= 16 - lost else float(value))
        for index, (rate, value) in enumerate(zip(rates, values, strict=True))
    )
    inside = rates[values > values.max() - MARGIN]
    low, high = float(inside.min()), float(inside.max())
    top = float(rates[int(values[: 16 - lost].argmax())])
    return RateCurve(slot, name, points, top, low, high, float(np.log10(high / low)), lost)


def mechanism(slot: SlotName, judged: SlotVerdict, key: str, claim: int | None) -> Mechanism:
    random = np.random.default_rng(len(key))
    values = {row.name: float(random.uniform(0, 0.8)) for row in judged.candidates if row.scores}
    return Mechanism(
        slot,
        key,
        0.31,
        -0.52,
        0.84,
        claim,
        values,
    )


CLAIMS = (
    Claim(1, "Conv layers: PReLU is best.", "not enough evidence", "prelu is tied with relu."),
    Claim(2, "Hidden layer: tanh and sigmoid.", "not supported", "tanh is tied with six others."),
    Claim(3, "Rates of 0.004 and more do worse.", "supported", "0.61 points less, p < 0.001."),
)


@cache
def full_verdict(seeds: int = 10, diverged: int = 2) -> Verdict:
    """A verdict with every part in it."""
    conv, fc = slot_verdict("conv", seeds, diverged), slot_verdict("fc", seeds)
    slots: tuple[SlotName, ...] = ("conv", "fc")
    return Verdict(
        slots=(conv, fc),
        margin=MARGIN,
        seeds=seeds,
        conditions=Conditions(80, 5000, 3000, CHANCE),
        rates=tuple(
            rate_curve(slot, name, place) for slot in slots for place, name in enumerate(NAMES)
        ),
        importance=(
            Importance("conv_activation", 0.52, 0.44),
            Importance("fc_activation", 0.07, 0.05),
            Importance("learning_rate", 0.41, None),
        ),
        mechanisms=(
            mechanism("conv", conv, "zeros", 4),
            mechanism("conv", conv, "saturated", None),
            mechanism("fc", fc, "mean", 5),
        ),
        probes=(
            ProbeRow("conv", "relu", "act1", "zeros", 0.4567, 0.4, 0.5, 3),
            ProbeRow("conv", "relu", "act2", "zeros", 0.6, None, None, 1),
            ProbeRow("conv", "relu", None, "gradient_ratio", 1.9, 1, 2, 3),
        ),
    )


def meagre_verdict() -> Verdict:
    """Two seeds that reuse rows, no extras."""
    judged = full_verdict(seeds=2, diverged=1)
    conditions = replace(judged.conditions, rows_overlap=True)
    return replace(judged, conditions=conditions, rates=(), importance=(), mechanisms=(), probes=())


def empty_verdict() -> Verdict:
    """Nothing could be judged: one candidate without a replicate, one with a single one."""
    one = Candidate("relu", "unclear", scores=(0.97,))
    none = Candidate("tanh", "unclear")
    slot = SlotVerdict(slot="conv", candidates=(one, none), pairs=(), ranks=None, seeds=1)
    return Verdict((slot,), MARGIN, 1, Conditions(1, 5000, 3000, CHANCE))


def group_at(slot: SlotVerdict, row: Candidate, margin: float) -> Group:
    """The group of a candidate at another margin, by the rule of the verdict."""
    best = slot.best
    if best is None or row.name == best.name or row.group == "unreliable":
        return row.group
    return group_of(pair_with(best.name, row.name, slot.pairs), margin)
