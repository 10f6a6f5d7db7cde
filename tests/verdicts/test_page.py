"""What the page of a verdict holds, and for which tables there is none."""

import math
from typing import Any

import numpy as np
import pytest

from actlab.errors import VerdictError
from actlab.stats.multiplicity import quadrature
from actlab.verdicts import page
from actlab.verdicts.judge import Judged, judge_runs
from actlab.verdicts.runs import Columns, runs_of
from actlab.verdicts.scores import Scores
from actlab.verdicts.tables import read_table


def judged(scores: dict[str, list[float | None]], **asked: Any) -> Judged:
    names = [name for name, own in scores.items() for _score in own]
    table = {
        "method": names,
        "seed": [seed for own in scores.values() for seed in range(len(own))],
        "accuracy": [score for own in scores.values() for score in own],
    }
    return judge_runs(runs_of(read_table(table), Columns()), margin=0.01, **asked)


def test_a_table_is_null_where_a_run_failed_or_was_not() -> None:
    values = np.array([[0.5, math.nan, 0.75], [0.25, 0.5, math.nan]])
    ran = np.array([[True, True, True], [True, True, False]])
    assert page.table_data(Scores(("a", "b"), values, ran, paired=False)) == {
        "candidates": ["a", "b"],
        "values": [[0.5, None, 0.75], [0.25, 0.5, None]],
        "ran": ran.tolist(),
        "paired": False,
    }


def test_the_page_integrates_as_python_does() -> None:
    nodes, weights = quadrature()
    assert page.rule_inputs() == {"nodes": nodes.tolist(), "weights": weights.tolist()}


def test_the_margin_and_the_limits_are_the_question() -> None:
    plain = page.render_scores(judged({"a": [0.9, 0.91], "b": [0.8, 0.81]}), "en")
    assert '"limits": null' in plain.replace('":null', '": null')
    limited = page.render_scores(judged({"a": [0.9, 0.91], "b": [0.8, 0.81]}, rows=100), "en")
    assert '"limits":[0.0,1.0]' in limited.replace(" ", "")
    assert '"resolution":0.01' in limited.replace(" ", "")


def test_too_many_scores_make_no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    assert page.MOST_SCORES == 200_000
    found = judged({"a": [0.9, 0.91], "b": [0.8, 0.81]})
    monkeypatch.setattr(page, "MOST_SCORES", 4)
    assert "<html" in page.render_scores(found, "en")
    monkeypatch.setattr(page, "MOST_SCORES", 3)
    with pytest.raises(VerdictError, match="at most 3 scores; the table has 4"):
        page.render_scores(found, "en")
