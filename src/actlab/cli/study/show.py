"""`actlab study show`: what a run folder says, finished, running or interrupted."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actlab.cli.output import print_json
from actlab.cli.study.options import Json, RunFolderPath
from actlab.errors import ActlabError
from actlab.i18n import _, process_language, translation
from actlab.text import process_formatter

if TYPE_CHECKING:
    from actlab.records import Environment, Plan, StudyMetric

TrialNumber = Annotated[
    int | None, typer.Option("--trial", metavar="N", help=_("Show one trial whole."))
]


Watch = Annotated[
    bool,
    typer.Option("--watch", help=_("Print it again whenever a trial ends, until the study does.")),
]


def show(
    path: RunFolderPath, *, trial: TrialNumber = None, watch: Watch = False, json: Json = False
) -> None:
    """Print the trials of a run folder, or one of them."""
    if watch and (trial is not None or json):
        raise ActlabError(_("--watch shows the whole study; give it without --trial and --json."))
    if watch:
        _watch(path)
        return
    _show(path, trial, as_json=json)


_LOOK_EVERY_SECONDS = 1.0
_FEWEST, _AROUND = 5, 14
"""Watched trials: at least so many; and how many lines of the screen are left to the rest."""


def _watch(path: Path) -> None:
    """Show a study anew whenever something in it has changed, as long as it runs."""
    from rich.console import Console

    from actlab.studies.lock import is_held
    from actlab.studies.run_folder import RunFolder

    folder, console, shown = RunFolder.open(path), Console(), -1
    while True:
        runs = is_held(folder.lock_path)
        count = len(folder.all_records())
        if count != shown:
            console.clear()
            _show(path, None, as_json=False, most=max(_FEWEST, console.height - _AROUND))
            shown = count
        if not runs:
            return
        time.sleep(_LOOK_EVERY_SECONDS)


def _show(path: Path, trial: int | None, *, as_json: bool, most: int | None = None) -> None:
    from actlab.case_study.claims import claims
    from actlab.cli.study.verdict_table import print_verdict
    from actlab.cli.tasks.finish import show_tasks
    from actlab.records import FittedSampler
    from actlab.studies.interface.verdicts import claims_of, verdict_of, verdict_summary
    from actlab.studies.report.settings import fitted_line
    from actlab.studies.run_folder import RunFolder
    from actlab.studies.summary import summary, trial_detail

    folder = RunFolder.open(path)
    is_run_of_tasks = folder.plan().tasks is not None
    if is_run_of_tasks and trial is None:
        show_tasks(folder, as_json=as_json)
        return
    if trial is not None:
        records = folder.task_records() if is_run_of_tasks else folder.records()
        found = {record.number: record for record in records}
        if trial not in found:
            message = _("There is no record of trial {number}; there are records of {known}.")
            raise ActlabError(message.format(number=trial, known=_numbers(sorted(found))))
        document = trial_detail(found[trial])
    else:
        document = verdict_summary(folder, claims) if as_json else summary(folder)
    if as_json:
        print_json(document)
    elif trial is not None:
        _print_trial(document)
    else:
        _print_summary(document, folder.plan(), most)
        verdict = verdict_of(folder)
        environment = folder.environment()
        if environment is not None:
            _print_compared(environment, folder.plan())
        if isinstance(folder.plan().sampler, FittedSampler):
            print(fitted_line(process_formatter()))
        if verdict is not None:
            print_verdict(verdict, claims_of(folder, verdict, claims))


def _print_compared(environment: "Environment", plan: "Plan") -> None:
    """Print where the study ran, and which activations of the network it compares."""
    from actlab.studies import coverage as compared
    from actlab.studies.interface.constant import warnings_of
    from actlab.text import Formatter

    form = Formatter(translation(process_language()))
    for line in warnings_of(plan, environment, (), None):
        print(line)
    parts: list[str] = [environment.precision, environment.device]
    if environment.coverage is not None:
        parts.append(compared.coverage_line(environment.coverage, form))
    print(" · ".join((*parts, compared.init_line(plan.init, form))))
    for left, kept in plan.space.same:
        print(compared.same_line(left, kept, form))
    for one in environment.gated:
        print(compared.gated_line(one, form))
    if environment.coverage is not None:
        for path, kind, name, location, why in compared.slot_rows(
            environment.coverage, plan.space.by_slot, form
        ):
            place = f" ({location})" if location else ""
            print(f"  {path} · {kind} · {name}{place}: {why}")


def _numbers(numbers: list[int]) -> str:
    if not numbers:
        return _("none yet")
    if numbers == list(range(numbers[0], numbers[-1] + 1)):
        return _("trials {first} to {last}").format(first=numbers[0], last=numbers[-1])
    return ", ".join(map(str, numbers))


def _print_summary(document: dict[str, Any], plan: "Plan", most: int | None = None) -> None:
    from rich.console import Console
    from rich.table import Table

    title = _("{name}: {done} of {planned} trials").format(
        name=document["plan"]["name"],
        done=len(document["trials"]),
        planned=document["plan"]["trials"],
    )
    measured = plan.training.measured
    valid = _("valid accuracy") if measured.in_percent else measured.name
    ranked = sorted(document["trials"], key=lambda row: _rank(row, measured))[:most]
    best = [row["number"] == document["best"] for row in ranked]
    cells = [_cells(row, plan, best=mark) for row, mark in zip(ranked, best, strict=True)]
    usual = (_("learning rate"), valid, _("epochs"), _("outcome"))
    headings = [_("trial"), *plan.space.by_slot, *usual]
    console = Console()
    needed = widths(list(zip(headings, *cells, strict=True)))
    if not console.is_terminal:
        console = Console(width=max(console.width, _together(needed)))
    kept = fitting(needed, console.width)
    fits = _together([needed[place] for place in kept]) <= console.width
    table = Table(box=None, pad_edge=False, padding=(0, _BETWEEN, 0, 0), title=title)
    for place in kept:
        table.add_column(headings[place], overflow="fold", width=needed[place] if fits else None)
    for row, mark in zip(cells, best, strict=True):
        table.add_row(*(row[place] for place in kept), style="bold" if mark else None)
    console.print(table)
    if len(ranked) < len(document["trials"]):
        some = _("The {shown} best of {count} trials; all of them are in trials.csv.")
        print(some.format(shown=len(ranked), count=len(document["trials"])))
    if document["test_accuracy"] is not None:
        console.print(
            _("Test accuracy of trial {number}'s model: {accuracy}").format(
                number=document["best"],
                accuracy=process_formatter().percent(document["test_accuracy"]),
            )
        )


_BETWEEN = 2
_LEFT_OUT = (-2, -1, -4)
"""The places of what is left out first on a narrow screen: epochs, outcome, learning rate."""


def widths(columns: Sequence[Sequence[str]]) -> list[int]:
    """Return what each column needs, a heading and its cells: a heading may break at its blanks."""
    from rich.cells import cell_len

    return [max(map(cell_len, (*head.split(), *cells))) for head, *cells in columns]


def _together(needed: Sequence[int]) -> int:
    return sum(needed) + _BETWEEN * (len(needed) - 1)


def fitting(needed: Sequence[int], width: int) -> list[int]:
    """Return the places of the columns that are shown in a width.

    Where even the activations and their scores are too wide, they are all that is left, and fold.
    """
    kept = list(range(len(needed)))
    for place in _LEFT_OUT:
        if _together([needed[one] for one in kept]) <= width:
            break
        kept.remove(len(needed) + place)
    return kept


def _rank(row: dict[str, Any], measured: "StudyMetric") -> tuple[bool, float, int]:
    """Return the place of a trial: the best first, those without an accuracy last, by number."""
    found = row["valid_accuracy"] if row["valid_score"] is None else row["valid_score"]
    return found is None, -(measured.oriented(found) if found is not None else 0), row["number"]


def _cells(row: dict[str, Any], plan: "Plan", *, best: bool) -> list[str]:
    from actlab.pages.words import in_metric, outcome_word
    from actlab.records import Outcome

    measured = plan.training.measured

    found = row["valid_accuracy"] if row["valid_score"] is None else row["valid_score"]
    setting = row["setting"]
    further = setting.get("slots", {})
    outcome = outcome_word(Outcome(row["outcome"]), translation(process_language()))
    return [
        f"★ {row['number']}" if best else str(row["number"]),
        *(
            further.get(slot) or setting.get(f"{slot}_activation") or ""
            for slot in plan.space.by_slot
        ),
        process_formatter().rate(setting["learning_rate"]),
        outcome if found is None else in_metric(found, measured),
        str(row["epochs"]),
        outcome,
    ]


def _print_trial(document: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    facts = Table(show_header=False, box=None)
    for key, value in document.items():
        if key != "curve":
            facts.add_row(key, str(value))
    console.print(facts)
    curve = Table(title=_("epochs"))
    for heading in ("", _("training loss"), _("validation loss"), _("validation metric")):
        curve.add_column(heading)
    for number, epoch in enumerate(document["curve"], start=1):
        losses = [_loss(epoch["train_loss"]), _loss(epoch["valid_loss"])]
        curve.add_row(str(number), *losses, _metric(epoch))
    console.print(curve)


def _metric(epoch: dict[str, Any]) -> str:
    accuracy = epoch["valid_accuracy"]
    if accuracy is not None:
        return process_formatter().percent(accuracy)
    found = epoch["valid_mse"] if epoch["valid_score"] is None else epoch["valid_score"]
    return process_formatter().loss(found)


def _loss(value: float | None) -> str:
    return _("not finite") if value is None else process_formatter().loss(value)
