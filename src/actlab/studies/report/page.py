"""The report: page data, then figures, then the templates, with escaping on."""

from dataclasses import dataclass, field
from gettext import NullTranslations
from pathlib import Path
from typing import Any

from actlab import i18n
from actlab.documentation import rule_address
from actlab.files import write_text
from actlab.pages.figure import PageFigure
from actlab.pages.kit import render_page
from actlab.pages.theme import Mark
from actlab.pages.words import (
    in_metric,
    in_slot,
    outcome_word,
    setting_words,
    slot_word,
    split_word,
)
from actlab.records import Plan, Record, StudyMetric, best_record
from actlab.studies.report.answer import answer
from actlab.studies.report.classes import split_counts
from actlab.studies.report.compared import compared_activations, slot_columns
from actlab.studies.report.curve_figures import curve_panels
from actlab.studies.report.curves import curves_json
from actlab.studies.report.figures import activation_marks, pictures
from actlab.studies.report.first_screen import first_screen
from actlab.studies.report.inputs import ReportData
from actlab.studies.report.notices import notices, one_run_by
from actlab.studies.report.search import (
    Budget,
    best_trials,
    budget,
    pair_table,
    progress,
    search_trials,
)
from actlab.studies.report.settings import environment_groups, plan_groups
from actlab.studies.report.short_names import data_name, with_short_names
from actlab.studies.report.verdict.context import (
    VerdictPage,
    margin_data,
    verdict_page,
    verdict_sections,
)
from actlab.studies.report.verdict.pictures import verdict_pictures
from actlab.text import NO_BREAK, NOT_KNOWN, Formatter


@dataclass(frozen=True)
class Section:
    """A part of the page: its anchor, also its template's name in `folder`, and its heading."""

    name: str
    title: str
    folder: str = "sections"


MOST_ROWS = 1_000
"""The table of trials has at most so many rows, the best; trials.csv has all of them."""


@dataclass(frozen=True)
class OtherLanguage:
    """How a page is had in another language: under an address, or `packed` in the page itself.

    With neither, this page lies packed in one of the other language, which is loaded again.
    """

    language: str
    address: str = ""
    packed: str = ""

    @property
    def name(self) -> str:
        """Return the language's name for itself."""
        return {"en": "English", "ko": "한국어"}[self.language]


def render(
    data: ReportData,
    language: str = "en",
    *,
    translations: NullTranslations | None = None,
    other: OtherLanguage | None = None,
) -> str:
    """Return the report of a study as one HTML page that needs no network.

    `language` is "en" or "ko". `translations` replaces the messages of that language; `other` is
    what the page's switch of language leads to. The page depends on nothing but its arguments:
    the same data gives the same text.
    """
    data = with_short_names(data)
    messages = i18n.translation(language) if translations is None else translations
    form = Formatter(messages, NO_BREAK)
    measured = data.plan.training.measured
    found = answer(data) if measured.in_percent else None
    best = best_record(search_trials(data.records))
    marks = activation_marks(data)
    counted = progress(data.plan, data.records)
    budgets = tuple(budget(data.plan, data.records, slot) for slot in data.plan.space.by_slot)
    pairs = pair_table(data.plan, data.records)
    judged = _verdict_part(data, budgets, marks, form)
    figures = pictures(data, found, form) | judged.figures
    first = first_screen(data, found, form)
    trials = best_trials(search_trials(data.records), MOST_ROWS)
    of_search = notices(counted, found, budgets, pairs, form)
    if best is not None and found is None:
        of_search = (*of_search, one_run_by(measured, form))
    values = {
        "data": data,
        "plan": data.plan,
        "form": form,
        "found": found,
        "best": best,
        "words": _metric_words(measured, form),
        "shown": lambda value: NOT_KNOWN if value is None else in_metric(value, measured, form),
        "progress": counted,
        "budgets": budgets,
        "pairs": pairs,
        "first": first,
        "notices": of_search if judged.page is None else judged.page.notices,
        "search_notices": of_search,
        "judged": judged.page,
        "tabs": _tabs(data, best, figures, judged.sections, messages),
        "curve_panels": curve_panels(data),
        "marks": marks,
        "trials": trials,
        "trial_title": lambda trial: _trial_title(trial, form),
        "other": other,
        "slots": slot_columns(data.plan),
        "compared": compared_activations(data, form),
        "in_slot": lambda slot, name: in_slot(slot, name, messages),
        "setting_words": lambda setting: setting_words(setting, messages),
        "splits": split_counts(data.environment.class_counts),
        "groups": (
            *plan_groups(data.plan, form),
            *environment_groups(data.environment, data.evaluation_order, form),
        ),
        "written": form.moment(data.written),
        "outcome_word": lambda outcome: outcome_word(outcome, messages),
        "slot_word": lambda slot: slot_word(slot, messages),
        "data_name": data_name,
        "split_word": lambda name: split_word(name, messages),
        "rule_address": rule_address,
    }
    return render_page(
        "report.html",
        ("actlab.studies.report",),
        language,
        messages,
        values,
        styles=("report.css", "verdict.css"),
        scripts=(
            "kit.js",
            "chart.js",
            "tabs.js",
            "figures.js",
            "save.js",
            "tables.js",
            "trial.js",
            "parallel.js",
            "long.js",
            *judged.scripts,
        ),
        figures=figures,
        data=judged.data
        | {"headline": first.words, "trial": _trial_words(measured, messages)}
        | {"parallel": {"axes": _parallel_axes(data.plan, messages)}},
        packed=_packed(trials, other),
    )


def _packed(trials: tuple[Record, ...], other: OtherLanguage | None) -> dict[str, str]:
    """Return what is read when it is asked for; a page inside another has that one's curves."""
    if other is not None and not other.address and not other.packed:
        return {}
    found = {"trial-curves": curves_json(trials)}
    if other is not None and other.packed:
        found["other-language"] = other.packed
    return found


def _trial_title(trial: Record, form: Formatter) -> str:
    _ = form.translations.gettext
    return _("Trial {number}: {activations}, learning rate {rate}").format(
        number=trial.number,
        activations=setting_words(trial.setting, form.translations),
        rate=form.rate(trial.setting.learning_rate),
    )


def _parallel_axes(plan: Plan, translations: NullTranslations) -> list[dict[str, Any]]:
    """Return the axes of the parallel coordinates: columns of the table of trials."""
    _ = translations.gettext
    slots = [
        {"column": place, "title": slot_word(slot, translations), "kind": "name"}
        for place, slot in enumerate(plan.space.by_slot, start=1)
    ]
    after, measured = len(slots) + 1, plan.training.measured
    score = {"title": _("valid (trial) accuracy"), "kind": "percent", "worst": "low"}
    if not measured.in_percent:
        worst = "low" if measured.higher_is_better else "high"
        score = {"title": measured.name, "kind": "number", "worst": worst}
    return [
        *slots,
        {"column": after, "title": _("learning rate"), "kind": "log"},
        {"column": after + 3, "title": _("epochs"), "kind": "number"},
        {"column": after + 1} | score,
    ]


def _metric_words(measured: StudyMetric, form: Formatter) -> dict[str, str]:
    """Return the headings that name what candidates are compared by."""
    _ = form.translations.gettext
    if measured.in_percent:
        return {
            "score": _("accuracy"),
            "valid": _("valid (trial) accuracy"),
            "by_epoch": _("Accuracy by epoch"),
            "panels": _(
                "Valid (epoch) accuracy by epoch, from {low} to {high}; all panels have the same "
                "axes."
            ),
        }
    name = measured.name
    return {
        "score": name,
        "valid": _("{metric} on valid (trial)").format(metric=name),
        "by_epoch": _("{metric} by epoch").format(metric=name),
        "panels": _(
            "{metric} on valid (epoch) by epoch, from {low} to {high}; all panels have the same "
            "axes."
        ).replace("{metric}", name),
    }


def _trial_words(measured: StudyMetric, translations: NullTranslations) -> dict[str, str]:
    _ = translations.gettext
    accuracy, by_name = _("valid (epoch) accuracy"), _("{metric} on valid (epoch)")
    return {
        "epoch": _("epoch"),
        "loss": _("loss"),
        "accuracy": accuracy if measured.in_percent else by_name.format(metric=measured.name),
        "format": ".4~p" if measured.in_percent else ".5~g",
        "train": _("train"),
        "valid": _("valid (epoch)"),
        "missing": _("No learning curve was recorded for trial {number}."),
    }


@dataclass(frozen=True)
class _VerdictPart:
    """What a verdict adds to the page: nothing where there is none."""

    page: VerdictPage | None = None
    figures: dict[str, PageFigure] = field(default_factory=dict)
    sections: tuple[Section, ...] = ()
    data: dict[str, Any] = field(default_factory=dict)
    scripts: tuple[str, ...] = ()


def _verdict_part(
    data: ReportData, budgets: tuple[Budget, ...], marks: dict[str, Mark], form: Formatter
) -> _VerdictPart:
    if data.verdict is None:
        return _VerdictPart()
    figures = verdict_pictures(data.verdict, data.records, marks, form)
    page = verdict_page(data, budgets, form)
    return _VerdictPart(
        page=page,
        figures=figures,
        sections=tuple(
            Section(name, title, "verdict") for name, title in verdict_sections(data, figures, form)
        ),
        data={"verdict": margin_data(data.verdict, form)} if page.in_points else {},
        scripts=("margin.js",) if page.in_points else (),
    )


@dataclass(frozen=True)
class Tab:
    """A tab of the page: its name in the address, its title, and its sections."""

    name: str
    title: str
    sections: tuple[Section, ...] = ()


def _tabs(
    data: ReportData,
    best: Record | None,
    figures: dict[str, PageFigure],
    verdict: tuple[Section, ...],
    translations: NullTranslations,
) -> tuple[Tab, ...]:
    """Return the tabs that have something to show; the first one has the answer before it all."""
    _ = translations.gettext
    layers, trials = data.environment.network.layers, search_trials(data.records)
    of_verdict = {section.name: section for section in verdict}
    pairs = _("Pairs of activations")
    rates = (
        ("rates", _("Learning rate"), any(name.startswith("rates-") for name in figures)),
        ("values", _("Learning rate"), any(name.startswith("scatter-") for name in figures)),
    )
    search = (
        ("history", _("History of the search"), "history" in figures),
        *(() if verdict else rates),
        (
            "pairs",
            pairs if len(data.plan.space.by_slot) == 2 else _("Candidates"),
            best is not None,
        ),
    )
    single = (
        ("trials", _("All trials"), bool(trials)),
        ("curves", _("Learning curves"), best is not None),
    )
    methods = (
        ("findings", _("Findings of the checker"), data.findings is not None),
        ("classes", _("Data"), "classes" in figures),
        ("network", _("Network"), bool(layers)),
    )
    repeat = (("repeat", _("Plan and how to repeat it"), True),)
    tabs = (
        Tab("answer", _("Answer")),
        Tab("evidence", _("Evidence"), _some(of_verdict, "claims", "accuracies")),
        Tab("differences", _("Differences"), _some(of_verdict, "differences")),
        Tab(
            "rates-chosen",
            _("Learning rate"),
            (
                *(_shown(rates) if verdict else ()),
                *_some(of_verdict, "plateaus", "importance"),
            ),
        ),
        Tab("mechanisms-seen", _("Mechanisms"), _some(of_verdict, "mechanisms")),
        Tab("search", _("Search"), _shown(search)),
        Tab("trials", _("Trials"), _shown(single)),
        Tab("methods", _("Methods"), (*_some(of_verdict, "paper"), *_shown(methods))),
        Tab("reproduce", _("Reproduce"), _shown(repeat)),
    )
    return tuple(tab for tab in tabs if tab.sections or tab.name == "answer")


def _some(sections: dict[str, Section], *names: str) -> tuple[Section, ...]:
    return tuple(sections[name] for name in names if name in sections)


def _shown(wanted: tuple[tuple[str, str, bool], ...]) -> tuple[Section, ...]:
    return tuple(Section(name, title) for name, title, shown in wanted if shown)


def write(
    path: Path,
    data: ReportData,
    language: str = "en",
    *,
    translations: NullTranslations | None = None,
    other: tuple[str, ReportData] | None = None,
) -> Path:
    """Write the report of a study to `path` and return the path.

    `other` is a second language and the same study's data in it: the page then has a switch.

    Raises OSError where the folder is missing or cannot be written.
    """
    switch = None
    if other is not None:
        second = render(other[1], other[0], other=OtherLanguage(language))
        switch = OtherLanguage(other[0], packed=second)
    return write_text(path, render(data, language, translations=translations, other=switch))
