"""Networks with slots for activations, by name, and their layer tables.

Names and input shapes are known without torch; what needs it is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from actlab.networks.shapes import NAMES, input_shape, is_own

if TYPE_CHECKING:
    from actlab.networks.activation_slots import Slot, SlotError, slots, swap
    from actlab.networks.builders import build
    from actlab.networks.fitting import check_fits
    from actlab.networks.own import check_own, offer, own_kinds
    from actlab.networks.pool_first import PoolingFirst, as_written, pooling_first
    from actlab.networks.summary import summarise
    from actlab.networks.winograd import WinogradFirst, winograd_first

__all__ = [
    "NAMES",
    "PoolingFirst",
    "Slot",
    "SlotError",
    "WinogradFirst",
    "as_written",
    "build",
    "check_fits",
    "check_own",
    "input_shape",
    "is_own",
    "offer",
    "own_kinds",
    "pooling_first",
    "slots",
    "summarise",
    "swap",
    "winograd_first",
]

_HOMES = {
    "PoolingFirst": "pool_first",
    "WinogradFirst": "winograd",
    "Slot": "activation_slots",
    "SlotError": "activation_slots",
    "as_written": "pool_first",
    "build": "builders",
    "check_fits": "fitting",
    "check_own": "own",
    "offer": "own",
    "own_kinds": "own",
    "pooling_first": "pool_first",
    "winograd_first": "winograd",
    "slots": "activation_slots",
    "summarise": "summary",
    "swap": "activation_slots",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
