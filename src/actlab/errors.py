"""The exceptions that actlab raises for what a user can put right.

Each message tells a short story: what must hold, what was given, what to do. The command line
prints it without a traceback and exits with 2.
"""

import difflib
import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from actlab.i18n import N_, _


class ActlabError(Exception):
    """The root: whatever the user, not actlab, has to put right."""


class UnknownNameError(ActlabError):
    """A name that nothing carries; the message has the nearest one that exists."""


class MissingExtraError(ActlabError):
    """A library is needed that only an extra of actlab installs."""


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
    """A network of the user's that a study cannot use."""


class SlotError(ActlabError):
    """A network without the slot that was asked for, or with one that cannot be swapped."""


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


EXTRAS = {
    "study": (
        "optuna", "sqlalchemy", "pydantic", "tomli_w", "scipy", "sklearn", "numba", "llvmlite",
        "plotly", "jinja2", "markupsafe", "matplotlib", "pooch", "platformdirs", "torchinfo",
        "tqdm", "pandas",
    ),
    "dask": ("distributed", "dask"),
    "ray": ("ray", "ray[client]"),
    "parquet": ("pyarrow",),
    "serve": ("starlette", "uvicorn"),
    "postgresql": ("psycopg",),
    "data": ("mnist1d", "pillow", "pyarrow"),
    "lightning": ("lightning", "pytorch_lightning"),
    "transformers": ("transformers", "accelerate"),
    "onnx": ("onnx", "onnxscript", "onnxruntime"),
}  # fmt: skip
"""The libraries that each extra of actlab installs, by their import names."""


def extra_of(library: str) -> str | None:
    """Return the extra of actlab that installs a library, None where none does.

    >>> extra_of("scipy")
    'study'
    """
    return next((name for name, known in EXTRAS.items() if library in known), None)


def missing_extra(library: str, extra: str | None = None) -> MissingExtraError:
    """Return the error for a library that is not installed, with the command that installs it.

    `library` is an import name, or several as a sentence has them; the extra is looked up where it
    is None. The command is for any shell.

    >>> print(missing_extra("optuna"))
    optuna is needed here and not installed: pip install "actlab[study]"
    """
    if extra is None:
        extra = extra_of(library)
    wanted = library if extra is None else f"actlab[{extra}]"
    message = _('{library} is needed here and not installed: pip install "{wanted}"')
    return MissingExtraError(message.format(library=library, wanted=wanted))


_REASONS = {
    errno.ENOSPC: N_("the disk is full"),
    errno.EDQUOT: N_("the disk quota is used up"),
    errno.EROFS: N_("the disk is read-only"),
    errno.EACCES: N_("it is not permitted"),
    errno.EPERM: N_("it is not permitted"),
    errno.ENOENT: N_("there is no such file or folder"),
    errno.ENOTDIR: N_("a part of the path is a file, not a folder"),
    errno.EISDIR: N_("it is a folder"),
    errno.EEXIST: N_("it exists already"),
    errno.ELOOP: N_("a symbolic link leads to it"),
    errno.ENAMETOOLONG: N_("the name is too long"),
    errno.EFBIG: N_("the file is larger than such a file may be"),
    errno.EMFILE: N_("too many files are open"),
    errno.ENFILE: N_("too many files are open"),
    errno.EIO: N_("the disk reports a fault"),
}


def reason_of(error: OSError) -> str:
    """Return in words why the operating system refused: the same in every message of actlab.

    >>> reason_of(OSError(errno.ENOSPC, "No space left on device"))
    'the disk is full'
    """
    known = _REASONS.get(error.errno or 0)
    if known is not None:
        return _(known)
    return error.strerror or str(error) or type(error).__name__


@contextmanager
def os_errors_as(kind: type[ActlabError], message: str, **values: object) -> Iterator[None]:
    """Raise `kind` with `message`, which has a {reason}, where the block raises an OSError.

    >>> with os_errors_as(DataError, "{path} cannot be read: {reason}.", path="/no/such"):
    ...     open("/no/such")
    Traceback (most recent call last):
        ...
    actlab.errors.DataError: /no/such cannot be read: there is no such file or folder.
    """
    try:
        yield
    except OSError as error:
        raise kind(message.format(reason=reason_of(error), **values)) from None


@contextmanager
def writing(path: object, option: str) -> Iterator[None]:
    """Raise ActlabError where the block cannot write `path`, which `option` of a command names.

    >>> with writing("/", "-o"):
    ...     open("/", "w")
    Traceback (most recent call last):
        ...
    actlab.errors.ActlabError: / cannot be written: it is a folder. Choose another -o.
    """
    message = _("{path} cannot be written: {reason}. Choose another {option}.")
    with os_errors_as(ActlabError, message, path=path, option=option):
        yield
