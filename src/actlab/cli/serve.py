"""`actlab serve`: run folders in a browser on this machine, live, read and never written."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from actlab.cli.study.options import Language
from actlab.errors import ActlabError, missing_extra, unknown_name
from actlab.i18n import LANGUAGES, _, process_language

Folders = Annotated[
    list[Path] | None,
    typer.Argument(metavar="DIR...", help=_("Run folders, or folders of them; runs by default.")),
]
Port = Annotated[
    int,
    typer.Option(metavar="N", min=0, max=65535, help=_("The port; 0 takes one that is free.")),
]


def serve(folders: Folders = None, *, port: Port = 8765, language: Language = None) -> None:
    """Show run folders on 127.0.0.1 until interrupted; only this machine can look."""
    import uvicorn

    from actlab.serve.app import application

    page_language = process_language() if language is None else language
    if page_language not in LANGUAGES:
        raise unknown_name(_("language"), page_language, LANGUAGES)
    roots = folders or [Path("runs")]
    for root in roots:
        if not root.is_dir():
            message = _("{path} is no folder. Give a run folder or a folder of run folders.")
            raise ActlabError(message.format(path=root))
    with _listening_socket(port) as listener:
        print(f"http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
        config = uvicorn.Config(application(roots, page_language), log_level="warning")
        uvicorn.Server(config).run(sockets=[listener])


def _listening_socket(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen()  # who follows the address at once waits, and is not refused
    except OSError as error:
        listener.close()
        message = _("Port {port} cannot be used: {reason}. Choose another with --port, or 0.")
        raise ActlabError(message.format(port=port, reason=error.strerror)) from None
    return listener


@contextmanager
def serving_beside(folder: Path, language: str) -> Iterator[None]:
    """Show a run folder in a process of its own meanwhile, which says its address on stderr.

    Raises ActlabError where what serving needs is not installed.
    """
    if find_spec("starlette") is None or find_spec("uvicorn") is None:
        raise ActlabError(missing_extra("uvicorn"))
    command = [sys.executable, "-m", "actlab", "serve", str(folder), "--port", "0"]
    server = subprocess.Popen([*command, "--lang", language], stdout=sys.stderr)  # noqa: S603  # no shell
    try:
        yield
    finally:
        server.terminate()
        server.wait()
