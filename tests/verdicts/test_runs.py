"""Which column says what, in tables as W&B, MLflow, TensorBoard, Optuna and Ray export them."""

from pathlib import Path

import numpy as np
import optuna
import pytest

import actlab
from actlab.errors import DataError
from actlab.verdicts.judge import judge_runs
from actlab.verdicts.runs import Columns, Fails, Runs, direction_of, runs_of
from actlab.verdicts.tables import read_table


def understood(tmp_path: Path, text: str) -> Runs:
    path = tmp_path / "export.csv"
    path.write_text(text)
    return runs_of(read_table(path), Columns())


def test_the_table_of_runs_of_the_web_interface_of_wandb(tmp_path: Path) -> None:
    head = "Name,State,Notes,User,Tags,Created,Runtime,Sweep,activation,lr,seed,epoch,val_loss"
    lines = [
        f'"{word}-{number}","{state}","-","ann","","2026-11-01T10:00:{number:02d}.000Z","61","",'
        f'"{who}","0.001","{seed}","9","{loss}"'
        for number, (word, state, who, seed, loss) in enumerate(
            [
                ("fluffy-sun", "finished", "gelu", 0, 0.31),
                ("calm-sea", "finished", "gelu", 1, 0.32),
                ("dry-hill", "crashed", "gelu", 2, 0.99),
                ("warm-wind", "finished", "relu", 0, 0.41),
                ("red-fox", "finished", "relu", 1, 0.43),
                ("old-oak", "running", "relu", 2, 0.90),
            ]
        )
    ]
    head = ",".join(f'"{name}"' for name in head.split(","))
    found = understood(tmp_path, "\n".join([head, *lines]) + "\n")
    assert found.said == {"candidate": "activation", "seed": "seed", "score": "val_loss"}
    assert found.left_out == {"running": 1}
    assert np.isnan(found.score).tolist() == [False, False, True, False, False]
    verdict = judge_runs(found).verdict
    assert verdict.metric.higher_is_better is False
    assert verdict.notices[0].code == "runs_left_out"
    assert verdict.overall.candidates[0].name == "gelu"
    assert verdict.overall.candidates[0].failures == 1


def test_search_runs_of_mlflow(tmp_path: Path) -> None:
    head = (
        "run_id,experiment_id,status,artifact_uri,start_time,end_time,metrics.val_accuracy,"
        "metrics.train_loss,params.lr,params.seed,params.optimizer,tags.mlflow.runName,"
        "tags.mlflow.source.type,tags.mlflow.user"
    )
    lines = [
        f"{number:032x},1,{status},/m/1/{number}/artifacts,2026-11-29 15:12:0{seed}.5+00:00,,"
        f"{score},0.1,0.01,{seed},{who},{who}-{seed},LOCAL,ann"
        for number, (who, seed, score, status) in enumerate(
            [
                ("adam", 0, 0.93, "FINISHED"),
                ("adam", 1, 0.94, "FINISHED"),
                ("sgd", 0, 0.90, "FINISHED"),
                ("sgd", 1, 0.91, "FINISHED"),
                ("sgd", 2, 0.2, "FAILED"),
            ]
        )
    ]
    found = understood(tmp_path, "\n".join([head, *lines]) + "\n")
    assert found.metric == "val_accuracy"
    assert found.said["candidate"] == "params.optimizer"
    assert found.said["seed"] == "params.seed"
    assert np.isnan(found.score[4])


def mlruns(folder: Path) -> Path:
    """A folder as MLflow lays it: an experiment, a run per folder, a file per name."""
    for who, mean in (("adam", 0.93), ("sgd", 0.90)):
        for seed in range(4):
            run = folder / "405" / f"{who}{seed}"
            stage = "deleted" if seed == 3 else "active"
            for name, text in {
                "meta.yaml": f"lifecycle_stage: {stage}\nstatus: 3\n",
                "params/optimizer": who,
                "params/opt/seed": f"{seed}\n",
                "metrics/val/acc": f"1 0.1 0\n3 {mean + seed / 100} 2\n2 0.2 1\n",
                "tags/mlflow.runName": "x",
            }.items():
                path = run / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
    (folder / "405" / "meta.yaml").write_text("name: e\n")
    (folder / "405" / "sgd2" / "meta.yaml").write_text("lifecycle_stage: active\nstatus: 4\n")
    (folder / ".trash").mkdir()
    return folder


def test_the_folder_of_runs_of_mlflow(tmp_path: Path) -> None:
    folder = mlruns(tmp_path / "mlruns")
    for path in (folder, folder / "405"):
        found = runs_of(read_table(path), Columns(seed="params.opt/seed"))
        assert found.metric == "val/acc"
        assert found.score[:3] == pytest.approx([0.93, 0.94, 0.95])
        assert np.isnan(found.score).tolist() == [False] * 5 + [True]
    with pytest.raises(DataError, match="a folder without runs of MLflow"):
        read_table(tmp_path / "mlruns" / ".trash")


def test_hparams_of_tensorboard(tmp_path: Path) -> None:
    """Its numbers are floats, its names bare, and a run without the metric has an empty cell."""
    lines = ["lr,optimizer,seed,val_accuracy"]
    lines += [f"0.01,adam,{seed}.0,{0.93 + seed / 100}" for seed in range(3)]
    lines += [f"0.01,sgd,{seed}.0,{0.90 + seed / 100}" for seed in range(2)] + ["0.01,sgd,2.0,"]
    found = understood(tmp_path, "\r\n".join(lines) + "\r\n")
    assert found.seed is not None
    assert found.seed.tolist() == ["0", "1", "2"] * 2
    assert np.isnan(found.score[5])
    board = {"trial_id": list("abcd"), "hparams/model": list("xxyy"), "Accuracy": [0.1, 0.2] * 2}
    found = runs_of(read_table(board), Columns())
    assert found.seed is None
    assert judge_runs(found).verdict.pairing == "unpaired"


def test_the_frame_of_trials_of_optuna(tmp_path: Path) -> None:
    study = optuna.create_study(direction="minimize")
    for who in ("adam", "sgd"):
        for seed in range(3):
            trial = study.ask(
                {"optimizer": optuna.distributions.CategoricalDistribution(("adam", "sgd"))},
            )
            trial.set_user_attr("seed", seed)
            trial.set_user_attr("method", who)
            if who == "sgd" and seed == 2:
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
            else:
                study.tell(trial, 0.1 * (who == "sgd") + seed / 100)
    study.ask()
    path = tmp_path / "trials.csv"
    study.trials_dataframe().to_csv(path)
    found = runs_of(read_table(path), Columns(candidate="user_attrs_method"))
    assert found.said["seed"] == "user_attrs_seed"
    assert found.said["score"] == "value"
    assert found.left_out == {"running": 1}
    assert np.isnan(found.score).tolist() == [False] * 5 + [True]


def test_a_result_grid_of_ray() -> None:
    frame = {
        "val_acc": [0.9, 0.91, 0.8, 0.82],
        "training_iteration": [9] * 4,
        "trial_id": list("abcd"),
        "done": [True] * 4,
        "config/opt/name": list("xxyy"),
        "config/optimizer": list("xxyy"),
        "config/seed": [0, 1, 0, 1],
    }
    found = runs_of(read_table(frame), Columns())
    assert found.said == {
        "candidate": "config/optimizer", "seed": "config/seed", "score": "val_acc"
    }  # fmt: skip


def test_another_column_of_states_is_left_alone() -> None:
    table = {
        "state": ["Ohio", "done", "failed", "running"],
        "method": list("aabb"),
        "seed": [0, 1, 0, 1],
        "score": [1, 2, 3, 4],
    }
    found = runs_of(read_table(table), Columns())
    assert found.left_out == {}
    assert not np.isnan(found.score).any()
    table["state"] = ["running"] * 4
    with pytest.raises(DataError, match=r"No run in .* has ended; column state says: running .4."):
        runs_of(read_table(table), Columns())


@pytest.mark.parametrize(
    ("metric", "higher"),
    [
        ("val_loss", False), ("error_rate", False), ("test/perplexity", False), ("WER", False),
        ("val_bpb", False), ("metrics.rmse", False), ("time_to_94", False), ("log_loss", False),
        ("cross_entropy", False), ("accuracy", True), ("lossless", True),
        ("timely", True), ("r2", True), ("merit", True),
    ],
)  # fmt: skip
def test_the_direction_is_in_the_name(metric: str, higher: bool) -> None:
    table = {"method": list("aabb"), "seed": [0, 1] * 2, metric: [0.1, 0.2, 0.3, 0.5]}
    found = actlab.verdict(table, score=metric).value
    assert found.metric.higher_is_better is higher


def test_names_that_differ_in_case_only_are_said() -> None:
    table = {"Method": ["ReLU", "relu "] * 3, "SEED": [0, 0, 1, 1, 2, 2], "Score": [1, 2, 3] * 2}
    found = actlab.verdict(table).value
    assert ("names_alike", ("ReLU", "relu")) in [(n.code, n.names) for n in found.notices]


@pytest.mark.parametrize("text", ["nan", "NaN", "", " "])
@pytest.mark.parametrize("column", ["method", "seed"])
def test_half_a_key_is_no_key(column: str, text: str) -> None:
    table: dict[str, list[object]] = {
        "method": list("aabb"), "seed": ["0", "1"] * 2, "score": [1, 2, 3, 4]
    }  # fmt: skip
    table[column][2] = text
    with pytest.raises(DataError, match=f"needs its {column}; it is missing in row 3"):
        actlab.verdict(table)


def test_none_is_the_name_of_a_candidate_and_no_seed() -> None:
    table = {"method": ["none"] * 3 + ["flip"] * 3, "seed": [0, 1, 2] * 2, "score": [1, 2, 3] * 2}
    assert set(actlab.verdict(table).groups) == {"none", "flip"}
    table["seed"] = ["none", 1, 2] * 2
    with pytest.raises(DataError, match="needs its seed"):
        actlab.verdict(table)


def test_the_only_column_of_numbers_is_the_score(tmp_path: Path) -> None:
    """Whatever its name; where that does not tell the direction, the page says what was taken."""
    head = "method,seed,{name}\n"
    rows = "".join(f"{who},{seed},{seed + 1}.{seed}\n" for who in "ab" for seed in range(3))
    found = understood(tmp_path, head.format(name="result") + rows)
    assert found.said["score"] == "result"
    codes = [one.code for one in judge_runs(found).verdict.notices]
    assert codes == ["higher_by_default", "default_margin"]
    bits = judge_runs(understood(tmp_path, head.format(name="val_bpb") + rows)).verdict
    assert not bits.metric.higher_is_better
    with pytest.raises(DataError, match=r"Which column of .* is the score"):
        understood(tmp_path, "method,seed,x,y\na,1,2,3\nb,1,2,3\n")


def test_a_row_per_candidate_and_a_column_per_seed(tmp_path: Path) -> None:
    text = "Method,seed 1,seed 2,seed 3\nrelu,0.9,0.91,\ngelu,0.92,0.93,0.94\n"
    found = understood(tmp_path, text)
    assert found.said == {"candidate": "Method", "seed": "seed 1 … seed 3"}
    assert found.seed is not None
    table = dict(zip(zip(found.candidate, found.seed, strict=True), found.score, strict=True))
    assert table["gelu", "seed 2"] == 0.93
    assert np.isnan(table["relu", "seed 3"])
    assert judge_runs(found).verdict.pairing == "paired"


def test_rows_of_means_below_the_runs_are_refused(tmp_path: Path) -> None:
    text = "Run,relu,gelu\n1,0.9,0.91\n2,0.91,0.93\nMean,0.905,0.92\n"
    with pytest.raises(DataError, match=r"Row 3 of .* is no run: column Run says Mean"):
        understood(tmp_path, text)
    assert understood(tmp_path, text.rsplit("Mean", 1)[0]).said["seed"] == "Run"


def test_shares_and_percentages_in_one_column_are_pointed_at(tmp_path: Path) -> None:
    rows = [f"{who},{seed},{score}" for who, score in (("a", 0.9), ("b", 90.1)) for seed in (1, 2)]
    found = understood(tmp_path, "\n".join(["method,seed,accuracy", *rows]))
    notices = {one.code: one.names for one in judge_runs(found).verdict.notices}
    assert notices["two_scales"] == ("a",)


def test_remarks_units_and_decimal_commas_of_a_spreadsheet(tmp_path: Path) -> None:
    text = (
        "\ufeff# exported 2026-11-01\n#\nSeed;ReLU (%);GELU (%)\n"
        "1;92,10 %;93,00 %\n2;92,50 %;−1,5 %\n"
    )
    found = understood(tmp_path, text)
    assert found.score.tolist() == [92.1, 92.5, 93.0, -1.5]
    assert sorted(set(found.candidate)) == ["GELU (%)", "ReLU (%)"]


def test_the_option_that_is_missing_is_named() -> None:
    with pytest.raises(DataError, match=r"is the candidate\? Say it with --candidate"):
        runs_of(
            read_table({"x": list("aabb"), "seed": [0, 1] * 2, "score": [1, 2, 3, 4]}), Columns()
        )
    table = {"method": list("aabb"), "seed": [0, 1] * 2, "x": list("abcd")}
    with pytest.raises(DataError, match=r"is the score\? Say it with --score"):
        runs_of(read_table(table), Columns())


@pytest.mark.parametrize(("metric", "failed"), [("accuracy", [1.0]), ("loss", [3.0])])
def test_a_score_at_the_bound_of_failures_has_not_failed(metric: str, failed: list[float]) -> None:
    scores = [1.0, 2.0, 3.0, 2.0]
    table = {"method": list("aabb"), "seed": [0, 1] * 2, metric: scores}
    found = runs_of(read_table(table), Columns(), Fails(2.0))
    assert np.isnan(found.score).tolist() == [score in failed for score in scores]
    assert direction_of(found, None) is (metric == "accuracy")
    assert direction_of(found, False) is False
    turned = runs_of(
        read_table(table), Columns(), Fails(2.0, higher_is_better=metric != "accuracy")
    )
    assert np.isnan(turned.score).tolist() == [score not in (*failed, 2.0) for score in scores]


def test_a_name_counts_as_candidate_only_where_it_comes_back() -> None:
    named = {"name": ["a", "a", "b", "b"], "seed": [0, 1, 0, 1], "score": [1, 2, 3, 4]}
    assert runs_of(read_table(named), Columns()).said["candidate"] == "name"
    own = {**named, "name": ["r1", "r2", "r3", "r4"], "model": list("aabb")}
    assert runs_of(read_table(own), Columns()).said["candidate"] == "model"
    with pytest.raises(DataError, match="is the candidate"):
        runs_of(read_table({**named, "name": ["r1", "r2", "r3", "r4"]}), Columns())


def test_seeds_and_candidates_that_a_frame_made_floats_are_whole_again() -> None:
    table = {
        "method": [1.0, 1.0, "2.0", "-2.0"],
        "seed": [0.0, "1.0", 0.5, "x.0"],
        "score": [1] * 4,
    }
    found = runs_of(read_table(table), Columns())
    assert found.candidate.tolist() == ["1", "1", "2", "-2"]
    assert found.seed is not None
    assert found.seed.tolist() == ["0", "1", "0.5", "x.0"]


def test_settings_are_named_by_their_columns() -> None:
    table = {
        "method": list("aabb"),
        "seed": [0, 1] * 2,
        "score": [1, 2, 3, 4],
        "lr": [0.1, 1.0] * 2,
    }
    found = runs_of(read_table({**table, "wd": [0, 0, 1, 1]}), Columns(settings=("lr", "wd")))
    assert found.setting is not None
    assert found.setting.tolist() == ["lr=0.1, wd=0", "lr=1, wd=0", "lr=0.1, wd=1", "lr=1, wd=1"]
    assert runs_of(read_table(table), Columns()).setting is None


def test_a_text_in_the_column_of_scores_is_pointed_at() -> None:
    table = {"method": list("aabb"), "seed": [0, 1] * 2, "score": [1, "2 %", "good", 4]}
    with pytest.raises(DataError, match=r"'good' stands in column score of the table, row 3"):
        runs_of(read_table(table), Columns())


@pytest.mark.parametrize("seeds", [["1", "2"], ["seed_1", "seed_2"], ["run 1", "run 2"]])
def test_a_column_per_seed_takes_two_columns_and_one_of_names(seeds: list[str]) -> None:
    table = {"who": ["relu", "gelu"], seeds[0]: [0.9, 0.8], seeds[1]: [0.91, 0.81]}
    found = runs_of(read_table(table), Columns())
    assert found.candidate.tolist() == ["relu", "gelu"] * 2
    assert found.score.tolist() == [0.9, 0.8, 0.91, 0.81]
    assert found.seed is not None
    assert found.seed.tolist() == [seeds[0], seeds[0], seeds[1], seeds[1]]
    assert found.said == {"candidate": "who", "seed": f"{seeds[0]} … {seeds[1]}"}
    with pytest.raises(DataError, match="Which column"):
        runs_of(read_table({**table, "other": ["x", "y"]}), Columns())


def test_rows_of_means_are_counted_from_one() -> None:
    table = {"seed": ["1", "2", "mean"], "relu": [1.0, 2.0, 1.5], "gelu": [1.0, 2.0, 1.5]}
    with pytest.raises(DataError, match="Row 3 of the table is no run"):
        runs_of(read_table(table), Columns())


def test_a_wide_table_says_which_column_is_the_block() -> None:
    table = {"seed": [0, 1], "dataset": ["x", "y"], "adam": [0.9, 0.8], "sgd": [0.7, 0.6]}
    found = runs_of(read_table(table), Columns())
    assert found.said == {"candidate": "wide", "seed": "seed", "block": "dataset"}
    assert found.block is not None
    assert found.block.tolist() == ["x", "y", "x", "y"]


def test_a_column_per_seed_holds_numbers_and_none_that_was_given_another_role() -> None:
    table = {"method": ["a", "b"], "1": [3, 4], "2": [0.9, 0.8]}
    assert runs_of(read_table(table), Columns()).said["seed"] == "1 … 2"
    by_seed = runs_of(read_table(table), Columns(seed="1"))
    assert by_seed.said == {"candidate": "method", "seed": "1", "score": "2"}
    by_block = runs_of(read_table(table), Columns(block="1"))
    assert by_block.said == {"candidate": "method", "score": "2", "block": "1"}
    words = runs_of(read_table({**table, "1": ["x", "y"]}), Columns())
    assert words.said == {"candidate": "method", "score": "2"}
