"""Runs -> verdict: a table of scores is paired by seed, judged per block and over all blocks."""

import math
from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
from numpy.typing import NDArray
from scipy import special

from actlab import stats
from actlab.errors import VerdictError, unknown_name
from actlab.i18n import _
from actlab.records import (
    BlockVerdict,
    Comparison,
    DryRun,
    Metric,
    Notice,
    ScoreVerdict,
)
from actlab.text import significant
from actlab.verdicts.rule import ALPHA, Question, compare
from actlab.verdicts.runs import HIGHER_IS_BETTER, PROPORTION, Runs, direction_of
from actlab.verdicts.scores import Scores, scores_by_seed
from actlab.verdicts.secondary_statistics import POWER

FEW_SEEDS = 6
"""Below this many seeds a t-test over many pairs sees very large gaps only."""

_SEED = 20_250_301

MOST_CANDIDATES = 2_000
"""Every one is compared with every other; a table of settings by the thousand is another one."""

_SMALLEST, _LARGEST = 1e-120, 1e120

_ACCURATE = 0.2
"""From this mean on a proportion is measured in points."""


@dataclass(frozen=True)
class Judged:
    """A verdict with what it was made of: the question, and a table of scores per block."""

    verdict: ScoreVerdict
    question: Question
    tables: Mapping[str, Scores]


def judge_runs(
    runs: Runs,
    *,
    margin: float | str | None = None,
    higher_is_better: bool | None = None,
    baseline: str | None = None,
    rows: int | None = None,
) -> Judged:
    """Return what a table of runs supports.

    `margin` is in the unit of the metric, or relative to the best mean ("1%"); without it, half a
    point of a proportion of 0.2 and more of which more is better, else half a percent of the best.
    `rows` is the number of rows that a proportion was counted on.

    Raises VerdictError where the table holds one candidate, more than 2,000, one run each, or two
    scores for one run that disagree.
    """
    question, chosen, notices = _understood(runs, margin, higher_is_better, baseline, rows)
    generator = np.random.default_rng(_SEED)
    blocks = _blocks(chosen)
    if len(blocks) > 1 and _is_one_run_per_block(chosen):
        return _over_single_runs(chosen, blocks, question, notices, generator)
    tables = {name: _table(part) for name, part in blocks.items()}
    found = {
        name: _with_notices(compare(table, question, generator), table)
        for name, table in tables.items()
    }
    overall = next(iter(found.values()))
    if chosen.block is not None:
        if len(blocks) > 1:
            overall = _over_blocks(tables, question, generator)
        else:
            notices.append(Notice("one_block"))
    verdict = ScoreVerdict(
        source=runs.source,
        metric=Metric(runs.metric, question.higher_is_better, question.margin),
        pairing="paired" if all(table.paired for table in tables.values()) else "unpaired",
        overall=overall,
        blocks=tuple(BlockVerdict(block=name, **vars(one)) for name, one in found.items())
        if chosen.block is not None
        else (),
        notices=tuple(notices),
        columns=runs.said,
        baseline=baseline,
    )
    return Judged(verdict, question, tables)


def _is_one_run_per_block(runs: Runs) -> bool:
    assert runs.block is not None
    return len({*zip(runs.candidate, runs.block, strict=True)}) == len(runs.score)


def _over_single_runs(
    runs: Runs,
    blocks: Mapping[str, Runs],
    question: Question,
    notices: list[Notice],
    generator: np.random.Generator,
) -> Judged:
    """Return the verdict over blocks of one run per candidate each; within one there is none."""
    tables = {}
    for name, part in blocks.items():
        rows: dict[str, dict[Hashable, float | None]] = {
            str(candidate): {0: float(score)}
            for candidate, score in zip(part.candidate, part.score, strict=True)
        }
        tables[name] = scores_by_seed(rows)
    verdict = ScoreVerdict(
        source=runs.source,
        metric=Metric(runs.metric, question.higher_is_better, question.margin),
        pairing="paired",
        overall=_over_blocks(tables, question, generator),
        notices=tuple(notices),
        columns=runs.said,
        baseline=question.baseline,
    )
    return Judged(verdict, question, tables)


def dry_run(
    runs: Runs,
    *,
    margin: float | str | None = None,
    higher_is_better: bool | None = None,
    baseline: str | None = None,
    rows: int | None = None,
) -> DryRun:
    """Return which difference a table could show with 80 % probability, whoever is ahead.

    With several blocks that is within one of them. Raises VerdictError as `judge_runs` does.
    """
    question, chosen, _notices = _understood(runs, margin, higher_is_better, baseline, rows)
    blocks = _blocks(chosen)
    if len(blocks) > 1 and _is_one_run_per_block(chosen):
        message = _(
            "{source} has one run per candidate in each block; what a table could show is reckoned "
            "within a block, from two seeds or more."
        )
        raise VerdictError(message.format(source=runs.source))
    tables = [_table(part) for part in blocks.values()]
    pairs = [pair for table in tables for pair in compare(table, question).pairs]
    if not pairs:
        raise VerdictError(_("No two candidates have two runs each to compare."))
    spread = median(pair.difference.standard_deviation for pair in pairs)
    per_table = max(1, round(len(pairs) / len(tables)))
    paired = all(table.paired for table in tables)
    sizes = [pair.difference.n if paired else pair.difference.n // 2 for pair in pairs]
    seeds = int(median(sizes))
    return DryRun(
        source=runs.source,
        metric=Metric(runs.metric, question.higher_is_better, question.margin),
        pairing="paired" if paired else "unpaired",
        candidates=len(tables[0].candidates),
        seeds=seeds,
        comparisons=per_table,
        spread=spread,
        smallest_difference=stats.detectable_difference(seeds, spread, per_table, ALPHA, POWER),
        power=POWER,
        seeds_for_margin=stats.seeds_to_separate(question.margin, spread, per_table, ALPHA, POWER)
        if question.margin
        else None,
    )


def _understood(
    runs: Runs,
    margin: float | str | None,
    higher_is_better: bool | None,
    baseline: str | None,
    rows: int | None,
) -> tuple[Question, Runs, list[Notice]]:
    names = _names(runs.candidate)
    if len(names) < 2:
        message = _("To compare takes two candidates; {source} has one, {name}.")
        raise VerdictError(message.format(source=runs.source, name=names[0]))
    if len(names) > MOST_CANDIDATES:
        message = _(
            "{source} has {count} candidates; at most {most} are compared with each other. "
            "Leave out what is not to be compared, or say which column is the candidate."
        )
        raise VerdictError(
            message.format(source=runs.source, count=len(names), most=MOST_CANDIDATES)
        )
    if baseline is not None and baseline not in names:
        raise unknown_name(_("candidate"), baseline, names)
    notices: list[Notice] = []
    if runs.left_out:
        notices.append(Notice("runs_left_out", counts=runs.left_out))
    alike = _alike(names)
    if alike:
        notices.append(Notice("names_alike", names=alike))
    higher = direction_of(runs, higher_is_better)
    if not higher and higher_is_better is None and runs.higher_is_better is None:
        notices.append(Notice("lower_by_name", names=(runs.metric,)))
    if higher and higher_is_better is None and not _says_higher(runs):
        notices.append(Notice("higher_by_default"))
    if runs.setting is not None:
        runs, notice = _best_settings(runs, higher)
        notices.append(notice)
    known = runs.score[~np.isnan(runs.score)]
    if not known.size:
        raise VerdictError(
            _("Every run in {source} failed; there is no score.").format(source=runs.source)
        )
    _refuse_extremes(known, runs.source)
    proportion = bool(known.min() >= 0.0 and known.max() <= 1.0)
    shares = _in_shares(runs, names)
    if shares and PROPORTION.search(runs.metric):
        notices.append(Notice("two_scales", names=shares))
    means = [_mean_of(runs, name) for name in names]
    best = (max if higher else min)(mean for mean in means if not math.isnan(mean))
    # An error of 1e-6 lies between 0 and 1, too; half a point would make everything equivalent.
    points = proportion and higher and best >= _ACCURATE
    limit = _margin(margin, best, points=points)
    if margin is None:
        notices.append(Notice("default_margin"))
    resolution = None
    if rows is not None:
        if rows < 1 or known.min() < 0.0 or known.max() > 100.0:
            message = _("--rows is for proportions, from 0 to 1 or to 100, of one row or more.")
            raise VerdictError(message)
        resolution = (1.0 if proportion else 100.0) / rows
        notices.append(Notice("resolution", {"rows": rows, "step": resolution}))
    limits = (-math.inf, math.inf) if rows is None else (0.0, 1.0 if proportion else 100.0)
    if not higher:
        limits = (-limits[1], -limits[0])
    question = Question(
        margin=limit,
        higher_is_better=higher,
        baseline=baseline,
        resolution=resolution,
        limits=limits,
    )
    return question, runs, notices


def _refuse_extremes(known: NDArray[np.float64], source: str) -> None:
    """Refuse scores whose squares are no numbers, or 0."""
    sizes = np.abs(known[known != 0.0])
    if sizes.size and not (_SMALLEST < sizes.max() < _LARGEST):
        message = _(
            "Scores of about {value} cannot be compared; {source} has them. Give the score in "
            "another unit, and NaN or nothing for a run that failed."
        )
        raise VerdictError(message.format(value=significant(float(sizes.max()), 2), source=source))


def _margin(given: float | str | None, best: float, *, points: bool) -> float:
    """Return the margin in the unit of the metric; "1%" is relative to the best mean."""
    if given is None:
        return 0.005 if points else float(significant_value(0.005 * abs(best)))
    text = str(given).strip()
    try:
        found = float(text.removesuffix("%"))
    except ValueError:
        found = math.nan
    if not (math.isfinite(found) and found >= 0.0):
        message = _("A margin is 0 or more, or relative to the best mean (1%); got {given}.")
        raise VerdictError(message.format(given=given))
    return found / 100.0 * abs(best) if text.endswith("%") else found


def significant_value(value: float) -> float:
    """Round to two significant digits.

    >>> significant_value(0.012345), significant_value(1.234e-8)
    (0.012, 1.2e-08)
    """
    return float(f"{value:.2g}")


def _names(values: NDArray[np.str_]) -> list[str]:
    """Return the different names in the order in which they come."""
    found, first = np.unique(values, return_index=True)
    return [str(name) for name in found[np.argsort(first)]]


def _alike(names: list[str]) -> tuple[str, ...]:
    """Return the names that differ from another one in case or blanks only."""
    folded = Counter("".join(name.split()).casefold() for name in names)
    return tuple(name for name in names if folded["".join(name.split()).casefold()] > 1)


def _mean_of(runs: Runs, name: str) -> float:
    own = runs.score[(runs.candidate == name) & ~np.isnan(runs.score)]
    return float(own.mean()) if own.size else math.nan


def _says_higher(runs: Runs) -> bool:
    """Return whether the table itself, or the name of its column of scores, says that."""
    named = HIGHER_IS_BETTER.search(runs.metric) is not None and "score" in runs.said
    return runs.higher_is_better is not None or named


def _in_shares(runs: Runs, names: list[str]) -> tuple[str, ...]:
    """Return the candidates with scores from 0 to 1 alone, where others have none of these."""
    scores = {name: runs.score[runs.candidate == name] for name in names}
    trained = {name: one[~np.isnan(one)] for name, one in scores.items()}
    below = [name for name, one in trained.items() if one.size and one.max() <= 1.0]
    above = [name for name, one in trained.items() if one.size and one.min() > 1.0]
    return tuple(below) if below and above else ()


def _part(runs: Runs, where: NDArray[np.bool_]) -> Runs:
    def cut(values: NDArray[np.str_] | None) -> NDArray[np.str_] | None:
        return None if values is None else values[where]

    return replace(
        runs,
        candidate=runs.candidate[where],
        score=runs.score[where],
        seed=cut(runs.seed),
        block=cut(runs.block),
        setting=cut(runs.setting),
    )


def _blocks(runs: Runs) -> dict[str, Runs]:
    if runs.block is None:
        return {"": runs}
    return {name: _part(runs, runs.block == name) for name in _names(runs.block)}


def _best_settings(runs: Runs, higher: bool) -> tuple[Runs, Notice]:
    """Return the runs of each candidate's best setting, and what choosing by them is worth."""
    assert runs.setting is not None
    keep = np.zeros(len(runs.score), dtype=np.bool_)
    counts: dict[str, int] = {}
    spreads, sizes = [], []
    for name in _names(runs.candidate):
        own = runs.candidate == name
        settings = _names(runs.setting[own])
        counts[name] = len(settings)
        groups = {s: runs.score[own & (runs.setting == s)] for s in settings}
        trained = {s: scores[~np.isnan(scores)] for s, scores in groups.items()}
        means = {s: float(scores.mean()) for s, scores in trained.items() if scores.size}
        spreads += [float(scores.std(ddof=1)) for scores in trained.values() if scores.size > 1]
        sizes += [scores.size for scores in trained.values() if scores.size]
        ranked = sorted(means, key=lambda s: means[s], reverse=higher)
        best = ranked[0] if ranked else settings[0]
        keep |= own & (runs.setting == best)
    most = max(counts.values())
    spread = median(spreads) if spreads else 0.0
    # Blom's approximation of the expected largest of `most` standard normals.
    largest = float(special.ndtri((most - 0.375) / (most + 0.25)))
    luck = largest * spread / math.sqrt(median(sizes)) if most > 1 and sizes else 0.0
    return _part(runs, keep), Notice("chosen_on_scores", {"luck": luck}, counts=counts)


def _table(runs: Runs) -> Scores:
    """Return the scores by candidate and seed, paired where two candidates share two seeds."""
    names = _names(runs.candidate)
    lanes = _codes(runs.candidate, names)
    if runs.seed is not None:
        seeds = _names(runs.seed)
        places = _codes(runs.seed, seeds)
        _refuse_disagreement(runs, lanes * len(seeds) + places)
        values = np.full((len(names), len(seeds)), np.nan)
        ran = np.zeros(values.shape, dtype=np.bool_)
        values[lanes, places] = runs.score
        ran[lanes, places] = True
        shared = ran.astype(np.int64) @ ran.T.astype(np.int64)
        if (shared - np.diag(np.diag(shared))).max() >= 2:
            return _enough(Scores(tuple(names), values, ran), runs)
    counts = np.bincount(lanes, minlength=len(names))
    order = np.argsort(lanes, kind="stable")
    within = np.arange(len(lanes)) - np.repeat(np.cumsum(counts) - counts, counts)
    values = np.full((len(names), int(counts.max())), np.nan)
    ran = np.zeros(values.shape, dtype=np.bool_)
    values[lanes[order], within] = runs.score[order]
    ran[lanes[order], within] = True
    return _enough(Scores(tuple(names), values, ran, paired=False), runs)


def _codes(values: NDArray[np.str_], names: list[str]) -> NDArray[np.int64]:
    order = np.argsort(names)
    return order[np.searchsorted(np.array(names)[order], values)]


def _refuse_disagreement(runs: Runs, keys: NDArray[np.int64]) -> None:
    order = np.argsort(keys, kind="stable")
    same = keys[order][1:] == keys[order][:-1]
    first, second = runs.score[order][:-1], runs.score[order][1:]
    differ = same & ~((first == second) | (np.isnan(first) & np.isnan(second)))
    if not differ.any():
        return
    place = int(order[1:][differ][0])
    if runs.step is not None:
        message = _(
            "{source} has two scores for {candidate} with seed {seed}, {first} and {second}: it "
            "holds curves over {step}. Keep one row per run, that of the last or the chosen one."
        )
    else:
        message = _(
            "{source} has two scores for {candidate} with seed {seed}, {first} and {second}. Keep "
            "one, or say which column tells them apart: with --setting the settings of a "
            "candidate, with --block data sets, tasks or metrics."
        )
    raise VerdictError(
        message.format(
            source=runs.source,
            candidate=runs.candidate[place],
            seed=runs.seed[place] if runs.seed is not None else "",
            first=significant(float(first[differ][0]), 6),
            second=significant(float(second[differ][0]), 6),
            step=runs.step,
        )
    )


def _enough(scores: Scores, runs: Runs) -> Scores:
    if int(scores.ran.sum(axis=1).max()) < 2:
        message = _(
            "{source} has one run of every candidate, so the spread between seeds is unknown and "
            "no difference can be told from it. Two seeds are the least, six to rely on."
        )
        raise VerdictError(message.format(source=runs.source))
    return scores


def _with_notices(found: Comparison, scores: Scores) -> Comparison:
    notices = []
    runs = scores.ran.sum(axis=1)
    n = int(runs.max())
    if 2 <= n < FEW_SEEDS and found.pairs:
        spread = median(pair.difference.standard_deviation for pair in found.pairs)
        smallest = stats.detectable_difference(n, spread, len(found.pairs))
        notices.append(Notice("few_seeds", {"n": n, "smallest": smallest}))
    if not scores.paired:
        notices.append(Notice("unpaired"))
    elif not scores.ran.all():
        alone = int((scores.ran & ~scores.ran.all(axis=0)).sum())
        notices.append(Notice("partly_paired", {"count": alone}))
    failures = {row.name: row.failures for row in found.candidates if row.failures}
    if failures:
        notices.append(Notice("failed_runs", counts=failures))
    return replace(found, notices=tuple(notices))


def _over_blocks(
    tables: Mapping[str, Scores], question: Question, generator: np.random.Generator
) -> Comparison:
    """Return the verdict over blocks: signed ranks of the blocks' means, failures of all runs."""
    names = tuple(dict.fromkeys(name for table in tables.values() for name in table.candidates))
    shape = (len(names), len(tables))
    values, ran = np.full(shape, np.nan), np.zeros(shape, dtype=np.bool_)
    failures, runs = (np.zeros(len(names), dtype=np.int64) for _count in range(2))
    for column, table in enumerate(tables.values()):
        for place, name in enumerate(table.candidates):
            lane, trained = names.index(name), table.trained[place]
            ran[lane, column] = bool(table.ran[place].any())
            if trained.any():
                values[lane, column] = table.values[place][trained].mean()
            runs[lane] += int(table.ran[place].sum())
            failures[lane] += int((table.ran[place] & ~trained).sum())
    together = Scores(names, values, ran, failures=failures, runs=runs)
    asked = replace(question, test="signed_rank", resolution=None)
    found = compare(together, asked, generator)
    notices = []
    # The smallest p of n signed ranks is 2^(1 - n); over all comparisons it must be ALPHA.
    least = math.ceil(1.0 + math.log2(len(found.pairs) / ALPHA)) if found.pairs else 0
    if len(tables) < least:
        numbers = {"n": len(tables), "count": len(found.pairs), "least": least}
        notices.append(Notice("few_blocks", numbers))
    failed = {row.name: row.failures for row in found.candidates if row.failures}
    if failed:
        notices.append(Notice("failed_runs", counts=failed))
    reference = question.baseline or (found.best.name if found.best else None)
    rows = found.candidates
    if reference is not None:
        sign = 1.0 if question.higher_is_better else -1.0
        rows = tuple(
            row
            if row.name == reference
            else replace(
                row,
                posterior=_posterior(
                    sign * values[names.index(row.name)],
                    sign * values[names.index(reference)],
                    question.margin,
                    generator,
                ),
            )
            for row in rows
        )
    return replace(found, candidates=rows, notices=tuple(notices))


def _posterior(
    own: NDArray[np.float64],
    other: NDArray[np.float64],
    margin: float,
    generator: np.random.Generator,
) -> tuple[float, float, float] | None:
    both = ~np.isnan(own) & ~np.isnan(other)
    if int(both.sum()) < 2:
        return None
    return stats.bayesian_signed_rank(own[both], other[both], margin, generator)
