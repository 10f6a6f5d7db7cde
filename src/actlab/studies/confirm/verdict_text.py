"""A study's verdict for readers: the paragraph of methods, and the document that scripts read."""

from dataclasses import asdict
from gettext import NullTranslations
from typing import Any

from actlab.records import Candidate, Claim, Mechanism, ProbeRow, SlotVerdict, Verdict
from actlab.studies.confirm.layer_statistics import mechanism_sentence, property_name
from actlab.text import Formatter
from actlab.verdicts.text import Wording, candidate_sentence, notice_text, summary


def wording(verdict: Verdict, words: Formatter) -> Wording:
    """Return how the numbers of a study's verdict are written: in its metric, at its margin."""
    if verdict.metric is None:
        return Wording(words, verdict.margin)
    return Wording(
        words,
        verdict.margin,
        accuracies=verdict.metric.in_percent,
        higher_is_better=verdict.metric.higher_is_better,
    )


def methods(verdict: Verdict, words: Formatter) -> str:
    """Return how the numbers of a verdict came about, as a paragraph for a paper."""
    _ = words.translations.gettext
    conditions, how = verdict.conditions, wording(verdict, words)
    sentences = [
        _(
            "The chosen setting of every candidate was trained again with {seeds} fresh seeds, the "
            "same for all candidates ({replicates} trainings); a seed fixes rows, initial weights "
            "and order. Compared is the {metric} on {rows} evaluation rows which neither training "
            "nor stopping has seen."
        ).format(
            metric=metric_word(verdict, words),
            seeds=verdict.seeds,
            replicates=conditions.replicates,
            rows=words.count(conditions.evaluation_rows),
        ),
        _(
            "A training failed where it diverged or ended within a tenth of the way from chance "
            "({chance}) to perfect. A candidate is unreliable where the one-sided 95 % "
            "Clopper-Pearson bound of its rate of failures is above 5 %; the others are compared "
            "over the seeds on which both trained."
        ).format(chance=how.score(conditions.chance)),
        _(
            "Means have 95 % Student t intervals. A candidate is equivalent to the best where the "
            "upper end of the 90 % interval of the difference, paired by seed, is below {margin}. "
            "Otherwise the two are compared by two-sided t-tests on these "
            "differences, with Holm's correction over all pairs of a slot at the level 0.05."
        ).format(margin=how.margin_text()),
    ]
    if not conditions.rows_overlap:
        sentences.append(
            _(
                "Each seed draws its rows anew from those that the search never saw, so two seeds "
                "may share some: the intervals are for such draws from these data, not for data of "
                "another origin."
            )
        )
    if conditions.stopped_early:
        sentences.append(
            _(
                "Candidates that were clearly behind at a look on the way were not trained on the "
                "remaining seeds (all pairs, Bonferroni over the looks and Holm over the pairs, at "
                "the level 0.01)."
            )
        )
    if conditions.rows_overlap:
        sentences.append(
            _(
                "Because replicates share rows, the variance of every mean is taken as "
                "(1/n + {evaluation}/{train}) times that of the replicates (Nadeau and Bengio, "
                "2003)."
            ).format(evaluation=conditions.evaluation_rows, train=conditions.train_rows)
        )
    return " ".join(sentences)


def metric_word(verdict: Verdict, words: Formatter) -> str:
    """Return what is compared, for people."""
    _ = words.translations.gettext
    if verdict.metric is None or is_of_accuracies(verdict):
        return _("accuracy")
    return verdict.metric.name


def is_of_accuracies(verdict: Verdict) -> bool:
    """Return whether what is compared are accuracies, which are shown in percent."""
    return verdict.metric is None or verdict.metric.in_percent


def document(
    verdict: Verdict,
    claims: tuple[Claim, ...] = (),
    translations: NullTranslations | None = None,
) -> dict[str, Any]:
    """Return dictionaries, lists, numbers and texts; `slots` has a list of candidates per slot.

    Each candidate has `activation`, `mean`, `low`, `high`, `n`, `difference` (mean - best's mean,
    <= 0), `p_adjusted` (None for the best) and `group`; accuracies are fractions. Sentences are in
    the language of `translations`, English without.
    """
    words = Formatter(translations or NullTranslations())
    return {
        "slots": {
            found.slot: [_candidate(row, found, verdict, words) for row in found.candidates]
            for found in verdict.slots
        },
        "claims": [asdict(claim) for claim in claims],
        "summary": {found.slot: summary(found, wording(verdict, words)) for found in verdict.slots},
        "margin": verdict.margin,
        "metric": None if verdict.metric is None else asdict(verdict.metric),
        "seeds": verdict.seeds,
        "chance": verdict.conditions.chance,
        "rows_overlap": verdict.conditions.rows_overlap,
        "conditions": asdict(verdict.conditions),
        "notices": {found.slot: slot_notices(found, verdict, words) for found in verdict.slots},
        "notice_codes": {found.slot: [asdict(n) for n in found.notices] for found in verdict.slots},
        "comparisons": {found.slot: _comparisons(found) for found in verdict.slots},
        "rates": [asdict(curve) for curve in verdict.rates],
        "importance": [asdict(found) for found in verdict.importance],
        "mechanisms": [_mechanism(found, words) for found in verdict.mechanisms],
        "probes": [_probe(row, words) for row in verdict.probes],
        "methods": methods(verdict, words),
    }


def slot_notices(found: SlotVerdict, verdict: Verdict, words: Formatter) -> list[str]:
    """Return the notices of a slot in words."""
    return [notice_text(notice, wording(verdict, words)) for notice in found.notices]


def _candidate(
    row: Candidate, found: SlotVerdict, verdict: Verdict, words: Formatter
) -> dict[str, Any]:
    first = ("mean", "low", "high", "n", "difference", "p_adjusted", "group")
    rest = asdict(row)
    return (
        {"activation": row.name}
        | {key: getattr(row, key) for key in first}
        | {"sentence": candidate_sentence(row, found, wording(verdict, words))}
        | {key: value for key, value in rest.items() if key not in (*first, "name")}
    )


def _comparisons(found: SlotVerdict) -> dict[str, Any]:
    pairs = []
    for pair in found.pairs:
        numbers = asdict(pair.difference)
        names = {"first": pair.first, "second": pair.second, "difference": numbers.pop("mean")}
        chance = {"probability_of_improvement": pair.probability_of_improvement}
        pairs.append(names | numbers | {"p_adjusted": pair.p_adjusted} | chance)
    return {"pairs": pairs, "ranks": asdict(found.ranks) if found.ranks else None}


def _mechanism(found: Mechanism, words: Formatter) -> dict[str, Any]:
    return asdict(found) | {
        "property_name": property_name(found.key, words),
        "candidates": len(found.values),
        "sentence": mechanism_sentence(found, words),
    }


def _probe(row: ProbeRow, words: Formatter) -> dict[str, Any]:
    return asdict(row) | {"property_name": property_name(row.key, words)}


def read_document(found: dict[str, Any]) -> Verdict:
    """Return the verdict that a document was made of, for a reader of any language.

    Raises pydantic's ValidationError for a document of another form.
    """
    from pydantic import TypeAdapter

    slots = [
        {
            "slot": slot,
            "candidates": [row | {"name": row["activation"]} for row in rows],
            "pairs": [
                pair | {"difference": pair | {"mean": pair["difference"]}}
                for pair in found["comparisons"][slot]["pairs"]
            ],
            "ranks": found["comparisons"][slot]["ranks"],
            "seeds": max((row["n"] for row in rows), default=0),
            "notices": found["notice_codes"][slot],
        }
        for slot, rows in found["slots"].items()
    ]
    return TypeAdapter(Verdict).validate_python(found | {"slots": slots})
