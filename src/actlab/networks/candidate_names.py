"""What a candidate's name may be, told without torch and without running anybody's code.

relu                  a name of the catalogue
leaky_relu(0.2)       one with parameters, by place or by name
x*tanh(exp(x))        a formula in x
FILE.py:Thing         the address of a class, of a module, or of a function of a tensor
"""

import ast
import re
import warnings
from collections.abc import Sequence
from itertools import combinations

from actlab import activations
from actlab.activations.formula import Expression, FormulaError, UnboundParameterError, parse
from actlab.errors import ActlabError, UnknownNameError
from actlab.i18n import _

_CALL = re.compile(r"(?P<name>[\w.:]+)\((?P<given>.*)\)", re.DOTALL)
_ADDRESS = re.compile(r"[^()*+]+:[A-Za-z_][\w.]*")
WORD = re.compile(r"[\w.:-]+")
"""What a name of the catalogue is made of."""


def is_code(name: str) -> bool:
    """Return whether a candidate is code of the user's own, named by its address.

    >>> [is_code(name) for name in ("net.py:Act", "torch:GELU", "x*tanh(x)", "leaky_relu(0.2)")]
    [True, False, False, False]
    """
    if _ADDRESS.fullmatch(name) is None:
        return False
    try:
        activations.get(name)
    except UnknownNameError:
        return True
    return False


def of_catalogue(name: str) -> activations.Function | None:
    """Return the function of the catalogue that a name stands for, its parameters bound, or None.

    Raises ParameterError for a parameter that the function does not have or admit.

    >>> of_catalogue("leaky_relu(0.2)").values, of_catalogue("x*tanh(x)")
    ({'negative_slope': 0.2}, None)
    """
    try:
        return activations.get(name)
    except UnknownNameError:
        pass
    called = _CALL.fullmatch(name.strip())
    given = None if called is None else _numbers(name.strip()[called.start("given") - 1 :])
    if called is None or given is None:
        return None
    try:
        function = activations.get(called["name"])
    except UnknownNameError:
        return None
    by_place, by_name = given
    names = [parameter.name for parameter in function.parameters]
    if len(by_place) > len(names):
        message = _("{function} has {count} parameters ({names}); {given} were given.")
        known = ", ".join(names) or _("none")
        raise activations.ParameterError(
            message.format(
                function=function.name, count=len(names), names=known, given=len(by_place)
            )
        )
    return function.bind(**dict(zip(names, by_place, strict=False)), **by_name)


def _numbers(arguments: str) -> tuple[list[float], dict[str, float]] | None:
    """Return the numbers in parentheses, by place and by name; None where other things are."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # what is no number is refused
            call = ast.parse(f"f{arguments}", mode="eval").body
        if not isinstance(call, ast.Call) or not (call.args or call.keywords):
            return None
        by_place = [float(ast.literal_eval(part)) for part in call.args]
        by_name = {str(part.arg): float(ast.literal_eval(part.value)) for part in call.keywords}
    except (SyntaxError, ValueError, TypeError):
        return None
    return by_place, by_name


def check_name(name: str) -> None:
    """Raise ActlabError for a name that stands for nothing; the user's own code is not run."""
    if is_code(name) or name.startswith("here:"):
        return
    function = of_catalogue(name)
    if function is not None:
        if function.kind != "scalar" and not is_gated(name):
            message = _("{name} does not map each value on its own, so a slot cannot take it")
            raise ActlabError(message.format(name=name))
        return
    if WORD.fullmatch(name):
        _check_value(name)
        activations.get(name)  # raises, with the nearest name
    formula_of(name)


def _check_value(name: str) -> None:
    """Raise UnknownNameError for a name that ends in a parameter, such as leaky_relu_0.2."""
    function, _underscore, value = name.rpartition("_")
    if re.fullmatch(r"\d+(\.\d+)?", value) is None:
        return
    meant = f"{function}({value})"
    try:
        known = of_catalogue(meant) is not None
    except ActlabError:  # no parameter, or none of that value
        known = False
    if known:
        message = _('There is no {kind} "{given}".').format(kind=_("activation"), given=name)
        hint = _('Did you mean "{near}"?').format(near=meant)
        raise UnknownNameError(f"{message} {hint}")


def is_gated(name: str) -> bool:
    """Return whether a candidate gives half as many values as it takes: a gated linear unit.

    >>> is_gated("swiglu"), is_gated("silu")
    (True, False)
    """
    function = None if is_code(name) or name.startswith("here:") else of_catalogue(name)
    return function is not None and function.output_width == "n/2"


def formula_of(name: str) -> Expression:
    """Return the formula in x that a name is; raises ActlabError where it is none."""
    try:
        expression = parse(name)
        expression.check({})
    except (FormulaError, UnboundParameterError) as error:
        message = _(
            "{name} must be a name of the catalogue (actlab functions list), a formula in x, or an "
            "address FILE.py:NAME. {reason}"
        )
        raise ActlabError(message.format(name=name, reason=error)) from None
    return expression


def same_entry(first: str, second: str) -> bool:
    """Return whether two names stand for one function of the catalogue, with the same values."""
    one, other = (
        None if name.startswith("here:") or is_code(name) else of_catalogue(name)
        for name in (first, second)
    )
    if one is None or other is None:
        return False
    return one.name == other.name and one.values == other.values


def is_plain(name: str) -> bool:
    """Return whether a name is of the catalogue, without parameters of the user's own."""
    return WORD.fullmatch(name) is not None and not is_code(name) and not name.startswith("here:")


def all_different(names: Sequence[str]) -> bool:
    """Return whether the catalogue alone says that no two names stand for the same function.

    >>> all_different(["relu", "silu"]), all_different(["silu", "swish_1", "x*sigmoid(x)"])
    (True, False)
    """
    return all(map(is_plain, names)) and not any(
        same_entry(first, second) for first, second in combinations(names, 2)
    )
