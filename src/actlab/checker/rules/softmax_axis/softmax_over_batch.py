"""ACT203: softmax over the samples of a batch."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.capture import ops
from actlab.capture.reruns import same_rows
from actlab.capture.trace import Call
from actlab.checker.analysis.layers import feeds_a_layer
from actlab.checker.analysis.logits import compares_samples, softmax_dim
from actlab.checker.analysis.prediction import output_calls
from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding, Severity
from actlab.checker.reporting.fixes import replaced
from actlab.checker.rule import Case, NotCheckable, Rule, Situation
from actlab.checker.rules._batches import class_batch
from actlab.i18n import _


def _policy_for_one_state() -> Situation:
    policy = nn.Sequential(nn.Linear(4, 16), nn.LeakyReLU(), nn.Linear(16, 2), nn.Softmax(dim=0))
    states, rewards = torch.randn(12, 4), torch.randn(12)
    actions = torch.arange(12)[:, None] % 2

    def step() -> Any:
        chosen = policy(states).gather(1, actions).squeeze(1)
        return -(rewards * torch.log(chosen)).sum()

    return Situation(step=step)


def _log_softmax_over_samples() -> Situation:
    net = nn.Sequential(nn.Linear(20, 5), nn.LogSoftmax(dim=0))
    return Situation(net, nn.NLLLoss(), class_batch(5))


def _in_the_step() -> Situation:
    net = nn.Linear(20, 5)
    x, y = class_batch(5)

    def step() -> Any:
        return F.nll_loss(torch.log(net(x).softmax(0)), y)

    return Situation(step=step)


def _written_out_without_a_dimension() -> Situation:
    class OutputActivation(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(20, 5)

        def forward(self, x: Tensor) -> Any:
            e = torch.exp(self.fc(x))
            return torch.log(e / e.sum())

    return Situation(OutputActivation(), nn.NLLLoss(), class_batch(5))


def _pooled_by_parts(dim: int) -> Situation:
    embed, recurrent = nn.Embedding(40, 6), nn.GRU(6, 12, batch_first=True)
    score, out = nn.Linear(12, 1), nn.Linear(12, 3)
    x, y = torch.randint(40, (16, 9)), torch.arange(16) % 3

    def step() -> torch.Tensor:
        hidden, _state = recurrent(embed(x))
        weights = score(hidden).squeeze(-1).softmax(dim)
        return F.cross_entropy(out((weights.unsqueeze(-1) * hidden).sum(1)), y)

    return Situation(step=step, model=nn.ModuleList([embed, recurrent, score, out]))


def _weights_over_the_samples_of_parts() -> Situation:
    return _pooled_by_parts(0)


def _weights_over_the_time_of_parts() -> Situation:
    return _pooled_by_parts(1)


def _over_classes() -> Situation:
    net = nn.Sequential(nn.Linear(20, 5), nn.LogSoftmax(dim=1))
    return Situation(net, nn.NLLLoss(), class_batch(5))


def _contrastive_in_both_directions() -> Situation:
    net = nn.Linear(20, 8)
    x, y = torch.randn(6, 20), torch.randn(6, 20)

    def step() -> Any:
        pairs = F.normalize(net(x)) @ F.normalize(net(y)).T / 0.1
        return -(pairs.log_softmax(0).diag().mean() + pairs.log_softmax(1).diag().mean())

    return Situation(step=step)


def _pooled_over_time(dim: int) -> Situation:
    recurrent, score, out = nn.LSTM(6, 12), nn.Linear(12, 1), nn.Linear(12, 3)
    x, y = torch.randn(9, 16, 6), torch.arange(16) % 3

    def step() -> torch.Tensor:
        hidden, _state = recurrent(x)
        return F.cross_entropy(out((score(hidden).softmax(dim) * hidden).sum(0)), y)

    return Situation(step=step)


def _weights_over_a_batch_that_comes_second() -> Situation:
    return _pooled_over_time(1)


def _weights_over_time() -> Situation:
    return _pooled_over_time(0)


class SoftmaxOverBatch(Rule):
    """Softmax is taken over the samples of a batch.

    ## What it does

    Looks for a softmax (or a division by a sum) over the first dimension where that counts the
    samples, and confirms it: with every other sample exchanged, the first sample's output changes
    there although its input did not; or the columns sum to 1. At the end of the model or in the
    step it is an error; inside the model, where sequences may come first, a warning.

    ## Why is this bad?

    The samples of a batch compete with each other: what the model says of one depends on its
    neighbours and on the batch size. For a batch of one, the output is constant. It often starts
    as code for a single sample, where `dim=0` was right.

    ## Example

        probabilities = torch.softmax(scores, dim=0)  # scores: (samples, classes)

    ## Use instead

        probabilities = torch.softmax(scores, dim=-1)

    ## Sources

    - Ben Braiek and Khomh, "Testing Feedforward Neural Networks Training Programs"
      (TheDeepChecker), TOSEM 2023: the instance-wise operation check.
    - https://github.com/perone/euclidesdb/issues/2
    """

    code = "ACT203"
    name = "softmax-over-batch"
    severity = "error"
    looks_at = "softmaxes"
    faulty = (
        Case(_policy_for_one_state, "error"),
        Case(_log_softmax_over_samples, "error"),
        Case(_in_the_step, "error"),
        Case(_written_out_without_a_dimension, "error"),
        Case(_weights_over_a_batch_that_comes_second, "warning"),
        Case(_weights_over_the_samples_of_parts, "warning"),
    )
    clean = (
        Case(_over_classes),
        Case(_contrastive_in_both_directions),
        Case(_weights_over_time),
        Case(_weights_over_the_time_of_parts),
    )

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each softmax over the batch."""
        yield from self._of_later_dims(step)
        samples = step.batch_size
        suspects = [call for call in step.trace.calls if _spans_first_dim(call, samples)]
        if not suspects:
            return
        if samples is None or samples < 2:
            raise NotCheckable(
                _(
                    "the batch has {count} sample; softmax over the first dimension needs two"
                ).format(count=samples or _("no known"))
            )
        heads = {id(call) for call in output_calls(step)}
        unknown = False
        for call in suspects:
            head = id(call) in heads
            if call.output.tensor.ndim == 1 and not (head and _one_score_each(step, call)):
                continue  # weights over the parts of one thing, or a ranking of candidates
            mixes = _mixes_samples(step, call, samples)
            if mixes is None and head:
                mixes = call.op in ops.NORMALISERS
            if mixes is None and _is_of_samples(step, call):
                yield self._by_targets(step, call, 0, 1)
                continue
            unknown |= mixes is None
            if mixes:
                yield self._finding(step, call, _severity(step, call, head))
        if unknown:
            raise NotCheckable(
                _("a softmax over the first dimension ran where the model cannot be run again")
            )

    def _of_later_dims(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for weights over the samples of a batch that does not come first."""
        samples = _targets(step)
        for call in step.trace.calls:
            if call.op != "softmax" or not call.inputs or samples is None:
                continue
            dim, shape = softmax_dim(call), tuple(call.output.shape)
            time_first = len(shape) == 3 and shape[2] == 1 and dim == 1
            if not time_first or shape[1] != samples or shape[0] == samples:
                continue
            if feeds_a_layer(step.trace, call.output):
                yield self._by_targets(step, call, dim, 0)

    def _by_targets(self, step: Step, call: Call, dim: int, other: int) -> Finding:
        return self.found(
            severity="warning",
            message=_("softmax is taken over the samples of the batch"),
            location=call.location,
            proof=_(
                "shape {shape} is normalised over dimension {dim}, the only one that counts as "
                "many as there are targets, {samples}"
            ).format(shape=tuple(call.output.shape), dim=dim, samples=_targets(step)),
            why=_("a sample's prediction depends on its neighbours and on the batch size"),
            fix=f"weights = torch.softmax(scores, dim={other})",
        )

    def _finding(self, step: Step, call: Call, severity: Severity) -> Finding:
        shape = tuple(call.output.shape)
        return self.found(
            severity=severity,
            message=_("softmax is taken over the samples of the batch"),
            location=call.location,
            proof=_(
                "shape {shape} is normalised over dimension 0, the {samples} samples: exchanging "
                "the other samples changes the first one's output"
            ).format(shape=shape, samples=step.batch_size),
            why=_("a sample's prediction depends on its neighbours and on the batch size"),
            fix="p = torch.softmax(scores, dim=-1)"
            if call.op == "div"
            else replaced(call, *_over_last(call)),
        )


def _targets(step: Step) -> int | None:
    """Return how many samples the losses have a target for, None where they do not agree."""
    counts = {
        loss.target.shape[0]
        for loss in step.loss_calls
        if loss.target is not None and loss.target.tensor.ndim > 0
    }
    return counts.pop() if len(counts) == 1 and min(counts) > 1 else None


def _over_last(call: Call) -> tuple[str, str]:
    """Return the same activation over the last dimension, as a module and as a function."""
    if call.op == "log_softmax":
        return "nn.LogSoftmax(dim=-1)", "F.log_softmax({x}, dim=-1)"
    return "nn.Softmax(dim=-1)", "torch.softmax({x}, dim=-1)"


def _severity(step: Step, call: Call, head: bool) -> Severity:
    if head or step.in_loss_code(call):
        return "error"
    shape = call.output.shape
    if len(shape) == 2 and shape[0] == shape[1]:
        return "warning"  # as many features as samples, or a graph's nodes against each other
    flat = all(t.ndim == 2 and t.is_floating_point() for t in step.input_tensors)
    return "error" if flat or _samples_come_first(step) else "warning"


def _samples_come_first(step: Step) -> bool:
    """Return whether one target for each sample tells samples from positions of a sequence."""
    samples = step.batch_size
    targets = [loss.target for loss in step.loss_calls if loss.target is not None]
    if not targets or any(target.shape[:1] != (samples,) for target in targets):
        return False
    if any(target.tensor.numel() != samples for target in targets):
        return False
    given = [t.shape for t in step.input_tensors if t.ndim >= 2]
    return bool(given) and all(shape[0] == samples != shape[1] for shape in given)


def _spans_first_dim(call: Call, samples: int | None) -> bool:
    """Return whether a call normalises over a first dimension that counts samples."""
    if not call.inputs or call.inputs[0].tensor.ndim < 1:
        return False
    given = call.inputs[0]
    if samples is not None and (given.shape[0] == 0 or given.shape[0] % samples):
        return False
    if call.op in ("softmax", "log_softmax", "softmin"):
        return softmax_dim(call) == 0 and not compares_samples(given)
    return call.op == "div" and _divides_by_sum(call)


def _is_of_samples(step: Step, call: Call) -> bool:
    """Return whether only the first dimension of weights inside a model can count the samples."""
    samples = step.batch_size
    others = call.output.shape[1:]
    return (
        call.op == "softmax"
        and call.output.shape[0] == samples == _targets(step)
        and bool(others)
        and others[0] > 1
        and samples not in others
        and _samples_come_first(step)
        and feeds_a_layer(step.trace, call.output)
    )


def _one_score_each(step: Step, call: Call) -> bool:
    """Return whether the samples' single scores are compared with a label each."""
    if step.task_given and step.task == "ranking":
        return False
    return any(
        loss.target is not None
        and loss.target.shape == loss.input.shape == call.output.shape
        and loss.kind in ("bce", "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")
        for loss in step.loss_calls
    )


def _divides_by_sum(call: Call) -> bool:
    """Return whether a call is x / x.sum() over the samples, with or without a dimension."""
    if len(call.inputs) != 2 or call.inputs[0].tensor.ndim < 2:
        return False
    source, total = call.inputs[0], call.inputs[1].call
    if total is None or total.op != "sum" or total.inputs[0] is not source:
        return False
    return total.output.tensor.ndim == 0 or total.output.shape[0] == 1 != source.shape[0]


def _mixes_samples(step: Step, call: Call, samples: int) -> bool | None:
    """Return whether the first sample's output changes with the others; None if not seen."""
    before, after = step.reruns.same, step.reruns.others_changed
    if before is None or after is None:
        return None
    first = before.counterpart(call, step.trace)
    second = after.counterpart(call, step.trace)
    if first is None or second is None:
        return None
    same_output = same_rows(first.output, second.output, samples)
    return None if same_output is None else not same_output
