"""What a study, its verdict and its records show of themselves."""

from dataclasses import replace
from gettext import NullTranslations

from actlab import activations
from actlab.studies.interface.notebook import MOST_ROWS, framed, trials_table, verdict_lanes
from actlab.studies.interface.study_verdict import shown
from actlab.text import Formatter
from tests.studies.report.studies import curve, published_study
from tests.studies.report.verdicts import full_verdict

FORM = Formatter(NullTranslations())
RECORDS = published_study().records


def test_nothing_takes_more_than_a_thousand_characters() -> None:
    long = replace(RECORDS[0], curve=curve(500, 0.9))
    things = (long, shown(full_verdict()), *activations.functions())
    assert max(len(repr(thing)) for thing in things) < 1000
    assert repr(RECORDS[102]).startswith("<Record 102: conv prelu, fc tanh, learning rate 0.001988")


def test_the_best_trials_come_first_with_the_curve_of_the_best() -> None:
    best = replace(RECORDS[102], curve=curve(9, 0.98))
    table = trials_table((*RECORDS[:102], best, *RECORDS[103:]), FORM)
    assert table.count("<tr>") == 1 + MOST_ROWS
    assert table.index("★") < table.index("<td>101</td>")
    assert "<polyline" in table
    assert "and 110 trials more" in table
    assert trials_table((), FORM).count("<tr>") == 1


def test_a_verdict_has_a_lane_for_every_candidate_in_colours_for_both_backgrounds() -> None:
    drawn = framed(verdict_lanes(full_verdict(), FORM))
    candidates = [row for slot in full_verdict().slots for row in slot.candidates]
    assert drawn.count("<svg") == len(candidates)
    assert "<style>" in drawn
    assert "background" not in drawn
