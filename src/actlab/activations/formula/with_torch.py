"""The formula language in torch tensors, exactly as written: each word is the torch function of it.

Nothing is made safer here. This backend exists to show what the formula itself does to values and
gradients in float16, bfloat16 and float32; `FormulaModule` is the formula as a module.
"""

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import torch
from torch import Tensor, nn

from actlab.activations.formula import Expression
from actlab.activations.formula.evaluation import NumpyBackend
from actlab.activations.formula.nodes import Number

_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "abs": torch.abs,
    "sign": torch.sign,
    "floor": torch.floor,
    "sqrt": torch.sqrt,
    "exp": torch.exp,
    "expm1": torch.expm1,
    "log": torch.log,
    "log1p": torch.log1p,
    "erf": torch.erf,
    "sin": torch.sin,
    "cos": torch.cos,
    "tan": torch.tan,
    "atan": torch.atan,
    "sinh": torch.sinh,
    "cosh": torch.cosh,
    "tanh": torch.tanh,
    "asinh": torch.asinh,
    "sigmoid": torch.sigmoid,
    "softplus": torch.nn.functional.softplus,
    "relu": torch.relu,
}


class TorchBackend:
    """Values are tensors of the input's dtype; parts without the input stay Python floats.

    >>> from actlab.activations.formula import parse
    >>> x = torch.tensor([-1.0, 100.0], requires_grad=True)
    >>> parse("where(x>0, x, exp(x)-1)").evaluate(TorchBackend(), x).sum().backward()
    >>> x.grad
    tensor([0.3679,    nan])
    """

    as_written = True

    def __init__(self) -> None:
        self._scalars = NumpyBackend()

    def input(self, x: Tensor) -> Tensor:
        """Return the tensor itself."""
        return x

    def number(self, literal: Number) -> float:
        """Return the literal as a Python float, which takes the dtype of what it meets."""
        return literal.value

    def constant(self, name: str) -> float:
        """Return pi or e as a Python float."""
        return float(self._scalars.constant(name))

    def divide(self, left: Any, right: Any) -> Any:
        """Return left / right."""
        if _is_tensor(left, right):
            return left / right
        return float(self._scalars.divide(left, right))

    def power(self, left: Any, right: Any) -> Any:
        """Return left ** right."""
        if _is_tensor(left, right):
            return left**right
        return float(self._scalars.power(left, right))

    def call(self, function: str, arguments: tuple[Any, ...]) -> Any:
        """Return a function of the language."""
        if not _is_tensor(*arguments):
            return float(self._scalars.call(function, arguments))
        if function == "clip":
            return _clamp(*arguments)
        if function in ("max", "min"):
            join = _maximum if function == "max" else _minimum

            def joined(left: Any, right: Any) -> Any:
                if not _is_tensor(left, right):
                    return float(self._scalars.call(function, (left, right)))
                return join(left, right)

            return reduce(joined, arguments)
        return _FUNCTIONS[function](arguments[0])

    def both(self, left: Any, right: Any) -> Any:
        """Return where both truths hold."""
        return left & right

    def either(self, left: Any, right: Any) -> Any:
        """Return where at least one of two truths holds."""
        return left | right

    def choose(self, condition: Any, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
        """Return torch.where: both branches are computed, and both have a gradient."""
        if not _is_tensor(condition):
            return then() if condition else otherwise()
        first, second = then(), otherwise()
        if not _is_tensor(first, second):
            # Two plain numbers: float64, so that the operation that follows rounds them once.
            first = torch.tensor(first, dtype=torch.float64, device=condition.device)
        return torch.where(condition, _fitting(first, second), _fitting(second, first))

    def result(self, value: Any, x: Tensor) -> Tensor:
        """Return a tensor of the shape and dtype of x."""
        if not _is_tensor(value):
            # By way of float64: a number beyond the dtype rounds to infinity, and is no error.
            return torch.full_like(x, value, dtype=torch.float64).to(x.dtype)
        outcome: Tensor = value.to(x.dtype)
        return outcome


def _is_tensor(*values: Any) -> bool:
    return any(isinstance(value, Tensor) for value in values)


def _fitting(value: Any, other: Any) -> Any:
    """Return a number as the dtype of the tensor that it meets rounds it: beyond, to infinity.

    Where torch turns a number into an element, it refuses one that is too large.
    """
    if isinstance(value, Tensor) or not other.dtype.is_floating_point:
        return value
    if abs(value) <= torch.finfo(other.dtype).max:
        return value
    return float(torch.tensor(value, dtype=torch.float64).to(other.dtype))


def _clamp(x: Any, low: Any, high: Any) -> Tensor:
    if not _is_tensor(low, high):
        return torch.clamp(x, _fitting(low, x), _fitting(high, x))
    return _minimum(_maximum(x, low), high)


def _maximum(left: Any, right: Any) -> Tensor:
    return _joined(torch.maximum, torch.clamp_min, left, right)


def _minimum(left: Any, right: Any) -> Tensor:
    return _joined(torch.minimum, torch.clamp_max, left, right)


def _joined(
    of_tensors: Callable[[Tensor, Tensor], Tensor],
    with_number: Callable[[Tensor, Any], Tensor],
    left: Any,
    right: Any,
) -> Tensor:
    if not _is_tensor(left):
        left, right = right, left
    if _is_tensor(right):
        return of_tensors(left, right)
    return with_number(left, _fitting(right, left))


class FormulaModule(nn.Module):
    """Evaluates a formula in torch; nothing is made safer than it is written.

    >>> from actlab.activations.formula import parse
    >>> FormulaModule(parse("x*tanh(x)"), {})(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """

    def __init__(self, expression: Expression, values: Mapping[str, float]) -> None:
        super().__init__()
        self.expression = expression
        self.values = dict(values)

    def forward(self, x: Tensor) -> Tensor:
        """Return f(x) in the shape and dtype of x."""
        result: Tensor = self.expression.evaluate(TorchBackend(), x, **self.values)
        return result

    def extra_repr(self) -> str:
        """Return the formula and its parameters."""
        given = "".join(f", {name}={value:g}" for name, value in self.values.items())
        return f"{self.expression.text}{given}"
