"""The contract of an activation: what a network, an optimiser and a checkpoint count on."""

import copy
import io
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

WIDTH = 12
"""Channels of the inputs on which an activation is tried."""

_REAL = (torch.float64, torch.float32, torch.float16, torch.bfloat16)


def assert_activation(make: Callable[[], nn.Module], *, elementwise: bool = True) -> None:
    """Raise AssertionError where an activation does not do what networks count on.

    `make` returns a new module each time. Its values keep dtype and device, in float16 and bfloat16
    as well; its input is left as it was; it says the same in evaluation twice; a copy and a
    checkpoint say the same as it; its gradients, those of its parameters too, are those of its
    values; and a training step leaves every number finite. With `elementwise`, shape and memory
    format are kept, any shape goes, and a batch gives what its samples give.

    >>> assert_activation(nn.GELU)
    >>> class Truncating(nn.Module):
    ...     def forward(self, x):
    ...         return x.float().relu()
    >>> assert_activation(Truncating)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    AssertionError: Truncating: torch.float64 goes in and torch.float32 comes out...
    """
    name = type(make()).__name__
    for dtype in _REAL:
        values, gradient = _value_and_gradient(_made(make).to(dtype), _input().to(dtype))
        came = values.dtype if values.dtype != dtype else gradient.dtype
        assert came == dtype, f"{name}: {dtype} goes in and {came} comes out"
        assert values.device == gradient.device, f"{name}: the device is not kept"
    _assert_no_effect(make, name)
    if elementwise:
        _assert_elementwise(make, name)
    _assert_copies(make, name)
    _assert_gradients(make, name)


def _made(make: Callable[[], nn.Module]) -> nn.Module:
    return make().eval()


def _input(*shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(7)
    return torch.randn(shape or (2, WIDTH, 3, 4), generator=generator)


def _value_and_gradient(module: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    points = x.detach().clone(memory_format=torch.preserve_format).requires_grad_()
    values = module(points)
    (gradient,) = torch.autograd.grad(values, points, torch.ones_like(values))
    return values.detach(), gradient


def _assert_no_effect(make: Callable[[], nn.Module], name: str) -> None:
    module, x = _made(make), _input()
    before = x.clone()
    first = module(x)
    assert torch.equal(x, before), f"{name}: it changes its input"
    assert torch.equal(first, module(x)), f"{name}: two evaluations differ"


def _assert_copies(make: Callable[[], nn.Module], name: str) -> None:
    module, other, x = _made(make), _made(make), _input()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(0.9)
    checkpoint = io.BytesIO()
    torch.save(module.state_dict(), checkpoint)
    checkpoint.seek(0)
    other.load_state_dict(torch.load(checkpoint, weights_only=True))
    assert torch.equal(module(x), other(x)), f"{name}: a checkpoint does not hold all of it"
    assert torch.equal(module(x), copy.deepcopy(module)(x)), f"{name}: a copy differs"


def _assert_gradients(make: Callable[[], nn.Module], name: str) -> None:
    module = _made(make).double()
    x = _input(2, WIDTH, 2).double().requires_grad_()
    names = [known for known, _parameter in module.named_parameters()]

    def apply(x: Tensor, *parameters: Tensor) -> Any:
        given = dict(zip(names, parameters, strict=True))
        return torch.func.functional_call(module, given, (x,))

    wrong = f"{name}: its gradients are not those of its values"
    assert torch.autograd.gradcheck(apply, (x, *module.parameters()), raise_exception=False), wrong
    network = nn.Sequential(nn.Linear(4, WIDTH), make(), nn.Flatten(), nn.LazyLinear(1))
    network(_input(8, 4))
    optimiser = torch.optim.SGD(network.parameters(), lr=0.01)
    network(_input(8, 4)).square().mean().backward()
    optimiser.step()
    finite = all(bool(parameter.isfinite().all()) for parameter in network.parameters())
    assert finite, f"{name}: a training step leaves numbers that are not finite"


def _assert_elementwise(make: Callable[[], nn.Module], name: str) -> None:
    module, x = _made(make), _input().to(memory_format=torch.channels_last)
    values, gradient = _value_and_gradient(module, x)
    assert values.shape == gradient.shape == x.shape, f"{name}: the shape is not kept"
    kept = values.is_contiguous(memory_format=torch.channels_last)
    assert kept, f"{name}: the memory format is not kept"
    for shape in ((), (0, 3)):
        found = module(torch.zeros(shape)).shape
        assert found == shape, f"{name}: shape {shape} gives {tuple(found)}"
    together, alone = module(x), torch.stack([module(sample) for sample in x])
    assert torch.allclose(together, alone), f"{name}: a batch gives other values than its samples"
