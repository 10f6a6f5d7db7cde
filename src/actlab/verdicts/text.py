"""What a comparison says in words, made where it is shown: one sentence per candidate, a summary
of all, notices. Every number is written in the unit of the metric."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from actlab.records import Candidate, Comparison, Group, Notice
from actlab.text import Formatter, significant
from actlab.verdicts.rule import ALPHA, TOLERANCE

CLEARLY_CHEAPER = 1.25
"""The next cost must be so many times the least: costs are measured on a machine that is used."""


@dataclass(frozen=True)
class Wording:
    """How the numbers of a comparison are written: the margin, the unit, the direction.

    Accuracies are fractions and read in percent and points, other scores as they are. `baseline`
    is whom all candidates are compared with, in place of the best.
    """

    words: Formatter
    margin: float
    accuracies: bool = True
    baseline: str | None = None
    higher_is_better: bool = True

    def score(self, value: float | None) -> str:
        """Write a score."""
        if value is None or self.accuracies:
            return self.words.percent(value)
        return significant(value, 5)

    def size(self, difference: float) -> str:
        """Write the size of a difference, with its unit."""
        if self.accuracies:
            return self.words.points(difference)
        return significant(abs(difference), 3)

    def end(self, difference: float) -> str:
        """Write an end of a difference's interval, with its sign, without a unit."""
        return self.words.difference(difference) if self.accuracies else significant(difference, 3)

    def margin_text(self) -> str:
        """Write the margin as it was given."""
        if not self.accuracies:
            return f"{self.margin:.6g}"
        _ = self.words.translations.gettext
        text = _("{number} points").format(number=self.words.margin(self.margin))
        return text.replace(" ", self.words.space)


def candidate_sentence(row: Candidate, found: Comparison, wording: Wording) -> str:
    """Say in which group a candidate is, with the numbers that put it there."""
    reference = _reference(found, wording)
    if row.n == 0 or row.failures == found.runs_of(row):
        return _without_a_score(row, found, wording.words)
    if row.group == "unreliable":
        return _unreliable(row, found, wording)
    if reference is not None and row.name == reference.name:
        return _of_reference(row, found, wording)
    if reference is None or row.difference is None:
        return _not_comparable(row, found, wording.words)
    condition = _condition(row, reference, found, wording)
    sentences = [_of_group(row, reference.name, wording), condition]
    return " ".join(sentence for sentence in sentences if sentence)


def _reference(found: Comparison, wording: Wording) -> Candidate | None:
    if wording.baseline is None:
        return found.best
    return next((row for row in found.candidates if row.name == wording.baseline), None)


def _count(number: int, found: Comparison, words: Formatter) -> str:
    """Say over how many seeds, or blocks."""
    ngettext = words.translations.ngettext
    if found.unit == "blocks":
        text = ngettext("{count} block", "{count} blocks", number)
    else:
        text = ngettext("{count} seed", "{count} seeds", number)
    return text.format(count=words.count(number))


def _of_reference(row: Candidate, found: Comparison, wording: Wording) -> str:
    _ = wording.words.translations.gettext
    if wording.baseline is not None:
        text = _("{name} is the baseline: {mean} over {count}.")
    else:
        text = _("{name} has the best mean: {mean} over {count}.")
    count = _count(row.trained, found, wording.words)
    sentences = [text.format(name=row.name, mean=wording.score(row.mean), count=count)]
    if row.failures:
        text = _("{failures} of its {n} runs failed; the mean is of those that trained.")
        sentences.append(text.format(failures=row.failures, n=found.runs_of(row)))
    return " ".join(sentences)


def _of_group(row: Candidate, reference: str, wording: Wording) -> str:
    _ = wording.words.translations.gettext
    difference, smallest = row.difference or 0.0, row.smallest_margin or 0.0
    low, high = row.difference_low or 0.0, row.difference_high or 0.0
    if row.group == "tied" and _is_certain(row):
        text = _(
            "{name} is behind {best} by {difference}, which is less than the margin of {margin}: "
            "equivalent, though the difference is real ({p} adjusted)."
        )
    elif row.group == "tied":
        text = _(
            "{name} is equivalent to {best}: {difference} apart, at most {smallest} at 95 %, which "
            "is less than the margin of {margin}."
        )
    elif row.group == "worse":
        text = _(
            "{name} is worse than {best} by {difference} (95 % interval {low} to {high}; {p} "
            "adjusted)."
        )
    elif row.group == "best":
        text = _(
            "{name} is better than {best} by {difference} (95 % interval {low} to {high}; {p} "
            "adjusted)."
        )
        low, high = -high, -low
    else:
        text = _(
            "{name} is neither worse than {best} nor equivalent to it: {difference} apart, "
            "possibly {smallest}, which is not below the margin of {margin} ({p} adjusted)."
        )
    return text.format(
        name=row.name,
        best=reference,
        difference=wording.size(difference),
        smallest=wording.size(smallest),
        margin=wording.margin_text(),
        low=wording.end(-high),
        high=wording.end(-low),
        p=wording.words.p_value(row.p_adjusted if row.p_adjusted is not None else 1.0),
    )


def _condition(row: Candidate, reference: Candidate, found: Comparison, wording: Wording) -> str:
    """Say on which seeds that holds, where runs failed."""
    if not row.failures and not reference.failures:
        return ""
    _ = wording.words.translations.gettext
    text = _(
        "That holds where both trained: {first} failed in {k} of {n} runs, {second} in {l} of {m}"
    )
    sentence = text.format(
        first=row.name,
        k=row.failures,
        n=found.runs_of(row),
        second=reference.name,
        l=reference.failures,
        m=found.runs_of(reference),
    )
    p = f" ({wording.words.p_value(row.p_failures)})." if row.p_failures is not None else "."
    return sentence + p


def _unreliable(row: Candidate, found: Comparison, wording: Wording) -> str:
    _ = wording.words.translations.gettext
    text = _(
        "{name} does not train reliably: {failures} of {n} runs failed, so its failure rate is "
        "{low} or more (95 % bound; {tolerance} are tolerated). Where it trained, its mean is "
        "{mean}."
    )
    return text.format(
        name=row.name,
        failures=row.failures,
        n=found.runs_of(row),
        low=wording.words.share(row.failure_rate_low),
        tolerance=wording.words.share(TOLERANCE),
        mean=wording.score(row.mean),
    )


def _without_a_score(row: Candidate, found: Comparison, words: Formatter) -> str:
    _ = words.translations.gettext
    if row.n:
        text = _("{name} failed in every run ({n}).")
        return text.format(name=row.name, n=found.runs_of(row))
    if row.setting is None:
        text = _("{name} was not trained again: no trial of it was completed in the search.")
        return text.format(name=row.name)
    return _("{name} has no finished replicate yet.").format(name=row.name)


def _not_comparable(row: Candidate, found: Comparison, words: Formatter) -> str:
    text = words.translations.gettext(
        "{name} has {count}; there is nothing that it can be compared with."
    )
    return text.format(name=row.name, count=_count(row.n, found, words))


def summary(found: Comparison, wording: Wording) -> str:
    """Say who is best or tied, the cheapest of those, who is in which other group, what next."""
    reference = _reference(found, wording)
    if reference is None or (wording.baseline is not None and not found.pairs):
        return _nothing(found, wording.words)
    groups: dict[Group, list[str]] = {
        group: [
            row.name
            for row in found.candidates
            if row.group == group and row.n > 0 and row.name != reference.name
        ]
        for group in ("best", "tied", "unclear", "worse", "unreliable")
    }
    lines = [_lead(reference, found, groups["tied"], wording)]
    count = _count(reference.trained, found, wording.words)
    lines += [
        _group_line(group, names, reference.name, count, wording)
        for group, names in groups.items()
        if names and (group != "tied" or wording.baseline is not None)
    ]
    open_ones = [(row.more_seeds, row.name) for row in found.candidates if row.more_seeds]
    if open_ones:
        lines.append(_more_seeds(*min(open_ones), reference.name, wording.words))
    return " ".join(lines)


def remarks(found: Comparison, wording: Wording) -> list[str]:
    """Return the sentences of candidates of which a table does not say all.

    Those that failed runs or are compared with one that did, and those that are certainly behind,
    by less than the margin.
    """
    reference = _reference(found, wording)
    if reference is None:
        return []
    return [
        candidate_sentence(row, found, wording)
        for row in found.candidates
        if row.failures or (row.group == "tied" and _is_certain(row))
    ]


def _is_certain(row: Candidate) -> bool:
    """Return whether a candidate is shown to be behind, however little."""
    if row.p_adjusted is None or row.difference is None:
        return False
    return row.p_adjusted <= ALPHA and row.difference < 0.0


def _lead(reference: Candidate, found: Comparison, tied: list[str], wording: Wording) -> str:
    _ = wording.words.translations.gettext
    if wording.baseline is not None:
        text = _("The baseline {name} has a mean of {mean} with {count}.")
    elif not tied:
        text = _("{name} has the best mean, {mean} with {count}.")
    else:
        names = [reference.name, *tied]
        return _(
            "With {seeds} these {count} are shown to lie within {margin} of the best: "
            "{names}{cheapest}."
        ).format(
            count=len(names),
            margin=wording.margin_text(),
            seeds=_count(found.seeds, found, wording.words),
            names=wording.words.names(names),
            cheapest=_cheapest([r for r in found.candidates if r.name in names], wording.words),
        )
    count = _count(reference.trained, found, wording.words)
    return text.format(name=reference.name, mean=wording.score(reference.mean), count=count)


def _cheapest(together: Sequence[Candidate], words: Formatter) -> str:
    _ = words.translations.gettext
    priced = [(row.cost, row.name) for row in together if row.cost is not None]
    if not priced:
        return ""
    (cost, name), *others = sorted(priced)
    if not others or others[0][0] < CLEARLY_CHEAPER * cost:
        return ""
    text = _("; the cheapest is {name} ({cost} times a copy of the tensor)")
    return text.format(name=name, cost=significant(cost, 2))


def _group_line(group: Group, names: list[str], best: str, count: str, wording: Wording) -> str:
    ngettext = wording.words.translations.ngettext
    texts = {
        "best": ngettext(
            "{names} is better than {best}.", "{names} are better than {best}.", len(names)
        ),
        "tied": ngettext(
            "{names} is equivalent to {best}.", "{names} are equivalent to {best}.", len(names)
        ),
        "unclear": ngettext(
            "{names} is inconclusive: {count} neither separate it from {best} nor show "
            "equivalence.",
            "{names} are inconclusive: {count} neither separate them from {best} nor show "
            "equivalence.",
            len(names),
        ),
        "worse": ngettext(
            "{names} is worse than {best}.", "{names} are worse than {best}.", len(names)
        ),
        "unreliable": ngettext(
            "{names} does not train reliably.", "{names} do not train reliably.", len(names)
        ),
    }
    names_text = wording.words.names(names)
    return texts[group].format(names=names_text, count=count, best=best)


def _more_seeds(seeds: int, name: str, best: str, words: Formatter) -> str:
    ngettext = words.translations.ngettext
    return ngettext(
        "{seeds} more seed would decide between {name} and {best}.",
        "{seeds} more seeds would decide between {name} and {best}.",
        seeds,
    ).format(seeds=seeds, name=name, best=best)


def _nothing(found: Comparison, words: Formatter) -> str:
    _ = words.translations.gettext
    trained = [row for row in found.candidates if row.trained]
    if not trained and any(row.failures for row in found.candidates):
        return _("Nothing can be said: every run of every candidate failed.")
    if not trained:
        return _("Nothing can be said: no candidate has a finished replicate.")
    if all(row.group == "unreliable" for row in trained):
        names = words.names([row.name for row in trained])
        return _("Nothing can be said: {names} do not train reliably.").format(names=names)
    if len(trained) == 1:
        return _(
            "Nothing can be said: {name} is the only candidate with replicates, and there is "
            "nothing to compare it with."
        ).format(name=trained[0].name)
    return _(
        "Nothing can be said: the candidates share fewer than two seeds, and one run each cannot "
        "tell them apart. Train more with: actlab study confirm DIR --seeds 10"
    )


def notice_text(notice: Notice, wording: Wording) -> str:
    """Write a notice."""
    words = wording.words
    _, ngettext = words.translations.gettext, words.translations.ngettext
    texts = {
        "few_seeds": _(
            "{n} seeds are few: only very large gaps can show, here those of about {smallest} and "
            "more. Six seeds are the least to rely on, ten are better."
        ),
        "rows_overlap": _(
            "There are not enough fresh rows for every replicate, so replicates share rows with "
            "each other or with the search. All intervals and tests are widened for it (Nadeau "
            "and Bengio)."
        ),
        "failures": _(
            "Runs that failed (they diverged, or learnt next to nothing): {counts}. Means, "
            "intervals and tests are of the runs that trained; who fails too often is unreliable."
        ),
        "left_out": ngettext(
            "Only the seeds that all compared candidates have are used; {count} replicate is left "
            "out.",
            "Only the seeds that all compared candidates have are used; {count} replicates are "
            "left out.",
            int(notice.numbers.get("count", 0)),
        ),
        "stopped": _(
            "Clearly behind, so not trained with all seeds: {names}. Each is compared over the "
            "seeds that it has."
        ),
        "unpaired": _(
            "No two candidates share seeds, so Welch's test compares them. What a seed fixes for "
            "all candidates is noise here: runs with the same seeds for every candidate would "
            "show smaller differences."
        ),
        "partly_paired": _(
            "Some candidates lack seeds that others have; each pair is compared over the seeds "
            "that both have ({count} runs have no partner in some pair)."
        ),
        "default_margin": _(
            "The margin was not given: {margin} is taken as the largest difference that does not "
            "matter. Say what matters to you with --margin."
        ),
        "resolution": _(
            "Scores of {rows} rows move in steps of {step}; no spread is taken to be smaller than "
            "what that rounding causes."
        ),
        "chosen_on_scores": _(
            "Several settings per candidate: the best mean of each was chosen on the same scores "
            "that judge, which flatters candidates with more settings ({counts}), by about "
            "{luck} for the one with most. Judge the chosen settings on fresh seeds."
        ),
        "lower_by_name": _(
            "Lower is taken to be better, from the name {names}. Say --higher-is-better if not."
        ),
        "higher_by_default": _(
            "Higher is taken to be better, since no name says otherwise. Say --lower-is-better if "
            "not."
        ),
        "two_scales": _(
            "All scores of {names} lie between 0 and 1, and all of others above 1. If the first "
            "are shares and the others percentages, the difference is one of units: bring them to "
            "one."
        ),
        "failed_runs": _(
            "Runs without a finite score, or beyond the bound of failures: {counts}. Means, "
            "intervals and tests are of the others; who fails too often is unreliable."
        ),
        "runs_left_out": _(
            "Runs that have not ended, or were ended from outside, are left out: {counts}."
        ),
        "names_alike": _(
            "These names differ in case or blanks only, and are taken as different candidates: "
            "{names}."
        ),
        "one_block": _("There is one block only, so nothing is said over all blocks."),
        "few_blocks": ngettext(
            "{n} blocks are few: over {count} comparison Wilcoxon's test can show no difference "
            "with fewer than {least}.",
            "{n} blocks are few: over {count} comparisons Wilcoxon's test can show no difference "
            "with fewer than {least}.",
            int(notice.numbers.get("count", 0)),
        ),
    }
    return texts[notice.code].format(
        **{key: _number(key, value, wording) for key, value in notice.numbers.items()},
        names=words.names(notice.names),
        counts=_counts(notice.counts),
        margin=wording.margin_text(),
    )


def _number(key: str, value: float, wording: Wording) -> str:
    if key in ("smallest", "luck", "step"):
        return wording.size(value)
    return wording.words.count(int(value))


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in counts.items())
