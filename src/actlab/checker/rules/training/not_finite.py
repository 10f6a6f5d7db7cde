"""ACT508: numbers that are none."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from actlab.capture import ops
from actlab.capture.location import Location
from actlab.capture.trace import Call, Value
from actlab.checker.analysis.step import Step
from actlab.checker.analysis.tensor_tests import readable
from actlab.checker.report import Finding
from actlab.checker.rule import Case, NotCheckable, Rule, Situation
from actlab.i18n import N_, _

_FIX = N_("# scale the inputs, or add a small number before log, sqrt and division")
_FIXES = {
    "masked_fill": N_("# fill with -inf before the softmax, and leave one score in every row"),
    "softmax": N_("# leave one score in every row unmasked: a row of -inf has no softmax"),
    "exp": N_("# clamp the exponent, or use torch.logsumexp"),
    "to": N_("# use torch.finfo(dtype).min in place of -1e9, and keep large numbers in float32"),
    "half": N_("# use torch.finfo(dtype).min in place of -1e9, and keep large numbers in float32"),
    "log": N_("# is it a probability? F.logsigmoid and F.log_softmax take scores"),
    "div": N_("# keep the divisor away from 0: x / y.clamp_min(1e-6)"),
    "sqrt": N_("# sqrt has no gradient at 0: torch.sqrt(x + 1e-12)"),
    "pow": N_("# clamp the base, or the power"),
}
_CASTS = frozenset({"to", "half", "type", "type_as"})
_UNFILLED = frozenset({"empty", "empty_like", "empty_strided", "new_empty"})
_LIMIT = 4000


@dataclass(frozen=True)
class Flaw:
    """What is not finite, where that began, and how, in words."""

    what: str
    location: Location
    origin: str
    op: str = ""


def is_finite(tensor: Tensor) -> bool:
    """Return whether every number is finite; True for what holds no real numbers.

    >>> is_finite(torch.tensor([1.0, float("nan")]))
    False
    """
    if not readable(tensor) or not tensor.is_floating_point():
        return True
    with torch.no_grad():
        plain = tensor.detach()
        if math.isfinite(plain.sum(dtype=torch.float64 if plain.is_cpu else None).item()):
            return True
        return bool(torch.isfinite(plain).all())


def flaw_of(step: Step) -> Flaw | None:
    """Return the first flaw of a step: in an input, a layer, the loss, a parameter, a gradient."""
    for name, parameter in step.parameters.items():
        if not is_finite(parameter):
            what = _("parameter {name}").format(name=name)
            return Flaw(what, Location(module=name), _("it was so before the step"))
    loss = step.trace.value_of(step.loss) if step.loss is not None else None
    for call in step.trace.calls:
        if call.op not in ops.LAYERS or not call.outputs or not call.output.intact:
            continue
        if not is_finite(call.output.tensor):
            place = call.module or call.op
            return _traced(call.output, _("the output of {place}").format(place=place))
    if loss is not None and not is_finite(loss.tensor):
        return _traced(loss, _("the loss"))
    return _flaw_of_gradients(step)


def _traced(value: Value, what: str) -> Flaw:
    """Walk back over calls that were given something that is not finite."""
    current = value
    for _step in range(_LIMIT):
        call = current.call
        if call is None:
            break
        guilty = next((v for v in call.inputs if v.intact and not is_finite(v.tensor)), None)
        if guilty is None or guilty.call is call:
            return Flaw(what, call.location, _of_call(call), call.op)
        current = guilty
    where = value.call.location if value.call is not None else Location()
    return Flaw(what, where, _("it was given to the step: the data hold NaN or infinity"))


def _of_call(call: Call) -> str:
    if call.op in _CASTS:
        return _(".{op} made infinity of finite numbers: they do not fit {dtype}").format(
            op=call.op, dtype=str(call.output.tensor.dtype).removeprefix("torch.")
        )
    if call.op in _UNFILLED:
        return _("{op} made memory that nobody filled").format(op=call.op)
    return _("{op} made it of finite numbers").format(op=call.op)


def _flaw_of_gradients(step: Step) -> Flaw | None:
    for name, gradient in step.gradients.items():
        if gradient is not None and not is_finite(gradient):
            return Flaw(
                _("the gradient of {name}").format(name=name),
                _place_of(step, name),
                _("the loss is finite, its gradient is not"),
            )
    return None


def _place_of(step: Step, name: str) -> Location:
    for layer in step.layers:
        if step.name_of(layer.weight) == name:
            return layer.call.location
    return Location(module=name.rpartition(".")[0] or None)


def _logarithm_of_zero() -> Situation:
    net = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 5), nn.ReLU())

    def loss(output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return -(output.log().gather(1, y[:, None])).mean()

    return Situation(net, loss, (torch.randn(64, 20), torch.arange(64) % 5))


def _missing_value_in_the_data() -> Situation:
    net = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 5))
    x = torch.randn(64, 20)
    x[3, 4] = float("nan")
    return Situation(net, nn.CrossEntropyLoss(), (x, torch.arange(64) % 5))


def _gradient_of_a_root_at_zero() -> Situation:
    net = nn.Linear(20, 5)
    x = torch.zeros(8, 20)

    def loss(output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return (output - output.detach()).square().sum(dim=1).sqrt().mean() + 0.0 * y.sum()

    return Situation(net, loss, (x, torch.zeros(8)))


def _masked_scores() -> Situation:
    net = nn.Linear(20, 5)
    allowed = torch.tensor([True, True, True, False, True])

    def loss(output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        masked = output.masked_fill(~allowed, float("-inf"))
        return nn.functional.cross_entropy(masked, y)

    return Situation(net, loss, (torch.randn(64, 20), torch.arange(64) % 3))


def _plain_network() -> Situation:
    net = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 5))
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(64, 20), torch.arange(64) % 5))


class NotFinite(Rule):
    """NaN or infinity in the step.

    ## What it does

    Looks at the loss, the gradients, the parameters, and at what layers and activations put out. A
    NaN or an infinity is traced back to the first call that made one of finite numbers, or to the
    input that brought it. Minus infinity as a mask before a softmax is no fault.

    ## Why is this bad?

    A NaN spreads: the next step makes every weight NaN, and the training is lost from there on.

    ## Example

        loss = -torch.log(probabilities).mean()

    ## Use instead

        loss = -F.log_softmax(scores, dim=1).mean()

    ## Sources

    - All earlier tools have this rule; DeepLocalize (Wardat et al., ICSE 2021) names the layer.
    - Roots and norms at zero: https://github.com/pytorch/pytorch/issues/4864.
    """

    code = "ACT508"
    name = "not-finite"
    severity = "error"
    faulty = (
        Case(_logarithm_of_zero, "error"),
        Case(_missing_value_in_the_data, "error"),
        Case(_gradient_of_a_root_at_zero, "error"),
    )
    clean = (Case(_plain_network), Case(_masked_scores))

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding where a number is none."""
        flaw = flaw_of(step)
        if flaw is not None:
            yield self.judge(flaw)
        elif step.no_gradient_reason is not None:
            raise NotCheckable(_("no gradients: {reason}").format(reason=step.no_gradient_reason))

    def judge(self, flaw: Flaw) -> Finding:
        """Return the finding for one flaw."""
        return self.found(
            message=_("{what} is not finite").format(what=flaw.what),
            location=flaw.location,
            proof=flaw.origin,
            why=_("NaN spreads: the next step makes every weight NaN"),
            fix=_(_FIXES.get(flaw.op, _FIX)),
        )
