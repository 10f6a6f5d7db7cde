"""The page: page data, then figures, then the templates, with escaping on."""

from dataclasses import dataclass, field
from gettext import NullTranslations
from typing import Any

from markupsafe import Markup

from actlab import i18n
from actlab.pages.embedding import asset, page_data, script_json
from actlab.pages.figure import PageFigure
from actlab.pages.templating import environment
from actlab.pages.theme import Mark, style_variables
from actlab.pages.words import outcome_word, slot_word, split_word
from actlab.studies.report.data.answer import Answer, answer
from actlab.studies.report.data.budgets import Budget, budget, pair_table
from actlab.studies.report.data.classes import split_counts
from actlab.studies.report.data.search import progress, search_trials
from actlab.studies.report.inputs import ReportData
from actlab.studies.report.notices import notices
from actlab.studies.report.pictures import activation_marks, pictures
from actlab.studies.report.settings import environment_groups, plan_groups
from actlab.studies.report.verdict.context import (
    VerdictPage,
    margin_data,
    verdict_page,
    verdict_sections,
)
from actlab.studies.report.verdict.pictures import verdict_pictures
from actlab.text import NO_BREAK, Formatter


@dataclass(frozen=True)
class Section:
    """A part of the page: its anchor, also its template's name in `folder`, and its heading."""

    name: str
    title: str
    folder: str = "sections"


def render(
    data: ReportData, language: str = "en", *, translations: NullTranslations | None = None
) -> str:
    """Return the report of a study as one HTML page that needs no network.

    `language` is "en" or "ko". `translations` replaces the messages of that language. The page
    depends on nothing but its arguments: the same data gives the same text.
    """
    messages = i18n.translation(language) if translations is None else translations
    templates = environment(messages, "actlab.studies.report", "actlab.pages")
    return templates.get_template("report.html").render(_context(data, language, messages))


def _context(data: ReportData, language: str, translations: NullTranslations) -> dict[str, Any]:
    """Return everything that the templates read."""
    form = Formatter(translations, NO_BREAK)
    found = answer(data)
    marks = activation_marks(data)
    figures = pictures(data, found, form)
    counted = progress(data.plan, data.records)
    budgets = tuple(budget(data.plan, data.records, slot) for slot in ("conv", "fc"))
    pairs = pair_table(data.plan, data.records)
    judged = _judged(data, budgets, marks, form)
    figures |= judged.figures
    return {
        "language": language,
        "data": data,
        "plan": data.plan,
        "form": form,
        "found": found,
        "progress": counted,
        "budgets": budgets,
        "pairs": pairs,
        "notices": notices(counted, found, budgets, pairs, form),
        "judged": judged.page,
        "verdict_sections": judged.sections,
        "sections": _sections(data, found, figures, translations),
        "figures": figures,
        "marks": marks,
        "trials": search_trials(data.records),
        "splits": split_counts(data.environment.class_counts),
        "groups": (
            *plan_groups(data.plan, form),
            *environment_groups(data.environment, data.evaluation_order, form),
        ),
        "written": form.moment(data.written),
        "outcome_word": lambda outcome: outcome_word(outcome, translations),
        "slot_word": lambda slot: slot_word(slot, translations),
        "split_word": lambda name: split_word(name, translations),
        "styles": Markup(style_variables() + asset("report.css") + judged.styles),
        "plotly": Markup(asset("plotly-cartesian.min.js")),
        "scripts": Markup(asset("figures.js") + asset("tables.js") + judged.scripts),
        "page_data": script_json(page_data(figures, language, translations) | judged.data),
    }  # fmt: skip


@dataclass(frozen=True)
class _Judged:
    """What a verdict adds to the page: nothing where there is none."""

    page: VerdictPage | None = None
    figures: dict[str, PageFigure] = field(default_factory=dict)
    sections: tuple[Section, ...] = ()
    data: dict[str, Any] = field(default_factory=dict)
    styles: str = ""
    scripts: str = ""


def _judged(
    data: ReportData, budgets: tuple[Budget, ...], marks: dict[str, Mark], form: Formatter
) -> _Judged:
    if data.verdict is None:
        return _Judged()
    figures = verdict_pictures(data.verdict, data.records, marks, form)
    return _Judged(
        page=verdict_page(data, budgets, form),
        figures=figures,
        sections=tuple(
            Section(name, title, "verdict") for name, title in verdict_sections(data, figures, form)
        ),
        data={"verdict": margin_data(data.verdict, form)},
        styles=asset("verdict.css"),
        scripts=asset("margin.js"),
    )


def _sections(
    data: ReportData,
    found: Answer | None,
    figures: dict[str, PageFigure],
    translations: NullTranslations,
) -> tuple[Section, ...]:
    """Return the sections that have something to show, in the order of the page."""
    _ = translations.gettext
    wanted = (
        ("findings", _("Findings of the checker"), data.findings is not None),
        ("history", _("History of the search"), "history" in figures),
        ("pairs", _("Pairs of activations"), found is not None),
        ("rates", _("Learning rate"), found is not None),
        ("curves", _("Learning curves of the best trial"), found is not None),
        ("classes", _("Data"), "classes" in figures),
        ("network", _("Network"), bool(data.environment.network.layers)),
        ("trials", _("All trials"), bool(search_trials(data.records))),
        ("repeat", _("Plan and how to repeat it"), True),
    )
    return tuple(Section(name, title) for name, title, shown in wanted if shown)
