"""Loading what an address names: `pkg.module:Net` or `file.py:build`, the user's own code.

Only an address that somebody gave, in a call or on a command line, is ever loaded; one that was
read from a file is not.
"""

import importlib
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from actlab.errors import AddressError, unknown_name
from actlab.i18n import _


@dataclass(frozen=True, eq=False)
class Loaded:
    """What an address names, the address of its module, and the files it was written in."""

    thing: Any
    module_address: str
    files: tuple[str, ...]


def load(address: str) -> Loaded:
    """Import the module of an address and return what it names.

    The user's own code runs, as with `python file.py`. Raises AddressError where the address has no
    colon or its module cannot be imported, UnknownNameError where the module lacks the name.
    """
    place, colon, name = address.rpartition(":")
    if not colon or not place or not name:
        raise AddressError(
            _('An address must look like pkg.module:Net or file.py:build; got "{given}".').format(
                given=address
            )
        )
    module = _from_file(Path(place)) if place.endswith(".py") else _from_name(place)
    thing: Any = module
    for part in name.split("."):
        if not hasattr(thing, part):
            public = [n for n in vars(module) if not n.startswith("_")]
            raise unknown_name(_("name"), part, public)
        thing = getattr(thing, part)
    file = getattr(module, "__file__", None)
    return Loaded(thing, place, (file,) if file else ())


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise AddressError(_("There is no file {path}.").format(path=path))
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(path.stem, path.resolve())
    if spec is None or spec.loader is None:
        raise AddressError(_("{path} cannot be imported.").format(path=path))
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # the user's program, told in one line
        raise _not_importable(str(path), error) from None
    return module


def _from_name(name: str) -> ModuleType:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    except Exception as error:  # the user's program, told in one line
        raise _not_importable(name, error) from None


def _not_importable(name: str, error: Exception) -> AddressError:
    return AddressError(
        _("{name} cannot be imported: {kind}: {text}").format(
            name=name, kind=type(error).__name__, text=error
        )
    )
