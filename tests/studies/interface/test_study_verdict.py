"""What a study's verdict shows of itself."""

from dataclasses import replace

import pytest

from actlab.records import Verdict
from actlab.studies.interface.study_verdict import shown
from tests.studies.report.verdicts import empty_verdict, full_verdict, meagre_verdict


def test_it_is_a_line_in_a_terminal_and_a_table_in_a_notebook() -> None:
    found = shown(full_verdict())
    assert repr(found).startswith("<Verdict with 10 seeds, conv: ")
    assert " best" in repr(found)
    assert len(repr(found)) < 1000
    page = found._repr_html_()
    assert page.count("<table>") >= len(found.slots)
    assert all(row.name in page for slot in found.slots for row in slot.candidates)
    assert replace(found, margin=0.01).margin == 0.01


def test_however_many_candidates_it_is_short() -> None:
    full = full_verdict()
    slot = full.slots[0]
    many = tuple(
        replace(row, name=f"{row.name}-{n}" * 5) for n in range(9) for row in slot.candidates
    )
    found = shown(replace(full, slots=(replace(slot, candidates=many),) * 3))
    assert "more" in repr(found)
    assert len(repr(found)) < 1000


@pytest.mark.parametrize("verdict", [meagre_verdict(), empty_verdict()])
def test_where_little_is_known(verdict: Verdict) -> None:
    found = shown(verdict)
    assert len(repr(found)) < 1000
    assert "<table>" in found._repr_html_()
