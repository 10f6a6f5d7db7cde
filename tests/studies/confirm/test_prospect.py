"""What a confirmation takes and shows, before it is paid for."""

from dataclasses import replace

import pytest

from actlab.studies.confirm.prospect import prospect
from tests.studies.report.studies import published_study
from tests.studies.report.verdicts import full_verdict

DATA = published_study()


def test_more_seeds_cost_more_and_show_less() -> None:
    records = tuple(replace(record, seconds=10.0) for record in DATA.records)
    few, many = (
        prospect(DATA.plan, records, full_verdict(), seeds=n, trainings=8 * n, workers=2)
        for n in (5, 20)
    )
    assert (few.seconds, many.seconds) == (200.0, 800.0)
    assert few.gap is not None
    assert many.gap is not None
    assert many.gap < few.gap
    assert not few.spread_is_assumed


def test_without_replicates_the_spread_is_that_of_the_images() -> None:
    found = prospect(DATA.plan, DATA.records, None, seeds=10, trainings=80, workers=1)
    assert found.spread_is_assumed
    error = (0.9794 * 0.0206 / 5000) ** 0.5
    assert found.gap == pytest.approx(1.72 * 2**0.5 * error, rel=0.05)
    nothing = prospect(DATA.plan, (), None, seeds=10, trainings=80, workers=1)
    assert (nothing.gap, nothing.seconds) == (None, None)
