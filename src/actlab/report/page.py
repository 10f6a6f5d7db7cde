"""The page: page data, then figures, then the templates, with escaping on."""

import json
from dataclasses import dataclass
from gettext import NullTranslations
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from actlab import i18n
from actlab.report.data.answer import Answer, answer
from actlab.report.data.budgets import budget, pair_table
from actlab.report.data.classes import split_counts
from actlab.report.data.search import progress, search_trials
from actlab.report.figures.frame import PageFigure
from actlab.report.formatting import Formatter
from actlab.report.inputs import ReportData
from actlab.report.notices import notices
from actlab.report.pictures import activation_marks, pictures
from actlab.report.settings import environment_groups, plan_groups
from actlab.report.theme import dark_colours, style_variables
from actlab.report.words import outcome_word, slot_word, split_word


@dataclass(frozen=True)
class Section:
    """A part of the page: its anchor, which is also the name of its template, and its heading."""

    name: str
    title: str


def render(
    data: ReportData, language: str = "en", *, translations: NullTranslations | None = None
) -> str:
    """Return the report of a study as one HTML page that needs no network.

    `language` is "en" or "ko". `translations` replaces the messages of that language. The page
    depends on nothing but its arguments: the same data gives the same text.
    """
    messages = i18n.translation(language) if translations is None else translations
    environment = Environment(
        loader=PackageLoader("actlab.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(messages, newstyle=False)  # type: ignore[attr-defined]  # added by the extension
    return environment.get_template("report.html").render(_context(data, language, messages))


def _context(data: ReportData, language: str, translations: NullTranslations) -> dict[str, Any]:
    """Return everything that the templates read."""
    form = Formatter(translations)
    found = answer(data)
    figures = pictures(data, found, form)
    counted = progress(data.plan, data.records)
    budgets = tuple(budget(data.plan, data.records, slot) for slot in ("conv", "fc"))
    pairs = pair_table(data.plan, data.records)
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
        "sections": _sections(data, found, figures, translations),
        "figures": figures,
        "marks": activation_marks(data),
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
        "styles": Markup(style_variables() + _asset("report.css")),
        "plotly": Markup(_asset("plotly-cartesian.min.js")),
        "scripts": Markup(_asset("figures.js") + _asset("tables.js")),
        "page_data": _script_json(_page_data(figures, language, translations)),
    }  # fmt: skip


def _sections(
    data: ReportData,
    found: Answer | None,
    figures: dict[str, PageFigure],
    translations: NullTranslations,
) -> tuple[Section, ...]:
    """Return the sections that have something to show, in the order of the page."""
    _ = translations.gettext
    wanted = (
        ("verdict", _("Verdict"), data.verdict is not None),
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


def _page_data(
    figures: dict[str, PageFigure], language: str, translations: NullTranslations
) -> dict[str, Any]:
    """Return what the page's script reads: figures, colours and the words that it writes."""
    _ = translations.gettext
    return {
        "language": language,
        "dark": dark_colours(),
        "figures": {
            name: json.loads(figure.figure.to_json())
            | {"views": [{"layout": view.layout, "trace": view.trace} for view in figure.views]}
            for name, figure in figures.items()
        },
        "words": {
            "shown": _("{shown} of {all} trials"),
            "copied": _("Copied"),
            "modebar": {
                "Zoom": _("Zoom"),
                "Pan": _("Pan"),
                "Reset axes": _("Reset axes"),
                "Download plot as a PNG": _("Save as PNG"),
                "Double-click to zoom back out": _("Double-click to zoom back out"),
            },
        },
    }


def _script_json(value: dict[str, Any]) -> Markup:
    """Return JSON that cannot end the script element it stands in."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _asset(name: str) -> str:
    return resources.files("actlab.report").joinpath("assets", name).read_text(encoding="utf-8")
