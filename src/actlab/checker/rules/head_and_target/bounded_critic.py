"""ACT305: a critic or a ranking score that cannot leave a range."""

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.capture import ops
from actlab.capture.trace import Call, Value
from actlab.checker.analysis import tensor_tests
from actlab.checker.analysis.logits import softplus
from actlab.checker.analysis.origins import HANDED_ON, is_nudge, is_written_relu, origins
from actlab.checker.analysis.prediction import output_activations_of
from actlab.checker.analysis.step import Step
from actlab.checker.analysis.value_ranges import is_number
from actlab.checker.report import Finding
from actlab.checker.reporting.fixes import without
from actlab.checker.rule import Case, Rule, Situation
from actlab.i18n import _
from actlab.text import decimal

_LINEAR = HANDED_ON | {"mean", "sum", "neg", "sub", "add", "rsub", "div", "mul"}
_SQUASHING = frozenset({"sigmoid", "hardsigmoid", "tanh", "softsign"})
_MARGIN = 1e-3
"""What a hinge must cost at least before its margin is called out of reach."""

_LINKS = frozenset({
    "log", "logsigmoid", "softplus", "relu", "exp", "clamp", "maximum", "pow",
    "margin_ranking_loss", "triplet_margin_loss", "hinge_embedding_loss",
})  # fmt: skip


def _critic(*head: nn.Module) -> Situation:
    critic = nn.Sequential(nn.Linear(20, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1), *head)
    real, fake = torch.randn(8, 20), torch.randn(8, 20)
    return Situation(step=lambda: critic(fake).mean() - critic(real).mean(), model=critic)


def _sigmoid_critic() -> Situation:
    return _critic(nn.Sigmoid())


def _rectified_potential() -> Situation:
    situation = _critic(nn.ReLU())
    return Situation(step=situation.step, model=situation.model, task="critic")


def _sigmoid_scores_to_rank() -> Situation:
    net = nn.Linear(20, 1)
    better, worse = torch.randn(8, 20), torch.randn(8, 20)

    def step() -> Any:
        scores = torch.sigmoid(net(better)), torch.sigmoid(net(worse))
        return F.margin_ranking_loss(*scores, torch.ones(8, 1), margin=1.0)

    return Situation(step=step, task="ranking")


def _hinge(*head: nn.Module) -> Situation:
    critic = nn.Sequential(nn.Linear(20, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1), *head)
    real, fake = torch.randn(8, 20), torch.randn(8, 20)
    return Situation(
        step=lambda: F.relu(1 - critic(real)).mean() + F.relu(1 + critic(fake)).mean(),
        model=critic,
    )


def _sigmoid_below_a_margin() -> Situation:
    return _hinge(nn.Sigmoid())


def _linear_scores_below_a_margin() -> Situation:
    return _hinge()


def _signed_labels_for_a_sigmoid() -> Situation:
    net = nn.Linear(20, 1)
    x, y = torch.randn(8, 20), (torch.arange(8) % 2 * 2.0 - 1).unsqueeze(1)
    return Situation(step=lambda: (1 - y * torch.sigmoid(net(x))).clamp(min=0).mean(), model=net)


def _sigmoid_scores_of_pairs() -> Situation:
    net = nn.Linear(20, 1)
    better, worse = torch.randn(8, 20), torch.randn(8, 20)

    def step() -> Any:
        return -F.logsigmoid(torch.sigmoid(net(better)) - torch.sigmoid(net(worse))).mean()

    return Situation(step=step)


def _linear_critic() -> Situation:
    return _critic()


def _sigmoid_for_display_only() -> Situation:
    class Critic(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(20, 1)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            logit = self.fc(x)
            return torch.sigmoid(logit), logit

    critic = Critic()
    real, fake = torch.randn(8, 20), torch.randn(8, 20)
    return Situation(
        step=lambda: critic(fake)[1].mean() - critic(real)[1].mean(), model=critic, task="critic"
    )


def _pairs_through_a_sigmoid_link() -> Situation:
    net = nn.Linear(20, 1)
    better, worse = torch.randn(8, 20), torch.randn(8, 20)
    return Situation(step=lambda: -F.logsigmoid(net(better) - net(worse)).mean(), task="ranking")


class BoundedCritic(Rule):
    """A critic, a potential, a ranking score or the score of a hinge loss is bounded.

    ## What it does

    For the tasks "critic" and "ranking", walks from the loss back through means, sums, differences
    and the usual links to what the model says, and reports sigmoid, tanh, a rectifier or another
    bounded activation there. Without a task it looks only at losses that are nothing but means and
    differences of outputs, as a Wasserstein critic's is, at hinges, max(0, 1 - y score), whose
    margin is out of the activation's reach, and at the log-sigmoid of a difference of two sigmoid
    or tanh outputs, which no pair of samples can make small.

    ## Why is this bad?

    A critic estimates a distance by how far apart it can drive its two means; between 0 and 1 it
    saturates, its gradient vanishes, and the estimate is capped at 1. A score needs no range for
    ranking, only an order.

    ## Example

        critic = nn.Sequential(nn.Linear(20, 1), nn.Sigmoid())
        loss = critic(fake).mean() - critic(real).mean()

    ## Use instead

        critic = nn.Linear(20, 1)
        loss = critic(fake).mean() - critic(real).mean()

    ## Sources

    - Arjovsky, Chintala and Bottou, "Wasserstein GAN", ICML 2017: the critic has no sigmoid.
    - https://github.com/ozanciga/gans-with-pytorch/issues/2
    """

    code = "ACT305"
    name = "bounded-critic"
    severity = "warning"
    looks_at = "critics"
    faulty = (
        Case(_sigmoid_critic, "warning"),
        Case(_rectified_potential, "warning"),
        Case(_sigmoid_scores_to_rank, "warning"),
        Case(_sigmoid_below_a_margin, "warning"),
        Case(_signed_labels_for_a_sigmoid, "warning"),
        Case(_sigmoid_scores_of_pairs, "warning"),
    )
    clean = (
        Case(_linear_critic),
        Case(_linear_scores_below_a_margin),
        Case(_sigmoid_for_display_only),
        Case(_pairs_through_a_sigmoid_link),
    )

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each bounded activation that a critic's loss or a hinge reads."""
        yield from self._hinges(step)
        yield from self._pairs(step)
        yield from self._scores(step)

    def _hinges(self, step: Step) -> Iterator[Finding]:
        for call in step.trace.calls:
            hinge = call.op == "relu" or is_written_relu(call)
            if not hinge or not step.in_loss_code(call) or call.inputs[0].call is None:
                continue
            least, scores = _least(step, call.inputs[0])
            heads = output_activations_of(step, scores) if least > _MARGIN else ()
            if heads and heads[0].call.op in ops.BOUNDED:
                yield self.found(
                    message=_("the score of a hinge loss is bounded by {activation}").format(
                        activation=heads[0].name
                    ),
                    location=heads[0].call.location,
                    proof=_("scores reach {range}; a sample costs {least} at least").format(
                        range=step.range_of(scores), least=decimal(least)
                    ),
                    why=_("the margin is out of reach: no sample is ever right enough"),
                    fix=without(heads[0].call),
                )

    def _pairs(self, step: Step) -> Iterator[Finding]:
        for call in step.trace.calls:
            if call.op not in ("logsigmoid", "softplus", "sigmoid") or not step.in_loss_code(call):
                continue
            ends = origins(call.inputs[0], HANDED_ON | {"neg"})
            difference = ends[0].call if len(ends) == 1 else None
            if difference is None or difference.op != "sub" or len(difference.inputs) != 2:
                continue
            made = [end.call for part in difference.inputs for end in origins(part)]
            squashed = [one for one in made if one is not None and one.op in _SQUASHING]
            if not made or len(squashed) < len(made):
                continue
            if not all(step.is_live(one.output) for one in squashed):
                continue
            width = step.range_of(difference.output).high
            yield self.found(
                message=_("the scores of a pairwise loss are bounded by {activation}").format(
                    activation=squashed[0].op
                ),
                location=squashed[0].location,
                proof=_("scores reach {range}; a sample costs {least} at least").format(
                    range=step.range_of(squashed[0].output), least=decimal(softplus(-width))
                ),
                why=_("the margin is out of reach: no sample is ever right enough"),
                fix=without(squashed[0]),
            )

    def _scores(self, step: Step) -> Iterator[Finding]:
        asked = step.task_given and step.task in ("critic", "ranking")
        ranked = any(loss.kind == "margin_ranking_loss" for loss in step.loss_calls)
        if not asked and not ranked and (step.loss_calls or step.targets.tensors):
            return
        loss = step.trace.value_of(step.loss) if step.loss is not None else None
        if loss is None or (step.task_given and not asked):
            return
        ends = list(_ends(step, loss, through_links=asked or ranked))
        if not asked and not ranked and any(call.op not in ops.BOUNDED for call in ends):
            return  # something else than a critic's score is in this loss
        for call in ends:
            if call.op in ops.BOUNDED or (asked and call.op in ops.RECTIFIERS):
                yield self.found(
                    message=_("the score of a critic is bounded by {activation}").format(
                        activation=call.op
                    ),
                    location=call.location,
                    proof=_("scores reach {range}, differences of means at most {width}").format(
                        range=step.range_of(call.output),
                        width=f"{step.range_of(call.output).width:.3g}",
                    ),
                    why=_(
                        "a saturated critic passes no gradient; order and distance need no bound"
                    ),
                    fix=without(call),
                )


def _least(step: Step, value: Value) -> tuple[float, Value]:
    """Return the least that c - y * scores, c - scores or c + scores can be for the worst sample.

    And the scores. The least is -inf where the value is none of these.
    """
    nothing = -math.inf, value
    call = value.call
    if call is None or call.op not in ("add", "sub", "rsub") or len(call.inputs) != 1:
        return nothing
    numbers = [item for item in (*call.args, *call.kwargs.values()) if is_number(item)]
    if not numbers:
        return nothing
    margin = float(numbers[0])
    if call.op == "sub":
        margin = -margin
    sign = -1.0 if call.op == "rsub" else 1.0
    ends = origins(call.inputs[0])
    term = ends[0].value if len(ends) == 1 else call.inputs[0]
    low, high = step.range_of(term).low, step.range_of(term).high
    if term.call is not None and term.call.op == "mul" and len(term.call.inputs) == 2:
        term, labels = sorted(term.call.inputs, key=step.is_live, reverse=True)
        seen = tensor_tests.extremes(labels.tensor) if labels.intact else None
        if step.is_live(labels) or not step.is_live(term) or seen != (-1.0, 1.0):
            return nothing
        reach = step.range_of(term)
        worst = max(margin + min(sign * y * reach.low, sign * y * reach.high) for y in seen)
        return worst, term
    return margin + min(sign * low, sign * high), term


def _ends(step: Step, loss: Value, through_links: bool) -> Iterator[Call]:
    """Yield the calls of the model that a loss is computed from."""
    seen: set[int] = set()
    pending = [(loss, False)]
    while pending and len(seen) < 500:
        value, below_log = pending.pop()
        call = value.call
        if call is None or id(call) in seen:
            continue
        seen.add(id(call))
        linear = call.op in _LINEAR and (call.op != "mul" or _is_scaling(step, call))
        link = through_links and step.in_loss_code(call) and call.op in _LINKS
        squashed_log = below_log and call.op in ("sigmoid", "softmax")
        if linear or link or squashed_log or is_nudge(call):
            pending.extend((part, call.op == "log") for part in call.inputs)
        else:
            yield call


def _is_scaling(step: Step, call: Call) -> bool:
    """Return whether a product is one with a number, or with something that is not learnt."""
    return sum(step.is_live(value) for value in call.inputs) <= 1
