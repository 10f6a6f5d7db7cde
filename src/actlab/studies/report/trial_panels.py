"""The candidates of a slot before a verdict: by their best trial of the search."""

from dataclasses import replace

from markupsafe import Markup

from actlab.pages.lanes import Lane, Scale, axis, lane, strip
from actlab.pages.proportions import accuracy
from actlab.pages.words import in_metric, partner_words, slot_word
from actlab.records import Record, best_record
from actlab.studies.report.answer import Answer
from actlab.studies.report.inputs import ReportData
from actlab.studies.report.panels import Panel, Row, first_and_last, metric_axis, percent_axis
from actlab.studies.report.search import activation, candidates, completed_trials, search_trials
from actlab.text import Formatter

CLOSE = 4.0
"""A close-up reaches so many margins of chance below the best."""


def trial_panel(data: ReportData, found: Answer, slot: str, form: Formatter) -> Panel:
    """Return the candidates of a slot by their best trial of the search."""
    _ = form.translations.gettext
    trials = completed_trials(data.records)
    by_name: dict[str, list[Record]] = {}
    for record in trials:
        by_name.setdefault(activation(record, slot), []).append(record)
    ordered = sorted(by_name, key=lambda name: -_best(by_name[name]))
    scale = _close_up([_best(by_name[name]) for name in ordered], found)
    space = data.plan.space
    rates = Scale(space.learning_rate_low / 1.05, space.learning_rate_high * 1.05, True)
    band = (found.valid.value - found.margin, found.valid.value)
    rows = [_row(name, by_name[name], slot, found, scale, rates, band, form) for name in ordered]
    return _panel(data, slot, rows, scale, rates, form, percent_axis(scale))


def _panel(
    data: ReportData,
    slot: str,
    rows: list[Row],
    scale: Scale,
    rates: Scale,
    form: Formatter,
    values: Markup,
) -> Panel:
    """Return the panel of a slot; a candidate without a row has no result."""
    there = {row.name for row in rows}
    lost = form.translations.gettext("no result")
    missing = [n for n in candidates(data.plan, data.records, slot) if n not in there]
    return Panel(
        slot=slot,
        title=slot_word(slot, form.translations),
        headline="",
        rows=(*rows, *(Row(name, "", Markup(), lost, "") for name in missing)),
        axis=values,
        rates_axis=axis(rates, [(v, f"{v:g}") for v in first_and_last(rates.ticks(1))]),
        low=scale.low,
        high=scale.high,
    )


def _row(
    name: str,
    own: list[Record],
    slot: str,
    found: Answer,
    scale: Scale,
    rates: Scale,
    band: tuple[float, float],
    form: Formatter,
) -> Row:
    ngettext = form.translations.ngettext
    best = max(own, key=lambda record: record.valid_accuracy or 0.0)
    value = best.valid_accuracy or 0.0
    error = 2.0 * accuracy(value, found.valid.images).standard_error
    lowest = found.valid.value - found.margin
    near = [r.setting.learning_rate for r in own if (r.valid_accuracy or 0.0) >= lowest]
    return Row(
        name=name,
        partner=partner_words(best.setting, slot, form),
        lane=lane(
            Lane(
                value,
                max(value - error, 0.0),
                min(value + error, 1.0),
                tuple(r.valid_accuracy or 0.0 for r in own),
                "near" if value >= lowest else "far",
            ),
            scale,
            band,
        ),
        value=form.percent(value),
        count=ngettext("{count} trial", "{count} trials", len(own)).format(count=len(own)),
        rates=strip([r.setting.learning_rate for r in own], near, rates),
    )


def metric_panels(data: ReportData, form: Formatter) -> tuple[Panel, ...]:
    """Return the candidates by their best trial; how far chance moves it, nobody knows yet."""
    ngettext, measured = form.translations.ngettext, data.plan.training.measured
    trials = [r for r in search_trials(data.records) if r.valid_metric is not None]
    if not trials:
        return ()
    space, best = data.plan.space, best_record(tuple(trials))
    rates = Scale(space.learning_rate_low / 1.05, space.learning_rate_high * 1.05, True)
    panels = []
    for slot in space.by_slot:
        by_name: dict[str, list[Record]] = {}
        for record in sorted(trials, key=lambda r: (-(r.score or 0.0), r.number)):
            by_name.setdefault(activation(record, slot), []).append(record)
        scale = _around([own[0].valid_metric or 0.0 for own in by_name.values()])
        rows = [
            Row(
                name=name,
                partner=partner_words(own[0].setting, slot, form),
                lane=lane(
                    Lane(
                        own[0].valid_metric,
                        dots=tuple(r.valid_metric or 0.0 for r in own),
                        look="near" if own[0] is best else "far",
                    ),
                    scale,
                ),
                value=in_metric(own[0].valid_metric or 0.0, measured, form),
                count=ngettext("{count} trial", "{count} trials", len(own)).format(count=len(own)),
                rates=strip(
                    [r.setting.learning_rate for r in own], [own[0].setting.learning_rate], rates
                ),
            )
            for name, own in by_name.items()
        ]
        panel = _panel(data, slot, rows, scale, rates, form, metric_axis(scale))
        panels.append(replace(panel, unit=measured.name))
    return tuple(panels)


def _around(values: list[float]) -> Scale:
    """Return a range that holds all values, a little wider."""
    pad = 0.06 * (max(values) - min(values)) or 0.02 * abs(values[0]) or 0.02
    return Scale(min(values) - pad, max(values) + pad)


def _best(records: list[Record]) -> float:
    return max(record.valid_accuracy or 0.0 for record in records)


def _close_up(values: list[float], found: Answer) -> Scale:
    """Return a range for the lanes: from the lowest that is not far off to the best."""
    room = max(found.margin, 0.002)
    floor = found.valid.value - CLOSE * room
    kept = [value for value in values if value >= floor] or [found.valid.value]
    return Scale(min(kept) - 1.2 * room, min(max(values) + 1.2 * room, 1.002))
