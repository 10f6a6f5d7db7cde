"""What a study, its verdict and its records show of themselves."""

import re
from dataclasses import replace
from gettext import NullTranslations
from types import SimpleNamespace

import pytest

from actlab import activations
from actlab.studies.interface.notebook import (
    MOST_ROWS,
    framed,
    show_records,
    trials_table,
    verdict_lanes,
)
from actlab.studies.interface.study_verdict import shown
from actlab.text import Formatter
from tests.studies.report.studies import curve, measured_study, published_study
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


def test_a_record_is_shown_with_its_curve_where_there_is_ipython(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    formatters = pytest.importorskip("IPython.core.formatters")
    shell = SimpleNamespace(display_formatter=formatters.DisplayFormatter())
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    record = replace(RECORDS[102], curve=curve(9, 0.98))
    data, _metadata = shell.display_formatter.format(record)
    assert "text/html" not in data
    show_records()
    data, _metadata = shell.display_formatter.format(record)
    assert "<polyline" in data["text/html"]
    assert "&lt;Record 102: conv prelu" in data["text/html"]


def test_a_verdict_by_another_metric_is_shown_in_its_units() -> None:
    verdict = measured_study("mae").verdict
    assert verdict is not None
    drawn = shown(verdict)._repr_html_()
    assert drawn.count("<svg") == 3
    text = re.sub(r"<style>.*?</style>|<svg.*?</svg>|<[^>]*>", " ", drawn)
    assert "%" not in text.replace("95 %", "")
    assert "points" not in text
    assert "0.05" in text
