"""The formula language: parsed safely, evaluated three ways, typeset, differentiated.

>>> formula = parse("where(x>0, x, alpha*expm1(x))")
>>> formula.names
('alpha',)
>>> from actlab.activations.formula import NumpyBackend
>>> formula.evaluate(NumpyBackend(), [-1.0, 2.0], alpha=1.0).round(4)
array([-0.6321,  2.    ])
"""

from typing import TYPE_CHECKING, Any

from actlab.activations.formula.expression import Expression, parse
from actlab.activations.formula.parser import FormulaError

if TYPE_CHECKING:
    from actlab.activations.formula.with_mpmath import MpmathBackend
    from actlab.activations.formula.with_numpy import NumpyBackend
    from actlab.activations.formula.with_torch import TorchBackend

__all__ = [
    "Expression",
    "FormulaError",
    "MpmathBackend",
    "NumpyBackend",
    "TorchBackend",
    "parse",
]

_BACKENDS = {
    "MpmathBackend": "with_mpmath",
    "NumpyBackend": "with_numpy",
    "TorchBackend": "with_torch",
}


def __getattr__(name: str) -> Any:
    if name not in _BACKENDS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib  # a backend is loaded when it is asked for: torch takes seconds

    return getattr(importlib.import_module(f"{__name__}.{_BACKENDS[name]}"), name)
