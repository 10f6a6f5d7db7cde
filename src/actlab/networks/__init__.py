"""Networks with slots for activations, by name, and their layer tables.

Names and input shapes are known without torch; what needs it is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from actlab.errors import SlotError
from actlab.networks.shapes import NAMES, input_shape, is_address

if TYPE_CHECKING:
    from actlab.networks.activation_slots import slots
    from actlab.networks.builders import build, coverage
    from actlab.networks.candidate_names import check_name, is_code
    from actlab.networks.candidates import choice_of, same_functions
    from actlab.networks.elementwise import activation_parameters
    from actlab.networks.from_address import (
        check_fits,
        gated_widths,
        network_hash,
        slots_of,
    )
    from actlab.networks.pool_first import PoolingFirst, as_written, pooling_first
    from actlab.networks.summary import summarise
    from actlab.networks.swapping import swap, undo
    from actlab.networks.token_ids import looks_up
    from actlab.networks.winograd import WinogradFirst, winograd_first

_NAMES_OF = {
    "candidate_names": ("check_name", "is_code"),
    "candidates": ("choice_of", "same_functions"),
    "builders": ("build", "coverage"),
    "from_address": ("check_fits", "gated_widths", "network_hash", "slots_of"),
    "pool_first": ("PoolingFirst", "as_written", "pooling_first"),
    "activation_slots": ("slots",),
    "elementwise": ("activation_parameters",),
    "summary": ("summarise",),
    "swapping": ("swap", "undo"),
    "token_ids": ("looks_up",),
    "winograd": ("WinogradFirst", "winograd_first"),
}
_HOMES = {name: home for home, names in _NAMES_OF.items() for name in names}

__all__ = [
    "NAMES",
    "PoolingFirst",
    "SlotError",
    "WinogradFirst",
    "activation_parameters",
    "as_written",
    "build",
    "check_fits",
    "check_name",
    "choice_of",
    "coverage",
    "gated_widths",
    "input_shape",
    "is_address",
    "is_code",
    "looks_up",
    "network_hash",
    "pooling_first",
    "same_functions",
    "slots",
    "slots_of",
    "summarise",
    "swap",
    "undo",
    "winograd_first",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
