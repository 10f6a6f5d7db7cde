"""What an activation of a network is called: the catalogue's name, with unusual parameters."""

from torch import nn

from actlab.capture.trace import Call

_SHAPES = {"leaky_relu": ("negative_slope", 0.01), "elu": ("alpha", 1.0), "celu": ("alpha", 1.0)}
"""Functions with a parameter: its name, and what it usually is."""


def name_of_module(module: nn.Module) -> str:
    """Return the catalogue's name of a module where its class has one, else its class's.

    Parameters that are not the usual ones are part of it.

    >>> name_of_module(nn.LeakyReLU(0.2)), name_of_module(nn.GELU("tanh"))
    ('leaky_relu(negative_slope=0.2)', 'gelu_tanh')
    """
    from actlab import activations
    from actlab.errors import UnknownNameError

    if not any(True for _parameter in module.parameters()):
        try:
            function = activations.get(module)
        except (UnknownNameError, activations.ParameterError):
            pass
        else:
            usual = activations.get(function.name).values
            changed = [f"{k}={v:g}" for k, v in function.values.items() if usual[k] != v]
            return f"{function.name}({', '.join(changed)})" if changed else function.name
    kind = type(module).__name__
    for name in (kind, kind.removesuffix("Activation")):
        try:
            return activations.get(name).name
        except UnknownNameError:
            continue
    return kind


def name_of_call(call: Call) -> str:
    """Return the catalogue's name of a functional call, with a parameter that is not usual."""
    if call.op == "clamp":
        return "relu" if call.argument("max", 2) is None else "relu6"
    if call.op == "gelu":
        return "gelu_tanh" if call.argument("approximate", 1) == "tanh" else "gelu"
    parameter, usual = _SHAPES.get(call.op, ("", None))
    given = call.argument(parameter, 1, usual)
    if isinstance(given, int | float) and given != usual:
        return f"{call.op}({parameter}={given:g})"
    return call.op
