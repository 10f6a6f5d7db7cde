"""ACT106: negative log-likelihood is given something that is no log-probability."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.capture.trace import Call
from actlab.checker.analysis import tensor_tests
from actlab.checker.analysis.logits import softmax_dim
from actlab.checker.analysis.losses import LossCall
from actlab.checker.analysis.mixtures import Mixture, mixtures
from actlab.checker.analysis.prediction import prediction_of
from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.reporting.fixes import replaced
from actlab.checker.rule import Case, Rule, Situation, limits
from actlab.checker.rules._batches import class_batch
from actlab.i18n import _
from actlab.text import decimal


def _softmax_head() -> Situation:
    net = nn.Sequential(nn.Linear(20, 10), nn.Softmax(dim=1))
    return Situation(net, nn.NLLLoss(), class_batch(10))


def _raw_logits() -> Situation:
    return Situation(nn.Linear(20, 10), nn.NLLLoss(), class_batch(10))


def _softmax_at_evaluation() -> Situation:
    net = nn.Linear(20, 2)
    x, y = class_batch(2)

    def step() -> Any:
        with torch.no_grad():
            return F.nll_loss(F.softmax(net(x), dim=-1), y)

    return Situation(step=step)


def _mixture(log_weights: Callable[[Tensor], Tensor]) -> Situation:
    body, out = nn.Linear(20, 16), nn.Linear(16, 12)
    x, y = torch.randn(32, 20), torch.randn(32, 1)

    def step() -> Tensor:
        scores, mean, log_std = out(torch.tanh(body(x))).chunk(3, dim=1)
        log_density = -0.5 * ((y - mean) * (-log_std).exp()) ** 2 - log_std
        return -torch.logsumexp(log_weights(scores) + log_density, dim=1).mean()

    return Situation(step=step, model=nn.ModuleList([body, out]))


def _mixture_of_raw_weights() -> Situation:
    return _mixture(lambda scores: scores)


def _mixture_of_weights() -> Situation:
    return _mixture(lambda scores: F.log_softmax(scores, dim=1))


def _mixture_of_densities(positive: Callable[[Tensor], Tensor]) -> Situation:
    body, out = nn.Linear(20, 16), nn.Linear(16, 12)
    x, y = torch.randn(32, 20), torch.randn(32, 1)

    def step() -> Tensor:
        scores, mean, log_std = out(torch.tanh(body(x))).chunk(3, dim=1)
        normal: Any = torch.distributions.Normal(mean, log_std.exp())
        density = normal.log_prob(y).exp()
        return -torch.log((positive(scores) * density).sum(dim=1) + 1e-8).mean()

    return Situation(step=step, model=nn.ModuleList([body, out]))


def _mixture_of_softplus_weights() -> Situation:
    return _mixture_of_densities(F.softplus)


def _mixture_of_softmax_weights() -> Situation:
    return _mixture_of_densities(lambda scores: scores.softmax(1))


def _mixture_of_logistic_weights() -> Situation:
    return _mixture(F.logsigmoid)


def _log_softmax_head() -> Situation:
    net = nn.Sequential(nn.Linear(20, 10), nn.LogSoftmax(dim=1))
    return Situation(net, nn.NLLLoss(), class_batch(10))


def _log_taken_by_the_loss() -> Situation:
    net = nn.Sequential(nn.Linear(20, 10), nn.Softmax(dim=1))
    return Situation(net, lambda p, y: F.nll_loss(torch.log(p + 1e-8), y), class_batch(10))


class NllOnNonLogProbability(Rule):
    """Negative log-likelihood is given something else than log-probabilities.

    ## What it does

    Reports `nll_loss` (and `ctc_loss`) whose input is not normalised: the logarithm of the sum of
    exponentials along the class dimension is not 0. So for the weights of a mixture of densities,
    -logsumexp(weights + log-densities) or -log(sum(weights * densities)). What a `log_softmax` over
    another dimension made is left to ACT203 and ACT205.

    ## Why is this bad?

    `nll_loss` takes no logarithm; it picks the entry of the right class and negates it. On
    probabilities the loss lies in [-1, 0] and rewards little for being right; on raw scores it is
    unbounded below and training drives all scores up.

    ## Example

        model = nn.Sequential(nn.Linear(20, 10), nn.Softmax(dim=1))
        loss = nn.NLLLoss()(model(x), y)

    ## Use instead

        model = nn.Sequential(nn.Linear(20, 10), nn.LogSoftmax(dim=1))
        loss = nn.NLLLoss()(model(x), y)

    ## Sources

    - PyTorch, `torch.nn.NLLLoss`: "the input is expected to contain log-probabilities".
    - https://github.com/pytorch/pytorch/issues/10033
    """

    code = "ACT106"
    name = "nll-on-non-log-probability"
    severity = "error"
    looks_at = "likelihoods"
    thresholds = limits(logsumexp=1e-3)
    faulty = (
        Case(_softmax_head, "error"),
        Case(_raw_logits, "error"),
        Case(_softmax_at_evaluation, "error"),
        Case(_mixture_of_raw_weights, "error"),
        Case(_mixture_of_softplus_weights, "error"),
        Case(_mixture_of_logistic_weights, "error"),
    )
    clean = (
        Case(_log_softmax_head),
        Case(_log_taken_by_the_loss),
        Case(_mixture_of_weights),
        Case(_mixture_of_softmax_weights),
    )

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each negative log-likelihood on what is not normalised."""
        for loss in step.loss_calls:
            if loss.kind not in ("nll_loss", "ctc_loss") or not loss.input.intact:
                continue
            error = tensor_tests.log_simplex_error(loss.input.tensor, loss.class_dim)
            made = [origin.op for origin in step.origins(loss.input)]
            if math.isnan(error) or error <= self._limit(loss) or set(made) == {"log_softmax"}:
                continue
            yield self._finding(step, loss, error)
        for mixture in mixtures(step):
            yield from self._of_mixture(mixture)

    def _of_mixture(self, mixture: Mixture) -> Iterator[Finding]:
        if not mixture.weights.intact:
            return
        weights = mixture.weights.tensor
        error = tensor_tests.log_simplex_error(
            weights if mixture.logged else weights.detach().log(), mixture.dim
        )
        if math.isnan(error) or error <= self.limits["logsumexp"]:
            return
        yield self.found(
            message=_("the weights of a mixture are not normalised"),
            location=mixture.call.location,
            proof=_(
                "the log of the sum of their exponentials is off 0 by {error}; the loss has no "
                "lower bound"
            ).format(error=decimal(error))
            if mixture.logged
            else _(
                "the log of the sum of the weights is off 0 by {error}; the loss has no lower bound"
            ).format(error=decimal(error)),
            why=_("the loss falls for ever when all weights rise, whatever the densities say"),
            fix="log_weights = F.log_softmax(scores, dim=-1)"
            if mixture.logged
            else "weights = F.softmax(scores, dim=-1)",
        )

    def _limit(self, loss: LossCall) -> float:
        rounding = 8 * torch.finfo(loss.input.tensor.dtype).eps
        return max(self.limits["logsumexp"], rounding)

    def _finding(self, step: Step, loss: LossCall, error: float) -> Finding:
        prediction = prediction_of(step, loss.input, loss.class_dim)
        if prediction is not None and prediction.kind == "simplex" and prediction.maker is not None:
            return self.found(
                message=_("negative log-likelihood is given probabilities, without a logarithm"),
                location=prediction.maker.location,
                proof=_("the loss can only lie in [-1, 0]; it is the mean of -p, not of -log p"),
                why=_("being sure and wrong costs no more than being unsure: weak gradients"),
                fix=_with_log(prediction.maker, loss),
            )
        return self.found(
            message=_("negative log-likelihood is given numbers that are no log-probabilities"),
            location=loss.call.location,
            proof=_(
                "the log of the sum of exponentials over the classes is off 0 by {error}; the loss "
                "has no lower bound"
            ).format(error=decimal(error)),
            why=_("the loss falls for ever when all scores rise, right or wrong"),
            fix="loss = F.cross_entropy(scores, y)",
        )


def _with_log(maker: Call, loss: LossCall) -> str:
    """Return the line with log-softmax over the same dimension: a view may have come after it."""
    dim = softmax_dim(maker) if maker.op in ("softmax", "softmin") else loss.class_dim
    return replaced(maker, f"nn.LogSoftmax(dim={dim})", f"F.log_softmax({{x}}, dim={dim})")
