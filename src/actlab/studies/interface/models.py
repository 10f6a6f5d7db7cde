"""How a network that somebody passes to `actlab.study` is found again, here or in a worker."""

import copy
import inspect
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from actlab.errors import AddressError
from actlab.i18n import _
from actlab.records import Plan


@dataclass(frozen=True)
class FoundModel:
    """The name of a network in a plan, and whether worker processes can find it by that name."""

    name: str
    travels: bool


def find_model(model: Any) -> FoundModel:
    """Return how to name a model: an address, a callable without arguments, or a module to copy.

    A callable that a module holds under its name is found by workers; any other (a notebook's
    function, a lambda, a module that is there already) is used in this process only.

    Raises AddressError for anything else.
    """
    from torch import nn

    from actlab.networks import offer

    if isinstance(model, str):
        return FoundModel(absolute_address(model), travels=True)
    if isinstance(model, nn.Module):
        name = f"here:{type(model).__name__}"
        offer(name, lambda: copy.deepcopy(model))
        return FoundModel(name, travels=False)
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
    return FoundModel(name, travels=False)


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
    if not colon or not place or not name:
        message = _('An address must look like pkg.module:Net or file.py:build; got "{given}".')
        raise AddressError(message.format(given=address))
    return f"{Path(place).resolve()}:{name}" if place.endswith(".py") else address


def _address_of(factory: Callable[[], Any]) -> str | None:
    module, name = getattr(factory, "__module__", None), getattr(factory, "__qualname__", None)
    if not module or not name or module == "__main__" or "." in name:
        return None
    if getattr(sys.modules.get(module), name, None) is not factory:
        return None
    file = inspect.getsourcefile(sys.modules[module])
    return f"{Path(file).resolve()}:{name}" if file and "." not in module else f"{module}:{name}"
