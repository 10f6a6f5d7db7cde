"""ACT305: a critic or a ranking score that cannot leave a range."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.capture import ops
from actlab.capture.trace import Call, Value
from actlab.checker.analysis.origins import HANDED_ON, is_nudge
from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.reporting.fixes import without
from actlab.checker.rule import Case, Rule, Situation
from actlab.i18n import _

_LINEAR = HANDED_ON | {"mean", "sum", "neg", "sub", "add", "rsub", "div", "mul"}
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
    """A Wasserstein critic, a potential or a ranking score ends in a bounded activation.

    ## What it does

    For the tasks "critic" and "ranking", walks from the loss back through means, sums, differences
    and the usual links to what the model says, and reports sigmoid, tanh, a rectifier or another
    bounded activation there. Without a task it looks only at losses that are nothing but means and
    differences of outputs, as a Wasserstein critic's is.

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
    )
    clean = (
        Case(_linear_critic),
        Case(_sigmoid_for_display_only),
        Case(_pairs_through_a_sigmoid_link),
    )

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each bounded activation that a critic's loss reads."""
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
