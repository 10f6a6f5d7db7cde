"""`actlab verdict`: what anybody's scores over several seeds support."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actlab.cli.output import print_json
from actlab.cli.study.options import Json
from actlab.errors import ActlabError, unknown_name
from actlab.i18n import _, ngettext, process_language, translation

if TYPE_CHECKING:
    from actlab.records import DryRun, ScoreVerdict
    from actlab.verdicts.tables import Table

FORMATS = ("text", "json", "markdown", "latex", "github")

Scores = Annotated[
    str | None,
    typer.Argument(
        metavar="SCORES|DIR|-",
        help=_(
            "A table with a row per run (CSV, TSV, JSON lines, Parquet, - for standard input), "
            "MLflow's mlruns, or a folder that actlab study run made."
        ),
    ),
]
CandidateColumn = Annotated[
    str | None, typer.Option(metavar="COL", help=_("The column that says who ran."))
]
SeedColumn = Annotated[
    str | None,
    typer.Option(metavar="COL", help=_("The column of seeds; runs with the same seed are paired.")),
]
ScoreColumn = Annotated[str | None, typer.Option(metavar="COL", help=_("The column of scores."))]
BlockColumn = Annotated[
    str | None,
    typer.Option(
        metavar="COL",
        help=_("A column of data sets, tasks or folds: a verdict in each, and one over all."),
    ),
]
SettingColumns = Annotated[
    list[str] | None,
    typer.Option(
        "--setting",
        metavar="COL",
        help=_("A column that tells several settings of a candidate apart; may be repeated."),
    ),
]
Direction = Annotated[
    bool | None,
    typer.Option(
        "--higher-is-better/--lower-is-better",
        help=_("The direction of the score; without it, told by the column's name."),
    ),
]
Margin = Annotated[
    str | None,
    typer.Option(
        metavar="X",
        help=_("The largest difference that does not matter: in the unit of the score, or 1%."),
    ),
]
Baseline = Annotated[
    str | None,
    typer.Option(metavar="NAME", help=_("Compare every candidate with this one alone.")),
]
Rows = Annotated[
    int | None, typer.Option(metavar="N", help=_("The rows that a proportion was counted on."))
]
FailsBelow = Annotated[
    float | None,
    typer.Option(metavar="X", help=_("A score worse than this is a run that failed.")),
]
DryRunOnly = Annotated[
    bool, typer.Option("--dry-run", help=_("Say which difference this table could show."))
]
Storage = Annotated[
    str | None, typer.Option(metavar="URL", help=_("An Optuna storage to read the runs from."))
]
StudyName = Annotated[str | None, typer.Option(metavar="NAME", help=_("Its study."))]
Output = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="FILE.html", help=_("Where to write the page.")),
]
Format = Annotated[
    str, typer.Option("--format", metavar="|".join(FORMATS), help=_("How to print the verdict."))
]


def verdict(
    scores: Scores = None,
    *,
    candidate: CandidateColumn = None,
    seed: SeedColumn = None,
    score: ScoreColumn = None,
    block: BlockColumn = None,
    setting: SettingColumns = None,
    higher_is_better: Direction = None,
    margin: Margin = None,
    baseline: Baseline = None,
    rows: Rows = None,
    fails_below: FailsBelow = None,
    dry_run: DryRunOnly = False,
    storage: Storage = None,
    study: StudyName = None,
    output: Output = None,
    form: Format = "text",
    json: Json = False,
) -> None:
    """Say which candidates are best, tied, worse, unclear or unreliable, and how sure that is."""
    from actlab.verdicts.judge import dry_run as tried
    from actlab.verdicts.judge import judge_runs
    from actlab.verdicts.runs import Columns, Fails, runs_of

    if form not in FORMATS:
        raise unknown_name(_("format"), form, FORMATS)
    shown = "json" if json else form
    if scores is not None and _is_run_folder(scores):
        of_tables = (candidate, seed, score, block, setting, higher_is_better, margin, baseline)
        if any(one is not None for one in (*of_tables, rows, fails_below, storage, study, output)):
            message = _(
                "A run folder has its own margin, seeds and page; give no options of tables with "
                "it. Its page: actlab report {path}"
            )
            raise ActlabError(message.format(path=scores))
        _verdict_on_folder(Path(scores), shown)
        return
    columns = Columns(candidate, seed, score, block, tuple(setting or ()))
    fails = Fails(fails_below, higher_is_better) if fails_below is not None else None
    runs = runs_of(_table(scores, storage, study), columns, fails)
    if dry_run and output is not None:
        raise ActlabError(_("--dry-run writes no page; leave -o out."))
    if dry_run:
        found = tried(
            runs, margin=margin, higher_is_better=higher_is_better, baseline=baseline, rows=rows
        )
        _print_dry_run(found, shown)
        return
    judged = judge_runs(
        runs, margin=margin, higher_is_better=higher_is_better, baseline=baseline, rows=rows
    )
    if output is not None:
        from actlab.errors import writing
        from actlab.files import write_bytes
        from actlab.verdicts.page import render_scores

        page = render_scores(judged, process_language())
        with writing(output, "-o"):
            write_bytes(output, page.encode())
    _print(judged.verdict, shown)


def _is_run_folder(scores: str) -> bool:
    """Return whether a folder is to be a study's; one of MLflow's runs is a table."""
    from actlab.verdicts.mlruns import holds_runs

    path = Path(scores)
    try:
        return path.is_dir() and ((path / "plan.toml").exists() or not holds_runs(path))
    except OSError:  # a name that no file can have is no table either, which reading it says
        return False


def _table(scores: str | None, storage: str | None, study: str | None) -> "Table":
    from actlab.verdicts.tables import read_table

    if scores is not None and storage is None and study is None:
        return read_table(scores)
    if scores is not None or storage is None or study is None:
        message = _(
            "Give a table of scores, a run folder, - for standard input, or an Optuna study by "
            "both --storage URL and --study NAME."
        )
        raise ActlabError(message)
    from actlab.studies.search.import_trials import table_of_storage

    return table_of_storage(storage, study)


def _verdict_on_folder(path: Path, shown: str) -> None:
    from actlab.errors import VerdictError
    from actlab.studies.interface.verdicts import score_verdicts
    from actlab.studies.run_folder import RunFolder
    from actlab.verdicts.document import score_document

    found = score_verdicts(RunFolder.open(path))
    if not found:
        message = _(
            "A verdict needs settings that were trained again with other seeds; there are none in "
            "{path} yet. Train them with: actlab study confirm {path} --seeds 10"
        )
        raise VerdictError(message.format(path=path))
    language = translation(process_language())
    if shown == "json":
        print_json({"slots": {name: score_document(one, language) for name, one in found.items()}})
        return
    for one in found.values():
        _print(one, shown)


def _print(judged: "ScoreVerdict", shown: str) -> None:
    from actlab.verdicts.document import latex_of, markdown_of, score_document

    language = translation(process_language())
    if shown == "json":
        print_json(score_document(judged, language))
    elif shown == "latex":
        print(latex_of(judged, language), end="")
    elif shown in ("markdown", "github"):
        heading = _("### Verdict on {source}").format(source=judged.source)
        print(f"{heading}\n\n" if shown == "github" else "", end="")
        print(markdown_of(judged, language), end="")
    else:
        _print_text(judged)


def _print_text(judged: "ScoreVerdict") -> None:
    from rich.console import Console

    from actlab.verdicts.document import method_line, metric_line, notices_of, wording_of
    from actlab.verdicts.text import remarks, summary

    console = Console()
    wording = wording_of(judged, translation(process_language()))
    _print_table(console, judged.overall, wording, judged.source)
    for text in (summary(judged.overall, wording), *remarks(judged.overall, wording)):
        console.print(text, highlight=False, markup=False)
    for block in judged.blocks:
        console.print()
        _print_table(console, block, wording, block.block)
    console.print()
    taken = ", ".join(f"{what}: {column}" for what, column in judged.columns.items())
    if taken:
        text = _("Columns: {columns}").format(columns=taken)
        console.print(text, highlight=False, markup=False)
    for line in (metric_line(judged, wording), method_line(judged, wording)):
        console.print(line, highlight=False, markup=False)
    for line in notices_of(judged, wording):
        console.print(f"- {line}", highlight=False, markup=False)


def _print_table(console: Any, found: Any, wording: Any, title: str) -> None:
    from rich.table import Table
    from rich.text import Text

    from actlab.verdicts.document import table_of

    head, rows = table_of(found, wording)
    table = Table(box=None, title=Text(title), title_justify="left", pad_edge=False)
    for place, heading in enumerate(head):
        table.add_column(heading, justify="left" if place < 2 else "right")
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


def _print_dry_run(found: "DryRun", shown: str) -> None:
    from actlab.text import process_formatter, significant
    from actlab.verdicts.document import dry_run_document

    if shown == "json":
        print_json(dry_run_document(found))
        return
    text = ngettext(
        "{seeds} seeds, {pairing}, {comparisons} comparison: a difference of {smallest} shows "
        "with a probability of {power} (spread of one difference: {spread}).",
        "{seeds} seeds, {pairing}, {comparisons} comparisons: a difference of {smallest} shows "
        "with a probability of {power} (spread of one difference: {spread}).",
        found.comparisons,
    )
    pairing = _("paired by seed") if found.pairing == "paired" else _("not paired")
    print(
        text.format(
            seeds=found.seeds,
            comparisons=found.comparisons,
            pairing=pairing,
            smallest=significant(found.smallest_difference, 3),
            power=process_formatter().share(found.power),
            spread=significant(found.spread, 3),
        )
    )
    if found.seeds_for_margin is not None:
        text = _("A difference of {margin}, the margin, takes {seeds} seeds.")
        margin = significant(found.metric.margin, 3)
        print(text.format(margin=margin, seeds=found.seeds_for_margin))
