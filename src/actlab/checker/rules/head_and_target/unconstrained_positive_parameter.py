"""ACT306: a variance or a rate that may become negative."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.capture import ops
from actlab.capture.trace import Call, Value
from actlab.checker.analysis import tensor_tests
from actlab.checker.analysis.losses import LossCall
from actlab.checker.analysis.origins import is_nudge, unscaled
from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.rule import Case, Rule, Situation, limits
from actlab.checker.rules._batches import real_batch
from actlab.i18n import _
from actlab.text import share, significant

_POSITIVE = {
    "normal.py": (1,), "laplace.py": (1,), "cauchy.py": (1,), "gumbel.py": (1,),
    "von_mises.py": (1,), "gamma.py": (0, 1), "weibull.py": (0, 1), "studentT.py": (0, 2),
    "exponential.py": (0,), "poisson.py": (0,), "inverse_gamma.py": (0, 1),
    "fishersnedecor.py": (0, 1), "kumaraswamy.py": (0, 1), "negative_binomial.py": (0,),
}  # fmt: skip
"""Which of the tensors that a distribution of torch broadcasts together must be positive."""

_DIRICHLET = "distributions/dirichlet.py"
"""Whose likelihood a Beta has, too."""

_CUTTING = frozenset({"relu", "relu6", "clamp", "threshold"})


class _TwoHeads(nn.Module):
    def __init__(self, positive: nn.Module) -> None:
        super().__init__()
        self.mean, self.spread, self.positive = nn.Linear(20, 1), nn.Linear(20, 1), positive

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.mean(x), self.positive(self.spread(x))


def _gaussian(output: tuple[Tensor, Tensor], y: Tensor) -> Tensor:
    return F.gaussian_nll_loss(output[0], y, output[1])


def _linear_variance() -> Situation:
    return Situation(_TwoHeads(nn.Identity()), _gaussian, real_batch())


def _linear_rate() -> Situation:
    x, y = real_batch()
    return Situation(nn.Linear(20, 1), nn.PoissonNLLLoss(log_input=False), (x, y.abs().round()))


def _linear_scale_of_a_normal() -> Situation:
    net = _TwoHeads(nn.Identity())
    x, y = real_batch()

    def step() -> Any:
        mean, scale = net(x)
        normal: Any = torch.distributions.Normal(mean, scale)
        return -normal.log_prob(y).mean()

    return Situation(step=step)


def _softplus_variance() -> Situation:
    return Situation(_TwoHeads(nn.Softplus()), _gaussian, real_batch())


def _rectified_variance() -> Situation:
    return Situation(_TwoHeads(nn.ReLU()), _gaussian, real_batch())


def _rectified_scale_with_an_epsilon() -> Situation:
    net = _TwoHeads(nn.Identity())
    x, y = real_batch()

    def step() -> Any:
        mean, scale = net(x)
        normal: Any = torch.distributions.Normal(mean, scale.clamp(min=0) + 1e-6)
        return -normal.log_prob(y).mean()

    return Situation(step=step)


def _scale_with_a_floor() -> Situation:
    net = _TwoHeads(nn.Identity())
    x, y = real_batch()

    def step() -> Any:
        mean, scale = net(x)
        normal: Any = torch.distributions.Normal(mean, F.softplus(scale).clamp(min=1e-3))
        return -normal.log_prob(y).mean()

    return Situation(step=step)


def _beta(positive: Callable[[Tensor], Tensor]) -> Situation:
    net, x, y = nn.Linear(20, 2), torch.randn(32, 20), torch.rand(32) * 0.9 + 0.05

    def step() -> Any:
        first, second = positive(net(x)).unbind(1)
        beta: Any = torch.distributions.Beta(first, second)
        return -beta.log_prob(y).mean()

    return Situation(step=step, model=net)


def _rectified_concentration() -> Situation:
    return _beta(lambda z: F.relu(z) + 1e-6)


def _shifted_concentration() -> Situation:
    return _beta(lambda z: z + 1.5)


def _rectified_count() -> Situation:
    net, x, y = nn.Linear(20, 2), torch.randn(32, 20), torch.poisson(torch.full((32,), 4.0))

    def step() -> Any:
        count, logits = net(x).unbind(1)
        counts: Any = torch.distributions.NegativeBinomial(
            F.relu(count) + 1e-6, logits=logits, validate_args=False
        )
        return -counts.log_prob(y).mean()

    return Situation(step=step, model=net)


def _concentration_above_one() -> Situation:
    return _beta(lambda z: F.softplus(z) + 1.0)


def _log_rate() -> Situation:
    x, y = real_batch()
    return Situation(nn.Linear(20, 1), nn.PoissonNLLLoss(), (x, y.abs().round()))


class UnconstrainedPositiveParameter(Rule):
    """An output that is used as variance, scale or rate may become negative, or is cut off at 0.

    ## What it does

    Reports the variance of `gaussian_nll_loss`, the input of `poisson_nll_loss` without log, and
    parameters of distributions that must be positive, if they are negative on the batch or come
    from a layer that nothing keeps positive. Reports a rectifier or a clamp at next to nothing,
    too, if a part of the batch lies at its floor.

    ## Why is this bad?

    torch stops with an error at the first negative number, or computes the logarithm of one, NaN:
    some time into the training, when the first sample gets there. A scale that was cut off at 0 has
    no gradient, and its likelihood is of the order of one over the epsilon that was added.

    ## Example

        mean, variance = net(x).chunk(2, dim=1)
        loss = F.gaussian_nll_loss(mean, y, variance)

    ## Use instead

        mean, spread = net(x).chunk(2, dim=1)
        loss = F.gaussian_nll_loss(mean, y, F.softplus(spread))

    ## Sources

    - PyTorch, `torch.nn.GaussianNLLLoss`: "var: a tensor of positive variance(s)".
    """

    code = "ACT306"
    name = "unconstrained-positive-parameter"
    severity = "warning"
    looks_at = "positive parameters"
    thresholds = limits(floor=0.01, at_floor=0.05)
    faulty = (
        Case(_linear_variance, "warning"),
        Case(_linear_rate, "warning"),
        Case(_linear_scale_of_a_normal, "warning"),
        Case(_rectified_variance, "warning"),
        Case(_rectified_scale_with_an_epsilon, "warning"),
        Case(_rectified_concentration, "warning"),
        Case(_shifted_concentration, "warning"),
        Case(_rectified_count, "warning"),
    )
    clean = (
        Case(_softplus_variance),
        Case(_concentration_above_one),
        Case(_log_rate),
        Case(_scale_with_a_floor),
    )

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each positive parameter that nothing keeps positive."""
        for loss in step.loss_calls:
            value = _of_loss(loss)
            if value is not None:
                yield from self._judge(step, loss.call, value)
        for call in step.trace.calls:
            for value in _of_distribution(call):
                yield from self._judge(step, call, value)

    def _judge(self, step: Step, call: Call, value: Value) -> Iterator[Finding]:
        if not step.is_live(value):
            return
        if step.range_of(value).low >= 0.0:
            yield from self._cut_off(step, value)
            return
        seen = tensor_tests.extremes(value.tensor) if value.intact else None
        negative = seen is not None and seen[0] < 0.0
        ends = map(unscaled, step.origins(value))
        free = [end for end in ends if end.op in ops.AFFINE | ops.NORMS | {"tanh"}]
        if not negative and not free:
            return
        proof = (
            _("its smallest value on this batch is {low:.3g}").format(low=seen[0])
            if negative and seen is not None
            else _("it comes from {op}, which reaches {range}").format(
                op=free[0].op, range=step.range_of(free[0].value)
            )
        )
        yield self.found(
            message=_("a variance, scale or rate is not kept positive"),
            location=call.location,
            proof=proof,
            why=_("the first negative number is an error or a NaN, some time into the training"),
            fix="scale = F.softplus(raw_scale)",
        )

    def _cut_off(self, step: Step, value: Value) -> Iterator[Finding]:
        """Yield a finding where a rectifier keeps numbers positive, and some lie at its floor."""
        for origin in step.origins(value):
            cut = origin.call
            if cut is None or cut.op not in _CUTTING or is_nudge(cut):
                continue
            floor = step.range_of(cut.output).low
            numbers = tensor_tests.sample(cut.output.tensor) if cut.output.intact else None
            if numbers is None or not 0.0 <= floor <= self.limits["floor"]:
                continue
            at_floor = float((numbers <= floor + 1e-12).float().mean())
            if at_floor > self.limits["at_floor"]:
                yield self.found(
                    message=_("a variance, scale or rate is cut off at {floor} by {op}").format(
                        floor=significant(floor, 3), op=cut.op
                    ),
                    location=cut.location,
                    proof=_("{share} of this batch lie there, where the gradient is 0").format(
                        share=share(at_floor, 1.0)
                    ),
                    why=_("what is cut off cannot recover, and its likelihood explodes"),
                    fix="scale = F.softplus(raw_scale)",
                )
                return


def _of_distribution(call: Call) -> list[Value]:
    """Return the parameters of a distribution, which is being made, that must be positive."""
    if call.op == "lgamma" and call.origin.replace("\\", "/").endswith(_DIRICHLET):
        made = call.inputs[0].call
        return [] if made is not None and made.op == "sum" else [call.inputs[0]]
    if call.op != "broadcast_tensors" or "/distributions/" not in call.origin.replace("\\", "/"):
        return []
    places = _POSITIVE.get(call.origin.replace("\\", "/").rsplit("/", 1)[1], ())
    return [call.inputs[place] for place in places if place < len(call.inputs)]


def _of_loss(loss: LossCall) -> Value | None:
    if loss.kind == "gaussian_nll_loss":
        var = loss.call.argument("var", 2)
        return var if isinstance(var, Value) else None
    if loss.kind == "poisson_nll_loss" and not loss.call.argument("log_input", 2, True):
        return loss.input
    return None
