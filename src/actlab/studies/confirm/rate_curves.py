"""How each activation takes the learning rate, from a search with equal budgets.

Every activation of a slot has trials with every activation of the other slot and learning rates
all over the range; what differs between two trials is the rate, the partner, and chance. The curve
is made in two steps, for few points and with failures among them:

1. *Partner.* From each accuracy the median of all trials with the same partner is subtracted and
   the median of all trials added. A partner that does badly everywhere then leaves no dent at the
   rates that happened to be drawn with it. A failure stays at chance.
2. *Smoothing.* At each trial's rate the curve is the median of the nearest quarter of the trials
   (at least 3) by the logarithm of the rate: one lucky or failed trial does not move it.

The plateau is the unbroken run of trials around the curve's maximum in which it stays within
0.5 points of it. At the ends of the range the curve leans inward, so a plateau that reaches an end
may be wider than the range. A search that follows its own results (TPE) has no such curve: its
trials stand where results were good.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median

import numpy as np

from actlab.records import RateCurve, RatePoint, Record, SlotName, Space
from actlab.records.verdict import RateBin
from actlab.studies.confirm.candidate_settings import activation_in
from actlab.studies.confirm.replication import near_chance

PLATEAU = 0.005
"""How far below its best the curve may be on the plateau, as a fraction."""

BINS = 4

_Partner = tuple[tuple[SlotName, str], ...]


def rate_curves(records: Sequence[Record], space: Space, chance: float) -> tuple[RateCurve, ...]:
    """Return one curve per slot and activation over the search records of a balanced study.

    In the order of the space, for the activations that have trials.
    """
    trials = [record for record in records if record.stage == "search"]
    if not trials:
        return ()
    edges = _edges(trials)
    curves: list[RateCurve] = []
    for slot, names in space.by_slot.items():
        by_name: dict[str | None, list[Record]] = {}
        for record in trials:
            by_name.setdefault(activation_in(slot, record.setting), []).append(record)
        shift = _shift(trials, slot, chance)
        curves += [
            _curve(slot, name, by_name[name], shift, edges, chance)
            for name in names
            if name in by_name
        ]
    return tuple(curves)


def failed(record: Record, chance: float) -> bool:
    """Return whether a trial did not complete, or learnt next to nothing."""
    return record.score is None or near_chance(record.score, chance)


def _curve(
    slot: SlotName,
    name: str,
    trials: Sequence[Record],
    shift: Mapping[_Partner, float],
    edges: Sequence[float],
    chance: float,
) -> RateCurve:
    own = sorted(trials, key=lambda record: record.setting.learning_rate)
    rates = [record.setting.learning_rate for record in own]
    without_partner = [
        chance
        if failed(record, chance)
        else _accuracy(record, chance) + shift[_partner(record, slot)]
        for record in own
    ]
    smoothed = _smoothed(rates, without_partner)
    plateau = _plateau(smoothed) if any(not failed(record, chance) for record in own) else None
    low, best, high = (rates[place] for place in plateau) if plateau else (None, None, None)
    return RateCurve(
        slot=slot,
        activation=name,
        points=tuple(RatePoint(r.setting.learning_rate, r.score) for r in own),
        best_learning_rate=best,
        plateau_low=low,
        plateau_high=high,
        plateau_decades=math.log10(high / low) if low and high else None,
        failures=sum(failed(record, chance) for record in own),
        smoothed=tuple(map(RatePoint, rates, smoothed)),
        bins=_bins(own, edges, chance),
    )


def _shift(trials: Sequence[Record], slot: SlotName, chance: float) -> dict[_Partner, float]:
    """Return by how much the usual accuracy is above that of each partner."""
    by_partner: dict[_Partner, list[float]] = {}
    for record in trials:
        by_partner.setdefault(_partner(record, slot), []).append(_accuracy(record, chance))
    usual = median(_accuracy(record, chance) for record in trials)
    return {partner: usual - median(values) for partner, values in by_partner.items()}


def _partner(record: Record, slot: SlotName) -> _Partner:
    """Return what a trial has in the other slots."""
    return tuple((s, name) for s, name in record.setting.activations.items() if s != slot)


def _accuracy(record: Record, chance: float) -> float:
    return chance if record.score is None else record.score


def _smoothed(rates: Sequence[float], values: Sequence[float]) -> list[float]:
    """Return at each rate the median of the nearest values.

    >>> _smoothed([0.001, 0.002, 0.004, 0.008], [0.9, 0.1, 0.94, 0.92])
    [0.9, 0.9, 0.92, 0.92]
    """
    window = max(3, len(rates) // 4)
    logs, given = np.log(np.asarray(rates, dtype=np.float64)), np.asarray(values)
    found, places = np.unique(logs, return_inverse=True)
    nearest = [given[np.argsort(abs(logs - log), kind="stable")[:window]] for log in found]
    medians = np.median(nearest, axis=1)
    return [float(medians[place]) for place in places]


def _plateau(curve: Sequence[float]) -> tuple[int, int, int]:
    """Return the first place of the plateau, that of the maximum, and the last place.

    >>> _plateau([0.90, 0.956, 0.958, 0.96, 0.95, 0.958])
    (1, 3, 3)
    """
    best = max(range(len(curve)), key=lambda place: curve[place])
    floor = curve[best] - PLATEAU - 1e-12
    low = high = best
    while low > 0 and curve[low - 1] >= floor:
        low -= 1
    while high < len(curve) - 1 and curve[high + 1] >= floor:
        high += 1
    return low, best, high


def _edges(trials: Sequence[Record]) -> list[float]:
    """Return the edges of equal ranges of the logarithm, over all trials of the search."""
    rates = [record.setting.learning_rate for record in trials]
    return [float(edge) for edge in np.geomspace(min(rates), max(rates), BINS + 1)] if rates else []


def _bins(own: Sequence[Record], edges: Sequence[float], chance: float) -> tuple[RateBin, ...]:
    found = []
    for place, (low, high) in enumerate(pairwise(edges)):
        last = place == len(edges) - 2
        inside = [
            record
            for record in own
            if (low <= record.setting.learning_rate or place == 0)
            and (record.setting.learning_rate < high or last)
        ]
        failures = sum(failed(record, chance) for record in inside)
        found.append(RateBin(low, high, len(inside), failures))
    return tuple(found)
