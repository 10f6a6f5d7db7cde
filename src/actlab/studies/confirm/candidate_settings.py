"""Which settings are trained again, and which of them stands for a candidate.

A candidate is an activation in a slot. Everything here is computed from records alone, so that
whoever asks, and whenever, gets the same answer.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from actlab.records import (
    BalancedSampler,
    FittedSampler,
    Outcome,
    Record,
    Sampler,
    Setting,
    SlotName,
    Space,
)
from actlab.studies.confirm.fitted_rates import fitted_curves
from actlab.studies.run_folder import RunFolder

Array = NDArray[np.float64]
TO_CHOOSE_FROM = 3
"""At how many learning rates the candidates of a slot are trained again before one is kept."""

CHOOSE_SEEDS = 3
"""On how many seeds."""

FEWEST = 4
"""Candidates from which on medians over them say what a rate does to all."""

LUCK = 2.0
"""Up to how many standard errors the deviation of a candidate at a rate counts as luck."""

_TRIED = BalancedSampler()
"""Settings are chosen by trainings of their own, as with every sampler but `FittedSampler`."""

ByCandidate = Mapping[SlotName, Mapping[str, Sequence[Setting]]]


def activation_in(slot: SlotName, setting: Setting) -> str | None:
    """Return the activation that a setting has in a slot, None where it has no such slot.

    >>> activation_in("fc", Setting("relu", "tanh", 0.001))
    'tanh'
    """
    return setting.activation_in(slot)


def best_settings(
    space: Space, records: Iterable[Record], sampler: Sampler = _TRIED
) -> ByCandidate:
    """Return the settings in which the candidates of each slot are tried, the likeliest first.

    All candidates of a slot share them, but for the activation itself: the learning rates at which
    candidates did best in the search (that of the best trial, and where there are more than three
    the lowest and the highest), with the best trial's activation in the other slot. So nobody wins
    or loses by a rate that the search happened to draw for one of them, and candidates that make
    no difference come out the same. None for a candidate without a completed trial. A study whose
    candidates were tried by their own best settings, as was done before, stays with these.

    With a `FittedSampler` there is one per candidate, at the rate at which its fitted response
    curve is highest.
    """
    known = tuple(records)
    if isinstance(sampler, FittedSampler):
        return _fitted(space, known)
    completed = [r for r in known if r.stage == "search" and r.outcome is Outcome.COMPLETED]
    ranked = sorted(completed, key=lambda record: (-(record.score or 0.0), record.number))
    firsts = _firsts(space, ranked)
    places: dict[Setting, int] = {}
    for place, record in enumerate(ranked):
        places.setdefault(record.setting, place)
    shared: ByCandidate = {slot: _shared(slot, row, places) for slot, row in firsts.items()}
    tried = {record.setting for record in known if record.stage == "choose"}
    if tried <= {setting for row in shared.values() for found in row.values() for setting in found}:
        return shared
    return firsts


def settings_to_choose_from(
    space: Space, records: Iterable[Record], sampler: Sampler = _TRIED
) -> tuple[Setting, ...]:
    """Return the settings of the first stage, each once: a candidate with one has no choice."""
    if isinstance(sampler, FittedSampler):
        return ()
    by_candidate = best_settings(space, records, sampler)
    groups = [found for row in by_candidate.values() for found in row.values() if len(found) > 1]
    return tuple(dict.fromkeys(setting for group in groups for setting in group))


def choose(
    space: Space, records: Iterable[Record], chance: float, sampler: Sampler = _TRIED
) -> dict[SlotName, dict[str, Setting | None]]:
    """Return the setting that stands for every candidate of each slot; None where there is none.

    Of the settings that it was tried in it is the one with the best mean over the seeds of the
    stage "choose", in which a training without an accuracy counts at `chance`; of equal ones, the
    one that comes first in `best_settings`. Where the candidates of a slot share their learning
    rates, the mean of a candidate at a rate is first drawn toward what the rate does to all of
    them, unless its trainings set it apart from that by more than luck (`shrunk`).
    """
    known = tuple(records)
    scores = _choose_scores(known, chance)
    by_candidate = best_settings(space, known, sampler)
    return {slot: _chosen(row, scores) for slot, row in by_candidate.items()}


def chosen_settings(folder: RunFolder) -> dict[SlotName, dict[str, Setting | None]]:
    """Return what `choose` does, for the study in a folder as far as it has come."""
    plan = folder.plan()
    return choose(plan.space, folder.all_records(), chance_level(folder), plan.sampler)


def chance_level(folder: RunFolder) -> float:
    """Return what a constant prediction reaches, such that the higher is the better.

    Of data that come with actlab it is 1 / classes. Without a figure it is minus infinity.
    """
    environment, measured = folder.environment(), folder.plan().training.measured
    if environment is not None and environment.baseline is not None:
        return measured.oriented(environment.baseline)
    if not measured.in_percent:
        return -math.inf
    classes = len(environment.class_counts["train"]) if environment is not None else 0
    return 1 / classes if classes else 0.0


def _fitted(space: Space, records: Sequence[Record]) -> ByCandidate:
    """Return one setting per candidate with a completed trial, from one fit to the search."""
    trials = [record for record in records if record.stage == "search"]
    found = tuple((record.setting, score) for record, score in _as_shares(trials))
    if all(score is None for _setting, score in found):
        return {slot: dict.fromkeys(names, ()) for slot, names in space.by_slot.items()}
    curves = fitted_curves(space, found)
    best = {slot: curves.best_of(slot) for slot in space.by_slot}
    return {
        slot: {name: (best[slot][name],) if name in best[slot] else () for name in names}
        for slot, names in space.by_slot.items()
    }


def _as_shares(trials: Sequence[Record]) -> list[tuple[Record, float | None]]:
    """Return the scores as the fit takes them: accuracies as they are, others from 0 to 1."""
    scores = [record.score for record in trials if record.score is not None]
    if all(record.valid_score is None for record in trials) or not scores:
        return [(record, record.score) for record in trials]
    low, width = min(scores), max(scores) - min(scores)
    return [
        (record, None if record.score is None else (record.score - low) / (width or 1.0))
        for record in trials
    ]


def _shared(
    slot: SlotName, firsts: Mapping[str, Sequence[Setting]], places: Mapping[Setting, int]
) -> dict[str, tuple[Setting, ...]]:
    settings = sorted((found[0] for found in firsts.values() if found), key=places.__getitem__)
    rates = list(dict.fromkeys(setting.learning_rate for setting in settings))
    if len(rates) > TO_CHOOSE_FROM:
        best, middle = rates[0], sorted(rates)[len(rates) // 2]
        rates = list(dict.fromkeys((best, min(rates), max(rates), middle)))[:TO_CHOOSE_FROM]
    return {
        name: tuple(_with(slot, name, settings[0], rate) for rate in rates) if found else ()
        for name, found in firsts.items()
    }


def _with(slot: SlotName, name: str, best: Setting, rate: float) -> Setting:
    """Return the best trial's setting with another activation in a slot, and another rate."""
    return Setting.of(best.activations | {slot: name}, rate)


def _firsts(
    space: Space, ranked: Sequence[Record]
) -> dict[SlotName, dict[str, tuple[Setting, ...]]]:
    """Return the first settings of each candidate, in one pass over the records."""
    found: dict[SlotName, dict[str, dict[Setting, None]]] = {
        slot: {name: {} for name in names} for slot, names in space.by_slot.items()
    }
    for record in ranked:
        for slot, name in record.setting.activations.items():
            own = found.get(slot, {}).get(name)
            if own is not None and len(own) < TO_CHOOSE_FROM:
                own[record.setting] = None
    return {slot: {name: tuple(own) for name, own in row.items()} for slot, row in found.items()}


def _choose_scores(
    records: Iterable[Record], chance: float
) -> dict[Setting, dict[int | None, float]]:
    scores: dict[Setting, dict[int | None, float]] = {}
    for record in records:
        if record.stage == "choose":
            score = record.score
            own = scores.setdefault(record.setting, {})
            own[record.replicate] = chance if score is None else score
    return scores


def _chosen(
    row: Mapping[str, Sequence[Setting]], scores: Mapping[Setting, Mapping[int | None, float]]
) -> dict[str, Setting | None]:
    """Return the setting of every candidate of a slot."""
    means = {setting: fmean(own.values()) for setting, own in scores.items()}
    tried = {name: found for name, found in row.items() if found}
    if _share_rates(tried, scores):
        table = [[list(scores[one].values()) for one in found] for found in tried.values()]
        for found, values in zip(tried.values(), shrunk(np.array(table)), strict=True):
            means |= dict(zip(found, map(float, values), strict=True))
    # max keeps the first of equals, and the settings come in the order of the search.
    return {
        name: max(found, key=lambda setting: means.get(setting, -math.inf), default=None)
        for name, found in row.items()
    }


def _share_rates(
    tried: Mapping[str, Sequence[Setting]], scores: Mapping[Setting, Mapping[int | None, float]]
) -> bool:
    """Return whether enough candidates were trained at the same rates on the same seeds."""
    rates = {tuple(one.learning_rate for one in found) for found in tried.values()}
    seeds = {tuple(scores.get(one, ())) for found in tried.values() for one in found}
    return len(tried) >= FEWEST and len(rates) == len(seeds) == 1 and len(next(iter(seeds))) > 1


def shrunk(table: Array) -> Array:
    """Return means by candidate and rate, drawn toward the rate's effect on all candidates.

    `table` is (candidates, rates, seeds). With d the deviation of a candidate at a rate from the
    sum of its own level and the effect of the rate, and e the standard error of a mean by luck, d
    is multiplied by 1 - (2 e / d)^2, and by 0 where that is negative: a deviation within two
    standard errors is luck, a large one stays what it is. Levels, effects and e are medians, so
    that a candidate that fails at a rate moves nobody else.

    Source: Breiman (1995), Better subset regression using the nonnegative garrote, Technometrics
    37, 373-384.

    >>> luck = np.random.default_rng(3).normal(0.0, 0.003, (6, 2, 3))
    >>> alike = np.array([0.975, 0.97])[:, None] + luck
    >>> shrunk(alike).argmax(axis=1).tolist(), alike.mean(axis=2).argmax(axis=1).tolist()
    ([0, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0])
    """
    means = table.mean(axis=2)
    level = np.median(means, axis=1, keepdims=True)
    effect = np.median(means - level, axis=0, keepdims=True)
    away = means - level - effect
    left = table - means[:, :, None]
    left = left - np.median(left, axis=(0, 1), keepdims=True)
    within = LUCK * 1.4826 * np.median(np.abs(left)) / math.sqrt(table.shape[2] - 1)
    share = np.clip(1.0 - (within / np.where(away == 0.0, 1.0, away)) ** 2, 0.0, 1.0)
    found: Array = level + effect + share * away
    return found
