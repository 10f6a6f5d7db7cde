"""The candidates of a slot as a verdict has them: their runs with fresh seeds, and a headline."""

from markupsafe import Markup

from actlab.pages.lanes import Lane, Scale, lane
from actlab.pages.words import group_words, in_slot, partner_words, slot_word
from actlab.records import Candidate, SlotVerdict, Verdict
from actlab.studies.confirm.verdict_text import wording
from actlab.studies.report.panels import Panel, Row, metric_axis, percent_axis
from actlab.studies.report.verdict.candidates import accuracy_ranges
from actlab.text import NOT_KNOWN, Formatter, significant
from actlab.verdicts.text import Wording

NAMED = 3
"""A headline names so many that are equivalent to the best, and counts them beyond that."""


def judged_panel(slot: SlotVerdict, verdict: Verdict, form: Formatter) -> Panel:
    """Return the candidates of a slot by their runs with fresh seeds."""
    ranges, how, metric = accuracy_ranges(slot, verdict), wording(verdict, form), verdict.metric
    scale = Scale(*ranges[0]) if ranges else Scale(0.0, 1.0)
    if how.accuracies:
        scale = Scale(scale.low, min(scale.high, 1.002))
    best, band = slot.best, None
    if best is not None and best.mean is not None:
        ends = (best.mean, best.mean + how.margin * (-1 if how.higher_is_better else 1))
        band = (min(ends), max(ends))
    return Panel(
        slot=slot.slot,
        title=slot_word(slot.slot, form.translations),
        headline=slot_headline(slot, how),
        rows=tuple(_judged_row(row, slot, verdict, scale, band, form) for row in slot.candidates),
        axis=percent_axis(scale) if how.accuracies else metric_axis(scale),
        rates_axis=Markup(),
        low=scale.low,
        high=scale.high,
        unit="%" if metric is None or how.accuracies else metric.name,
    )


def _judged_row(
    row: Candidate,
    slot: SlotVerdict,
    verdict: Verdict,
    scale: Scale,
    band: tuple[float, float] | None,
    form: Formatter,
) -> Row:
    ngettext = form.translations.ngettext
    partner, twins = "", []
    if row.setting is not None:
        setting = row.setting
        partner = partner_words(setting, slot.slot, form)
        twins = [
            in_slot(other_slot.slot, twin.name, form.translations)
            for other_slot in verdict.slots
            for twin in other_slot.candidates
            if other_slot.slot != slot.slot and twin.setting == setting and row.n
        ]
    scores = tuple(score for score in row.scores if score is not None)
    return Row(
        name=row.name,
        partner=partner,
        lane=lane(Lane(row.mean, row.low, row.high, scores, row.group), scale, band),
        value=NOT_KNOWN if row.mean is None else wording(verdict, form).score(row.mean),
        count=ngettext("{count} seed", "{count} seeds", row.n).format(count=row.n),
        group=row.group,
        twins=f"= {', '.join(twins)}" if twins else "",
    )


def headline_words(how: Wording) -> dict[str, str]:
    """Return the parts of a slot's headline, which the page's script fills in as well."""
    _ = how.words.translations.gettext
    tied, many = (
        _("{names}: equivalent within {margin} points."),
        _("{name} and {count} more: equivalent within {margin} points."),
    )
    if not how.accuracies:
        tied = _("{names}: equivalent within {margin}.")
        many = _("{name} and {count} more: equivalent within {margin}.")
    return {
        "tied": tied,
        "many": many,
        "leads": _("{name} has the best mean."),
        "count": _("{word}: {count}"),
        "nothing": _("Nothing can be said yet."),
    }


def slot_headline(slot: SlotVerdict, how: Wording) -> str:
    """Return what is known of a slot in one line; the page's `margin.js` writes the same."""
    parts, words = headline_words(how), group_words(how.words.translations)
    margin = how.words.margin(how.margin) if how.accuracies else significant(how.margin, 6)
    best = slot.best
    if best is None:
        return parts["nothing"]
    by_group = {
        group: [row.name for row in slot.candidates if row.group == group and row.n]
        for group in words
    }
    tied = by_group["tied"]
    if len(tied) > NAMED:
        lead = parts["many"].format(name=best.name, count=len(tied), margin=margin)
    elif tied:
        lead = parts["tied"].format(names=", ".join([best.name, *tied]), margin=margin)
    else:
        lead = parts["leads"].format(name=best.name)
    counts = [
        parts["count"].format(word=words[group], count=len(by_group[group]))
        for group in ("unclear", "worse", "unreliable")
        if by_group[group]
    ]
    return f"{lead} {', '.join(counts)}".strip()
