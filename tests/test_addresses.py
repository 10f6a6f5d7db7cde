"""The user's own code, whatever it does, is told in one sentence and ends nothing."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from actlab.addresses import (
    UserCodeError,
    candidates,
    first_line,
    load,
    output_on_stderr,
    owner_of,
    user_code,
)
from actlab.errors import AddressError, UnknownNameError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = dict(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - set(before):
        del sys.modules[name]


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise ValueError("not even this")


def deep() -> int:
    return deep() + 1


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("raise SystemExit(0)", "f ended the program (exit code 0), at own.py:2."),
        ("import sys; sys.exit()", "f ended the program (exit code 0), at own.py:2."),
        (
            "import sys; sys.exit('no data')",
            "f ended the program (exit code no data), at own.py:2.",
        ),
        ("import os; os._exit(0)", "f ended the program (exit code 0), at own.py:2."),
        ("raise MemoryError", "f raised MemoryError: MemoryError, at own.py:2."),
        ("f()", "f raised RecursionError: maximum recursion depth exceeded, at own.py:2."),
        ("raise ValueError('a:\\n  b\\n  c')", "f raised ValueError: a: b, at own.py:2."),
        ("raise type('Odd', (BaseException,), {})", "f raised Odd: Odd, at own.py:2."),
    ],
)
def test_whatever_it_does_is_one_sentence(folder: Path, body: str, sentence: str) -> None:
    path = written(folder, "own.py", f"def f():\n    {body}\n")
    f = load(f"{path}:f").thing
    with pytest.raises(UserCodeError) as raised, user_code("f"):
        f()
    assert str(raised.value).startswith(sentence)


def test_an_interrupt_passes() -> None:
    with pytest.raises(KeyboardInterrupt), user_code("f"):
        raise KeyboardInterrupt


def test_an_exception_without_words_of_its_own() -> None:
    assert first_line(UnprintableError()) == "UnprintableError"
    assert first_line(ValueError("long " * 1000)).endswith(" …")


def test_another_thread_ends_the_process_as_ever() -> None:
    program = (
        "import os, threading\nfrom actlab.addresses import as_program\n"
        "with as_program('f'):\n"
        "    thread = threading.Thread(target=os._exit, args=(7,))\n"
        "    thread.start(); thread.join()\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 7


def test_folder_arguments_and_exit_are_put_back(folder: Path) -> None:
    arguments, end = sys.argv, os._exit
    with user_code("f", argv=["train.py", "--epochs", "3"]):
        assert sys.argv == ["train.py", "--epochs", "3"]
        os.chdir("/")
        assert os._exit is not end
    assert (sys.argv, Path.cwd(), os._exit) == (arguments, folder, end)


PRINTING = """
import ctypes, os, subprocess, sys
from actlab.addresses import output_on_stderr
print("result 1")
with output_on_stderr():
    print("by Python")
    print("by Python's first stream", file=sys.__stdout__)
    os.write(1, b"by the descriptor\\n")
    ctypes.CDLL(None).printf(b"by C\\n")
    subprocess.run(["echo", "by a child"])
print("result 2")
"""


def test_nothing_that_it_prints_is_on_standard_output() -> None:
    run = subprocess.run(
        [sys.executable, "-c", PRINTING], capture_output=True, text=True, check=True
    )
    assert run.stdout == "result 1\nresult 2\n"
    for line in ("by Python\n", "first stream", "by the descriptor", "by C", "by a child"):
        assert line in run.stderr


def test_output_survives_a_block_that_closes_it(capfd: pytest.CaptureFixture[str]) -> None:
    with output_on_stderr():
        sys.stdout = None  # type: ignore[assignment]
    print("still here")
    assert capfd.readouterr().out == "still here\n"


def test_a_file_of_a_package_is_imported_as_a_part_of_it(folder: Path) -> None:
    written(folder, "pkg/mine/__init__.py", "")
    written(folder, "pkg/mine/layers.py", "width = 7\n")
    written(folder, "pkg/mine/models/__init__.py", "")
    path = written(folder, "pkg/mine/models/net.py", "from ..layers import width\n")
    loaded = load(f"{path}:width")
    assert (loaded.thing, loaded.files) == (7, (str(path),))
    assert load(f"{folder}/pkg/mine/__init__.py:layers.width").thing == 7


def test_a_file_whose_package_cannot_be_told_from_another_is_a_file(folder: Path) -> None:
    written(folder, "json/__init__.py", "")
    assert load(f"{written(folder, 'json/decoder.py', 'mine = 1')}:mine").thing == 1


def test_a_module_that_failed_is_not_kept(folder: Path) -> None:
    path = written(folder, "half.py", "x = 1\nraise SystemExit(0)\n")
    with pytest.raises(AddressError, match=r"The import of .*half\.py ended the program"):
        load(f"{path}:x")
    assert "half" not in sys.modules
    path.write_text("x = 2\n")
    assert load(f"{path}:x").thing == 2


def test_a_fault_of_syntax_has_its_line(folder: Path) -> None:
    path = written(folder, "odd.py", "x = 1\ny = = 2\n")
    with pytest.raises(AddressError, match=r"raised SyntaxError.*, at odd\.py:2"):
        load(f"{path}:x")


@pytest.mark.parametrize(
    ("address", "story"),
    [
        ("train.py", "There are: train.py:Net, train.py:main."),
        ("gone.py", 'got "gone.py".'),
        ("nb.ipynb:Net", "nb.ipynb is a notebook"),
        ("gone.py:Net", "There is no file gone.py"),
    ],
)
def test_what_leads_nowhere_says_what_would(folder: Path, address: str, story: str) -> None:
    written(folder, "train.py", "class Net: ...\ndef _hidden(): ...\ndef main(): ...\n")
    with pytest.raises(AddressError, match=story.replace("(", r"\(")):
        load(address)
    with pytest.raises(UnknownNameError, match='Did you mean "main"'):
        load("train.py:mian")


def test_candidates_of_what_is_no_python(folder: Path) -> None:
    assert candidates(written(folder, "a.py", "def (")) == ()
    assert candidates(folder) == ()


def test_whose_code_a_file_is() -> None:
    import numpy
    import torch

    assert owner_of(torch.nn.functional.__file__) == "torch"
    assert owner_of(str(numpy.__file__)) == "library"
    assert owner_of(os.__file__) == "library"
    assert owner_of("/home/someone/train.py") == "user"
    assert owner_of(user_code.__wrapped__.__code__.co_filename) == "checker"  # type: ignore[attr-defined]
