"""ACT201: softmax over a single element: the constant 1."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from actlab.capture import ops
from actlab.capture.trace import Call
from actlab.checker.analysis.logits import softmax_dim
from actlab.checker.analysis.origins import axis_before, origins
from actlab.checker.analysis.prediction import output_calls
from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.reporting.fixes import replaced
from actlab.checker.rule import Case, Rule, Situation
from actlab.checker.rules._batches import label_batch
from actlab.i18n import _

_SCALING = ops.VIEWS | ops.DROPOUTS | {"mul", "div", "add", "sub"}


def _one_unit_head() -> Situation:
    net = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 1), nn.Softmax(dim=1))
    return Situation(net, nn.BCELoss(), label_batch())


def _attention_over_the_score_itself() -> Situation:
    class Additive(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.query, self.out = nn.Linear(8, 8), nn.Linear(8, 1)
            self.w_g = nn.Parameter(torch.randn(8, 1))

        def forward(self, x: torch.Tensor) -> Any:
            q = self.query(x)
            weights = torch.softmax(q @ self.w_g * 8**-0.5, dim=-1)
            return self.out((weights * q).sum(dim=1))

    return Situation(Additive(), nn.MSELoss(), (torch.randn(6, 5, 8), torch.randn(6, 1)))


def _two_units() -> Situation:
    net = nn.Sequential(nn.Linear(20, 2), nn.LogSoftmax(dim=1))
    x, y = label_batch()
    return Situation(net, nn.NLLLoss(), (x, y[:, 0].long()))


def _sigmoid_head() -> Situation:
    net = nn.Sequential(nn.Linear(20, 1), nn.Sigmoid())
    return Situation(net, nn.BCELoss(), label_batch())


class SoftmaxOverOne(Rule):
    """Softmax is taken over a dimension of one element.

    ## What it does

    Reports a softmax whose dimension has a single element. It is an error if the length is fixed by
    the model (the last layer has one unit), information if it follows the length of the input (the
    first step of a decoder looks at one key): the weights say which, or a run on a longer input.

    ## Why is this bad?

    The output is exactly 1 for every input and the gradient is exactly 0: nothing before it learns.

    ## Example

        model = nn.Sequential(nn.Linear(50, 1), nn.Softmax(dim=1))

    ## Use instead

        model = nn.Sequential(nn.Linear(50, 1), nn.Sigmoid())

    ## Sources

    - Keras, "You are using a softmax over axis -1 of a tensor of shape (None, 1)".
    - https://github.com/vllm-project/vllm/pull/18313, https://stackoverflow.com/q/45337371
    """

    code = "ACT201"
    name = "softmax-over-one"
    severity = "error"
    looks_at = "softmaxes"
    faulty = (Case(_one_unit_head, "error"), Case(_attention_over_the_score_itself, "error"))
    clean = (Case(_two_units), Case(_sigmoid_head))

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each softmax over one element."""
        heads = {id(call) for call in output_calls(step)}
        for call in step.trace.calls:
            if call.op not in ops.NORMALISERS or not call.inputs:
                continue
            given = call.inputs[0]
            dim = softmax_dim(call)
            if given.tensor.ndim == 0 or given.shape[dim] != 1 or given.tensor.numel() == 0:
                continue
            if dim == 0 and step.batch_size == 1 and given.tensor.ndim > 1:
                continue  # one sample: ACT203 has the batch dimension
            yield self._finding(step, call, dim, id(call) in heads)

    def _finding(self, step: Step, call: Call, dim: int, head: bool) -> Finding:
        fixed = is_fixed(step, call, dim)
        certain = fixed if fixed is not None else head
        shape = tuple(call.inputs[0].shape)
        return self.found(
            severity="error" if certain else "info" if fixed is False else "warning",
            message=_("softmax over a dimension of one element is the constant 1"),
            location=call.location,
            proof=_(
                "dimension {dim} of shape {shape} has 1 element{reason}: output 1, gradient 0"
            ).format(
                dim=dim,
                shape=shape,
                reason=_(", fixed by the model") if fixed else "",
            ),
            why=_("nothing in front of it can learn")
            if certain
            else _("right for an input of this length; longer inputs have more elements")
            if fixed is False
            else _("whether longer inputs have more elements could not be tried"),
            fix=replaced(call, "nn.Sigmoid()", "torch.sigmoid({x})"),
        )


def is_fixed(step: Step, call: Call, dim: int) -> bool | None:
    """Return whether a dimension has its length from the model's weights; None if unknown."""
    by_weights = _fixed_by_weights(call, dim)
    return by_weights if by_weights is not None else _fixed_in_longer_runs(step, call, dim)


def _fixed_by_weights(call: Call, dim: int) -> bool | None:
    for end in origins(call.inputs[0], _SCALING):
        maker = end.call
        if maker is None or len(maker.inputs) < 2:
            continue
        given = end.value
        axis = axis_before(dim, end.passed)
        if axis is None:
            continue
        last, channels = axis == given.tensor.ndim - 1, max(given.tensor.ndim - 3, 1)
        weight = maker.inputs[1]
        learnt = weight.call is None and weight.tensor.requires_grad
        if maker.op == "linear" and last and weight.shape[0] == 1:
            return True
        if maker.op == "conv" and weight.shape[0] == 1 and axis == channels:
            return True
        if maker.op in ("matmul", "einsum") and learnt and last and weight.shape[-1] == 1:
            return True
    return None


def _fixed_in_longer_runs(step: Step, call: Call, dim: int) -> bool | None:
    answered: bool | None = None
    for axis, size in step.input_axes:
        longer = step.reruns.longer(axis, size)
        twin = longer.counterpart(call, step.trace) if longer is not None else None
        if twin is None:
            continue
        if twin.inputs[0].tensor.ndim > dim and twin.inputs[0].shape[dim] > 1:
            return False
        answered = True
    return answered
