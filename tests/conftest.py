"""What every test stands on: English messages, one thread, no network."""

import os
import signal
import socket
from typing import Any

import pytest

os.environ["ACTLAB_LANG"] = "en"
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A shell lets what it starts in the background ignore an interrupt, and nohup the end of the
# terminal; tests of interrupts begin as in a terminal.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that leaves the machine."""
    connect = socket.socket.connect

    def local_only(own: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[0] not in {"127.0.0.1", "::1", "localhost"}:
            raise AssertionError(f"a test reached for the network: {address}")
        connect(own, address)

    monkeypatch.setattr(socket.socket, "connect", local_only)
