"""What a candidate's name stands for: a function of the catalogue, a formula, or the user's own.

relu                  a name of the catalogue
leaky_relu(0.2)       one with parameters, by place or by name
x*tanh(exp(x))        a formula in x
FILE.py:Thing         the address of a class, of a module, or of a function of a tensor
"""

import copy
import inspect
from collections.abc import Callable
from itertools import combinations
from typing import Any

import torch
from torch import Tensor, nn

from actlab import activations
from actlab.activations.formula.with_torch import FormulaModule
from actlab.addresses import find
from actlab.errors import SlotError
from actlab.i18n import _
from actlab.networks.candidate_names import (
    check_name,
    formula_of,
    is_code,
    is_gated,
    is_plain,
    of_catalogue,
    same_entry,
)
from actlab.networks.function_calls import OfFunction
from actlab.records import Slot

ActivationChoice = str | nn.Module | Callable[..., Any]
"""A name as of a candidate (`relu`, `leaky_relu(0.2)`, `x*tanh(x)`, `FILE.py:Thing`), a module to
copy, a function of a tensor, or anything that makes a new module when called; it may take `slot`
(what it is made for) and `width` (channels or features)."""

_NOWHERE = Slot("", "fc", "")


def choice_of(name: str) -> Any:
    """Return what makes the module that a name stands for: a factory, a module, or a function.

    Raises ActlabError for a name that stands for nothing, AddressError for an address that leads
    nowhere.

    >>> choice_of("leaky_relu(0.2)")()
    LeakyReLU(negative_slope=0.2)
    """
    if is_code(name) or name.startswith("here:"):
        with torch.random.fork_rng(devices=[]):  # loading its file may draw numbers
            return find(name)
    function = of_catalogue(name)
    if function is not None:
        return _factory(function)
    check_name(name)
    expression = formula_of(name)
    return lambda: FormulaModule(expression, {})


def module_of(choice: ActivationChoice, slot: Slot = _NOWHERE) -> nn.Module:
    """Return a new module for a slot.

    Raises SlotError for what makes no module, and as `choice_of` does.

    >>> module_of("x*tanh(x)")
    FormulaModule(x*tanh(x))
    """
    if isinstance(choice, str):
        choice = choice_of(choice)
    made: Any = choice
    module: Any = copy.deepcopy(made) if isinstance(made, nn.Module) else _called(made, slot)
    if not isinstance(module, nn.Module):
        message = _("What is put in {path} must be a torch module; got {kind}.")
        raise SlotError(message.format(path=slot.path, kind=type(module).__name__))
    return module


def _called(choice: Callable[..., Any], slot: Slot) -> Any:
    try:
        parameters = inspect.signature(choice).parameters
    except ValueError:  # a builtin such as torch.tanh
        return OfFunction(choice)
    known = {"slot": slot, "width": slot.width}
    given = {name: known[name] for name in parameters if name in known}
    required = [
        name
        for name, parameter in parameters.items()
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        and name not in known
    ]
    return OfFunction(choice) if required and not isinstance(choice, type) else choice(**given)


def _factory(function: activations.Function) -> Callable[[], nn.Module]:
    return lambda: function.module()


def same_functions(names: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the candidates that compute what an earlier one does, each with that one.

    Functions of the catalogue are the same where it says so; others are compared on numbers, by
    value, slope and what they learn.

    >>> same_functions(("gelu", "torch:gelu", "relu", "x*sigmoid(x)"))
    [('torch:gelu', 'gelu')]
    """
    found: dict[str, str] = {}
    behaviours: dict[str, list[Tensor] | None] = {}
    for first, second in combinations(names, 2):
        if first in found or second in found:
            continue
        if same_entry(first, second):
            found[second] = first
        elif is_plain(first) and is_plain(second):
            continue
        else:
            for name in (first, second):
                if name not in behaviours:
                    behaviours[name] = None if is_gated(name) else _behaviour(name)
            one, other = behaviours[first], behaviours[second]
            if one is not None and other is not None and _alike(one, other):
                found[second] = first
    return list(found.items())


def _behaviour(name: str) -> list[Tensor] | None:
    """Return values, slopes and what the parameters change, in float64; None if it fails."""
    # No point at a usual kink, where two versions of a function may have different slopes.
    points = torch.linspace(-7.9371, 8.0417, 331, dtype=torch.float64)
    try:
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            torch.manual_seed(20261129)
            tried = module_of(name).double().train()
            x = points.clone().requires_grad_()
            y = tried(x.clone())
            learnt = [p for p in tried.parameters() if p.requires_grad]
            found = [y.detach(), *torch.autograd.grad(y.sum(), x, retain_graph=True)]
            weighted = (y * torch.linspace(1.0, 2.0, len(points), dtype=torch.float64)).sum()
            if learnt:
                slopes = torch.autograd.grad(weighted, learnt, allow_unused=True)
                flat = [torch.zeros(1) if s is None else s.flatten() for s in slopes]
                found.append(torch.cat([part.double() for part in flat]).sort().values)
    except Exception:  # it wants a width, a shape or another kind of number: nobody's twin
        return None
    return found


def _alike(first: list[Tensor], second: list[Tensor]) -> bool:
    return len(first) == len(second) and all(
        one.shape == other.shape and torch.allclose(one, other, rtol=1e-6, atol=1e-7)
        for one, other in zip(first, second, strict=True)
    )
