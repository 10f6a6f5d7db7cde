"""ACT506: a network that answers the same whatever it is asked."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from actlab.capture import ops
from actlab.checker.analysis.losses import LossCall
from actlab.checker.analysis.origins import ancestors
from actlab.checker.analysis.step import Step
from actlab.checker.analysis.tensor_tests import sample
from actlab.checker.report import Finding
from actlab.checker.rule import Case, NotCheckable, Rule, Situation
from actlab.i18n import _


def _dead_hidden_layer() -> Situation:
    hidden = nn.Linear(20, 16)
    nn.init.constant_(hidden.bias, -50.0)
    net = nn.Sequential(hidden, nn.ReLU(), nn.Linear(16, 5))
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(64, 20), torch.arange(64) % 5))


def _rectified_head_at_zero() -> Situation:
    head = nn.Linear(16, 1)
    nn.init.constant_(head.bias, -5.0)
    net = nn.Sequential(nn.Linear(20, 16), nn.Tanh(), head, nn.ReLU())
    return Situation(net, nn.MSELoss(), (torch.randn(64, 20), torch.rand(64, 1)))


def _varying_output() -> Situation:
    net = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 5))
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(64, 20), torch.arange(64) % 5))


def _head_that_starts_at_zero() -> Situation:
    head = nn.Linear(16, 5)
    nn.init.zeros_(head.weight)
    net = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), head)
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(64, 20), torch.arange(64) % 5))


def _learnt_scale_that_starts_small() -> Situation:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.token, self.gamma = (
                nn.Parameter(torch.ones(20)),
                nn.Parameter(torch.full((20,), 1e-6)),
            )
            self.body, self.head = nn.Linear(20, 20), nn.Linear(20, 5)

        def forward(self, x: Tensor) -> Tensor:
            scores: Tensor = self.head(self.token + self.gamma * torch.tanh(self.body(0.01 * x)))
            return scores

    return Situation(Scaled(), nn.CrossEntropyLoss(), (torch.randn(64, 20), torch.arange(64) % 5))


_SMALL = 0.01


class ConstantOutput(Rule):
    """The network gives the same answer to every sample.

    ## What it does

    Reports a prediction whose standard deviation over the batch is below one millionth of that of
    the inputs. A last layer whose weights are all zero, and a learnt scale next to 0 as in
    LayerScale, are usual ways to begin, and are not judged.

    ## Why is this bad?

    Nothing of the input reaches the output. A layer of dead units, a head that is stuck at zero or
    a signal that fades on the way through a deep network are the usual causes.

    ## Example

        nn.init.constant_(hidden.bias, -50.0)
        scores = out(torch.relu(hidden(x)))

    ## Use instead

        nn.init.zeros_(hidden.bias)
        scores = out(torch.relu(hidden(x)))

    ## Sources

    - Ben Braiek and Khomh, "Testing Feedforward Neural Networks Training Programs"
      (TheDeepChecker), TOSEM 2023: constant outputs.
    """

    code = "ACT506"
    name = "constant-output"
    severity = "warning"
    looks_at = "predictions"
    thresholds = {"ratio": 1e-6}  # noqa: RUF012  read only
    faulty = (Case(_dead_hidden_layer, "warning"), Case(_rectified_head_at_zero, "warning"))
    clean = (
        Case(_varying_output),
        Case(_head_that_starts_at_zero),
        Case(_learnt_scale_that_starts_small),
    )

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each prediction that does not vary over the batch."""
        predictions = [
            loss
            for loss in step.loss_calls
            if step.is_live(loss.input) and any(end.call for end in step.origins(loss.input))
        ]
        if not predictions:
            return
        spread = _greatest_spread(_inputs_of(step), step.batch_size)
        if spread is None:
            raise NotCheckable(_("it takes two samples that differ"))
        starts_at_zero = False
        for loss in predictions:
            own = _spread(loss.input.tensor, step.batch_size)
            if own is None or not own < self.limits["ratio"] * spread:
                continue
            if _starts_at_zero(loss):
                starts_at_zero = True
                continue
            if _starts_small(loss):
                raise NotCheckable(_("a learnt scale starts next to 0, as in LayerScale"))
            yield self._finding(loss, own, spread)
        if starts_at_zero:
            raise NotCheckable(_("the weights of the last layer are all zero"))

    def _finding(self, loss: LossCall, own: float, spread: float) -> Finding:
        maker = loss.input.call
        return self.found(
            message=_("the network gives the same answer to every sample"),
            location=maker.location if maker is not None else loss.call.location,
            proof=_(
                "over the batch the prediction varies by {own} (standard deviation), the input by "
                "{spread}"
            ).format(own=f"{own:.3g}", spread=f"{spread:.3g}"),
            why=_("nothing of the input reaches the output"),
            fix="hidden = F.leaky_relu(hidden)  # "
            + _("look for dead units and for fading layers"),
        )


def _inputs_of(step: Step) -> Iterator[Tensor]:
    """Yield what the step was given of each sample, targets left out."""
    for source in step.trace.sources:
        tensor = source.tensor
        is_target = id(tensor) in step.targets.ids and id(tensor) not in step.given_inputs
        if not tensor.requires_grad and not is_target:
            yield tensor


def _greatest_spread(tensors: Iterable[Tensor], samples: int | None) -> float | None:
    found = [spread for tensor in tensors if (spread := _spread(tensor, samples))]
    return max(found, default=None)


def _spread(tensor: Tensor, samples: int | None) -> float | None:
    """Return the root mean square, over elements, of the deviation over the batch."""
    numbers = sample(tensor)
    if numbers is None or numbers.ndim == 0 or numbers.shape[0] < 2:
        return None
    if samples is not None and tensor.shape[0] != samples:
        return None
    spread = float(numbers.std(dim=0).square().mean().sqrt())
    return spread if spread == spread else None


def _starts_small(loss: LossCall) -> bool:
    """Return whether a learnt scale on the way starts next to 0, as LayerScale and ReZero do."""
    for call in ancestors(loss.input):
        for value in call.inputs if call.op == "mul" else ():
            scale = value.tensor
            if isinstance(scale, nn.Parameter) and scale.ndim <= 1 and scale.numel() > 0:
                low, high = (float(end) for end in torch.aminmax(scale.detach()))
                if low == high and abs(high) < _SMALL:
                    return True
    return False


def _starts_at_zero(loss: LossCall) -> bool:
    for call in ancestors(loss.input, stop=ops.AFFINE):
        if call.op in ops.AFFINE:
            weights = [value.tensor for value in call.inputs[1:] if value.tensor.ndim > 1]
            if any(not bool(weight.any()) for weight in weights):
                return True
    return False
