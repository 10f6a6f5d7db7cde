import math

import numpy as np
import pytest

from actlab.records import Record, Setting, Space
from actlab.studies.confirm.rate_curves import rate_curves

from .planted import record

TRIED = ("relu", "tanh", "silu")
SPACE = Space((*TRIED, "untried"), TRIED, 0.0005, 0.01)


def balanced(
    accuracy: "dict[str, float] | None" = None, names: tuple[str, ...] = TRIED
) -> list[Record]:
    """Every pair four times, rates rising; accuracy falls from 0.004 on, by 3 points."""
    partner = accuracy or {}
    rates = np.geomspace(0.0005, 0.01, 4 * len(names) ** 2)
    pairs = [(conv, fc) for _ in range(4) for conv in names for fc in names]
    records = []
    for number, ((conv, fc), rate) in enumerate(zip(pairs, rates, strict=True)):
        height = 0.97 + partner.get(fc, 0.0) - (0.03 if rate >= 0.004 else 0.0)
        setting = Setting(conv, fc, float(rate))
        records.append(record(setting, None, height, stage="search", number=number))
    return records


def test_a_plateau_ends_where_accuracy_falls() -> None:
    for curve in rate_curves(balanced(), SPACE, 0.1):
        rates = [point.learning_rate for point in curve.points]
        assert rates == sorted(rates)
        below = [rate for rate in rates if rate < 0.004]
        assert curve.plateau_low == rates[0]
        # The smoothing looks at most one trial beyond the edge.
        assert curve.plateau_high in (below[-2], below[-1])
        assert curve.plateau_decades == pytest.approx(
            math.log10((curve.plateau_high or 1) / rates[0])
        )
        assert curve.failures == 0


def test_a_bad_partner_leaves_no_dent() -> None:
    plain = {c.activation: c for c in rate_curves(balanced(), SPACE, 0.1) if c.slot == "conv"}
    dented = rate_curves(balanced({"tanh": -0.3}), SPACE, 0.1)
    for curve in (c for c in dented if c.slot == "conv"):
        usual = plain[curve.activation]
        assert (curve.plateau_low, curve.plateau_high) == (usual.plateau_low, usual.plateau_high)


def test_failures_are_counted_by_learning_rate() -> None:
    records = [
        record(
            r.setting,
            None,
            (None if r.number % 2 else 0.1135) if r.setting.learning_rate > 0.005 else 0.95,
            stage="search",
            number=r.number,
        )
        for r in balanced()
    ]
    for curve in rate_curves(records, SPACE, 0.1):
        high = [point for point in curve.points if point.learning_rate > 0.005]
        assert curve.failures == len(high) == sum(b.failures for b in curve.bins)
        assert sum(b.trials for b in curve.bins) == len(curve.points)
        assert curve.bins[0].failures == 0
        assert (curve.plateau_high or 1.0) <= 0.005


def test_an_activation_that_never_learns_has_no_plateau() -> None:
    records = [
        record(r.setting, None, None, stage="search", number=r.number)
        if r.setting.conv_activation == "silu"
        else r
        for r in balanced()
    ]
    (silu,) = (
        c for c in rate_curves(records, SPACE, 0.1) if (c.slot, c.activation) == ("conv", "silu")
    )
    assert silu.plateau_decades is None
    assert silu.best_learning_rate is None
    assert silu.failures == len(silu.points)


def test_replicates_are_no_part_of_the_curve() -> None:
    replicate = record(Setting("relu", "tanh", 0.001), 3, 0.5)
    assert rate_curves([*balanced(), replicate], SPACE, 0.1) == rate_curves(balanced(), SPACE, 0.1)
    assert rate_curves([replicate], SPACE, 0.1) == ()
