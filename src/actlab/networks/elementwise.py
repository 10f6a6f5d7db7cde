"""Which modules are activations of single values: measured, whatever class they are of."""

import torch
from torch import Tensor, nn
from torch.nn.modules import activation as torch_activations
from torch.nn.modules.conv import _ConvNd

from actlab.records import SlotKind

_HOMES = (torch_activations.__name__, "actlab.activations.modules")
_NOT_ONE_TO_ONE = (
    nn.GLU,
    nn.LogSoftmax,
    nn.MultiheadAttention,
    nn.Softmax,
    nn.Softmax2d,
    nn.Softmin,
)
SWAPPED = "_actlab_activation"
"""The attribute of a module that was put in a slot."""


def module_kind(module: nn.Module) -> SlotKind | None:
    """Return the kind of slot that comes after a layer, None for what is no layer."""
    if isinstance(module, _ConvNd):
        return "conv"
    if isinstance(module, nn.Linear | nn.Bilinear) or type(module).__name__ == "Conv1D":
        return "fc"
    return None


def is_activation(module: nn.Module) -> bool:
    """Return whether a module, as it is registered, is an activation: a known class, or a leaf."""
    leaf = not any(True for _part in (*module.children(), *module.buffers()))
    return (leaf or _is_known(module)) and maps_single_values(module, (4, 8))


def maps_single_values(module: nn.Module, shape: tuple[int, ...]) -> bool:
    """Return whether a module maps single values: by its class where that is known, else measured.

    >>> maps_single_values(nn.Softmax(dim=1), (2, 8)), maps_single_values(nn.Linear(8, 8), (2, 8))
    (False, False)
    """
    if isinstance(module, _NOT_ONE_TO_ONE):
        return False
    return _is_known(module) or is_elementwise(module, shape)


def _is_known(module: nn.Module) -> bool:
    return type(module).__module__.startswith(_HOMES)


def activation_parameters(model: nn.Module) -> frozenset[str]:
    """Return the names of the parameters of activations: slopes and shapes, no layer's weights.

    >>> sorted(activation_parameters(nn.Sequential(nn.Linear(2, 3), nn.PReLU())))
    ['1.weight']
    """
    found = [
        path
        for path, module in model.named_modules()
        if (module_kind(module) is None and any(True for _p in module.parameters(recurse=False)))
        and (getattr(module, SWAPPED, False) or is_activation(module))
    ]
    swapped = [path for path, module in model.named_modules() if getattr(module, SWAPPED, False)]
    return frozenset(
        name
        for name, _value in model.named_parameters()
        if any(name.startswith(f"{path}.") for path in (*found, *swapped))
    )


def is_elementwise(module: nn.Module, shape: tuple[int, ...]) -> bool:
    """Return whether each output depends on its own input alone, and not linearly; measured.

    >>> is_elementwise(nn.GELU(), (2, 8)), is_elementwise(nn.Softmax(dim=1), (2, 8))
    (True, False)
    """
    generator = torch.Generator().manual_seed(20261129)
    first, second = (5 * torch.randn(shape, generator=generator) for _number in range(2))
    kept = torch.rand(shape, generator=generator) < 0.5
    mixed = torch.where(kept, first, second)
    training = {part: part.training for part in module.modules()}
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            module.eval()
            # A copy each, since some change their input in place.
            outputs = [module(x.clone()) for x in (first, mixed, (first + second) / 2, second)]
    except Exception:  # it takes something else: no activation of single values
        return False
    finally:
        for part, was in training.items():
            part.training = was
    if not all(isinstance(y, Tensor) and y.shape == first.shape for y in outputs):
        return False
    at_first, at_mixed, at_middle, at_second = outputs
    if not torch.allclose(at_first[kept], at_mixed[kept], rtol=1e-4, atol=1e-5):
        return False
    middle = (at_first + at_second) / 2
    return not torch.allclose(at_middle, middle, rtol=1e-3, atol=1e-4)
