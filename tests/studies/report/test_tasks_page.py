"""The page of a run of tasks: its tables, figures and words, and what must not break it."""

import json
import re
from dataclasses import replace
from gettext import NullTranslations
from typing import Any

import pytest

from actlab.pages.kit import unpack
from actlab.records import ConfidenceBin
from actlab.studies.report.tasks import render_tasks
from actlab.studies.report.tasks.calibration import calibration_error, pooled
from actlab.studies.report.tasks.figures import galleries
from actlab.studies.report.tasks.reach import expressible, softmax_ceiling
from actlab.studies.report.tasks.rows import TaskRow, setting_label, task_rows
from actlab.text import NO_BREAK, Formatter
from tests.studies.report.tasks_run import MARKUP, tasks_run
from tests.studies.report.test_page import Marked, Reader

FORM = Formatter(NullTranslations(), NO_BREAK)


def figures_of(page: str) -> dict[str, Any]:
    reader = Reader()
    reader.feed(page)
    found: dict[str, Any] = json.loads(unpack(reader.packed))
    return found


@pytest.fixture(scope="module")
def page() -> str:
    return render_tasks(tasks_run())


def rows(task: str, protocols: tuple[str, ...] = ("corrected",)) -> dict[str, TaskRow]:
    own = task_rows(tasks_run(protocols))[task]
    return {setting_label(row.setting, FORM): row for row in own}


def test_every_task_has_its_figures(page: str) -> None:
    names = set(figures_of(page))
    expected = {
        "curves-regression-corrected",
        "reach-regression-corrected",
        "predictions-regression-corrected",
        "reach-probability-corrected",
        "calibration-binary-corrected",
        "curves-hidden-multiclass-corrected",
        "confusion-0-multiclass-corrected",
        "confusion-2-multiclass-corrected",
        "gradients-multiclass-corrected",
        "gradients-epochs-multiclass-corrected",
        "labels-multilabel-corrected",
        "calibration-multilabel-corrected",
    }
    assert expected <= names
    assert not {name for name in names if "gradients" in name and "multiclass" not in name}


def test_figures_of_two_protocols_stand_apart() -> None:
    data = tasks_run(("published", "corrected"), ("binary",))
    page = render_tasks(data)
    assert {"curves-binary-published", "curves-binary-corrected"} <= set(figures_of(page))
    assert page.count(">sixth claim<") == 2
    one = render_tasks(tasks_run(("corrected",), ("binary",)))
    assert '<th scope="col">protocol</th>' in page
    assert '<th scope="col">protocol</th>' not in one


def test_the_table_has_intervals_published_figures_and_codes(page: str) -> None:
    section = page.split('<section id="probability">')[1].split("</section>")[0]
    row = next(part for part in section.split("<tr") if "softmax + bce" in part)
    assert "49.87" in row
    assert "85.00\u00a0% … 100.00\u00a0%" in row
    assert "<code>ACT201</code>" in row
    assert re.search(r"3, 3", row)


def test_a_diverged_training_is_said_and_text_cannot_be_markup(page: str) -> None:
    assert MARKUP not in page
    assert "the loss was &lt;/script&gt;&lt;b&gt;&amp;" in page
    assert "because &lt;/script&gt;" in page


def test_nothing_trained_and_nothing_checked_still_is_a_page() -> None:
    data = replace(tasks_run(), records=(), findings=None, claims={}, spreads={}, targets={})
    page = render_tasks(data)
    assert figures_of(page) == {}
    assert "What the checker says" not in page


def test_own_targets_have_no_distribution() -> None:
    data = replace(tasks_run(names=("regression", "multilabel")), targets={})
    drawn = galleries(data, task_rows(data), FORM)
    names = {p.name for found in drawn.values() for g in found for row in g.rows for p in row}
    assert names == {
        "curves-regression-corrected",
        "predictions-regression-corrected",
        "curves-multilabel-corrected",
        "calibration-multilabel-corrected",
    }


def test_every_word_is_a_message() -> None:
    reader = Reader()
    reader.feed(render_tasks(tasks_run(), translations=Marked()))
    words = {text.strip() for text in reader.texts if "⟦" not in text}
    assert not {w for w in words if re.search(r"[a-z]{4,} [a-z]{3,} [a-z]", w)} - {
        f"softmax over one: {MARKUP}"
    }


def test_an_infinite_error_has_no_point(page: str) -> None:
    line = figures_of(page)["curves-regression-corrected"]["data"][0]
    assert line["x"] == [2, 3]


def test_what_heads_can_express(page: str) -> None:
    regression, probability = rows("regression"), rows("probability")
    assert expressible(regression["relu + mse, standardised"]) == (1.5, float("inf"))
    assert expressible(regression["none + mse, raw"]) == (-float("inf"), float("inf"))
    assert expressible(probability["softmax + ce"]) == (1.0, 1.0)
    reach = figures_of(page)["reach-probability-corrected"]
    band = next(trace for trace in reach["data"] if trace.get("legendgroup") == "can")
    assert band["x"] == [0.0, 1.0]


def test_the_ceiling_of_a_softmax_is_what_counting_says() -> None:
    """Against every answer with one yes or none, label by label."""
    truths = [(1, 0, 0, 0), (1, 1, 0, 0), (1, 0, 1, 1)]
    answers = [(0, 0, 0, 0), *(tuple(int(i == j) for j in range(4)) for i in range(4))]
    best = [max(sum(a == t for a, t in zip(x, y, strict=True)) for x in answers) for y in truths]
    counts = {1.0: 1, 2.0: 1, 3.0: 1}
    assert softmax_ceiling(counts, 4) == pytest.approx(sum(best) / 12)


def test_calibration_pools_bins_of_all_seeds() -> None:
    bins = [ConfidenceBin(0.5, 0.6, 10, 0.55, 0.5), ConfidenceBin(0.5, 0.6, 30, 0.59, 0.7)]
    together = pooled(bins)
    assert [one.count for one in together] == [40]
    assert calibration_error(together) == pytest.approx(abs(0.58 - 0.65))
