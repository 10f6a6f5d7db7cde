"""Tables of runs as they come: exports, wide ones, faults; verdicts in blocks and over all."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import actlab
from actlab.errors import ActlabError, DataError, UnknownNameError, VerdictError
from actlab.verdicts.judge import dry_run, judge_runs
from actlab.verdicts.tables import Columns, read_table, runs_of

MEANS = {"relu": 0.93, "gelu": 0.935, "tanh": 0.90}


def rows(means: dict[str, float] = MEANS, seeds: int = 6) -> list[dict[str, Any]]:
    generator = np.random.default_rng(0)
    shared = generator.normal(0, 0.01, seeds)
    return [
        {"activation": name, "seed": seed, "val_acc": round(mean + shared[seed] + noise, 5)}
        for name, mean in means.items()
        for seed, noise in enumerate(generator.normal(0, 0.001, seeds))
    ]


def columns(found: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in found] for name in found[0]}


def csv_of(found: list[dict[str, Any]], separator: str = ",") -> str:
    lines = [separator.join(found[0])]
    lines += [separator.join(str(value) for value in row.values()) for row in found]
    return "\n".join(lines) + "\n"


def test_one_table_in_every_form_gives_one_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = rows()
    (tmp_path / "a.csv").write_text(csv_of(found))
    (tmp_path / "a.tsv").write_text(csv_of(found, "\t"))
    (tmp_path / "b.csv").write_text("\ufeff" + csv_of(found, ";"), encoding="utf-8")
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in found))
    (tmp_path / "a.json").write_text(json.dumps(found))
    verdicts = [actlab.verdict(path).document() for path in sorted(tmp_path.iterdir())]
    verdicts.append(actlab.verdict(columns(found)).document())
    standard_input = io.TextIOWrapper(io.BytesIO(csv_of(found).encode()))
    monkeypatch.setattr("sys.stdin", standard_input)
    verdicts.append(actlab.verdict("-").document())
    for one in verdicts:
        assert one | {"source": ""} == verdicts[0] | {"source": ""}
    assert [row["group"] for row in verdicts[0]["candidates"]] == ["best", "worse", "worse"]


def test_the_document_is_the_contract() -> None:
    document = actlab.verdict(columns(rows())).document()
    assert document["metric"] == {"name": "val_acc", "higher_is_better": True, "margin": 0.005}
    assert document["pairing"] == "paired"
    keys = ["candidate", "mean", "low", "high", "n", "failures", "difference", "p_adjusted"]
    assert list(document["candidates"][0])[:9] == [*keys, "group"]
    assert all(row["difference"] <= 0 for row in document["candidates"])
    assert document["blocks"] == []
    assert any("margin was not given" in text for text in document["notices"])


def test_exports_are_understood_by_their_names() -> None:
    wandb = {
        "Name": ["a-1", "a-2", "b-1", "b-2"],
        "State": ["finished"] * 4,
        "activation": ["a", "a", "b", "b"],
        "seed": [0, 1, 0, 1],
        "val_loss": [0.5, 0.6, 0.4, None],
    }
    found = runs_of(read_table(wandb), Columns())
    assert found.said == {"candidate": "activation", "seed": "seed", "score": "val_loss"}
    assert np.isnan(found.score[3])
    assert judge_runs(found).verdict.metric.higher_is_better is False
    mlflow = {
        "run_id": ["1", "2", "3", "4"],
        "metrics.val_accuracy": [0.9, 0.91, 0.8, 0.82],
        "params.optimizer": ["adam", "adam", "sgd", "sgd"],
        "params.seed": ["0", "1", "0", "1"],
    }
    found = runs_of(read_table(mlflow), Columns())
    assert (found.metric, set(found.candidate)) == ("val_accuracy", {"adam", "sgd"})
    board = {"trial_id": list("abcd"), "hparams/model": list("xxyy"), "Accuracy": [0.1, 0.2] * 2}
    found = runs_of(read_table(board), Columns())
    assert found.seed is None
    assert judge_runs(found).verdict.pairing == "unpaired"


def test_a_wide_table_has_a_column_per_candidate() -> None:
    wide = {"seed": [0, 1, 2, 3], "adam": [0.9, 0.91, 0.9, 0.92], "sgd": [0.8, 0.8, 0.81, 0.82]}
    found = actlab.verdict(wide)
    assert found.groups == {"adam": "best", "sgd": "worse"}
    with pytest.raises(DataError, match="curves over steps"):
        actlab.verdict({"Step": [0, 1], "run-1": [0.1, 0.2], "run-2": [0.1, 0.2]})


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("method,seed,score\nx,0,0.5\nx,1,0.4\n", "has one, x"),
        ("method,seed,score\nx,0,0.5\ny,0,0.4\n", "one run of every candidate"),
        ("method,seed,score\nx,0,good\ny,0,0.4\n", "'good' stands in column score"),
        (
            "method,seed,score\nx,0,1\nx,0,2\ny,0,1\ny,1,1\n",
            "two scores for x with seed 0, 1 and 2",
        ),
        ("method,seed,score\nx,,1\nx,1,2\n", "needs its seed; it is missing in row 1"),
        ("method,seed,score\n,0,1\nx,1,2\n", "needs its method"),
        ("method,seed,score\nx,0\n", "has 2 values in line 2, and 3 columns"),
        ("method,seed,score\n", "has no rows"),
        ("", "is empty"),
        ("who,how\nx,0.5\n", "Which column of .* is the candidate"),
        ("method,seed,score\nx,0,nan\nx,1,nan\ny,0,nan\ny,1,nan\n", "Every run in .* failed"),
    ],
)
def test_faults_are_named(tmp_path: Path, content: str, match: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(content)
    with pytest.raises(ActlabError, match=match):
        actlab.verdict(path)


@pytest.mark.parametrize("name", ["random.csv", "random.parquet", "random.jsonl"])
def test_random_bytes_are_no_table(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(np.random.default_rng(0).bytes(3000))
    with pytest.raises(DataError):
        actlab.verdict(path)


def test_names_and_margins_that_are_none() -> None:
    with pytest.raises(UnknownNameError, match="relu"):
        actlab.verdict(columns(rows()), baseline="rleu")
    with pytest.raises(UnknownNameError, match="val_acc"):
        actlab.verdict(columns(rows()), score="val_ac")
    with pytest.raises(VerdictError, match="A margin is 0 or more"):
        actlab.verdict(columns(rows()), margin="-1")
    with pytest.raises(VerdictError, match="is for proportions"):
        actlab.verdict({"m": list("xxyy"), "s": [0, 1] * 2, "v": [3.0, 200.0, 1, 1]},
                       candidate="m", seed="s", score="v", rows=10)  # fmt: skip


def test_a_margin_may_be_relative() -> None:
    found = actlab.verdict(columns(rows()), margin="1%").value
    assert found.metric.margin == pytest.approx(0.01 * (found.overall.best.mean or 0))


def test_a_copy_of_the_best_is_tied() -> None:
    found = rows()
    copies = [row | {"activation": "copy"} for row in found if row["activation"] == "gelu"]
    assert actlab.verdict(columns(found + copies)).groups["copy"] in ("best", "tied")


def test_scores_beyond_the_bound_failed() -> None:
    found = rows({"relu": 0.93, "tanh": 0.5})
    assert actlab.verdict(columns(found), fails_below=0.7).groups == {
        "relu": "best",
        "tanh": "unreliable",
    }


def test_settings_that_were_chosen_on_the_scores_are_said() -> None:
    found = []
    for setting, shift in enumerate((0.0, -0.01, -0.02)):
        found += [row | {"lr": setting, "val_acc": row["val_acc"] + shift} for row in rows()]
    with pytest.raises(VerdictError, match="--setting"):
        actlab.verdict(columns(found))
    document = actlab.verdict(columns(found), setting="lr").document()
    assert document["candidates"][0]["mean"] == pytest.approx(
        np.mean([row["val_acc"] for row in rows() if row["activation"] == "gelu"])
    )
    assert any("relu (3), gelu (3), tanh (3)" in text for text in document["notices"])


def test_blocks_have_a_verdict_each_and_one_over_all() -> None:
    found = []
    for block in range(8):
        found += [row | {"dataset": f"d{block}", "val_acc": row["val_acc"] - 0.02 * block}
                  for row in rows()]  # fmt: skip
    value = actlab.verdict(columns(found), margin=0.001).value
    assert [block.block for block in value.blocks] == [f"d{n}" for n in range(8)]
    groups = {row.name: row.group for row in value.overall.candidates}
    assert groups == {"gelu": "best", "relu": "worse", "tanh": "worse"}
    tanh = value.overall.candidates[-1]
    assert tanh.p_adjusted == pytest.approx(3 / 128)
    assert tanh.posterior is not None
    assert tanh.posterior[0] > 0.99


def test_the_dry_run_says_what_could_show() -> None:
    found = dry_run(runs_of(read_table(columns(rows())), Columns()))
    assert (found.seeds, found.comparisons, found.candidates) == (6, 3, 3)
    assert 0.0005 < found.smallest_difference < 0.005
    assert found.seeds_for_margin is not None


def test_it_shows_itself() -> None:
    found = actlab.verdict(columns(rows()))
    assert "<th>candidate</th>" in found._repr_html_()
    assert found.to_markdown().count("| gelu |") == 1
    assert r"\begin{tabular}{llrrrrr}" in found.to_latex()
    assert list(found.to_pandas()["candidate"]) == ["gelu", "relu", "tanh"]
    assert "gelu best" in repr(found)


def test_the_bound_of_failures_knows_the_direction() -> None:
    table = {
        "m": list("aaaabbbb"),
        "seed": [0, 1, 2, 3] * 2,
        "val_loss": [0.30, 0.31, 0.32, 0.30, 0.5, 9.0, 9.0, 9.0],
    }
    found = actlab.verdict(table, candidate="m", fails_below=2.0)
    assert found.groups == {"a": "best", "b": "unreliable"}


def test_a_column_of_one_value_is_no_block() -> None:
    found = [row | {"dataset": "digits"} for row in rows()]
    assert actlab.verdict(columns(found)).value.blocks == ()
