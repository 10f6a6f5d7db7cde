"""Downloads: over HTTPS, with the known checksum, from the next mirror where one fails."""

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pooch
import pytest

from actlab.data.download import MIRRORS, Original, download
from actlab.errors import DataError

ORIGINAL = Original("train-labels-idx1-ubyte.gz", "ab" * 32)


def test_mirrors_are_asked_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def retrieve(url: str, **named: Any) -> str:
        asked.append({"url": url, **named})
        if len(asked) == 1:
            raise OSError("connection refused")
        return str(tmp_path / named["fname"])

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    assert download(ORIGINAL, tmp_path) == tmp_path / ORIGINAL.name
    assert [call["url"] for call in asked] == [mirror + ORIGINAL.name for mirror in MIRRORS]
    assert all(call["known_hash"] == "sha256:" + "ab" * 32 for call in asked)
    assert all(call["progressbar"] for call in asked)
    assert all(mirror.startswith("https://") for mirror in MIRRORS)


@pytest.mark.parametrize("failure", [OSError("no route"), ValueError("hash does not match")])
def test_no_mirror_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def retrieve(url: str, **_named: Any) -> str:
        raise failure

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    with pytest.raises(DataError) as caught:
        download(ORIGINAL, tmp_path)
    assert ORIGINAL.name in str(caught.value)
    assert str(failure) in str(caught.value)
    assert "--data-dir" in str(caught.value)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Let a server of this machine stand for the mirrors; yield the folder that it serves."""
    folder = tmp_path / "served"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    monkeypatch.setattr("actlab.data.download.MIRRORS", (address,))
    yield folder
    server.shutdown()
    server.server_close()


def test_right_bytes_arrive_and_wrong_ones_are_not_kept(tmp_path: Path, served: Path) -> None:
    content = b"the original"
    original = Original("file.gz", hashlib.sha256(content).hexdigest())
    (served / original.name).write_bytes(b"something else")
    with pytest.raises(DataError, match="hash"):
        download(original, tmp_path / "cache")
    assert not (tmp_path / "cache" / original.name).exists()
    (served / original.name).write_bytes(content)
    assert download(original, tmp_path / "cache").read_bytes() == content
