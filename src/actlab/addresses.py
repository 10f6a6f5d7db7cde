"""The user's own code: loading what an address names, and running it without being run by it.

An address is `pkg.module:Net` or `file.py:build`. Only one that somebody gave, in a call or on a
command line, is ever loaded; one that was read from a file is not.

Whatever the code does, `user_code` tells it in one sentence with the user's line: it may raise,
call `sys.exit` or `os._exit`, print, change the folder or `sys.argv`. Only a KeyboardInterrupt
passes.
"""

import ast
import contextlib
import ctypes
import importlib
import importlib.util
import os
import sys
import sysconfig
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from actlab.errors import ActlabError, AddressError, unknown_name
from actlab.i18n import _

_ACTLAB = str(Path(__file__).parent)
_SUBJECTS = (str(Path(_ACTLAB) / "checker" / "rules"), str(Path(_ACTLAB) / "networks"))
_TEXT_LENGTH = 300
"""How much of what an exception says is told."""


class UserCodeError(ActlabError):
    """The user's own code raised, or ended the program, where it was to return something."""


@dataclass(frozen=True, eq=False)
class Loaded:
    """What an address names, the address of its module, and the files it was written in."""

    thing: Any
    module_address: str
    files: tuple[str, ...]


def load(address: str) -> Loaded:
    """Import the module of an address and return what it names.

    The user's own code runs, as with `python file.py`; a file of a package is imported as the part
    of it that it is. Raises AddressError where the address has no colon or its module cannot be
    imported, UnknownNameError where the module lacks the name.
    """
    place, colon, name = address.rpartition(":")
    if not colon or not place or not name:
        raise AddressError(_malformed(address))
    if place.endswith(".ipynb"):
        raise AddressError(
            _(
                "{path} is a notebook, and nothing in it has an address: give the notebook itself "
                "(actlab check {path}), or call actlab.check(...) in a cell."
            ).format(path=place)
        )
    is_file = place.endswith(".py")
    what = _("The import of {place}").format(place=place)
    with user_code(what, AddressError, argv=[place]):
        module = _from_file(Path(place)) if is_file else _from_name(place)
        thing = _named(module, name)
    file = getattr(module, "__file__", None)
    return Loaded(thing, place, (file,) if file else ())


_OF_THIS_PROCESS: dict[str, Any] = {}


def offer(name: str, thing: Any) -> None:
    """Let `find` return `thing` for a name, in this process only.

    For what no address leads to: a notebook's function, a lambda.
    """
    _OF_THIS_PROCESS[name] = thing


def offered(name: str) -> Any | None:
    """Return what was offered under a name in this process, None where nothing was."""
    return _OF_THIS_PROCESS.get(name)


def find(address: str) -> Any:
    """Return what was offered under a name, or what an address names; raises as `load` does."""
    return _OF_THIS_PROCESS[address] if address in _OF_THIS_PROCESS else load(address).thing


def _named(module: ModuleType, name: str) -> Any:
    thing: Any = module
    for part in name.split("."):
        if not hasattr(thing, part):
            public = [n for n in vars(module) if not n.startswith("_")]
            raise unknown_name(_("name"), part, public)
        thing = getattr(thing, part)
    return thing


def candidates(path: Path) -> tuple[str, ...]:
    """Return the addresses of what a file defines at its top level, without running it."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ()
    kinds = (ast.ClassDef, ast.FunctionDef)
    names = [part.name for part in tree.body if isinstance(part, kinds)]
    return tuple(f"{path}:{name}" for name in names if not name.startswith("_"))


def _malformed(address: str) -> str:
    text = _('An address must look like pkg.module:Net or file.py:build; got "{given}".').format(
        given=address
    )
    found = candidates(Path(address)) if address.endswith(".py") else ()
    if not found:
        return text
    return f"{text} " + _("There are: {names}.").format(names=", ".join(found))


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise AddressError(_("There is no file {path}.").format(path=path))
    path = path.resolve()
    package = _name_in_package(path)
    if package is not None:
        root, name = package
        _put_first(root)
        module = importlib.import_module(name)
        if Path(module.__file__ or "").resolve() == path:
            return module
    _put_first(path.parent)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise AddressError(_("{path} cannot be imported.").format(path=path))
    module = importlib.util.module_from_spec(spec)
    before = sys.modules.get(path.stem)
    sys.modules.setdefault(path.stem, module)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        if before is None:
            sys.modules.pop(path.stem, None)
        raise
    return module


def _name_in_package(path: Path) -> tuple[Path, str] | None:
    """Return the folder above the package that a file is part of, and its dotted name there."""
    names = [] if path.stem == "__init__" else [path.stem]
    folder = path.parent
    while (folder / "__init__.py").is_file() and folder.name.isidentifier():
        names.insert(0, folder.name)
        folder = folder.parent
    if folder == path.parent or not all(name.isidentifier() for name in names):
        return None
    return folder, ".".join(names)


def _from_name(name: str) -> ModuleType:
    _put_first(Path.cwd())
    return importlib.import_module(name)


def _put_first(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


@contextmanager
def as_program(
    what: str, kind: type[ActlabError] = UserCodeError, argv: Sequence[str] | None = None
) -> Iterator[None]:
    """Run the block as a program of the user's that may try to end the process.

    `sys.exit`, `os._exit` and whatever is no Exception raise `kind`, in one sentence that begins
    with `what`. What is printed goes to standard error, also by a C library or a child process. The
    code finds `argv` as `sys.argv`. Folder, `sys.argv` and outputs are afterwards as before.

    >>> with as_program("train.py"):  # doctest: +ELLIPSIS
    ...     raise SystemExit(0)
    Traceback (most recent call last):
        ...
    actlab.addresses.UserCodeError: train.py ended the program (exit code 0)...
    """
    process = os.getpid()
    try:
        with _surroundings(argv), output_on_stderr(), _exits_raised():
            yield
    except (Exception, KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as end:
        raise kind(ending_of(what, end)) from None
    finally:
        if os.getpid() != process:  # the code forked, and this is the copy
            os._exit(0)


@contextmanager
def user_code(
    what: str,
    kind: type[ActlabError] = UserCodeError,
    argv: Sequence[str] | None = None,
    advice: str = "",
) -> Iterator[None]:
    """Run the block, which does nothing but call the user's code, as `as_program` does.

    Any exception, too, becomes one sentence with the user's file and line, and `advice` after
    it. An ActlabError and a KeyboardInterrupt pass.

    >>> with user_code("net.py:build"):  # doctest: +ELLIPSIS
    ...     raise ValueError("no width")
    Traceback (most recent call last):
        ...
    actlab.addresses.UserCodeError: net.py:build raised ValueError: no width...
    """
    try:
        with as_program(what, kind, argv):
            yield
    except ActlabError:
        raise
    except Exception as error:
        raise kind(f"{ending_of(what, error)} {advice}".rstrip()) from None


def users_error(what: str, error: Exception) -> Exception:
    """Return an error as a UserCodeError where the user's code raised it, else as it is."""
    if isinstance(error, ActlabError) or place_of(error) is None:
        return error
    return UserCodeError(ending_of(what, error))


def ending_of(what: str, error: BaseException) -> str:
    """Return in one sentence what went wrong in the user's code, with its file and line.

    >>> ending_of("net.py:build", ValueError("no width"))
    'net.py:build raised ValueError: no width.'
    """
    if isinstance(error, SystemExit):
        text = _("{what} ended the program (exit code {code})").format(
            what=what, code=0 if error.code is None else error.code
        )
    else:
        text = _("{what} raised {kind}: {text}").format(
            what=what, kind=type(error).__name__, text=first_line(error).rstrip(".")
        )
    place = place_of(error)
    if place is not None:
        text += _(", at {file}:{line}").format(file=shown_path(place[0]), line=place[1])
    return f"{text}."


def first_line(error: BaseException) -> str:
    """Return the first line of what an exception says, and the next where that only leads to it.

    >>> first_line(RuntimeError("2 faults:\\n  no width\\n  no height"))
    '2 faults: no width'
    """
    try:
        lines = [line.strip() for line in str(error).strip().splitlines()]
    except Exception:  # an exception whose own text raises
        lines = []
    if not lines:
        return type(error).__name__
    text = " ".join(lines[: 2 if lines[0].endswith(":") else 1])
    return text if len(text) <= _TEXT_LENGTH else text[:_TEXT_LENGTH] + " …"


def place_of(error: BaseException) -> tuple[str, int | None] | None:
    """Return the innermost line of the user's program that an exception passed."""
    if isinstance(error, SyntaxError) and is_user(error.filename):
        return str(error.filename), error.lineno
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if is_user(frame.filename) and not frame.filename.startswith(_ACTLAB):
            return frame.filename, frame.lineno
    return None


def shown_path(file: str) -> str:
    """Return a path from the present folder where that is shorter."""
    try:
        relative = os.path.relpath(file, Path.cwd())
    except (ValueError, OSError):  # another drive, or a folder that is gone
        return file
    return relative if not relative.startswith("..") else file


Owner = Literal["checker", "torch", "library", "user"]


@cache
def _folders() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the folders of torch and those of the installed libraries."""
    torch = importlib.util.find_spec("torch")
    found = tuple(torch.submodule_search_locations or ()) if torch is not None else ()
    paths = sysconfig.get_paths()
    libraries = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return found, tuple(libraries)


@cache
def owner_of(filename: str) -> Owner:
    """Return whose code a file is.

    The cases of the rules and actlab's own networks are programs to check like any user's.
    """
    torch, libraries = _folders()
    if filename.startswith(_ACTLAB) and not filename.startswith(_SUBJECTS):
        return "checker"
    if filename.startswith((*torch, "<frozen", "<eval_with_key>", "<@beartype", "<__array_")):
        return "torch"
    if "site-packages" in filename or filename.startswith(libraries):
        return "library"
    return "user"


def is_user(filename: str | None) -> bool:
    """Return whether a file is the user's: no library's, not torch's, not the checker's."""
    return filename is not None and owner_of(filename) == "user"


@contextmanager
def _surroundings(argv: Sequence[str] | None) -> Iterator[None]:
    """Give the block `argv`, and put `sys.argv` and the present folder back after it."""
    arguments, folder = sys.argv, Path.cwd()
    if argv is not None:
        sys.argv = list(argv)
    try:
        yield
    finally:
        sys.argv = arguments
        with contextlib.suppress(OSError):
            os.chdir(folder)


_OUTSIDE: list[tuple[Path, Any, int]] = []
"""The folder, the stream and the descriptor of standard output as they were outside `as_program`,
the outermost first."""


@contextmanager
def outside_program() -> Iterator[None]:
    """Give the block, within `as_program`, the folder and the standard output from outside it."""
    if not _OUTSIDE:
        yield
        return
    folder, plain, kept = _OUTSIDE[0]
    _flush()
    inside, stream, here = Path.cwd(), sys.stdout, os.dup(1)
    os.dup2(kept, 1)
    os.chdir(folder)
    sys.stdout = plain
    try:
        yield
    finally:
        _flush()
        sys.stdout = stream
        os.dup2(here, 1)
        os.close(here)
        os.chdir(inside)


@contextmanager
def output_on_stderr() -> Iterator[None]:
    """Send to standard error what the block writes to standard output.

    Python's own output, that of C libraries and that of child processes.
    """
    _flush()
    plain = sys.stdout
    try:
        kept = os.dup(1)
        os.dup2(2, 1)
    except OSError:  # one of them is closed
        kept = None
    sys.stdout = sys.stderr
    if kept is not None:
        _OUTSIDE.append((Path.cwd(), plain, kept))
    try:
        yield
    finally:
        _flush()
        sys.stdout = plain
        if kept is not None:
            _OUTSIDE.pop()
            with contextlib.suppress(OSError):  # the block closed what it does not know
                os.dup2(kept, 1)
                os.close(kept)


def _flush() -> None:
    for stream in (sys.stdout, sys.__stdout__, sys.stderr):
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
    if os.name == "posix":
        ctypes.CDLL(None).fflush(None)


@contextmanager
def _exits_raised() -> Iterator[None]:
    """Make `os._exit` raise SystemExit in this thread; others, and forked children, end by it."""
    here, end = (os.getpid(), threading.get_ident()), os._exit

    def exit_raised(status: int) -> None:
        if (os.getpid(), threading.get_ident()) != here:
            end(status)
        raise SystemExit(status)

    os._exit = exit_raised  # type: ignore[assignment]
    try:
        yield
    finally:
        os._exit = end
