"""The exceptions that actlab raises for what a user can put right.

Each message tells a short story: what must hold, what was given, what to do. The command line
prints it without a traceback and exits with 2.
"""

import difflib
from collections.abc import Iterable

from actlab.i18n import _


class ActlabError(Exception):
    """The root: whatever the user, not actlab, has to put right."""


class UnknownNameError(ActlabError):
    """A name that nothing carries; the message has the nearest one that exists."""


class PlanError(ActlabError):
    """A plan that cannot be run; `faults` holds every fault in it, one sentence each."""

    def __init__(self, source: str, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        lines = "\n".join(f"  - {fault}" for fault in self.faults)
        super().__init__(_("The plan {source} cannot be run:").format(source=source) + "\n" + lines)


class DataError(ActlabError):
    """Data that is missing, altered or too small."""


class AddressError(ActlabError):
    """An address of code, such as file.py:build, that leads nowhere."""


class NetworkError(ActlabError):
    """A network of the user's own that a study cannot use."""


class DeviceError(ActlabError):
    """A device or a precision that this machine does not have."""


class EngineError(ActlabError):
    """An engine for trials that cannot be reached."""


class RunFolderError(ActlabError):
    """A run folder that is missing, in use, or not what it should be."""


class VerdictError(ActlabError):
    """Records that no verdict can be made from, because they do not belong together."""


def nearest(name: str, valid: Iterable[str]) -> str | None:
    """Return the valid name that looks most like `name`, or None where none does.

    Two neighbouring letters that changed places are the likeliest slip, and come first.

    >>> nearest("gleu", ["glu", "gelu", "tanh"])
    'gelu'
    """
    names = list(valid)
    swapped = {
        name[:place] + name[place + 1] + name[place] + name[place + 2 :]
        for place in range(len(name) - 1)
    }
    found = [known for known in names if known in swapped]
    found += difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return found[0] if found else None


def unknown_name(kind: str, given: str, valid: Iterable[str]) -> UnknownNameError:
    """Return the error for a name that is not among `valid`.

    >>> print(unknown_name("activation", "rleu", ["relu", "tanh"]))
    There is no activation "rleu". Did you mean "relu"?
    """
    names = sorted(valid)
    message = _('There is no {kind} "{given}".').format(kind=kind, given=given)
    near = nearest(given, names)
    if near is not None:
        hint = _('Did you mean "{near}"?').format(near=near)
    else:
        hint = _("Choose one of: {names}.").format(names=", ".join(names))
    return UnknownNameError(f"{message} {hint}")
