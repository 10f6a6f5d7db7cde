"""Code that a plan names by address: it is run only where the caller names it, too.

A plan, in a run folder or in a file that came from elsewhere, may name code: a network, candidates,
a loss. Whoever names the same address, or the file that it is in, trusts it.
"""

from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from actlab.errors import AddressError
from actlab.i18n import _
from actlab.networks import is_address, is_code
from actlab.records import Plan


def code_of(plan: Plan) -> tuple[str, ...]:
    """Return the addresses of code that a plan names, each once."""
    return tuple(dict.fromkeys(_addresses(plan)))


def _addresses(plan: Plan) -> Iterator[str]:
    if is_address(plan.network):
        yield plan.network
    for names in plan.space.by_slot.values():
        yield from (name for name in names if is_code(name))
    yield from plan.training.code


def check_code_is_named(
    plan: Plan, named: Collection[str], advise: Callable[[str, str], str]
) -> None:
    """Raise AddressError for code in a plan that the caller does not name.

    `named` are addresses, or files of which all code may run. `advise` says how to name an address,
    or the file that it is in.
    """
    trusted = {file_of(name) for name in named}
    for address in code_of(plan):
        file = file_of(address)
        if address in named or file in trusted:
            continue
        message = _(
            "The plan runs code of its own, {address}. No code is run because a file names it: if "
            "you trust it, {advice}"
        )
        raise AddressError(message.format(address=address, advice=advise(address, file)))


def file_of(address: str) -> str:
    """Return the file or module of an address, absolute where it is a file."""
    place = address if address.endswith(".py") else address.rpartition(":")[0]
    return str(Path(place).resolve()) if place.endswith(".py") else place
