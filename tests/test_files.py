"""Files that are whole or not there, and never in another place than the one that was meant."""

import errno
import os
import resource
from pathlib import Path

import pytest

from actlab.files import make_folder, read_regular, write_bytes


def test_a_link_next_to_the_place_is_not_written_through(tmp_path: Path) -> None:
    """In a folder of somebody else's making there can be one for every process number."""
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / f".page.html.{os.getpid()}").symlink_to(precious)
    (folder / "page.html").symlink_to(precious)
    write_bytes(folder / "page.html", b"page")
    assert precious.read_bytes() == b"precious"
    assert read_regular(folder / "page.html") == b"page"
    assert [path.name for path in folder.iterdir()] == ["page.html"]


def test_a_write_that_fails_leaves_nothing_and_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "page.html"
    path.write_bytes(b"before")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as failure:
        write_bytes(path, b"page")
    assert failure.value.filename == str(path)
    assert path.read_bytes() == b"before"
    assert [found.name for found in tmp_path.iterdir()] == ["page.html"]


def test_a_folder_is_made_and_a_link_to_one_is_none(tmp_path: Path) -> None:
    assert make_folder(tmp_path / "kept").is_dir()
    assert make_folder(tmp_path / "kept").is_dir()
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    with pytest.raises(OSError, match="link"):
        make_folder(tmp_path / "link")


def test_reading_a_file_takes_as_much_memory_as_the_file_whatever_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    path.write_bytes(b"x" * 1_000)
    begun = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, begun[1]))
    try:
        assert len(read_regular(path, 2**40)) == 1_000
    finally:
        resource.setrlimit(resource.RLIMIT_AS, begun)
    with pytest.raises(OSError, match="large"):
        read_regular(path, 999)
