"""A comparison as a table and in words: cells, columns, languages, the method."""

from dataclasses import replace
from gettext import NullTranslations
from typing import Any

import pytest

import actlab
from actlab.i18n import translation
from actlab.records import Candidate, Comparison
from actlab.text import NOT_KNOWN, Formatter
from actlab.verdicts import Question, compare, scores_by_seed
from actlab.verdicts.document import (
    groups_in_short,
    latex_table,
    markdown_table,
    method_line,
    metric_line,
    score_document,
    table_of,
    wording_of,
)
from actlab.verdicts.text import Wording

ROWS = {"a": {0: 0.90, 1: 0.92, 2: 0.91}, "b": {0: 0.80, 1: 0.83, 2: 0.81}}


def test_the_best_has_no_difference_to_itself_the_others_have_theirs() -> None:
    found = compare(scores_by_seed(ROWS), Question(0.005))
    head, rows = table_of(found, Wording(Formatter(NullTranslations()), 0.005))
    assert head[:2] == ("candidate", "verdict")
    assert [(row[0], row[5]) for row in rows] == [("a", NOT_KNOWN), ("b", "−9.67")]


def test_with_a_baseline_the_best_differs_from_it_too() -> None:
    found = compare(scores_by_seed(ROWS), Question(0.005, baseline="b"))
    wording = Wording(Formatter(NullTranslations()), 0.005, baseline="b")
    _head, rows = table_of(found, wording)
    assert {row[0]: row[5] for row in rows} == {"a": "9.67", "b": "0.00"}


def test_the_words_are_those_of_the_language() -> None:
    found = actlab.verdict({"a": [0.9, 0.91, 0.92], "b": [0.8, 0.81, 0.82]}, margin=0.01).value
    english, korean = score_document(found), score_document(found, translation("ko"))
    assert english["summary"] == "a has the best mean, 0.91 with 3 seeds. b is worse than a."
    assert korean["summary"] != english["summary"]
    assert {k: v for k, v in english.items() if k not in ("summary", "notices", "candidates")} == {
        k: v for k, v in korean.items() if k not in ("summary", "notices", "candidates")
    }


def test_long_names_and_many_candidates_are_cut_in_a_repr() -> None:
    rows = tuple(Candidate("n" * 23 + f"{place:02d}", "worse") for place in range(13))
    for many, end in ((rows[:12], "n" * 23 + "1 worse"), (rows, "n" * 23 + "1 worse, 1 more")):
        text = groups_in_short(Comparison(many, (), None, 2))
        assert text.count("worse") == 12
        assert text.endswith(end)


@pytest.mark.parametrize(
    ("unit", "pairing", "baseline", "expected"),
    [
        ("blocks", "paired", None, "Compared by Wilcoxon's signed ranks over the means of blocks"),
        ("seeds", "paired", None, "Compared by t tests paired by seed, p adjusted by Holm's"),
        ("seeds", "unpaired", None, "Compared by Welch's t tests, p adjusted by Holm's"),
        (
            "seeds",
            "paired",
            "a",
            "Compared with a by t tests paired by seed, p adjusted by Dunnett",
        ),
    ],
)
def test_the_method_is_said(unit: Any, pairing: Any, baseline: str | None, expected: str) -> None:
    found = actlab.verdict({"a": [0.9, 0.91, 0.92], "b": [0.8, 0.81, 0.82]}, margin=0.01).value
    overall = replace(found.overall, unit=unit)
    changed = replace(found, overall=overall, pairing=pairing, baseline=baseline)
    wording = wording_of(changed)
    assert method_line(changed, wording).startswith(expected)
    assert table_of(overall, wording)[0][2] == unit
    assert metric_line(changed, wording) == (
        "score, higher is better; differences below 0.01 do not matter."
    )


def test_cells_of_candidates_that_were_not_compared_or_failed() -> None:
    rows = (
        Candidate("a", "best", scores=(0.9, None), mean=0.9, failures=1, difference=0.0),
        Candidate("b", "unclear"),
    )
    wording = Wording(Formatter(NullTranslations()), 0.005)
    (best, absent) = table_of(Comparison(rows, (), None, 2), wording)[1]
    assert best == ("a", "best", "1/2", "90.00 %", "–", "–", "–")
    assert absent == ("b", "inconclusive", "0", "–", "–", "–", "–")


def test_tables_in_markdown_and_latex_have_two_columns_of_text() -> None:
    head, rows = ("a", "b", "c", "d"), [("x_1", "|", "1", "2 %")]
    assert markdown_table(head, rows) == (
        "| a | b | c | d |\n|:--|:--|--:|--:|\n| x\\_1 | \\| | 1 | 2 % |"
    )
    latex = latex_table(head, rows, "50 %", "verdict")
    assert r"\begin{tabular}{llrr}" in latex
    assert r"x\_1 & | & 1 & 2 \% \\" in latex
    assert r"\caption{50 \%}" in latex
    assert r"\label{tab:verdict}" in latex


def test_an_interval_has_its_two_ends() -> None:
    both = Candidate("a", "best", scores=(0.9, 0.91), mean=0.905, low=0.89, high=0.92)
    wording = Wording(Formatter(NullTranslations()), 0.005)
    rows = (both, Candidate("b", "unclear", scores=(0.9,), mean=0.9))
    cells = [row[4] for row in table_of(Comparison(rows, (), None, 2), wording)[1]]
    assert cells == ["89.00 % – 92.00 %", NOT_KNOWN]
