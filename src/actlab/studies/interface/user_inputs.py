"""A network and data of the user's: how they enter a plan, and are found again in a worker."""

import copy
import inspect
import io
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from actlab.data import is_file, pool_sizes, shared_sizes
from actlab.data.arrays import TABLES
from actlab.errors import AddressError, DataError
from actlab.files import write_bytes
from actlab.i18n import _
from actlab.records import Plan


@dataclass(frozen=True)
class FoundModel:
    """The name of a network in a plan, and whether worker processes can find it by that name.

    Where they cannot, `factory` makes it.
    """

    name: str
    travels: bool
    factory: Callable[[], Any] | None = None


def find_model(model: Any) -> FoundModel:
    """Return how to name a model: an address, a callable without arguments, or a module to copy.

    A callable that a module holds under its name is found by workers; any other (a notebook's
    function, a lambda, a module that is there already) is used in this process, or sent by value.

    Raises AddressError for anything else.
    """
    from torch import nn

    from actlab.networks import offer

    if isinstance(model, str):
        return FoundModel(absolute_address(model), travels=True)
    if isinstance(model, nn.Module):
        name = f"here:{type(model).__name__}"
        factory = partial(copy.deepcopy, model)
        offer(name, factory)
        return FoundModel(name, travels=False, factory=factory)
    if not callable(model):
        message = _(
            "model must be an address (file.py:build), a callable without arguments that makes a "
            "network, or a network; it is {kind}."
        )
        raise AddressError(message.format(kind=type(model).__name__))
    address = _address_of(model)
    if address is not None:
        return FoundModel(address, travels=True)
    name = f"here:{getattr(model, '__name__', 'model')}"
    offer(name, model)
    return FoundModel(name, travels=False, factory=model)


def without_missing_kinds(plan: Plan, named: Collection[str] = ()) -> Plan:
    """Return a plan in which one activation stands in for all of a kind that its network lacks.

    There is nothing to compare in such a kind of slot. Kinds that somebody `named` candidates for
    stay, so that it is refused to compare these in no slot. The network is run on the plan's data
    to see its slots.
    """
    from actlab import networks
    from actlab.studies.worker.inputs import example_rows

    if not networks.is_address(plan.network):
        return plan
    import torch

    with torch.random.fork_rng(devices=[]):
        missing = {"conv", "fc"} - networks.slot_kinds(plan.network, example_rows(plan.data))
    space = plan.space
    if "conv" in missing - set(named):
        space = replace(space, conv_activation=("relu",))
    if "fc" in missing - set(named):
        space = replace(space, fc_activation=("relu",))
    return replace(plan, space=space)


def absolute_address(address: str) -> str:
    """Return the address with the path of its file made absolute, so that any process finds it.

    Raises AddressError for a text that is no address.
    """
    place, colon, name = address.rpartition(":")
    if not colon or not place or not name or not address.isprintable():
        message = _('An address must look like pkg.module:Net or file.py:build; got "{given}".')
        raise AddressError(message.format(given=ascii(address)[1:-1]))
    return f"{Path(place).resolve()}:{name}" if place.endswith(".py") else address


def _address_of(factory: Callable[[], Any]) -> str | None:
    module, name = getattr(factory, "__module__", None), getattr(factory, "__qualname__", None)
    if not module or not name or module == "__main__" or "." in name:
        return None
    if getattr(sys.modules.get(module), name, None) is not factory:
        return None
    file = inspect.getsourcefile(sys.modules[module])
    return f"{Path(file).resolve()}:{name}" if file and "." not in module else f"{module}:{name}"


UserData = Path | str | Sequence[Any]
"""The path of an .npz file or a table, or the arrays (x, y) or (x, y, x_test, y_test)."""

_NAMES = ("x", "y", "x_test", "y_test")


def data_overrides(data: UserData, folder: Path, target: str | None = None) -> dict[str, Any]:
    """Return what own data lay over a plan; arrays are written to `data.npz` in `folder` first.

    They are split by shares, since the sizes that fit a preset's data say nothing for them.
    `target` is the column of a table that holds the classes. Raises DataError for what cannot be
    trained on.
    """
    path = Path(data) if isinstance(data, str | Path) else _written(data, folder)
    name = str(path.resolve())
    if target is not None:
        name = f"{name}:{target}"
    if not is_file(name):
        message = _("Data must be an .npz file or a table ({tables}); got {path}.")
        raise DataError(message.format(tables=", ".join(TABLES), path=path))
    return {"name": "own", "data": {"name": name, "splits": vars(shared_sizes(pool_sizes(name)))}}


def _plain(part: Any) -> Any:
    """Return an array; texts in an array of objects, as pandas has them, as texts."""
    array = np.asarray(part)
    if array.dtype.hasobject and all(isinstance(value, str) for value in array.ravel()):
        return array.astype(np.str_)
    return array


def _written(data: Sequence[Any], folder: Path) -> Path:
    if len(data) not in (2, 4):
        message = _("data must be (x, y) or (x, y, x_test, y_test); it has {count} parts.")
        raise DataError(message.format(count=len(data)))
    arrays = {name: _plain(part) for name, part in zip(_NAMES, data, strict=False)}
    content = io.BytesIO()
    try:
        np.savez(content, allow_pickle=False, **arrays)
    except ValueError:
        message = _("data must be arrays of numbers; {name} holds objects.")
        objects = next(name for name, array in arrays.items() if array.dtype.hasobject)
        raise DataError(message.format(name=objects)) from None
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / "data.npz", content.getvalue())
    return folder / "data.npz"
