"""The rule that groups at another margin agrees with the groups that a verdict came with."""

from gettext import NullTranslations
from itertools import pairwise

import pytest

from actlab.pages.theme import LIGHT
from actlab.records import Verdict
from actlab.studies.report.verdict.groups import group_looks
from actlab.text import NO_BREAK, Formatter

from .verdicts import empty_verdict, full_verdict, group_at, meagre_verdict


@pytest.mark.parametrize("verdict", [full_verdict(), meagre_verdict(), empty_verdict()])
def test_at_its_own_margin_a_verdict_keeps_its_groups(verdict: Verdict) -> None:
    for slot in verdict.slots:
        for row in slot.candidates:
            assert group_at(slot, row, verdict.margin) == row.group


def test_a_wider_margin_only_makes_ties() -> None:
    for slot in full_verdict().slots:
        for row in slot.candidates:
            groups = [group_at(slot, row, margin / 1000) for margin in range(1, 800)]
            changes = {pair for pair in pairwise(groups) if len(set(pair)) > 1}
            assert changes <= {("unclear", "tied"), ("worse", "tied")}


def test_no_two_groups_share_a_word_sign_shape_or_colour() -> None:
    looks = group_looks(Formatter(NullTranslations(), NO_BREAK)).values()
    for part in ("word", "sign", "shape", "role"):
        assert len({getattr(look, part) for look in looks}) == 5
    assert all(look.colour == LIGHT[look.role] for look in looks)
