"""ACT308 and ACT309: a latent distribution whose mean or spread an activation confines."""

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Normal
from torch.nn import functional as F

from actlab.capture import ops
from actlab.capture.trace import Call, Trace, Value
from actlab.checker.analysis.layers import feeds_a_layer
from actlab.checker.analysis.losses import LossCall
from actlab.checker.analysis.origins import HANDED_ON, origins, unscaled, uses
from actlab.checker.analysis.prediction import output_activations_of, readable_target
from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.reporting.fixes import without
from actlab.checker.rule import Case, Rule, Situation, limits
from actlab.i18n import _
from actlab.text import decimal, share

_LINEAR = HANDED_ON | {"mul", "div", "clamp"}
_NOISE = frozenset({"randn", "randn_like", "normal", "new_empty", "standard_normal"})
_BOUNDING = ops.RECTIFIERS | ops.BOUNDED
_RESCALED = frozenset({"sqrt", "add", "clamp", "mul", "div"})
_SQUASHING = frozenset({"tanh", "sigmoid"})
_SQUASHED = frozenset({"sigmoid", "hardsigmoid"})
"""Activations that leave a mean no negative values, as rectifiers do."""


class _Coder(nn.Module):
    """A variational autoencoder with an activation on its log-variance, and one on its mean."""

    def __init__(self, of_spread: nn.Module, of_mean: nn.Module) -> None:
        super().__init__()
        self.body, self.mean, self.log_var = nn.Linear(20, 16), nn.Linear(16, 4), nn.Linear(16, 4)
        self.of_spread, self.of_mean, self.decode = of_spread, of_mean, nn.Linear(4, 20)

    def forward(self, x: Tensor) -> Any:
        hidden = torch.tanh(self.body(x))
        mean, log_var = self.of_mean(self.mean(hidden)), self.of_spread(self.log_var(hidden))
        z = mean + torch.randn_like(mean) * torch.exp(0.5 * log_var)
        return self.decode(z)


def _coded(of_spread: nn.Module, of_mean: nn.Module) -> Situation:
    x = torch.randn(32, 20)
    return Situation(_Coder(of_spread, of_mean), nn.MSELoss(), (x, x))


def _rectified_log_variance() -> Situation:
    return _coded(nn.ReLU(), nn.Identity())


def _rectified_latent_mean() -> Situation:
    return _coded(nn.Identity(), nn.ReLU())


def _free_log_variance() -> Situation:
    return _coded(nn.Identity(), nn.Identity())


def _policy(mean: nn.Module, log_std: nn.Module) -> Situation:
    body, loc, spread, critic = (nn.Linear(6, 32), nn.Linear(32, 2), nn.Linear(32, 2),
                                 nn.Linear(8, 1))  # fmt: skip
    seen = torch.randn(64, 6)

    def step() -> Tensor:
        hidden = F.elu(body(seen))
        scale = log_std(spread(hidden)).clamp(-20, 2).exp()
        drawn = Normal(mean(loc(hidden)), scale).rsample()
        action = torch.tanh(drawn)
        value: Tensor = critic(torch.cat((seen, action), 1))
        return -value.mean()

    return Situation(step=step)


def _rectified_log_deviation_of_a_policy() -> Situation:
    return _policy(nn.Identity(), nn.ReLU())


def _mean_squashed_twice() -> Situation:
    return _policy(nn.Tanh(), nn.Identity())


def _squashed_once() -> Situation:
    return _policy(nn.Identity(), nn.Identity())


def _rectified_log_rate() -> Situation:
    net = nn.Sequential(nn.Linear(20, 1), nn.ReLU())
    return Situation(net, nn.PoissonNLLLoss(), (torch.randn(32, 20), _counts()))


def _free_log_rate() -> Situation:
    return Situation(nn.Linear(20, 1), nn.PoissonNLLLoss(), (torch.randn(32, 20), _counts()))


def _counts() -> Tensor:
    return (torch.arange(32) % 4).float().unsqueeze(1)


def _softplus_of_a_log_deviation_in_a_likelihood() -> Situation:
    net, x, y = nn.Linear(20, 2), torch.randn(32, 20), torch.randn(32)

    def step() -> Tensor:
        mean, log_std = net(x).unbind(1)
        normal: Any = Normal(mean, F.softplus(log_std).exp())
        loss: Tensor = -normal.log_prob(y).mean()
        return loss

    return Situation(step=step)


class BoundedLogParameter(Rule):
    """A rectifier or a bound on a log-variance or log-rate, or a rectifier on a latent mean.

    ## What it does
    Follows an activation through factors, clamps and views into an exponential that scales noise, a
    normal distribution or a Gaussian likelihood, and reports it where the smallest standard
    deviation that is left is above the limit. Reports a rectified mean, too, if the sample goes on
    into a layer: a code, not a prediction; and the mean of a sigmoid if the loss draws it to 0,
    too. A tanh that is stretched over a range of log-deviations
    is right. Of a Poisson loss, which takes the logarithm of the rate, it reports a rectifier where
    targets lie below the least rate that is left.

    ## Why is this bad?
    A logarithm is there so that the number may have both signs. Behind ReLU the standard deviation
    cannot go below 1: the policy never becomes certain, the code never precise. A code whose mean
    cannot be negative is drawn to the edge of its half-space by the prior.

    ## Example
    ```python
    log_std = F.relu(self.log_std(h))
    ```

    ## Use instead
    ```python
    log_std = self.log_std(h).clamp(-20, 2)
    ```

    ## Sources
    - sweetice/Deep-reinforcement-learning-with-pytorch#36:
      https://github.com/sweetice/Deep-reinforcement-learning-with-pytorch/issues/36
    - Kingma and Welling 2014, Auto-encoding variational Bayes, appendix C.2.
    """

    code = "ACT308"
    name = "bounded-log-parameter"
    severity = "warning"
    looks_at = "spreads"
    thresholds = limits(deviation=0.2, targets_below=0.005)
    faulty = (
        Case(_rectified_log_variance, "warning"),
        Case(_rectified_log_deviation_of_a_policy, "warning"),
        Case(_rectified_latent_mean, "warning"),
        Case(_softplus_of_a_log_deviation_in_a_likelihood, "warning"),
        Case(_rectified_log_rate, "warning"),
    )
    clean = (Case(_free_log_variance), Case(_squashed_once), Case(_free_log_rate))

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each latent parameter that an activation confines."""
        for call in step.trace.calls:
            if call.op == "exp" and call.inputs and _scales_noise(step.trace, call.output):
                yield from self._spread(step, call)
        for mean, sample in samples_of(step):
            yield from self._mean(step, mean, sample)
        for loss in step.loss_calls:
            if loss.kind == "poisson_nll_loss" and loss.call.argument("log_input", 2, True):
                yield from self._rate(step, loss)

    def _rate(self, step: Step, loss: LossCall) -> Iterator[Finding]:
        target = readable_target(loss)
        heads = output_activations_of(step, loss.input)
        lowest = step.range_of(loss.input).low
        if target is None or not heads or lowest == -math.inf:
            return
        below = float((target < math.exp(min(lowest, 700.0))).float().mean())
        if below > self.limits["targets_below"]:
            yield self.found(
                message=_("{activation} is applied to the logarithm of a rate").format(
                    activation=heads[0].name
                ),
                location=heads[0].call.location,
                proof=_("the rate cannot go below {low}; {share} of the targets do").format(
                    low=decimal(math.exp(min(lowest, 700.0))), share=share(below, 1.0)
                ),
                why=_("a logarithm needs both signs; the loss applies the exponential itself"),
                fix=without(heads[0].call),
            )

    def _spread(self, step: Step, exp: Call) -> Iterator[Finding]:
        ends = origins(exp.inputs[0], _LINEAR, nudges=False)
        made = [end.call for end in ends if end.call is not None and step.is_live(end.value)]
        if len(made) != 1 or made[0].op not in _BOUNDING:
            return
        lowest = step.range_of(exp.output).low
        if lowest > self.limits["deviation"]:
            yield self.found(
                message=_("{activation} is applied to the logarithm of a spread").format(
                    activation=made[0].op
                ),
                location=made[0].location,
                proof=_("its exponential cannot go below {low}").format(low=decimal(lowest)),
                why=_("a logarithm needs both signs: the spread can never become small"),
                fix=without(made[0]),
            )

    def _mean(self, step: Step, mean: Value, sample: Value) -> Iterator[Finding]:
        ends = [unscaled(end) for end in step.origins(mean)]
        made = [end.call for end in ends if end.call is not None and step.is_live(end.value)]
        if len(made) != 1 or made[0].op not in ops.RECTIFIERS | _SQUASHED:
            return
        if made[0].op in _SQUASHED and not _is_drawn_to_zero(step.trace, mean):
            return
        if feeds_a_layer(step.trace, sample):
            yield self.found(
                message=_("{activation} is applied to the mean of a latent distribution").format(
                    activation=made[0].op
                ),
                location=made[0].location,
                proof=_("the mean reaches {range}, and the sample is the input of a layer").format(
                    range=step.range_of(mean)
                ),
                why=_("a code needs both signs; half of its space is given away"),
                fix=without(made[0]),
            )


def _scales_noise(trace: Trace, value: Value, depth: int = 0) -> bool:
    """Return whether a value multiplies noise, or is the scale of a Gaussian."""
    for call in trace.users_of(value):
        origin = call.origin.replace("\\", "/")
        if call.op == "broadcast_tensors" and origin.endswith("distributions/normal.py"):
            return value is call.inputs[-1]
    for call, given in uses(trace, value):
        if call.op == "gaussian_nll_loss":
            return given is call.argument("var", 2)
        if call.op == "mul" and any(_is_noise(v) for v in call.inputs if v is not given):
            return True
        scaled = call.op in _RESCALED and len(call.inputs) == 1 and depth < 5
        if scaled and _scales_noise(trace, call.output, depth + 1):
            return True
    return False


def _is_drawn_to_zero(trace: Trace, mean: Value) -> bool:
    """Return whether a mean is squared in the loss: a prior around 0 pulls at it."""
    return any(
        call.op in ("pow", "square")
        or (call.op == "mul" and call.inputs[0] is call.inputs[-1])
        or call.origin.replace("\\", "/").endswith("distributions/kl.py")
        for call, __ in uses(trace, mean)
    )


def _is_noise(value: Value) -> bool:
    return any(end.op in _NOISE for end in origins(value))


def samples_of(step: Step) -> Iterator[tuple[Value, Value]]:
    """Yield mean and sample of each mean + noise * spread, written out or of torch's normal."""
    for call in step.trace.calls:
        if call.op != "add" or len(call.inputs) != 2:
            continue
        for mean, noise in (call.inputs, call.inputs[::-1]):
            product = noise.call
            if product is None or product.op != "mul" or not step.is_live(mean):
                continue
            if any(_is_noise(value) for value in product.inputs):
                yield mean, call.output


class SquashedTwice(Rule):
    """The mean of a distribution is squashed, and a sample of it once more.

    ## What it does
    Reports tanh or sigmoid on a sample, mean + noise * spread, whose mean is the output of the same
    function.

    ## Why is this bad?
    tanh(tanh(x)) lies within (-0.76, 0.76): without noise the ends of the range are out of reach,
    and the best action can only be had by luck. The change of variables in the log-probability is
    that of the outer function alone.

    ## Example
    ```python
    mean = torch.tanh(self.mean(h))
    action = torch.tanh(Normal(mean, std).rsample())
    ```

    ## Use instead
    ```python
    mean = self.mean(h)
    action = torch.tanh(Normal(mean, std).rsample())
    ```

    ## Sources
    - Haarnoja et al. 2018, Soft actor-critic, appendix C: the squash is applied to the sample.
    """

    code = "ACT309"
    name = "squashed-twice"
    severity = "warning"
    looks_at = "spreads"
    faulty = (Case(_mean_squashed_twice, "warning"),)
    clean = (Case(_squashed_once),)

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each mean that is squashed before its sample is."""
        for mean, sample in samples_of(step):
            ends = [unscaled(end) for end in step.origins(mean)]
            made = [end.call for end in ends if end.call is not None and end.op in _SQUASHING]
            outer = [c for c, __ in uses(step.trace, sample) if made and c.op == made[0].op]
            if len(ends) == 1 and made and outer:
                yield self.found(
                    message=_("{activation} is applied to a mean, and to its sample again").format(
                        activation=made[0].op
                    ),
                    location=made[0].location,
                    proof=_("without noise the result lies in {range}").format(
                        range="[−0.762, 0.762]" if made[0].op == "tanh" else "[0.5, 0.731]"
                    ),
                    why=_("the ends of the range are out of reach"),
                    fix=without(made[0]),
                )
