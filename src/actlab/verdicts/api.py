"""`actlab.verdict`: what a table of scores supports, from Python."""

import html
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from actlab.errors import writing
from actlab.files import write_bytes
from actlab.i18n import process_language, translation
from actlab.verdicts.document import (
    groups_in_short,
    html_table,
    latex_of,
    markdown_of,
    metric_line,
    notices_of,
    score_document,
    table_of,
    wording_of,
)
from actlab.verdicts.judge import Judged, judge_runs
from actlab.verdicts.runs import Columns, Fails, runs_of
from actlab.verdicts.tables import read_table
from actlab.verdicts.text import remarks, summary


class ScoresVerdict:
    """A verdict on a table of scores, ready to be shown; `value` has the numbers.

    In a notebook it shows itself as a table.
    """

    def __init__(self, judged: Judged) -> None:
        self._judged = judged
        self.value = judged.verdict
        self._translations = translation(process_language())

    @property
    def groups(self) -> dict[str, str]:
        """The group of every candidate, the best first."""
        return {row.name: row.group for row in self.value.overall.candidates}

    @property
    def summary(self) -> str:
        """The answer in a few sentences."""
        return summary(self.value.overall, wording_of(self.value, self._translations))

    def document(self) -> dict[str, Any]:
        """Return what `actlab verdict --json` prints."""
        return score_document(self.value, self._translations)

    def to_pandas(self) -> Any:
        """Return a DataFrame with a row per candidate; needs pandas."""
        return import_module("pandas").DataFrame(self.document()["candidates"])

    def to_markdown(self) -> str:
        """Return the answer, a table per block and the notices in Markdown."""
        return markdown_of(self.value, self._translations)

    def to_latex(self) -> str:
        """Return a LaTeX table; the preamble needs `\\\\usepackage{booktabs}`."""
        return latex_of(self.value, self._translations)

    def page(self, path: Path | str, language: str | None = None) -> Path:
        """Write the page of the verdict, one offline file, and return its path.

        Raises VerdictError for more than 200,000 scores.
        """
        from actlab.verdicts.page import render_scores

        target = Path(path)
        text = render_scores(self._judged, language or process_language())
        with writing(target, "path"):
            write_bytes(target, text.encode())
        return target

    def __repr__(self) -> str:
        return f"<Verdict on {self.value.source[-80:]}: {groups_in_short(self.value.overall)}>"

    def _repr_html_(self) -> str:
        wording = wording_of(self.value, self._translations)
        lines = [self.summary, *remarks(self.value.overall, wording)]
        lines += [metric_line(self.value, wording), *notices_of(self.value, wording)]
        texts = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
        return html_table(*table_of(self.value.overall, wording)) + texts


def verdict(
    scores: Any,
    *,
    candidate: str | None = None,
    seed: str | None = None,
    score: str | None = None,
    block: str | None = None,
    setting: str | Sequence[str] = (),
    higher_is_better: bool | None = None,
    margin: float | str | None = None,
    baseline: str | None = None,
    rows: int | None = None,
    fails_below: float | None = None,
) -> ScoresVerdict:
    """Return what a table of scores over several seeds supports: who is best, tied, worse?

    `scores` is a DataFrame, a mapping of columns, or the path of a CSV, TSV, JSON-lines or Parquet
    file. `candidate`, `seed`, `score` and `block` name its columns; without them they are told by
    their names. `setting` names columns that tell several settings of a candidate apart.
    `margin` is the largest difference that does not matter, in the unit of the metric or relative
    to the best mean ("1%"). `baseline` compares all with that candidate. `rows` is the number of
    rows a proportion was counted on. A score worse than `fails_below` is a failed run, as NaN is.

    Raises DataError for a table that cannot be read or understood, VerdictError for one that
    compares nothing: one candidate, one run each, two scores for one run.

    >>> table = {"method": ["a"] * 4 + ["b"] * 4, "seed": [0, 1, 2, 3] * 2,
    ...          "accuracy": [0.91, 0.92, 0.90, 0.93, 0.80, 0.81, 0.79, 0.83]}
    >>> verdict(table).groups
    {'a': 'best', 'b': 'worse'}
    """
    settings = (setting,) if isinstance(setting, str) else tuple(setting)
    columns = Columns(candidate, seed, score, block, settings)
    fails = None
    if fails_below is not None:
        fails = Fails(fails_below, higher_is_better)
    runs = runs_of(read_table(scores), columns, fails)
    return ScoresVerdict(
        judge_runs(
            runs,
            margin=margin,
            higher_is_better=higher_is_better,
            baseline=baseline,
            rows=rows,
        )
    )
