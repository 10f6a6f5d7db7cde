import errno
from pathlib import Path

import pytest

from actlab import errors
from actlab.cli import main
from tests.test_architecture import THIRD_PARTY_ONLY_IN


def test_a_missing_extra_names_the_command_that_installs_it() -> None:
    assert str(errors.missing_extra("optuna")) == (
        'optuna is needed here and not installed: pip install "actlab[study]"'
    )
    assert 'pip install "nonesuch"' in str(errors.missing_extra("nonesuch"))
    assert 'pip install "actlab[serve]"' in str(errors.missing_extra("a server", "serve"))


def test_what_one_layer_alone_may_import_is_in_the_core_or_in_an_extra() -> None:
    core = {"typer"}
    assert {name for name in THIRD_PARTY_ONLY_IN if errors.extra_of(name) is None} == core


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EROFS, "the disk is read-only"),
        (errno.ENAMETOOLONG, "the name is too long"),
        (errno.ECONNREFUSED, "as the system says it"),
    ],
)
def test_the_operating_systems_refusal_has_one_wording(number: int, words: str) -> None:
    with (
        pytest.raises(errors.RunFolderError, match=rf"^f: {words}\.$"),
        errors.os_errors_as(errors.RunFolderError, "{path}: {reason}.", path="f"),
    ):
        raise OSError(number, "as the system says it")


def raising(error: Exception, monkeypatch: pytest.MonkeyPatch) -> int:
    def app(**_arguments: object) -> None:
        raise error

    monkeypatch.setattr(main, "app", app)
    return main.run([])


def test_a_library_of_an_extra_is_asked_for_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert raising(ModuleNotFoundError("no", name="optuna.trial"), monkeypatch) == 2
    told = capsys.readouterr().err
    assert told == (
        'actlab: optuna is needed here and not installed: pip install "actlab[study]"\n'
    )


def test_a_refusal_of_the_machine_is_no_fault_of_actlab(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "/mnt/x.html")
    assert raising(full, monkeypatch) == 2
    assert capsys.readouterr().err == "actlab: /mnt/x.html: the disk is full\n"
    own = str(Path(main.__file__).with_name("lost.json"))
    assert raising(FileNotFoundError(errno.ENOENT, "gone", own), monkeypatch) == 3
    assert raising(ModuleNotFoundError("no", name="nonesuch"), monkeypatch) == 3
    assert "Traceback" in capsys.readouterr().err
