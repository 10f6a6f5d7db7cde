"""Leaving everything as it was: modules, gradients and random numbers, restored exactly."""

import functools
import inspect
import random
import sys
import warnings
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

_CONTAINERS = (dict, OrderedDict, list, set, deque)
_REGISTRIES = frozenset(vars(nn.Module()))
"""What every module has; it is kept as attributes."""
_DEPTH = 4
_LONGEST = 10_000
"""How many items of a container that is not a registry are looked through."""


class Keeper:
    """Remembers modules and tensors as they are before a step, and puts them back.

    Kept are, for each module with all its parts: every attribute (the training mode and the
    registries of hooks are attributes), the contents of plain containers and of those within them,
    the numbers in parameters, buffers and other tensors that it holds, each one's gradient and
    whether it takes one, and the states of generators; for each optimizer its state and the
    settings of its groups, for each scheduler of a learning rate its attributes. Other objects that
    a module holds are left as a step leaves them.
    """

    def __init__(self) -> None:
        self._modules: dict[int, tuple[nn.Module, type, dict[str, Any], dict[str, Any]]] = {}
        self._tensors: dict[int, tuple[Tensor, Tensor]] = {}
        self._gradients: dict[int, tuple[Tensor, bool, Tensor | None, Tensor | None]] = {}
        self._containers: dict[int, tuple[Any, Any]] = {}
        self._generators: dict[int, Callable[[], None]] = {}
        self._optimizers: dict[int, _OptimizerState] = {}
        self._schedulers: dict[int, tuple[LRScheduler, dict[str, Any], dict[str, Any]]] = {}

    def remember_running(self, module: nn.Module) -> None:
        """Note the state of a module whose forward is about to run, unless that was done before.

        `functional_call` may have put other tensors in the place of its parameters for the time
        being; which tensors they are is therefore left to whoever put them there.
        """
        self._note(module, without=("_parameters", "_buffers"))

    def remember(self, module: nn.Module) -> None:
        """Note the state of a module and its parts, unless that was done before."""
        self._note(module, without=())

    def _note(self, module: nn.Module, without: tuple[str, ...]) -> None:
        if id(module) in self._modules:
            return
        for part in module.modules():
            if id(part) in self._modules:
                continue
            attributes = dict(part.__dict__)
            contents = {
                name: _copied(item)
                for name, item in attributes.items()
                if type(item) in _CONTAINERS and name not in without
            }
            self._modules[id(part)] = (part, type(part), attributes, contents)
            for tensor in (*part._parameters.values(), *part._buffers.values()):
                if tensor is not None:
                    self.remember_tensor(tensor)
            for name, item in attributes.items():
                if name not in _REGISTRIES:
                    self._remember_held(item)

    def _remember_held(self, item: Any, depth: int = 0) -> None:
        """Note tensors, generators and containers that a module holds as plain attributes."""
        if isinstance(item, Tensor):
            self.remember_tensor(item)
        elif type(item) in (*_CONTAINERS, tuple) and depth < _DEPTH and len(item) <= _LONGEST:
            if depth > 0 and type(item) is not tuple:
                self._containers.setdefault(id(item), (item, _copied(item)))
            for part in item.values() if isinstance(item, dict) else item:
                self._remember_held(part, depth + 1)
        elif id(item) not in self._generators:
            back = _state_of(item)
            if back is not None:
                self._generators[id(item)] = back

    def remember_tensor(self, tensor: Tensor) -> None:
        """Note the numbers in a tensor and its gradient, unless that was done before."""
        if id(tensor) in self._tensors or _is_uninitialised(tensor) or _is_wrapped(tensor):
            return
        self._tensors[id(tensor)] = (tensor, tensor.detach().clone())
        if tensor.is_leaf:
            gradient = tensor.grad
            copy = None if gradient is None else gradient.detach().clone()
            self._gradients[id(tensor)] = (tensor, tensor.requires_grad, gradient, copy)

    def remember_training(self, part: Any) -> None:
        """Note the state of an optimizer or a scheduler, unless that was done before."""
        if isinstance(part, Optimizer):
            if id(part) not in self._optimizers:
                self._optimizers[id(part)] = _OptimizerState(part)
        elif isinstance(part, LRScheduler) and id(part) not in self._schedulers:
            attributes = dict(vars(part))
            contents = {n: _copied(v) for n, v in attributes.items() if type(v) in _CONTAINERS}
            self._schedulers[id(part)] = (part, attributes, contents)

    def restore(self) -> None:
        """Put everything back that was remembered, also where an interrupt comes meanwhile."""
        to_the_end(self._restore)

    def _restore(self) -> None:
        for state in self._optimizers.values():
            state.restore()
        for scheduler, attributes, contents in self._schedulers.values():
            vars(scheduler).clear()
            vars(scheduler).update(attributes)
            for name, before in contents.items():
                _refill(vars(scheduler)[name], before)
        for part, kind, attributes, contents in self._modules.values():
            if type(part) is not kind:
                part.__class__ = kind
            part.__dict__.clear()
            part.__dict__.update(attributes)
            for name, before in contents.items():
                _refill(part.__dict__[name], before)
        for container, before in self._containers.values():
            _refill(container, before)
        for back in self._generators.values():
            back()
        with torch.no_grad():
            for tensor, before in self._tensors.values():
                _put_back(tensor, before)
            for tensor, takes_one, gradient, before_gradient in self._gradients.values():
                if not tensor.is_leaf:  # a step added to it what has a graph
                    tensor.detach_()
                if tensor.requires_grad != takes_one:
                    tensor.requires_grad_(takes_one)
                if gradient is not None and before_gradient is not None:
                    gradient.detach().copy_(before_gradient)
                if tensor.grad is not gradient:
                    tensor.grad = gradient


def to_the_end(put_back: Callable[[], None]) -> None:
    """Call what puts something back; where it is interrupted (Ctrl-C), once more, and then raise.

    >>> to_the_end(lambda: None)
    """
    try:
        put_back()
    except BaseException:
        put_back()
        raise


class _OptimizerState:
    """The state of an optimizer as it is now: its numbers and the settings of its groups."""

    def __init__(self, optimizer: Optimizer) -> None:
        self._optimizer = optimizer
        self._groups = [(group, dict(group)) for group in optimizer.param_groups]
        self._entries = {
            parameter: (entry, dict(entry), _clones(entry))
            for parameter, entry in optimizer.state.items()
        }

    def restore(self) -> None:
        self._optimizer.param_groups[:] = [group for group, __ in self._groups]
        for group, settings in self._groups:
            _refill(group, settings)
        self._optimizer.state.clear()
        with torch.no_grad():
            for parameter, (entry, items, numbers) in self._entries.items():
                if isinstance(entry, dict):
                    _refill(entry, items)
                for tensor, before in numbers:
                    _put_back(tensor, before)
                self._optimizer.state[parameter] = entry


def _clones(entry: Any) -> list[tuple[Tensor, Tensor]]:
    items = entry.values() if isinstance(entry, dict) else ()
    return [(item, item.detach().clone()) for item in items if isinstance(item, Tensor)]


def _state_of(item: Any) -> Callable[[], None] | None:
    """Return what puts a generator of random numbers back, None for anything else."""
    if isinstance(item, torch.Generator):
        bits = item.get_state()
        return lambda: item.set_state(bits) and None
    if isinstance(item, random.Random):
        plain = item.getstate()
        return lambda: item.setstate(plain)
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return None
    if isinstance(item, numpy.random.Generator):
        item = item.bit_generator
    if isinstance(item, numpy.random.BitGenerator):
        state = item.state
        return functools.partial(setattr, item, "state", state)
    if isinstance(item, numpy.random.RandomState):
        arrays = item.get_state()
        return lambda: item.set_state(arrays)
    return None


@contextmanager
def switches_kept() -> Iterator[None]:
    """Give back torch's switches for the whole process that a step may set."""
    dtype, threads = torch.get_default_dtype(), torch.get_num_threads()
    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    anomaly = torch.is_anomaly_enabled()
    check_nan = torch.is_anomaly_check_nan_enabled()
    gradients, modes = torch.is_grad_enabled(), torch._C._len_torch_function_stack()
    autocast, filters = torch.is_autocast_enabled("cpu"), warnings.filters

    def put_back() -> None:
        # An interrupt while a `with` ends can leave what it set for the block.
        if warnings.filters is not filters:
            warnings.filters = filters
        while torch._C._len_torch_function_stack() > modes:
            torch._C._pop_torch_function_stack()
        if torch.is_grad_enabled() != gradients:
            torch.set_grad_enabled(gradients)
        if torch.is_autocast_enabled("cpu") != autocast:
            torch.set_autocast_enabled("cpu", autocast)
        if torch.get_default_dtype() is not dtype:
            torch.set_default_dtype(dtype)
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        if torch.are_deterministic_algorithms_enabled() != deterministic:
            torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
        if torch.is_anomaly_enabled() != anomaly:
            torch.autograd.set_detect_anomaly(anomaly, check_nan)

    try:
        yield
    finally:
        to_the_end(put_back)


@contextmanager
def random_state_kept() -> Iterator[None]:
    """Give back the state of every random number generator in use: torch, CUDA, numpy, Python."""
    cpu = torch.get_rng_state()
    cuda = torch.cuda.get_rng_state_all() if _cuda_in_use() else None
    plain = random.getstate()
    numpy = sys.modules.get("numpy")
    arrays = numpy.random.get_state() if numpy is not None else None

    def put_back() -> None:
        torch.set_rng_state(cpu)
        if cuda is not None:
            torch.cuda.set_rng_state_all(cuda)
        random.setstate(plain)
        if numpy is not None:
            numpy.random.set_state(arrays)

    try:
        yield
    finally:
        to_the_end(put_back)


def uninitialised_names(module: nn.Module) -> list[str]:
    """Return the parameters that wait for a first batch to learn their shape."""
    tensors = (*module.named_parameters(), *module.named_buffers())
    return [name for name, tensor in tensors if _is_uninitialised(tensor)]


def _cuda_in_use() -> bool:
    initialised: Callable[[], bool] = torch.cuda.is_initialized
    return torch.cuda.is_available() and initialised()


def _is_uninitialised(tensor: Tensor) -> bool:
    return bool(nn.parameter.is_lazy(tensor))


def _is_wrapped(tensor: Tensor) -> bool:
    """Return whether a tensor is one of many inside vmap, and lives no longer than that."""
    return bool(torch._C._functorch.is_functorch_wrapped_tensor(tensor))


def _put_back(tensor: Tensor, before: Tensor) -> None:
    if tensor.shape != before.shape or tensor.dtype != before.dtype:
        tensor.data = before
    elif tensor.layout is not torch.strided:
        return  # sparse tensors are not compared; nothing changes them in place
    elif not tensor.is_meta and not torch.equal(tensor.detach(), before):
        tensor.data.copy_(before)  # through .data: a graph that the user still holds stays valid


def _copied(container: Any) -> Any:
    return dict(container) if isinstance(container, dict) else list(container)


def _refill(container: Any, before: Any) -> None:
    if isinstance(container, dict):
        container.clear()
        container.update(before)
    elif isinstance(container, list):
        container[:] = before
    else:
        container.clear()
        if isinstance(container, set):
            container.update(before)
        else:
            container.extend(before)


def referred_to(step: Callable[..., Any], *kinds: type[Any]) -> tuple[Any, ...]:
    """Return the things of some kinds that a callable refers to, also through functions it calls.

    >>> net = nn.Linear(2, 2)
    >>> inner = lambda: net
    >>> referred_to(lambda: inner(), nn.Module)
    (Linear(in_features=2, out_features=2, bias=True),)
    """
    found: dict[int, Any] = {}
    seen: set[int] = set()
    pending: list[tuple[Any, int]] = [(step, 0)]
    while pending:
        item, depth = pending.pop()
        if id(item) in seen or depth > _DEPTH:
            continue
        seen.add(id(item))
        if isinstance(item, kinds):
            found[id(item)] = item
        elif not isinstance(item, nn.Module):
            pending.extend((part, depth + 1) for part in _parts(item))
    return tuple(found.values())


def _parts(item: Any) -> Iterator[Any]:
    if item is None or isinstance(item, (str, bytes, int, float, Tensor, type)):
        return
    if isinstance(item, functools.partial):
        yield from (item.func, *item.args, *item.keywords.values())
    elif isinstance(item, dict):
        yield from item.values()
    elif isinstance(item, (tuple, list, set)):
        yield from item
    elif inspect.ismethod(item):
        yield from (item.__self__, item.__func__)
    elif inspect.isfunction(item):
        yield from _of_function(item)
    elif not inspect.ismodule(item) and hasattr(item, "__dict__"):
        yield from list(vars(item).values())


def _of_function(function: Any) -> Iterator[Any]:
    yield getattr(function, "__wrapped__", None)
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # a name that is assigned later
            continue
    yield from (function.__globals__.get(name) for name in function.__code__.co_names)
    yield from function.__defaults__ or ()
