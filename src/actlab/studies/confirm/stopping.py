"""Stopping early: which candidates are clearly behind after the first seeds, look by look."""

import math
from collections.abc import Callable, Mapping, Sequence

from actlab.records import Record, Setting, SlotName
from actlab.studies.run_folder import RunFolder
from actlab.studies.trials import rows_overlap

StoppingRule = Callable[[Sequence[Sequence[float]], int, int], set[int]]
"""Takes scores (seeds, candidates), NaN where a candidate was dropped, how many looks were taken
before and how many are planned; returns the columns that are clearly behind."""

Chosen = Mapping[SlotName, Mapping[str, Setting | None]]

FIRST_LOOK = 4
"""Seeds before the first look: with fewer a spread says little."""

EVERY = 2
"""Seeds between two looks."""


def looks(seeds: int) -> tuple[int, ...]:
    """Return after how many seeds the candidates are looked at.

    >>> looks(10), looks(4)
    ((4, 6, 8), ())
    """
    return tuple(range(FIRST_LOOK, seeds, EVERY))


def never(_scores: Sequence[Sequence[float]], _done: int, _planned: int) -> set[int]:
    """Drop nobody: the rule of a confirmation that is not sequential."""
    return set()


def stopped_candidates(
    chosen: Chosen,
    replicates: Sequence[Record],
    seeds: int,
    seeds_done: int,
    rule: StoppingRule,
    chance: float,
) -> dict[SlotName, dict[str, int]]:
    """Return who was stopped, per slot, and after how many seeds, with `seeds_done` of `seeds`.

    Each slot is a family of its own. A replicate without an accuracy counts at `chance`.
    """
    scores = {
        (record.setting, record.replicate): (chance if record.score is None else record.score)
        for record in replicates
        if record.stage == "confirm"
    }
    return {
        slot: _stopped({n: s for n, s in row.items() if s}, scores, seeds, seeds_done, rule)
        for slot, row in chosen.items()
    }


def _stopped(
    row: Mapping[str, Setting | None],
    scores: Mapping[tuple[Setting, int | None], float],
    seeds: int,
    seeds_done: int,
    rule: StoppingRule,
) -> dict[str, int]:
    names, planned = list(row), looks(seeds)
    stopped: dict[str, int] = {}
    for done, look in enumerate(look for look in planned if look <= seeds_done):
        if len(names) - len(stopped) < 2:
            break
        table = [
            [
                _score(row[name], seed, scores) if seed < stopped.get(name, seeds) else math.nan
                for name in names
            ]
            for seed in range(look)
        ]
        for column in rule(table, done, len(planned)):
            stopped.setdefault(names[column], look)
    return stopped


def _score(
    setting: Setting | None, seed: int, scores: Mapping[tuple[Setting, int | None], float]
) -> float:
    return math.nan if setting is None else scores[setting, seed]


STOPPING_ALPHA = 0.01
"""What stopping may err in. The verdict errs in up to 0.05 of its own; with a hundredth for
stopping the two together stay at about that (tests/stats/test_sequential.py)."""


def stopping_rule(folder: RunFolder) -> StoppingRule:
    """Return what says who is clearly behind in a slot, for replicates of this study.

    An image is the finest difference that an accuracy can show. Replicates that share rows are
    compared with Nadeau and Bengio's correction.
    """
    from actlab.verdicts import clearly_behind, nadeau_bengio_factor

    plan = folder.plan()
    splits = plan.data.splits
    corrected = rows_overlap(plan, folder.environment())

    def rule(scores: Sequence[Sequence[float]], looks_done: int, looks_planned: int) -> set[int]:
        factor = nadeau_bengio_factor(len(scores), splits.train, splits.valid_trial)
        return clearly_behind(
            scores,
            looks_done,
            looks_planned,
            alpha=STOPPING_ALPHA,
            variance_factor=factor if corrected else None,
            resolution=1 / splits.valid_trial if plan.training.measured.in_percent else None,
        )

    return rule
