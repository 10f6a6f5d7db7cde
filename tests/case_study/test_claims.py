from gettext import NullTranslations

import numpy as np
import pytest

from actlab.case_study.claims import claims
from actlab.records import Claim, Plan, Record, Setting
from actlab.studies.confirm.judging import judge
from actlab.text import Formatter
from tests.studies.confirm.planted import NAMES, drawn, plan, record, replication

ENGLISH = Formatter(NullTranslations())
EQUAL = dict.fromkeys(NAMES, 0.97)


def judged(
    conv: dict[str, float],
    fc: dict[str, float],
    *,
    spread: float = 0.002,
    search: tuple[Record, ...] = (),
) -> dict[int, Claim]:
    generator = np.random.default_rng(0)
    told = replication(
        drawn(generator, conv, 10, spread), drawn(generator, fc, 10, spread), others=search
    )
    asked = plan(data="mnist", balanced=True)
    found = claims(asked, told.records, judge(asked, told), ENGLISH)
    return {claim.number: claim for claim in found}


def searched(high_is_lower_by: float, spread: float = 0.001) -> tuple[Record, ...]:
    generator = np.random.default_rng(1)
    return tuple(
        record(
            Setting(conv, fc, rate),
            None,
            0.97
            - (high_is_lower_by if rate >= 0.004 else 0.0)
            + float(generator.normal(0, spread)),
            stage="search",
            number=number,
        )
        for number, (conv, fc, rate) in enumerate(
            (conv, fc, rate) for conv in NAMES for fc in NAMES for rate in (0.001, 0.005)
        )
    )


def test_claims_that_hold() -> None:
    found = judged(
        EQUAL | {"prelu": 0.98},
        EQUAL | {"tanh": 0.98, "sigmoid": 0.981},
        search=searched(0.02),
    )
    assert [found[number].outcome for number in (1, 2, 3)] == ["supported"] * 3
    assert all(claim.text and claim.reason for claim in found.values())


def test_claims_that_do_not_hold() -> None:
    found = judged(EQUAL | {"silu": 0.98}, EQUAL | {"tanh": 0.98}, search=searched(-0.02))
    assert [found[number].outcome for number in (1, 2, 3)] == ["not supported"] * 3
    assert "silu is better than prelu" in found[1].reason
    assert "sigmoid" in found[2].reason


def test_a_tie_with_the_claimed_is_no_support() -> None:
    found = judged(EQUAL, EQUAL, search=searched(0.0))
    assert [found[number].outcome for number in (1, 2, 3)] == ["not supported"] * 3
    assert "not ahead of" in found[1].reason


def test_noise_is_not_enough_evidence() -> None:
    found = judged(
        EQUAL | {"prelu": 0.98},
        EQUAL | {"tanh": 0.98, "sigmoid": 0.98},
        spread=0.03,
        search=searched(0.004, spread=0.03),
    )
    assert [found[number].outcome for number in (1, 2, 3)] == ["not enough evidence"] * 3


def test_a_search_that_follows_its_results_says_nothing_of_learning_rates() -> None:
    generator = np.random.default_rng(0)
    told = replication(drawn(generator, EQUAL, 10, 0.002), others=searched(0.02))
    asked = plan(data="mnist")
    verdict = judge(asked, told)
    found = claims(asked, told.records, verdict, ENGLISH)
    outcomes = {claim.number: claim.outcome for claim in found}
    assert outcomes[3] == "not enough evidence"
    assert outcomes[2] == "not enough evidence", "the fc slot has no replicates"
    assert verdict.rates == ()


@pytest.mark.parametrize(
    "other", [plan(balanced=True), plan(data="mnist", balanced=True, names=NAMES[:4])]
)
def test_other_studies_have_no_claims(other: Plan) -> None:
    told = replication({"relu": [0.9, 0.91], "tanh": [0.8, 0.82]})
    assert claims(other, told.records, judge(other, told), ENGLISH) == ()
