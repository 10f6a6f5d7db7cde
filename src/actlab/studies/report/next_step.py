"""What the next command is for, what it takes and what it will show."""

from actlab.studies.confirm.prospect import Prospect, prospect
from actlab.studies.report.inputs import ReportData
from actlab.studies.report.search import completed_trials
from actlab.text import Formatter, significant


def next_step(data: ReportData, form: Formatter) -> tuple[str, str]:
    """Return what the next command is for, and what it takes and shows."""
    _ = form.translations.gettext
    step = data.next_step
    if step is None:
        return "", ""
    expected = prospect(
        data.plan,
        completed_trials(data.records),
        data.verdict,
        seeds=step.seeds,
        trainings=step.trainings,
        workers=step.workers,
    )
    if step.kind == "resume":
        return _("Go on"), time_text(expected, form)
    title = _("Decide it") if data.verdict is None else _("Look closer")
    return title, prospect_text(expected, form)


def prospect_text(expected: Prospect, form: Formatter) -> str:
    """Return what a confirmation takes and which gap it shows, in a line."""
    _ = form.translations.gettext
    gap = ""
    if expected.gap is not None:
        text = (
            _(
                "shows gaps from about {gap} on, if seeds differ as much as the choice of examples "
                "makes them"
            )
            if expected.spread_is_assumed
            else _("shows gaps from about {gap} on")
        )
        size = form.points(expected.gap) if expected.in_percent else significant(expected.gap, 2)
        gap = text.format(gap=size)
    return " · ".join(part for part in (time_text(expected, form), gap) if part)


def time_text(expected: Prospect, form: Formatter) -> str:
    """Return how long the trainings take, nothing where no training has ended yet."""
    if expected.seconds is None:
        return ""
    return form.translations.ngettext(
        "about {time} for {count} training",
        "about {time} for {count} trainings",
        expected.trainings,
    ).format(time=form.duration(expected.seconds), count=form.count(expected.trainings))
