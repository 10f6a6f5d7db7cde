"""What the callbacks share: importing what only an extra installs, and silence."""

import importlib
import sys
from typing import Any

from actlab.errors import missing_extra
from actlab.i18n import _


def base_class(extra: str, places: tuple[str, ...], name: str) -> type[Any]:
    """Return class `name` of the first of `places` that is imported already, else that can be.

    Raises MissingExtraError where none can.

    >>> base_class("nothing", ("collections",), "OrderedDict").__name__
    'OrderedDict'
    """
    for place in sorted(places, key=lambda place: place.split(".")[0] not in sys.modules):
        try:
            found: type[Any] = getattr(importlib.import_module(place), name)
        except ImportError:
            continue
        return found
    libraries = _(" or ").join(place.split(".")[0] for place in places)
    raise missing_extra(libraries, extra)


def show_nothing(summary: Any) -> None:
    """Show nothing: another process does."""
