"""The files of MLflow's folder: how a run ended, which value is the last, what was deleted."""

from pathlib import Path

import pytest

from actlab.verdicts.mlruns import columns_of_folder, holds_runs


def run(folder: Path, name: str, meta: str, values: str = "1 0.5 0\n") -> None:
    for place, text in {
        "meta.yaml": meta,
        "params/model/name": f" {name} \n",
        "metrics/acc": values,
    }.items():
        path = folder / name / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.mark.parametrize(
    ("meta", "end"),
    [
        ("status: 1\n", "running"),
        ("status: 2\n", "scheduled"),
        ("status: 3\n", "finished"),
        ("status:   4  \n", "failed"),
        ("status: 5\n", "killed"),
        ("status: 9\n", "finished"),
        ("name: x\n", "finished"),
        ("old_status: 4\nstatus: 5\n", "killed"),
    ],
)
def test_how_a_run_ended(tmp_path: Path, meta: str, end: str) -> None:
    run(tmp_path, "a", meta)
    found = columns_of_folder(tmp_path)
    assert found == {"status": [end], "params.model/name": ["a"], "metrics.acc": ["0.5"]}


@pytest.mark.parametrize(
    ("values", "last"),
    [
        ("1 0.1 0\n3 0.3 2\n2 0.2 1\n", "0.3"),
        ("1 0.1 10\n1 0.2 9\n", "0.1"),
        ("1 0.1 x\n1 0.2 3\n1 0.3 -1\n", "0.2"),
        ("1 0.1\n1 0.2\n", "0.1"),
        ("7 nan 0\n", "nan"),
        ("1\n\n", ""),
        ("", ""),
    ],
)
def test_the_value_of_the_last_step_counts(tmp_path: Path, values: str, last: str) -> None:
    run(tmp_path, "a", "status: 3\n", values)
    assert columns_of_folder(tmp_path)["metrics.acc"] == [last]


def test_runs_are_found_in_an_experiment_and_above_it_but_for_deleted_ones(tmp_path: Path) -> None:
    assert not holds_runs(tmp_path)
    assert columns_of_folder(tmp_path) == {}
    run(tmp_path / "7", "b", "status: 3\n")
    run(tmp_path / "7", "a", "status: 3\n")
    run(tmp_path / "7", "c", "lifecycle_stage: deleted\nstatus: 3\n")
    (tmp_path / "7" / "d" / "metrics").mkdir(parents=True)
    (tmp_path / "7" / "a" / "params" / "seed").write_text("3")
    for folder in (tmp_path, tmp_path / "7"):
        assert holds_runs(folder)
        found = columns_of_folder(folder)
        assert found["params.model/name"] == ["a", "b"]
        assert found["params.seed"] == ["3", None]
    assert not holds_runs(tmp_path / "7" / "a" / "metrics")
