"""What is said of candidates that are not better than a constant."""

from dataclasses import replace

import pytest

from actlab.studies.interface.constant import constant_sentence
from tests.studies.report.studies import small_study
from tests.studies.report.verdicts import full_verdict


@pytest.mark.parametrize("with_verdict", [True, False])
def test_being_ahead_by_chance_is_told_from_not_being_ahead(with_verdict: bool) -> None:
    data = small_study()
    verdict = full_verdict() if with_verdict else None
    rows = [row for slot in full_verdict().slots for row in slot.candidates]
    if with_verdict:
        best = max(row.mean for row in rows if row.mean is not None)
        surely = max(row.low for row in rows if row.low is not None)
    else:
        best = max(record.valid_accuracy or 0.0 for record in data.records)
        surely = best - 1.0
    told = {
        baseline: constant_sentence(
            data.plan,
            replace(data.environment, baseline=baseline, constant="7"),
            data.records,
            verdict,
        )
        for baseline in (best + 0.001, best - 1e-6, surely - 0.001)
    }
    above, close, below = told.values()
    assert above.startswith("Nothing beats a constant: always answering 7 has")
    assert close.startswith("No candidate is shown to beat a constant yet: always answering 7")
    assert below == ""
