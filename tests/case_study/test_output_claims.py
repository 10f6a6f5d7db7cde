"""Claims 6 to 10: simulated records decide each one both ways, or leave it open."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from gettext import NullTranslations

import pytest

from actlab.case_study.output_claims import output_claims
from actlab.case_study.output_evidence import best_constant, learnt
from actlab.case_study.regression_claim import below_the_mean, unexplained
from actlab.records import (
    Claim,
    LayerGradients,
    Outcome,
    OutputFigures,
    OutputLayer,
    OutputSummary,
    PredictedGroup,
    Protocol,
    Record,
    Setting,
    TargetScale,
)
from actlab.studies.tasks.settings import tasks_plan
from tests.studies.confirm.planted import record

IMAGES = 1000


def figures(
    layer: OutputLayer,
    test: float,
    low: float = 0.0,
    high: float = 1.0,
    gradient: tuple[float, float] = (0.1, 0.1),
) -> OutputFigures:
    """Figures of 1,000 images: half of them of each of two classes, or 1 and 3 as numbers."""
    groups = tuple(PredictedGroup(value, 500, 2.0, 0.1, 1.0, 3.0, 0) for value in (1.0, 3.0))
    summary = OutputSummary(
        low,
        high,
        groups=groups if layer.task == "regression" else (),
        confusion=((250, 250), (250, 250)) if layer.task != "regression" else (),
    )
    traced = (LayerGradients("conv1", gradient), LayerGradients("fc2", (0.2, 0.2)))
    return OutputFigures(test, IMAGES, TargetScale(2.0, 1.0), summary, traced)


def trained(
    layer: OutputLayer, scores: Sequence[float], hidden: str = "sigmoid", **more: object
) -> tuple[Record, ...]:
    return tuple(
        replace(
            record(
                Setting("relu", hidden, 0.001),
                seed,
                score,
                protocol=Protocol("corrected", layer.ending("corrected")),
            ),
            output=layer,
            figures=figures(layer, score, **more),  # type: ignore[arg-type]  # passed through
        )
        for seed, score in enumerate(scores)
    )


def judged(number: int, records: tuple[Record, ...]) -> Claim:
    plan = tasks_plan((), ("corrected",), 3, "mnist", None, None)
    claims = output_claims(plan, records, NullTranslations())["corrected"]
    return {claim.number: claim for claim in claims}[number]


def layer(task: str, name: str) -> OutputLayer:
    head, loss, *target = name.split()
    return OutputLayer(task, head, loss, *target)  # type: ignore[arg-type]  # from a text


def test_every_claim_is_open_without_records() -> None:
    for number in (6, 7, 8, 9, 10):
        assert judged(number, ()).outcome == "not enough evidence"


def test_claims_are_of_the_tasks_and_protocols_of_the_run() -> None:
    plan = tasks_plan(("binary",), ("published", "corrected"), 1, "digits", None, None)
    found = output_claims(plan, (), NullTranslations())
    assert {p: [c.number for c in claims] for p, claims in found.items()} == {
        "published": [8],
        "corrected": [8],
    }


@pytest.mark.parametrize(
    ("sigmoid", "softmax", "lowest", "outcome"),
    [
        ((0.97, 0.98, 0.97), 0.5, 1.0, "supported"),
        ((0.97, 0.98, 0.97), 0.9, 0.1, "not supported"),
        ((0.97, 0.98, 0.97), 0.5, 0.2, "not supported"),
        ((0.5, 0.5, 0.5), 0.5, 1.0, "not supported"),
        ((0.97, 0.5, 0.97), 0.5, 1.0, "not enough evidence"),
        ((0.97,), 0.5, 1.0, "not enough evidence"),
    ],
)
def test_claim_6(sigmoid: tuple[float, ...], softmax: float, lowest: float, outcome: str) -> None:
    wrong = [
        trained(layer("probability", f"softmax {loss}"), [softmax] * len(sigmoid), low=lowest)
        for loss in ("bce", "ce")
    ]
    right = trained(layer("probability", "sigmoid bce"), sigmoid)
    claim = judged(6, (*right, *wrong[0], *wrong[1]))
    assert claim.outcome == outcome
    if len(sigmoid) > 1:
        assert f"1 in {6 if lowest == 1 else 0} of 6" in claim.reason


@pytest.mark.parametrize(
    ("raw", "right", "relu", "lowest", "outcome"),
    [
        ((1.0, 1.0, 0.99), (0.05, 0.06, 0.05), (0.6, 0.7, 0.6), 2.0, "supported"),
        ((0.05, 0.06, 0.05), (0.05, 0.06, 0.05), (0.6, 0.7, 0.6), 2.0, "not supported"),
        ((1.0, 1.0, 0.99), (0.05, 0.06, 0.05), (0.6, 0.7, 0.6), 1.2, "not supported"),
        ((1.0, 1.0, 0.99), (0.05, 0.06, 0.05), (0.01, 0.02, 0.01), 2.0, "not supported"),
        ((1.0, 0.1, 0.99), (0.05, 0.06, 0.05), (0.6, 0.7, 0.6), 2.0, "not enough evidence"),
    ],
)
def test_claim_7(
    raw: tuple[float, ...],
    right: tuple[float, ...],
    relu: tuple[float, ...],
    lowest: float,
    outcome: str,
) -> None:
    records = (
        *trained(layer("regression", "none mse raw"), raw),
        *trained(layer("regression", "none mse standardised"), right),
        *trained(layer("regression", "relu mse standardised"), relu, low=lowest),
    )
    claim = judged(7, records)
    assert claim.outcome == outcome
    assert "50.00 % of the test targets lie below" in claim.reason


def test_the_share_of_variance_is_one_for_the_mean() -> None:
    found = figures(layer("regression", "none mse raw"), 1.0)
    assert unexplained(found) == 1.0
    assert below_the_mean(found) == 0.5


@pytest.mark.parametrize(
    ("wrong", "outcome"),
    [
        ((0.971, 0.980, 0.970), "supported"),
        ((0.90, 0.91, 0.90), "not supported"),
        ((0.90, 0.99, 0.97), "not enough evidence"),
    ],
)
def test_claim_8(wrong: tuple[float, ...], outcome: str) -> None:
    records = (
        *trained(layer("binary", "softmax ce"), (0.970, 0.980, 0.970)),
        *trained(layer("binary", "sigmoid bce"), (0.972, 0.981, 0.971)),
        *trained(layer("binary", "sigmoid ce"), wrong),
    )
    claim = judged(8, records)
    assert claim.outcome == outcome
    assert "sigmoid + ce loses" in claim.reason


def hidden_varied(
    learning: Mapping[str, Sequence[bool]], gradients: Mapping[str, tuple[float, float]]
) -> tuple[Record, ...]:
    """The wrong head learns on the seeds that are true; its counterpart always does."""
    found: tuple[Record, ...] = ()
    for hidden, seeds in learning.items():
        scores = [0.97 if learns else 0.5 for learns in seeds]
        wrong, right = layer("multiclass", "sigmoid bce"), layer("multiclass", "softmax ce")
        norms = gradients.get(hidden, (0.1, 0.1))
        found += trained(wrong, scores, hidden, gradient=norms)
        found += trained(right, [0.97] * len(seeds), hidden)
    return found


ALL, NONE, SOME = (True, True, True), (False, False, False), (True, False, True)


@pytest.mark.parametrize(
    ("learning", "outcome", "said"),
    [
        (dict.fromkeys(("sigmoid", "relu", "tanh", "silu"), NONE), "supported", "It is the head"),
        ({"sigmoid": NONE, "relu": ALL, "tanh": NONE, "silu": ALL}, "not supported",
         "behind relu and silu the same head learns on every seed"),
        ({"sigmoid": NONE, "relu": ALL, "tanh": NONE, "silu": ALL}, "not supported",
         "behind sigmoid and tanh softmax + ce learns on every seed"),
        ({"sigmoid": ALL, "relu": ALL}, "not supported", "in the published network, too"),
        ({"sigmoid": NONE, "relu": SOME}, "not enough evidence", "No hidden layer lets"),
        ({"sigmoid": NONE}, "not enough evidence", "cannot be told apart"),
        ({"sigmoid": (False,), "relu": (True,)}, "not enough evidence", "two seeds or more"),
    ],
)  # fmt: skip
def test_claim_9(learning: Mapping[str, Sequence[bool]], outcome: str, said: str) -> None:
    claim = judged(9, hidden_varied(learning, {}))
    assert (claim.outcome, said in claim.reason) == (outcome, True)
    assert "plateau" not in claim.reason


def test_claim_9_names_a_plateau_where_the_gradients_die_away() -> None:
    gradients = {"sigmoid": (0.002, 1e-6), "relu": (0.04, 0.02)}
    learning = {"sigmoid": NONE, "relu": ALL}
    claim = judged(9, hidden_varied(learning, gradients))
    assert "plateau" in claim.reason
    assert "0.002 then 1e-06 behind sigmoid and 0.04 then 0.02 behind relu" in claim.reason


@pytest.mark.parametrize(
    ("wrong", "outcome"),
    [
        ((0.77, 0.78, 0.77), "supported"),
        ((0.97, 0.98, 0.97), "not supported"),
        ((0.60, 0.61, 0.60), "not supported"),
        ((0.77, 0.83, 0.80), "not enough evidence"),
    ],
)
def test_claim_10(wrong: tuple[float, ...], outcome: str) -> None:
    records = (
        *trained(layer("multilabel", "sigmoid bce"), (0.98, 0.985, 0.98)),
        *trained(layer("multilabel", "softmax bce"), (0.77, 0.78, 0.77)),
        *trained(layer("multilabel", "softmax ce"), wrong),
    )
    assert judged(10, records).outcome == outcome


def test_a_training_that_did_not_complete_does_not_count() -> None:
    right = trained(layer("binary", "softmax ce"), (0.97, 0.98, 0.97))
    wrong = [trained(layer("binary", f"sigmoid {x}"), (0.97, 0.98, 0.97)) for x in ("bce", "ce")]
    ended = tuple(replace(r, outcome=Outcome.DIVERGED, figures=None) for r in wrong[1][1:])
    claim = judged(8, (*right, *wrong[0], wrong[1][0], *ended))
    assert claim.outcome == "not enough evidence"
    assert claim.reason.endswith("not yet: sigmoid + ce.")


def test_learning_is_more_than_chance_above_a_constant() -> None:
    found = figures(layer("binary", "softmax ce"), 0.5 + 3 * 0.5 / IMAGES**0.5)
    assert best_constant(found) == 0.5
    assert not learnt(found)
    assert learnt(replace(found, test=found.test + 0.001))
