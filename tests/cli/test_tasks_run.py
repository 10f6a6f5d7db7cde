"""`actlab tasks run`: from the command to figures, page and run folder; again, and further."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from actlab.cli.main import run as run_command
from actlab.records import Protocol, SplitSizes
from actlab.studies.executors import engines
from actlab.studies.executors.dispatch import train_all
from actlab.studies.run_folder import RunFolder
from actlab.studies.tasks import run as task_run
from actlab.studies.tasks import settings as planning
from actlab.studies.tasks.run import task_summary
from tests.cli.invoke import Result, actlab
from tests.studies.inline import Inline

KEYS = {"task", "head", "loss", "protocol", "metric", "valid", "test", "epochs", "outcome"}


@pytest.fixture(autouse=True, scope="module")
def _tiny() -> Iterator[None]:
    """Train in this process, on few images, for two epochs."""
    with pytest.MonkeyPatch.context() as patch:
        sizes = SplitSizes(64, 48, 0, 50)
        patch.setitem(planning._NETWORKS, "digits", ("small_cnn", sizes))
        patch.setattr(planning, "Protocol", partial(Protocol, max_epochs=2))
        patch.setattr(engines, "executor_factory", lambda _name: Inline)
        yield


def run(capsys: pytest.CaptureFixture[str], out: Path, *arguments: object) -> Result:
    return actlab(capsys, "tasks", "run", *arguments, "--data", "digits", "--out", out)


@pytest.fixture(scope="module")
def two_protocols(_tiny: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tasks") / "run"
    protocols = ["--protocol", "published", "--protocol", "corrected"]
    tasks = ["tasks", "run", "regression", "binary", "--data", "digits", "--seeds", "2"]
    assert run_command([*tasks, *protocols, "--out", str(out), "--json"]) == 0
    return out


def test_the_document_has_every_setting_with_lists_over_the_seeds(
    two_protocols: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = two_protocols
    rows = json.loads(actlab(capsys, "study", "resume", out, "--json").out)["settings"]
    assert rows == task_summary(RunFolder(out))["settings"]
    assert len(rows) == 2 * (6 + 3)
    for row in rows:
        assert set(row) >= KEYS
        assert ("target" in row) == (row["task"] == "regression")
        assert row["metric"] == ("mse" if row["task"] == "regression" else "accuracy")
        assert all(len(row[key]) == 2 for key in ("valid", "test", "epochs", "outcome"))
        assert row["outcome"] == ["completed", "completed"]
        assert row["epochs"] == [2, 2]
        if row["metric"] == "accuracy":
            assert all(0 <= figure <= 1 for figure in row["valid"] + row["test"])
    seen = [
        tuple(row.get(k) for k in ("task", "head", "loss", "target", "protocol")) for row in rows
    ]
    assert len(set(seen)) == len(seen)
    assert ("regression", "sigmoid_transformed", "mse", "raw", "published") in seen
    assert not [row for row in rows if row["published"] and row["head"] == "sigmoid_transformed"]
    page = (out / "report.html").read_text()
    assert "sigmoid_transformed" in page
    assert "1.7830" not in page, "the published figures are of other data"
    assert {"plan.toml", "records.jsonl", "environment.json"} <= {
        path.name for path in out.iterdir()
    }


def test_claims_and_findings_of_the_run(
    two_protocols: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads(actlab(capsys, "study", "show", two_protocols, "--json").out)
    claims = [(claim["protocol"], claim["number"]) for claim in document["claims"]]
    assert claims == [("published", 7), ("published", 8), ("corrected", 7), ("corrected", 8)]
    assert all(set(claim) == {"protocol", "number", "text", "outcome", "reason"}
               for claim in document["claims"])  # fmt: skip
    codes: dict[tuple[str, str, str], set[str]] = {}
    for finding in RunFolder(two_protocols).findings() or ():
        layer, protocol = finding["setting"]["output"], finding["setting"]["protocol"]
        if finding["severity"] == "error":
            codes.setdefault((protocol, layer["head"], layer["loss"]), set()).add(finding["code"])
    assert codes["published", "softmax", "ce"] == {"ACT101"}
    assert codes["corrected", "sigmoid", "ce"] == {"ACT103"}
    assert "ACT301" in codes["corrected", "relu", "mse"]
    assert not codes.keys() & {("corrected", "softmax", "ce"), ("corrected", "none", "mse")}


def test_all_settings_of_a_seed_share_split_weights_and_order(
    two_protocols: Path,
) -> None:
    records = RunFolder(two_protocols).task_records()
    seeds = {record.replicate: record.seeds for record in records}
    assert all(record.seeds == seeds[record.replicate] for record in records)
    assert seeds[0] != seeds[1]
    assert len({record.identity for record in records}) == len(records)
    for record in records:
        assert record.figures is not None
        assert record.figures.test_images == 50
        names = [layer.layer for layer in record.figures.gradients]
        assert names == ["conv1", "conv2", "fc1", "fc2"]


def test_a_run_that_is_there_is_gone_on_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    original = train_all

    def cut(*arguments: object) -> object:
        trained = original(*arguments)  # type: ignore[arg-type]  # passed through
        yield next(trained)
        raise KeyboardInterrupt

    monkeypatch.setattr(task_run, "train_all", cut)
    first = run(capsys, out, "probability", "--seeds", 1)
    assert first.code == 130
    assert f"actlab study resume {out}" in first.err
    kept = RunFolder(out).task_records()
    assert len(kept) in (1, 2)  # what came together was kept together
    monkeypatch.setattr(task_run, "train_all", original)
    resumed = actlab(capsys, "study", "resume", out, "--json")
    assert len(json.loads(resumed.out)["settings"]) == 3
    before = RunFolder(out).task_records()
    assert len(before) == 3

    more = json.loads(run(capsys, out, "probability", "--seeds", 2, "--json").out)
    assert more["trained"] == 6
    assert RunFolder(out).task_records()[:3] == before
    again = json.loads(run(capsys, out, "probability", "--seeds", 1, "--json").out)
    assert again["settings"] == more["settings"]
    other = run(capsys, out, "binary", "--seeds", 1)
    assert other.code == 2
    assert "holds another run" in other.err


def test_the_table_and_the_page_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    text = run(capsys, out, "probability", "--seeds", 1).out
    assert text.strip().endswith(str(out / "report.html"))
    assert "probability (accuracy), corrected" in text
    assert "softmax + bce" in text
    assert actlab(capsys, "study", "show", out).out in text
    shown = json.loads(actlab(capsys, "study", "show", out, "--trial", 1, "--json").out)
    assert shown["output"]["head"] == "softmax"
    assert "%" in actlab(capsys, "study", "show", out, "--trial", 1).out
    page = tmp_path / "page.html"
    assert actlab(capsys, "report", out, "-o", page, "--lang", "ko").code == 0
    assert '<html lang="ko"' in page.read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["regresion"], 'Did you mean "regression"?'),
        (["--protocol", "publishd"], 'Did you mean "published"?'),
        (["--seeds", "0"], "--seeds must be at least 1; got 0."),
        (["--workers", "0"], "--workers must be at least 1; got 0."),
        (["--lang", "kr"], 'no language "kr"'),
    ],
)
def test_what_cannot_be_run_is_said_before_anything_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    out = tmp_path / "run"
    result = run(capsys, out, *arguments)
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert not out.exists()


def test_data_that_are_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    result = actlab(capsys, "tasks", "run", "--data-dir", tmp_path, "--out", out)
    assert result.code == 2
    assert not out.exists()


def test_targets_of_the_users_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from actlab.data import open_dataset

    pools = open_dataset("digits")
    train, test = (
        1000.0 + 10 * pool.images.mean(axis=(1, 2, 3), dtype=np.float64)
        for pool in (pools.training_pool, pools.test_pool)
    )
    path, out = tmp_path / "brightness.npz", tmp_path / "run"
    np.savez(path, train=train, test=test)
    arguments = ("regression", "--seeds", 1, "--targets", path)
    rows = json.loads(run(capsys, out, *arguments, "--json").out)["settings"]
    assert len(rows) == 6
    raw, right = rows[:2]
    assert raw["test"][0] > 1e5 > right["test"][0]
    assert not any(row["published"] for row in rows)
    assert str(path) in (out / "plan.toml").read_text()
    np.savez(path, train=train[:-1], test=test)
    open_dataset.cache_clear()
    short = run(capsys, tmp_path / "short", *arguments)
    assert short.code == 2
    assert "a row for each of the 1400 images" in short.err
    assert run(capsys, tmp_path / "two", "--targets", path).code == 2


def test_a_target_that_does_not_fit_stops_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from actlab.data import targets

    constant = targets.target_of_digits

    def spoilt(task: str, digits: object) -> object:
        return constant(task, digits) * 0  # type: ignore[arg-type]  # a bad target

    monkeypatch.setattr(targets, "target_of_digits", spoilt)
    result = run(capsys, tmp_path / "run", "regression", "--seeds", 1)
    assert result.code == 2
    assert "does not fit the task regression" in result.err
    assert "nothing to learn" in result.err
