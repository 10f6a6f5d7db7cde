"""ACT111: probabilities where a distribution expects logits."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from actlab.capture.trace import Call, Value
from actlab.checker.analysis.logits import greatest_probability, sigmoid, softmax_dim
from actlab.checker.analysis.losses import of_binomial
from actlab.checker.analysis.prediction import prediction_of
from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.rule import Case, Rule, Situation
from actlab.checker.rules._batches import class_batch
from actlab.i18n import _
from actlab.text import decimal


def _policy_of_probabilities() -> Situation:
    policy = nn.Sequential(nn.Linear(20, 4), nn.Softmax(dim=-1))
    x, actions = class_batch(4)

    def step() -> Any:
        choice: Any = torch.distributions.Categorical(logits=policy(x))
        return -choice.log_prob(actions).mean()

    return Situation(step=step)


def _gumbel_of_frequencies() -> Situation:
    frequencies = torch.tensor([0.1, 0.2, 0.3, 0.4])
    return Situation(step=lambda: F.gumbel_softmax(frequencies, hard=True).sum())


def _policy_of_logits() -> Situation:
    policy = nn.Linear(20, 4)
    x, actions = class_batch(4)

    def step() -> Any:
        choice: Any = torch.distributions.Categorical(logits=policy(x))
        return -choice.log_prob(actions).mean()

    return Situation(step=step)


def _probs_by_name() -> Situation:
    policy = nn.Sequential(nn.Linear(20, 4), nn.Softmax(dim=-1))
    x, actions = class_batch(4)

    def step() -> Any:
        choice: Any = torch.distributions.Categorical(policy(x))
        return -choice.log_prob(actions).mean()

    return Situation(step=step)


class DistributionLogitsGivenProbabilities(Rule):
    """A distribution is given probabilities as its logits.

    ## What it does

    Reports `Categorical(logits=p)` and its relatives, and `gumbel_softmax(p)`, where p is a
    probability simplex, and `NegativeBinomial(n, logits=p)` where p lies in [0, 1].

    ## Why is this bad?

    Logits go through softmax once more: frequencies 0.1, 0.2, 0.3, 0.4 become 0.21, 0.24, 0.26,
    0.29. A policy can then never be sure of an action.

    ## Example

        action = Categorical(logits=torch.softmax(policy(state), dim=-1)).sample()

    ## Use instead

        action = Categorical(logits=policy(state)).sample()
        action = Categorical(probs=torch.softmax(policy(state), dim=-1)).sample()

    ## Sources

    - https://github.com/pytorch/pytorch/issues/97851 (counts of gumbel_softmax on frequencies).
    """

    code = "ACT111"
    name = "distribution-logits-given-probabilities"
    severity = "error"
    looks_at = "distributions"
    faulty = (Case(_policy_of_probabilities, "error"), Case(_gumbel_of_frequencies, "error"))
    clean = (Case(_policy_of_logits), Case(_probs_by_name))

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each distribution whose logits are probabilities."""
        for loss in step.loss_calls:
            if loss.kind == "categorical_logits":
                yield from self._judge(step, loss.call, loss.input, loss.class_dim)
        for call in step.trace.calls:
            if call.op == "gumbel_softmax" and call.inputs:
                yield from self._judge(step, call, call.inputs[0], softmax_dim(call))
            elif of_binomial(call) and step.range_of(call.inputs[0]).within(0.0, 1.0):
                yield self._of_binomial(call)

    def _of_binomial(self, call: Call) -> Finding:
        return self.found(
            message=_("a negative binomial distribution is given probabilities as logits"),
            location=call.location,
            proof=_("sigmoid is applied to them again: all of them lie in [{low}, {high}]").format(
                low=decimal(sigmoid(0.0)), high=decimal(sigmoid(1.0))
            ),
            why=_("samples follow a flattened distribution, not the one that was given"),
            fix="NegativeBinomial(total_count, probs=p)",
        )

    def _judge(self, step: Step, call: Call, value: Value, dim: int) -> Iterator[Finding]:
        prediction = prediction_of(step, value, dim)
        classes = value.shape[dim] if value.tensor.ndim else 1
        if prediction is None or prediction.kind not in ("simplex", "unit") or classes < 2:
            return
        gumbel = call.op == "gumbel_softmax"
        yield self.found(
            message=_("gumbel_softmax is given probabilities as logits")
            if gumbel
            else _("a categorical distribution is given probabilities as logits"),
            location=call.location,
            proof=_(
                "softmax is applied to them again: no outcome gets a probability above {top} with "
                "{classes} outcomes"
            ).format(top=decimal(greatest_probability(classes)), classes=classes),
            why=_("samples follow a flattened distribution, not the one that was given"),
            fix="F.gumbel_softmax(p.log())" if gumbel else "Categorical(probs=p)",
        )
