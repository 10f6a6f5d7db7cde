"""ACT409: piecewise linear activations under a second derivative."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, hessian, vmap

from actlab.capture import ops
from actlab.capture.trace import Call, Trace, Value
from actlab.checker.analysis.origins import ancestors
from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.reporting.fixes import replaced
from actlab.checker.rule import Case, Rule, Situation
from actlab.i18n import _

_PIECEWISE = frozenset({"relu", "relu6", "leaky_relu", "prelu", "rrelu", "hardtanh", "threshold",
                        "hardsigmoid", "clamp", "abs", "softshrink", "hardshrink"})  # fmt: skip
_CURVED = (
    (ops.ELEMENTWISE_ACTIVATIONS - _PIECEWISE) | ops.NORMALISERS | ops.RECURRENT | ops.ATTENTION
    | {"sin", "cos", "exp", "pow", "square", "log", "sqrt", "reciprocal", "erf", "atan", "sinh",
       "cosh", "expm1", "log1p", "layer_norm", "rms_norm", "group_norm", "normalize", "softmax"}
)  # fmt: skip


def _equation(activation: type[nn.Module]) -> Situation:
    net = nn.Sequential(nn.Linear(1, 32), activation(), nn.Linear(32, 32), activation(),
                        nn.Linear(32, 1))  # fmt: skip

    def step() -> Tensor:
        x = torch.rand(64, 1, requires_grad=True)
        u = net(x)
        (du,) = torch.autograd.grad(u.sum(), x, create_graph=True)
        (curve,) = torch.autograd.grad(
            du.sum(), x, create_graph=True, allow_unused=True, materialize_grads=True
        )
        ends: Tensor = net(torch.zeros(1, 1))
        return (curve + torch.sin(3.0 * x)).square().mean() + ends.square().mean()

    return Situation(step=step, model=net)


def _rectifiers_in_an_equation() -> Situation:
    return _equation(nn.ReLU)


def _leaky_rectifiers_in_an_equation() -> Situation:
    return _equation(nn.LeakyReLU)


def _tanh_in_an_equation() -> Situation:
    return _equation(nn.Tanh)


def _transformed(activation: type[nn.Module], second: Callable[[Any], Any]) -> Situation:
    net = nn.Sequential(nn.Linear(1, 32), activation(), nn.Linear(32, 32), activation(),
                        nn.Linear(32, 1))  # fmt: skip
    points, ends = torch.rand(16, 1), torch.tensor([[0.0], [1.0]])

    def step() -> Tensor:
        curve = vmap(second(lambda x: net(x).sum()))(points).flatten()
        cost: Tensor = (curve + 1.0).square().mean() + net(ends).square().mean()
        return cost

    return Situation(step=step, model=net)


def _hessian_of_rectifiers() -> Situation:
    return _transformed(nn.ReLU, hessian)


def _gradient_of_a_gradient_of_rectifiers() -> Situation:
    return _transformed(nn.ReLU, lambda u: grad(lambda x: grad(u)(x).sum()))


def _hessian_of_tanh() -> Situation:
    return _transformed(nn.Tanh, hessian)


def _hessian_by_the_weights() -> Situation:
    first = nn.Linear(2, 4)
    net, x = nn.Sequential(first, nn.ReLU(), nn.Linear(4, 1)), torch.randn(8, 2)

    def step() -> Tensor:
        fixed = {name: p.detach() for name, p in net.named_parameters()}

        def loss(weight: Tensor) -> Tensor:
            out = functional_call(net, {**fixed, "0.weight": weight}, (x,))
            cost: Tensor = out.square().mean()
            return cost

        curve = hessian(loss)(first.weight)
        total: Tensor = loss(first.weight) + 1e-3 * curve.square().mean()
        return total

    return Situation(step=step, model=net)


def _penalty_on_a_first_gradient() -> Situation:
    critic = nn.Sequential(nn.Linear(8, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
    x = torch.randn(32, 8)

    def step() -> Tensor:
        seen = x.clone().requires_grad_()
        score: Tensor = critic(seen)
        (slope,) = torch.autograd.grad(score.sum(), seen, create_graph=True)
        penalty: Tensor = (slope.norm(dim=1) - 1).square().mean()
        return score.mean() + 10 * penalty

    return Situation(step=step, model=critic)


class PiecewiseLinearCurvature(Rule):
    """A loss needs the second derivative of a network of piecewise linear activations.

    ## What it does
    Reports a second `torch.autograd.grad` with respect to the same input, or `torch.func.hessian`
    and other transforms within each other, where every nonlinearity between that input and the
    network's output is piecewise linear. One derivative, as in a
    gradient penalty, is right.

    ## Why is this bad?
    The second derivative of ReLU is 0 wherever it exists, so the term of the loss that holds it is
    a constant: the equation is never learnt, while the boundary terms still are.

    ## Example
    ```python
    net = nn.Sequential(nn.Linear(1, 32), nn.ReLU(), nn.Linear(32, 1))
    ```

    ## Use instead
    ```python
    net = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 1))
    ```

    ## Sources
    - lululxvi/deepxde#80: https://github.com/lululxvi/deepxde/issues/80
    - Raissi, Perdikaris and Karniadakis 2019, Physics-informed neural networks.
    """

    code = "ACT409"
    name = "piecewise-linear-curvature"
    severity = "warning"
    looks_at = "derivatives"
    faulty = (
        Case(_rectifiers_in_an_equation, "warning"),
        Case(_leaky_rectifiers_in_an_equation, "warning"),
        Case(_hessian_of_rectifiers, "warning"),
        Case(_gradient_of_a_gradient_of_rectifiers, "warning"),
    )
    clean = (
        Case(_tanh_in_an_equation),
        Case(_penalty_on_a_first_gradient),
        Case(_hessian_of_tanh),
        Case(_hessian_by_the_weights),
    )

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each activation without curvature that a second derivative meets."""
        seen: set[int] = set()
        pairs = chain(_second_derivatives(step.trace), _nested_transforms(step.trace))
        for first, second, x in pairs:
            between = list(_between(first, x))
            bent = [call for call in between if call.op in _PIECEWISE]
            if not bent or any(_is_curved(step, call) for call in between):
                continue
            failed = second is step.trace.failed
            place = second if failed else bent[0]
            if id(bent[0]) not in seen:
                seen.add(id(bent[0]))
                yield self._finding(bent[0], place)

    def _finding(self, activation: Call, place: Call) -> Finding:
        return self.found(
            message=_("a second derivative is taken of a network of {activation}").format(
                activation=activation.op
            ),
            location=place.location,
            proof=_("the second derivative of {activation} is 0 wherever it exists").format(
                activation=activation.op
            ),
            why=_("the term of the loss that holds it is a constant, and nothing learns from it"),
            fix=replaced(activation, "nn.Tanh()", "torch.tanh({x})"),
        )


def _second_derivatives(trace: Trace) -> Iterator[tuple[Call, Call, Value]]:
    """Yield pairs of derivatives, one of the other, with the input that both are taken by."""
    calls = [*trace.calls, *([trace.failed] if trace.failed is not None else [])]
    taken = [
        call
        for call in calls
        if call.op == "autograd_grad" and len(call.args) + len(call.kwargs) > 1
    ]
    for second in taken:
        by = {id(value.tensor): value for value in _values(second, "inputs", 1)}
        made = {id(c) for v in _values(second, "outputs", 0) for c in ancestors(v)}
        for first in taken:
            if first is second or id(first) not in made:
                continue
            shared = [v for v in _values(first, "inputs", 1) if id(v.tensor) in by]
            leaves = [v for v in shared if not isinstance(v.tensor, nn.Parameter)]
            if leaves:
                yield first, second, leaves[0]


def _nested_transforms(trace: Trace) -> Iterator[tuple[Call, Call, Value]]:
    """Yield derivatives within derivatives by the same input, as transforms of torch.func take.

    A transform wraps its input, so that no value leads from the outer derivative to the inner one:
    the inner one lies between the beginning and the end of the outer.
    """
    began: dict[int, int] = {}
    forward: list[Call] = []
    done: list[tuple[int, Call, Value]] = []
    for call in trace.calls:
        if call.op == "make_dual":
            forward.append(call)
        elif call.op == "unpack_dual" and forward:
            forward.pop()
        elif call.op == "requires_grad_" and call.inputs:
            began[id(call.inputs[0].tensor)] = call.index
        elif call.op == "autograd_grad":
            for x in _values(call, "inputs", 1):
                start = began.get(id(x.tensor))
                if start is None or _is_weight(trace, x):
                    continue
                if any(dual.inputs[0].shape == x.shape for dual in forward if dual.inputs):
                    yield call, call, x
                for inner_start, inner, inner_x in done:
                    if start < inner_start and inner_x.shape == x.shape:
                        yield inner, call, inner_x
                done.append((start, call, x))


def _is_weight(trace: Trace, value: Value) -> bool:
    """Return whether a value is a parameter, or what a layer takes for one."""
    if isinstance(value.tensor, nn.Parameter):
        return True
    return any(
        call.op in ops.AFFINE and call.inputs[0] is not value for call in trace.users_of(value)
    )


def _values(call: Call, name: str, position: int) -> tuple[Value, ...]:
    given = call.argument(name, position)
    parts = given if isinstance(given, tuple) else (given,)
    return tuple(part for part in parts if isinstance(part, Value))


def _between(first: Call, x: Value) -> Iterator[Call]:
    """Yield the calls on the way from an input to what was differentiated by it."""
    reached = {id(x)}
    calls = sorted({c.index: c for v in _values(first, "outputs", 0) for c in ancestors(v)}.items())
    for __, call in calls:
        if any(id(value) in reached for value in call.inputs):
            reached.update(id(output) for output in call.outputs)
            yield call


def _is_curved(step: Step, call: Call) -> bool:
    """Return whether a call bends smoothly: by itself, or as a product of two that depend on x."""
    if call.op in _CURVED:
        return True
    products = ("mul", "div", "bilinear", *ops.PRODUCTS)
    return (
        call.op in products
        and sum(step.is_live(v) for v in call.inputs) > 1
        and not any(isinstance(v.tensor, nn.Parameter) for v in call.inputs)
    )
