"""A rule that looked at nothing is not checked: in no program does it stand under what is fine."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Gamma, NegativeBinomial, Normal
from torch.nn import functional as F

import actlab
from actlab.capture.frames import Trail
from actlab.capture.reruns import Reruns
from actlab.capture.trace import Call, Trace, Value
from actlab.checker import api
from actlab.checker.analysis.rule_scope import COUNTS, nothing_to_check
from actlab.checker.analysis.step import Step
from actlab.checker.captured_step import CheckError, Program, captured
from actlab.checker.engine import run_rules
from actlab.checker.report import Report
from actlab.checker.rule import Situation
from actlab.checker.rules import RULES
from actlab.checker.targets import Targets
from tests.checker.analysis.steps import Net, step_of
from tests.checker.casebook import report_on
from tests.checker.test_cases import FAULTS, RIGHT

OF_LOSSES = ("ACT101", "ACT102", "ACT103", "ACT104", "ACT105", "ACT107", "ACT108",
             "ACT110", "ACT202", "ACT205", "ACT301", "ACT302", "ACT303", "ACT307",
             "ACT506", "ACT507")  # fmt: skip


def test_every_rule_names_what_it_looks_at() -> None:
    assert {rule.looks_at for rule in RULES} <= set(COUNTS)


def test_without_a_known_loss_no_rule_on_losses_is_fine() -> None:
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    report = actlab.check_step(lambda: net(torch.randn(6, 4)).logcumsumexp(0).mean(), model=net)
    assert not {item.code for item in report.fine} & set(OF_LOSSES)
    reasons = {item.code: item.reason for item in report.unchecked}
    assert "no known loss was recognised in this step, which ends in mean" in reasons["ACT101"]


PROGRAMS: tuple[tuple[Callable[[], Situation], str], ...] = (
    *((case.build, case.build.__name__) for case in RIGHT),
    *((partial(case.build, False), case.build.__name__) for case in FAULTS),
    *((partial(case.build, True), case.build.__name__) for case in FAULTS),
    *((case.build, f"{rule.code} {case.name}") for rule in RULES
      for case in (*rule.faulty, *rule.clean)),
)  # fmt: skip


def assert_no_false_comfort(programs: Iterable[tuple[Callable[[], Situation], str]]) -> None:
    """Fail if a rule is called fine that had nothing to look at, in any of some programs."""
    for build, name in programs:
        counted: list[Mapping[str, int]] = []
        later: list[Mapping[str, int]] = []

        def count(
            rules: Any, step: Step, *given: Any, counted: Any = counted, later: Any = later
        ) -> Report:
            report = run_rules(rules, step, *given)
            for one, counts in ((step, counted), (step.evaluation, later)):
                if one is not None:
                    counts.append({kind: number(one) for kind, number in COUNTS.items()})
            return report

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(api, "run_rules", count)
            try:
                report = report_on(build)
            except CheckError:
                continue
        fine = {item.code for item in report.fine}
        empty = set()
        for rule in RULES:
            passes = counted + (later if rule.code.startswith(("ACT1", "ACT2")) else [])
            if not any(counts[rule.looks_at] for counts in passes):
                empty.add(rule.code)
        assert not fine & empty, f"{name}: {sorted(fine & empty)}"
        if not any(counts["losses"] for counts in counted + later):
            assert not fine & set(OF_LOSSES), name


@pytest.mark.parametrize("part", range(3))
def test_in_a_sample_of_the_programs_what_is_fine_was_looked_at(part: int) -> None:
    assert_no_false_comfort(PROGRAMS[part * 11 :: 33])


@pytest.mark.slow
@pytest.mark.parametrize("part", range(8))
def test_in_every_program_what_is_fine_was_looked_at(part: int) -> None:
    assert_no_false_comfort(PROGRAMS[part::8])


def test_a_rule_on_one_kind_of_loss_has_not_looked_at_another() -> None:
    net = nn.Linear(4, 1)
    report = actlab.check(net, nn.MSELoss(), (torch.randn(8, 4), torch.randn(8, 1)))
    fine = {item.code for item in report.fine}
    assert "ACT301" in fine
    assert not fine & {"ACT101", "ACT104", "ACT105", "ACT106", "ACT107"}


def test_counts_are_those_of_the_step() -> None:
    net, x, y = nn.Linear(4, 3), torch.randn(6, 4), torch.arange(6) % 3

    def run(model_done: Callable[[Any], None]) -> Any:
        out = net(x)
        model_done(out)
        return F.cross_entropy(out, y)

    with captured(Program(run, net, (net,), Targets.of(y), inputs=x), None) as step:
        found = {name: COUNTS[name](step) for name in ("losses", "softmax scores", "regressions")}
    assert found == {"losses": 1, "softmax scores": 1, "regressions": 0}


def test_a_rule_on_softmaxes_has_not_looked_at_a_network_without_one() -> None:
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    report = actlab.check(net, nn.MSELoss(), (torch.randn(8, 4), torch.randn(8, 1)))
    fine = {item.code for item in report.fine}
    assert {"ACT404", "ACT508", "ACT510"} <= fine
    absent = {"ACT113", "ACT201", "ACT203", "ACT204", "ACT206", "ACT207", "ACT306", "ACT308",
              "ACT309", "ACT407", "ACT408", "ACT409", "ACT602", "ACT604", "ACT605"}  # fmt: skip
    assert not fine & absent


def test_what_only_the_evaluation_has_was_looked_at_there() -> None:
    net, x, y = nn.Linear(4, 3), torch.randn(6, 4), torch.arange(6) % 3

    def report_on_evaluation(evaluate: Callable[[], Any]) -> Report:
        report: Report = actlab.check_step(lambda: net(x).square().mean(), net, evaluate=evaluate)
        return report

    right = report_on_evaluation(lambda: F.cross_entropy(net(x), y))
    assert {"ACT101", "ACT202"} <= {item.code for item in right.fine}
    wrong = report_on_evaluation(lambda: F.cross_entropy(net(x).softmax(1), y))
    assert "ACT101" in wrong.codes
    assert "ACT101" not in {item.code for item in wrong.fine}
    assert "ACT101" not in {item.code for item in wrong.unchecked}
    without = report_on_evaluation(lambda: net(x))
    assert "ACT101" in {item.code for item in without.unchecked}


def layer(inputs: int = 4, outputs: int = 3) -> nn.Linear:
    torch.manual_seed(inputs + outputs)
    return nn.Linear(inputs, outputs)


def net(forward: Callable[..., Any], **parts: Any) -> Net:
    return Net(forward, a=layer(), **parts)


def _dice(out: Tensor, mask: Tensor) -> Tensor:
    return 1 - 2 * (out * mask).sum() / (out.sum() + mask.sum())


def _with_decisions(out: Tensor, y: Tensor) -> Tensor:
    right, above, classes = out.argmax(1) == y, out > 0, y > 1
    return F.cross_entropy(out, y) + 0 * (right.float() + above[:, 0] + classes).mean()


def _slope(out: Tensor) -> Tensor:
    (slope,) = torch.autograd.grad(out.sum(), out, create_graph=True)
    return slope.mean() + out.mean()


CLASSES = torch.arange(6) % 3
REAL = torch.linspace(0.1, 0.9, 18).view(6, 3)
ROUND = REAL.round()
SIGMOID, LOG = nn.Sigmoid(), nn.LogSoftmax(1)

CLASS_LOSS = {"losses": 1, "scores": 1, "softmax scores": 1, "models": 1, "cross entropies": 1,
              "class losses": 1, "predictions": 1, "layers": 1}  # fmt: skip
LOGGED = CLASS_LOSS | {"losses": 2, "log-probabilities": 1, "softmaxes": 1, "activations": 1,
                       "predictions": 2}  # fmt: skip
DISTANCE = {"losses": 1, "models": 1, "regressions": 1, "targets": 1, "predictions": 1,
            "layers": 1}  # fmt: skip
BINARY = {"losses": 1, "scores": 1, "sigmoid scores": 1, "models": 1, "targets": 1,
          "predictions": 1, "layers": 1}  # fmt: skip
POSITIVE = {"losses": 1, "positive parameters": 1, "spreads": 1, "models": 1, "predictions": 1,
            "layers": 1}  # fmt: skip
CRITIC = {"models": 1, "critics": 1, "layers": 1}

COUNTED: dict[str, tuple[nn.Module, Callable[..., Any], Tensor | None, dict[str, int]]] = {
    "classes": (layer(), F.cross_entropy, CLASSES, CLASS_LOSS | {"calls": 2}),
    "a hidden relu": (
        nn.Sequential(layer(4, 5), nn.ReLU(), layer(5, 3)), F.cross_entropy, CLASSES,
        CLASS_LOSS | {"calls": 4, "activations": 1, "rectifiers": 1, "layers": 2,
                      "hidden activations": 1}),
    "log-probabilities": (nn.Sequential(layer(), LOG), F.nll_loss, CLASSES,
                          LOGGED | {"calls": 3, "likelihoods": 1, "class losses": 2}),
    "divergence": (nn.Sequential(layer(), LOG), partial(F.kl_div, reduction="batchmean"),
                   REAL.softmax(1), LOGGED | {"calls": 3, "divergences": 1}),
    "a distance": (layer(), F.mse_loss, REAL, DISTANCE | {"calls": 2}),
    "huber": (layer(), F.huber_loss, REAL, DISTANCE | {"calls": 2}),
    "binary": (nn.Sequential(layer(), SIGMOID), F.binary_cross_entropy, REAL,
               BINARY | {"calls": 3, "binary cross entropies": 1, "activations": 1,
                         "hidden activations": 1}),
    "binary of logits": (layer(), F.binary_cross_entropy_with_logits, REAL, BINARY | {"calls": 2}),
    "overlap": (nn.Sequential(layer(), SIGMOID), _dice, ROUND,
                {"calls": 10, "losses": 1, "overlaps": 1, "activations": 1, "recurrences": 1,
                 "models": 1, "predictions": 1, "layers": 1, "hidden activations": 1}),
    "gumbel": (net(lambda n, x: F.gumbel_softmax(n.a(x), dim=1)), F.mse_loss, REAL,
               DISTANCE | {"calls": 3, "distributions": 1, "softmaxes": 1, "activations": 1}),
    "gaussian": (layer(), lambda o, t: F.gaussian_nll_loss(o, t, o.exp()), REAL,
                 POSITIVE | {"calls": 3}),
    "poisson": (layer(), F.poisson_nll_loss, ROUND, POSITIVE | {"calls": 2}),
    "noise": (net(lambda n, x: n.a(x) + torch.randn(6, 3) + torch.randn_like(x[:, :3])),
              F.mse_loss, REAL, DISTANCE | {"calls": 7, "spreads": 2}),
    "attention": (net(lambda n, x: F.scaled_dot_product_attention(n.a(x), n.a(x), n.a(x))),
                  F.mse_loss, REAL, DISTANCE | {"calls": 5, "attentions": 1, "layers": 3}),
    "a written attention": (net(lambda n, x: (x @ x.t()).softmax(1) @ n.a(x)), F.mse_loss, REAL,
                            DISTANCE | {"calls": 6, "attentions": 1, "softmaxes": 1,
                                        "activations": 1, "layers": 3}),
    "gates": (net(lambda n, x: n.a(x).sigmoid() * n.a(x).tanh()), F.mse_loss, REAL,
              DISTANCE | {"calls": 6, "activations": 2, "recurrences": 1, "layers": 2,
                          "hidden activations": 2}),
    "sigmoids without a product": (
        net(lambda n, x: n.a(x).sigmoid()), F.mse_loss, REAL,
        DISTANCE | {"calls": 3, "activations": 1, "hidden activations": 1}),
    "selu and prelu": (
        nn.Sequential(layer(), nn.SELU(), layer(3, 3), nn.PReLU()), F.mse_loss, REAL,
        DISTANCE | {"calls": 5, "activations": 2, "selus": 1, "learnt slopes": 1,
                    "rectifiers": 2, "layers": 2, "hidden activations": 2}),
    "written rectifiers": (
        net(lambda n, x: torch.maximum(n.a(x).abs(), n.a(x).clamp(0))), F.mse_loss, REAL,
        DISTANCE | {"calls": 6, "activations": 1, "rectifiers": 3, "layers": 2,
                    "hidden activations": 1}),
    "ranking": (net(lambda n, x: n.a(x)[:, 0]), lambda o, t: F.margin_ranking_loss(o, -o, t),
                torch.ones(6), CRITIC | {"calls": 4, "losses": 1, "predictions": 1}),
    "no loss": (layer(), lambda o: o.exp().mean(), None, CRITIC | {"calls": 3}),
    "a slope": (layer(), _slope, None, CRITIC | {"calls": 6, "derivatives": 1}),
    "picked": (nn.Sequential(layer(), nn.Softmax(1)),
               lambda o, t: -o.log().gather(1, t[:, None]).mean(), CLASSES,
               {"calls": 7, "losses": 1, "scores": 1, "softmax scores": 1, "likelihoods": 1,
                "log-probabilities": 1, "softmaxes": 1, "attentions": 1, "activations": 1,
                "models": 1, "predictions": 1, "layers": 1}),
    "logsumexp": (layer(), lambda o, t: (o.logsumexp(1) - o[torch.arange(6), t]).mean(), CLASSES,
                  CLASS_LOSS | {"calls": 6, "log-probabilities": 1}),
    "a mixture": (
        net(lambda n, x: (n.a(x), n.b(x)), b=layer()),
        lambda o, t: -(o[0] + -((o[1] - t) ** 2)).logsumexp(1).mean(), REAL,
        DISTANCE | {"calls": 9, "likelihoods": 1, "log-probabilities": 1, "layers": 2}),
    "decisions": (layer(), _with_decisions, CLASSES,
                  CLASS_LOSS | {"calls": 13, "decisions": 2}),
    "products": (net(lambda n, x: n.a(x @ x.t() @ x)), F.mse_loss, REAL,
                 DISTANCE | {"calls": 5, "layers": 3}),
}  # fmt: skip


@pytest.mark.parametrize("name", COUNTED)
def test_what_a_step_has_of_each_kind_is_counted(name: str) -> None:
    model, loss, target, expected = COUNTED[name]
    torch.manual_seed(4)
    with step_of(model, torch.randn(6, 4), loss, target) as step:
        found = {kind: count(step) for kind, count in COUNTS.items()}
    assert {kind: number for kind, number in found.items() if number} == expected


DISTRIBUTIONS: dict[str, tuple[Callable[..., Any], Tensor, dict[str, int], int]] = {
    "categorical": (lambda o, t: Categorical(logits=o).log_prob(t), CLASSES,
                    {"distributions": 1, "losses": 1, "softmax scores": 1, "regressions": 0}, 1),
    "categorical of probabilities": (
        lambda o, t: Categorical(probs=o.softmax(1)).log_prob(t), CLASSES,
        {"distributions": 1, "losses": 1, "softmax scores": 1, "softmaxes": 1}, 1),
    "negative binomial": (lambda o, t: NegativeBinomial(o.exp(), logits=o).log_prob(t), ROUND,
                          {"distributions": 2, "losses": 0, "positive parameters": 4}, 2),
    "normal": (lambda o, t: Normal(o, o.exp()).log_prob(t), REAL,
               {"distributions": 0, "losses": 1, "regressions": 1, "positive parameters": 1}, 1),
    "gamma": (lambda o, t: Gamma(o.exp(), o.exp()).log_prob(t), REAL,
              {"distributions": 0, "losses": 0, "positive parameters": 2}, 0),
}  # fmt: skip


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_distributions_are_counted_by_their_calls(name: str) -> None:
    log_prob, target, expected, logarithms = DISTRIBUTIONS[name]
    with step_of(layer(), torch.randn(6, 4), lambda o, t: -log_prob(o, t).mean(), target) as step:
        assert {kind: COUNTS[kind](step) for kind in expected} == expected
        assert COUNTS["spreads"](step) > 0
        assert COUNTS["log-probabilities"](step) == COUNTS["spreads"](step) + logarithms
        others = [call for call in step.trace.calls if "distributions" not in call.origin]
        assert COUNTS["spreads"](step) + len(others) == COUNTS["calls"](step)


@pytest.mark.parametrize(
    ("task", "loss", "target", "expected"),
    [
        ("critic", F.mse_loss, REAL, 1), ("ranking", F.mse_loss, REAL, 1),
        ("regression", F.mse_loss, REAL, 0), (None, F.mse_loss, REAL, 0),
        ("regression", None, None, 0), ("critic", None, None, 1), (None, None, None, 1),
        (None, lambda o, t: o.exp().mean(), REAL, 0), (None, lambda o: None, None, 0),
    ],
)  # fmt: skip
def test_a_critic_is_given_as_the_task_or_has_no_target(
    task: str | None, loss: Any, target: Any, expected: int
) -> None:
    def mean(out: Tensor) -> Tensor:
        return out.exp().mean()

    with step_of(layer(), torch.randn(6, 4), loss or mean, target, task=task) as step:
        assert COUNTS["critics"](step) == expected


def test_an_evaluation_counts_its_metrics_and_decisions() -> None:
    model, x = layer(), torch.randn(6, 4)

    def evaluate() -> Any:
        out = model(x)
        decided = out.detach().numpy() > 0.5
        return F.l1_loss(out, REAL), out.argmax(1), decided

    with step_of(model, x, F.cross_entropy, CLASSES, evaluate=evaluate) as step:
        kinds = ("evaluations", "metrics", "decisions", "regressions")
        assert [COUNTS[kind](step) for kind in kinds] == [1, 1, 2, 0]
        assert step.evaluation is not None
        assert [COUNTS[kind](step.evaluation) for kind in kinds] == [0, 0, 2, 1]
    with step_of(model, x, F.mse_loss, REAL) as step:
        assert [COUNTS[kind](step) for kind in kinds] == [0, 0, 0, 1]


def made_by(op: str, origin: str, *args: Any, **kwargs: Any) -> Call:
    value = Value(torch.zeros(2), 0)
    trail = Trail(origin, (), 0)
    return Call(0, op, None, (value, *args), kwargs, (value,), (value,), trail=trail)


@pytest.mark.parametrize(
    ("kind", "call", "expected"),
    [
        ("metrics", made_by("sum", "/site/torchmetrics/functional/mean.py"), 1),
        ("metrics", made_by("sum", "/site/metrics/mean.py"), 0),
        ("spreads", made_by("log", "/site/torch/distributions/normal.py"), 1),
        ("spreads", made_by("log", "C:\\site\\torch\\distributions\\normal.py"), 1),
        ("spreads", made_by("log", "/site/torch/nn/functional.py"), 0),
        ("positive parameters", made_by("lgamma", "/site/torch/distributions/gamma.py"), 1),
        ("positive parameters", made_by("broadcast_tensors", "/site/torch/distributions/x.py"), 1),
        ("positive parameters", made_by("log", "/site/torch/distributions/gamma.py"), 0),
        ("positive parameters", made_by("lgamma", "/home/me/gamma.py"), 0),
        ("derivatives", made_by("autograd_grad", "/home/me/a.py"), 0),
        ("derivatives", made_by("autograd_grad", "/home/me/a.py", 1), 1),
        ("derivatives", made_by("autograd_grad", "/home/me/a.py", inputs=1), 1),
        ("derivatives", made_by("grad", "/home/me/a.py", 1), 0),
        ("decisions", made_by("topk", "/home/me/a.py"), 1),
        ("decisions", made_by("sort", "/home/me/a.py"), 0),
        ("models", made_by("log", "/home/me/a.py"), 0),
    ],
)  # fmt: skip
def test_a_call_counts_by_its_name_and_by_who_made_it(kind: str, call: Call, expected: int) -> None:
    trace = Trace(calls=[call], sources=[call.inputs[0]])
    step = Step(trace, None, Targets(), Reruns(None, None))
    assert COUNTS[kind](step) == expected


def test_a_derivative_that_failed_was_asked_for() -> None:
    failed = made_by("autograd_grad", "/home/me/a.py", 1)
    step = Step(Trace(failed=failed), None, Targets(), Reruns(None, None))
    assert COUNTS["derivatives"](step) == 1
    assert COUNTS["calls"](step) == 0


def test_a_rule_that_looked_at_nothing_says_why() -> None:
    model, x = layer(), torch.randn(6, 4)
    nothing = "there is nothing of the kind in this step"
    no_loss = "no known loss was recognised in this step"
    with step_of(model, x, F.mse_loss, REAL) as step:
        assert nothing_to_check(step, "losses") is None
        assert nothing_to_check(step, "cross entropies") == nothing
        assert nothing_to_check(step, "softmaxes") == nothing
    with step_of(model, x, lambda o: o.exp().mean()) as step:
        assert nothing_to_check(step, "losses") == no_loss + ", which ends in mean"
        assert nothing_to_check(step, "softmaxes") == nothing
        assert nothing_to_check(step, "calls") is None
    with step_of(model, x, lambda o: None) as step:
        assert nothing_to_check(step, "scores") == no_loss
    loss = torch.zeros((), requires_grad=True)
    step = Step(Trace(), None, Targets(), Reruns(None, None), loss=loss)
    assert nothing_to_check(step, "losses") == no_loss
    step.trace.adopt(Value(loss, 0))
    assert nothing_to_check(step, "losses") == no_loss
