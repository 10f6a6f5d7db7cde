"""A comparison as a table: what stands in the column of differences."""

from gettext import NullTranslations

from actlab.text import NOT_KNOWN, Formatter
from actlab.verdicts import Question, compare, scores_by_seed
from actlab.verdicts.document import table_of
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
