"""Broken plans and flags: exit code 2, every fault in plain words, no traceback, nothing left."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from actlab.studies.plan.file import read_plan, write_plan
from tests.cli.invoke import Result, actlab


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ACTLAB_DATA", raising=False)


def refused(result: Result, *expected: str) -> None:
    assert result.code == 2, result
    assert result.out == ""
    assert "Traceback" not in result.err
    for text in expected:
        assert text in result.err
    left = [str(path) for path in Path().rglob("*") if path.suffix != ".toml"]
    assert left in ([], ["runs"]), "a refused study leaves no half"


EDITS: dict[str, tuple[Callable[[str], str], tuple[str, ...]]] = {
    "wrong type": (
        lambda text: text.replace("trials = 32", 'trials = "32"'),
        ("trials: must be a whole number; got '32'",),
    ),
    "unknown key": (
        lambda text: text.replace("patience", "patiance"),
        ('protocol.patiance: there is no such key; did you mean "patience"?',),
    ),
    "empty space": (
        lambda text: text[: text.index("[space]")] + "[space]\n",
        ("space.learning_rate: is missing",),
    ),
    "sizes larger than the data": (
        lambda text: text.replace("train = 800", "train = 8000"),
        ("digits", "8600"),
    ),
    "low above high": (
        lambda text: text.replace("high = 0.01", "high = 0.0001"),
        ("low must not be above high; got low = 0.0005 and high = 0.0001",),
    ),
    "unknown activation": (
        lambda text: text.replace('"tanh"', '"thanh"', 1),
        ('There is no activation "thanh". Did you mean "tanh"?',),
    ),
    "unknown data set": (
        lambda text: text.replace(
            'name = "digits"\n\n[data.splits]', 'name = "minst"\n[data.splits]'
        ),
        ('Did you mean "mnist"?',),
    ),
    "not TOML": (lambda text: text + "\n[[[", ("it is not a TOML text",)),
    "no plan at all": (lambda _text: "", ("it is empty",)),
    "three faults at once": (
        lambda text: text.replace("seed = ", "sead = ").replace(
            "batch_size = 32", "batch_size = 0"
        ),
        ("seed: is missing", "sead: there is no such key", "batch_size: must be at least 1"),
    ),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_broken_plan_is_refused(edit: str, capsys: pytest.CaptureFixture[str]) -> None:
    change, expected = EDITS[edit]
    original = write_plan(read_plan("digits", {}))
    broken = change(original)
    assert broken != original
    Path("plan.toml").write_text(broken)
    refused(actlab(capsys, "study", "run", "plan.toml"), "plan.toml", *expected)


def test_random_bytes_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    Path("plan.toml").write_bytes(random.Random(7).randbytes(2000) + b"\xff")
    refused(actlab(capsys, "study", "run", "plan.toml"), "it is not a TOML text")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["nothere.toml"], "no such file or preset"),
        (["digit"], 'did you mean the preset "digits"?'),
        (["digits", "--trials", "-3"], "trials: must be at least 1; got -3"),
        (["digits", "--trials", "many"], "--trials"),
        (["digits", "--workers", "0"], "workers: must be at least 1; got 0"),
        (["digits", "--seed", "-1"], "seed: must be at least 0; got -1"),
        (["digits", "--precision", "fp64"], "must be one of 'auto', 'fp32' or 'bf16'"),
        (["digits", "--device", "tpu"], "must be one of 'auto', 'cpu' or 'cuda'"),
        (["digits", "--protocol", "correctd"], 'Did you mean "corrected"?'),
        (["digits", "--lang", "kr"], 'Did you mean "ko"?'),
        (["digits", "--trails", "3"], "--trials"),
    ],
)
def test_a_broken_flag_is_refused(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(actlab(capsys, "study", "run", *arguments), expected)


def test_all_faults_of_flags_and_plan_come_together(capsys: pytest.CaptureFixture[str]) -> None:
    Path("plan.toml").write_text(write_plan(read_plan("digits", {})).replace("low = ", "lo = "))
    result = actlab(
        capsys, "study", "run", "plan.toml", "--trials", "0", "--workers", "-1", "--device", "gpu"
    )
    refused(result, "trials:", "execution.workers:", "execution.device:", "learning_rate.lo:")


def test_a_folder_without_the_data_is_an_error_and_no_download(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("empty").mkdir()
    result = actlab(capsys, "study", "run", "published", "--data-dir", "empty", "--out", "run")
    Path("empty").rmdir()
    refused(result, "train-images-idx3-ubyte", "empty")


def test_a_device_that_is_not_there_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    refused(actlab(capsys, "study", "run", "digits", "--device", "cuda"), "cuda", "--device cpu")


@pytest.mark.parametrize("command", ["show", "resume"])
def test_a_folder_that_is_no_run_is_refused(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(actlab(capsys, "study", command, "nowhere"), "nowhere is no run folder")


def test_one_folder_cannot_be_compared(capsys: pytest.CaptureFixture[str]) -> None:
    refused(actlab(capsys, "study", "compare", "one"), "needs two or more run folders")
