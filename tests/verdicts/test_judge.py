"""Tables of runs as they come: exports, wide ones, faults; verdicts in blocks and over all."""

import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats as scipy_stats

import actlab
from actlab.errors import ActlabError, DataError, UnknownNameError, VerdictError
from actlab.stats import detectable_difference, seeds_to_separate
from actlab.verdicts.judge import dry_run, judge_runs
from actlab.verdicts.runs import Columns, runs_of
from actlab.verdicts.tables import read_table

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


@pytest.mark.parametrize(
    ("metric", "best", "margin"),
    [
        ("val_acc", 0.935, 0.005),
        ("val_acc", 0.01, 5e-5),
        ("mse", 1e-6, 5e-9),
        ("loss", 0.32, 0.0016),
    ],
)
def test_the_margin_that_nobody_gave_fits_the_metric(
    metric: str, best: float, margin: float
) -> None:
    others = [best / 2, best / 3] if metric == "val_acc" else [best * 1.5, best * 1.6]
    table = {"m": list("aabb"), "seed": [0, 1] * 2, metric: [best, best, *others]}
    found = actlab.verdict(table, candidate="m", score=metric).value
    assert found.metric.margin == pytest.approx(margin)


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


def in_blocks(blocks: int, failures: int = 0) -> list[dict[str, Any]]:
    """The same runs in several blocks; tanh fails on the first seeds of the first two."""

    def fails(row: dict[str, Any], block: int, failures: int) -> bool:
        return row["activation"] == "tanh" and block < 2 and row["seed"] < failures

    return [
        row
        | {"dataset": f"d{block}", "val_acc": row["val_acc"] - 0.001 * block * (block % 2)}
        | ({"val_acc": None} if fails(row, block, failures) else {})
        for block in range(blocks)
        for row in rows()
    ]


def test_over_blocks_it_counts_blocks_and_failures_of_runs() -> None:
    found = actlab.verdict(columns(in_blocks(4, failures=1)), margin=0.001)
    document = found.document()
    tanh = next(row for row in document["candidates"] if row["candidate"] == "tanh")
    assert (tanh["n"], tanh["runs"], tanh["failures"], tanh["more_seeds"]) == (4, 24, 2, None)
    assert "tanh failed in 2 of 24 runs, gelu in 0 of 24" in tanh["sentence"]
    assert "gelu has the best mean" in document["summary"]
    assert "with 4 blocks" in document["summary"]
    assert "seed" not in document["summary"]
    assert "| blocks |" in found.to_markdown()
    notice = "4 blocks are few: over 3 comparisons Wilcoxon's test can show no difference"
    assert any(text.startswith(notice) for text in document["notices"])
    assert any("tanh (2)" in text for text in document["notices"])
    many = actlab.verdict(columns(in_blocks(7)), margin=0.001)
    assert "unclear" not in many.groups.values()
    assert not any("are few" in text for text in many.document()["notices"])


def test_one_score_per_data_set_is_judged_over_the_data_sets(tmp_path: Path) -> None:
    """The table of Demsar (2006): methods by data sets, as autorank reads it."""
    generator = np.random.default_rng(4)
    base = generator.uniform(0.6, 0.95, 14)
    table = {
        "dataset": [f"d{place}" for place in range(14)],
        "svm": base + generator.normal(0.0, 0.002, 14),
        "forest": base + 0.03 + generator.normal(0.0, 0.002, 14),
    }
    shown = actlab.verdict(table, higher_is_better=True)
    found = shown.value
    with pytest.raises(VerdictError, match="The page compares within blocks"):
        shown.page(tmp_path / "page.html")
    assert {row.name: row.group for row in found.overall.candidates} == {
        "forest": "best",
        "svm": "worse",
    }
    p = scipy_stats.wilcoxon(table["forest"], table["svm"]).pvalue
    assert found.overall.candidates[1].p_adjusted == pytest.approx(p)
    assert (found.overall.unit, found.blocks, found.pairing) == ("blocks", (), "paired")
    with pytest.raises(VerdictError, match="one run per candidate in each block"):
        dry_run(runs_of(read_table(table), Columns()))


def test_curves_over_epochs_are_no_scores() -> None:
    table = {
        "method": list("aabb"),
        "seed": [0, 0, 0, 0],
        "epoch": [1, 2, 1, 2],
        "accuracy": [0.8, 0.9, 0.7, 0.8],
    }
    with pytest.raises(VerdictError, match="it holds curves over epoch"):
        actlab.verdict(table)


def test_over_blocks_a_candidate_may_be_unreliable() -> None:
    found = actlab.verdict(columns(in_blocks(3, failures=3)), margin=0.001)
    assert found.groups["tanh"] == "unreliable"
    assert "6 of 18 runs failed" in found.document()["candidates"][-1]["sentence"]


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
    assert repr(found) == "<Verdict on the table: gelu best, relu worse, tanh worse>"


def test_its_repr_is_short() -> None:
    many = {f"candidate-{n}" * 9: [0.1 * n, 0.2 * n, 0.15 * n] for n in range(1, 60)}
    assert len(repr(actlab.verdict(many))) < 1000


def test_the_bound_of_failures_knows_the_direction() -> None:
    table = {
        "m": list("aaaabbbb"),
        "seed": [0, 1, 2, 3] * 2,
        "val_loss": [0.30, 0.31, 0.32, 0.30, 0.5, 9.0, 9.0, 9.0],
    }
    found = actlab.verdict(table, candidate="m", fails_below=2.0)
    assert found.groups == {"a": "best", "b": "unreliable"}


@pytest.mark.parametrize(
    ("asked", "match"),
    [
        ({"block": "activation"}, "cannot be both the candidate and the block"),
        ({"seed": "val_acc", "score": "val_acc"}, "cannot be both the seed and the score"),
        ({"fails_below": float("nan")}, "bound of failures is a finite score"),
    ],
)
def test_questions_that_mean_nothing(asked: dict[str, Any], match: str) -> None:
    with pytest.raises(ActlabError, match=match):
        actlab.verdict(columns(rows()), candidate="activation", **asked)


@pytest.mark.parametrize("unit", [1e200, 1e-200, 1.7e308])
def test_scores_whose_squares_are_no_numbers_are_refused(unit: float) -> None:
    table = {"m": list("aabb"), "seed": [0, 1] * 2, "score": [unit, 0.9 * unit, -unit, 0.0]}
    with pytest.raises(VerdictError, match="cannot be compared"):
        actlab.verdict(table, candidate="m")


def test_the_baseline_has_a_word_of_its_own() -> None:
    text = actlab.verdict(columns(rows()), baseline="relu").to_markdown()
    assert "| relu | baseline | 6 |" in text


def test_a_certain_small_difference_and_failures_are_said_beside_the_table() -> None:
    table = {"a": [0.95, 0.96, 0.97, 0.96], "b": [0.949, 0.9592, 0.969, 0.9591]}
    table["c"] = [0.94, float("nan"), 0.95, 0.94]
    text = actlab.verdict(table, margin=0.005).to_markdown()
    assert "b is behind a by" in text
    assert "That holds where both trained: c failed in 1 of 4 runs, a in 0 of 4" in text


def test_a_column_of_one_value_is_no_block() -> None:
    found = [row | {"dataset": "digits"} for row in rows()]
    assert actlab.verdict(columns(found)).value.blocks == ()


def test_two_shared_seeds_pair_and_one_does_not() -> None:
    def found(seeds: dict[str, tuple[int, ...]]) -> str:
        given = [
            {"candidate": name, "seed": seed, "accuracy": 0.9 + 0.01 * seed + 0.001 * len(name)}
            for name, own in seeds.items()
            for seed in own
        ]
        return str(actlab.verdict(columns(given)).document()["pairing"])

    assert found({"relu": (1, 2, 3), "tanh_": (2, 3, 4)}) == "paired"
    assert found({"relu": (1, 2, 3), "tanh_": (3, 4, 5)}) == "unpaired"


def test_a_run_that_is_there_twice_with_a_score_and_without_one_is_refused() -> None:
    given = [*rows(), rows()[0] | {"val_acc": None}]
    with pytest.raises(ActlabError, match="has two scores for relu with seed 0"):
        actlab.verdict(columns(given))


def table_of(scores: dict[str, list[float | None]]) -> dict[str, list[Any]]:
    found = [
        {"method": name, "seed": seed, "accuracy": score}
        for name, own in scores.items()
        for seed, score in enumerate(own)
    ]
    return columns(found)


def noise(seeds: int, seed: int = 0, spread: float = 0.002) -> list[float]:
    return np.random.default_rng(seed).normal(0.9, spread, seeds).tolist()


def codes(found: Any) -> list[str]:
    return [notice.code for notice in (*found.value.notices, *found.value.overall.notices)]


@pytest.mark.parametrize(("seeds", "few"), [(2, True), (5, True), (6, False)])
def test_fewer_than_six_seeds_are_few_and_what_shows_is_said(seeds: int, few: bool) -> None:
    scores = {"a": noise(seeds), "b": noise(seeds, 1), "c": noise(seeds, 2)}
    found = actlab.verdict(table_of(scores), margin=0.001)
    assert ("few_seeds" in codes(found)) == few
    if few:
        (notice,) = (n for n in found.value.overall.notices if n.code == "few_seeds")
        spreads = [
            float(np.std(np.subtract(scores[one], scores[other]), ddof=1))
            for one, other in ("ab", "ac", "bc")
        ]
        expected = detectable_difference(seeds, sorted(spreads)[1], comparisons=3)
        assert notice.numbers == {"n": seeds, "smallest": pytest.approx(expected, rel=1e-6)}


def test_runs_without_a_partner_are_counted() -> None:
    scores = {"a": noise(8), "b": noise(8, 1)[:6], "c": noise(8, 2)}
    found = actlab.verdict(table_of(scores), margin=0.001)
    (notice,) = (n for n in found.value.overall.notices if n.code == "partly_paired")
    assert notice.numbers == {"count": 4}, "two seeds of a and of c that b has not"
    assert "partly_paired" not in codes(actlab.verdict(table_of({**scores, "b": noise(8, 1)})))


def test_without_seeds_every_run_is_used() -> None:
    given = table_of({"a": noise(7), "b": noise(4, 1)})
    del given["seed"]
    found = actlab.verdict(given, margin=0.001)
    assert "unpaired" in codes(found)
    row = next(row for row in found.value.overall.candidates if row.name == "b")
    assert (found.value.pairing, row.n) == ("unpaired", 4)
    test = scipy_stats.ttest_ind(noise(7), noise(4, 1), equal_var=False)
    assert found.value.overall.pairs[0].p_adjusted == pytest.approx(test.pvalue)
    assert row.scores == pytest.approx(noise(4, 1))


def test_one_block_is_no_verdict_over_blocks() -> None:
    given = {**table_of({"a": noise(6), "b": noise(6, 1)}), "dataset": ["d"] * 12}
    found = actlab.verdict(given, block="dataset", margin=0.001)
    assert "one_block" in codes(found)
    assert found.value.overall.unit == "seeds"
    assert [block.block for block in found.value.blocks] == ["d"]


@pytest.mark.parametrize(("candidates", "least"), [(2, 6), (3, 7)])
def test_how_many_blocks_wilcoxons_test_needs(candidates: int, least: int) -> None:
    """Its smallest p over n blocks is 2^(1 - n), times the number of pairs."""

    def found(blocks: int) -> Any:
        given = [
            {"method": f"m{place}", "dataset": f"d{block}", "accuracy": 0.9 - 0.1 * place + own}
            for block in range(blocks)
            for place in range(candidates)
            for own in [0.001 * block * (place + 1)]
        ]
        return actlab.verdict(columns(given), margin=0.001)

    few, enough = found(least - 1), found(least)
    (notice,) = (n for n in few.value.overall.notices if n.code == "few_blocks")
    pairs = candidates * (candidates - 1) // 2
    assert notice.numbers == {"n": least - 1, "count": pairs, "least": least}
    assert "few_blocks" not in codes(enough)
    assert set(few.groups.values()) == {"best", "unclear"}
    assert set(enough.groups.values()) == {"best", "worse"}


def test_over_blocks_a_score_is_the_mean_of_a_block_in_the_unit_of_the_metric() -> None:
    given = [
        {"method": name, "dataset": f"d{block}", "seed": seed, "val_loss": loss}
        for block in range(7)
        for name, step in (("low", 0.0), ("high", 0.1))
        for seed, loss in enumerate([0.5 + step + block, 0.7 + step + block])
    ]
    found = actlab.verdict(columns(given), margin=0.01).value
    low, high = found.overall.candidates
    assert (low.name, low.group, high.group) == ("low", "best", "worse")
    assert low.scores == pytest.approx([0.6 + block for block in range(7)])
    assert (low.posterior, low.difference) == (None, 0.0)
    assert high.difference == pytest.approx(-0.1), "below zero is worse, whatever the metric"
    assert high.posterior is not None
    assert high.posterior[0] > 0.99, "the chance that it is worse comes first"
    assert (found.overall.seeds, found.overall.runs) == (7, {"low": 14, "high": 14})


@pytest.mark.parametrize(
    ("scale", "rows_given", "step", "limits"),
    [(1.0, 500, 0.002, (0.0, 1.0)), (100.0, 500, 0.2, (0.0, 100.0))],
)
def test_rows_give_the_step_and_the_limits_of_a_proportion(
    scale: float, rows_given: int, step: float, limits: tuple[float, float]
) -> None:
    given = {"a": [1.0, 0.998, 0.996, 1.0], "b": [0.002, 0.0, 0.0, 0.004]}
    scores = {name: [scale * score for score in own] for name, own in given.items()}
    runs = runs_of(read_table(table_of(scores)), Columns())
    judged = judge_runs(runs, rows=rows_given, margin=0.1)
    assert judged.question.resolution == pytest.approx(step)
    assert judged.question.limits == limits
    (notice,) = (n for n in judged.verdict.notices if n.code == "resolution")
    assert notice.numbers == {"rows": rows_given, "step": pytest.approx(step)}
    a, b = judged.verdict.overall.candidates
    assert (a.high, b.low) == (limits[1], limits[0])
    assert judge_runs(runs, margin=0.1).question.limits == (-math.inf, math.inf)
    down = judge_runs(runs, rows=rows_given, margin=0.1, higher_is_better=False)
    assert down.question.limits == (-limits[1], 0.0)


@pytest.mark.parametrize("scores", [[100.0, 100.1], [-0.1, 0.5]])
def test_rows_are_of_proportions_only(scores: list[float]) -> None:
    table = table_of({"a": scores, "b": [0.5, 0.6]})
    with pytest.raises(VerdictError, match="for proportions"):
        actlab.verdict(table, rows=10)
    with pytest.raises(VerdictError, match="for proportions"):
        actlab.verdict(table_of({"a": [0.1, 0.2], "b": [0.5, 0.6]}), rows=0)
    one_row = actlab.verdict(table_of({"a": [0.0, 1.0], "b": [1.0, 0.0]}), rows=1)
    assert one_row.value.overall.candidates[0].n == 2


@pytest.mark.parametrize(
    ("best", "expected"), [(0.2, 0.005), (0.199, 0.001), (1.0, 0.005), (1.01, 0.005), (30.0, 0.15)]
)
def test_half_a_point_is_the_margin_of_a_proportion_from_a_fifth_on(
    best: float, expected: float
) -> None:
    found = actlab.verdict(table_of({"a": [best, best], "b": [best / 2, best / 4]}))
    assert found.value.metric.margin == pytest.approx(expected)
    assert "default_margin" in codes(found)
    assert "default_margin" not in codes(
        actlab.verdict(table_of({"a": [best, best], "b": [best / 2, best / 4]}), margin=0)
    )


def test_what_choosing_among_settings_is_worth() -> None:
    """The expected largest of three normal means of four runs: Blom's 0.84 standard errors."""
    generator = np.random.default_rng(5)
    given = [
        {"method": name, "lr": setting, "seed": seed, "accuracy": score}
        for name, settings in (("a", 3), ("b", 1))
        for setting in range(settings)
        for seed, score in enumerate(generator.normal(0.9 - 0.01 * setting, 0.01, 4))
    ]
    found = actlab.verdict(columns(given), setting="lr", margin=0.001).value
    (notice,) = (n for n in found.notices if n.code == "chosen_on_scores")
    assert notice.counts == {"a": 3, "b": 1}
    groups = [[row["accuracy"] for row in given if (row["method"], row["lr"]) == key]
              for key in (("a", 0), ("a", 1), ("a", 2), ("b", 0))]  # fmt: skip
    spread = float(np.median([np.std(own, ddof=1) for own in groups]))
    largest = scipy_stats.norm.ppf((3 - 0.375) / (3 + 0.25))
    assert notice.numbers["luck"] == pytest.approx(largest * spread / 2)
    a = next(row for row in found.overall.candidates if row.name == "a")
    assert a.mean == pytest.approx(max(map(np.mean, groups[:3])))
    alone = [row for row in given if row["lr"] == 0]
    found = actlab.verdict(columns(alone), setting="lr", margin=0.001).value
    (notice,) = (n for n in found.notices if n.code == "chosen_on_scores")
    assert notice.numbers == {"luck": 0.0}
    lower = actlab.verdict(columns(given), setting="lr", margin=0.001, higher_is_better=False).value
    a = next(row for row in lower.overall.candidates if row.name == "a")
    assert a.mean == pytest.approx(min(map(np.mean, groups[:3])))


def test_a_setting_whose_runs_all_failed_is_not_chosen() -> None:
    given = [
        {"method": name, "lr": setting, "seed": seed, "accuracy": None if setting else 0.9}
        for name in "ab"
        for setting in range(2)
        for seed in range(3)
    ]
    found = actlab.verdict(columns(given), setting="lr", margin=0.001).value
    assert [row.failures for row in found.overall.candidates] == [0, 0]


def test_the_dry_run_is_the_power_of_the_median_pair() -> None:
    scores = {"a": noise(6), "b": noise(6, 1), "c": noise(6, 2)}
    runs = runs_of(read_table(table_of(scores)), Columns())
    found = dry_run(runs, margin=0.003)
    spreads = [
        float(np.std(np.subtract(scores[x], scores[y]), ddof=1)) for x, y in ("ab", "ac", "bc")
    ]
    assert found.spread == pytest.approx(sorted(spreads)[1], rel=1e-6)
    assert found.smallest_difference == pytest.approx(
        detectable_difference(6, found.spread, comparisons=3), rel=1e-9
    )
    assert found.seeds_for_margin == seeds_to_separate(0.003, found.spread, comparisons=3)
    assert (found.seeds, found.comparisons, found.power, found.pairing) == (6, 3, 0.8, "paired")
    assert dry_run(runs, margin=0).seeds_for_margin is None
    given = table_of(scores)
    del given["seed"]
    unpaired = dry_run(runs_of(read_table(given), Columns()))
    assert (unpaired.seeds, unpaired.pairing) == (6, "unpaired")


def test_two_scores_of_one_run_are_named_where_they_disagree() -> None:
    given = {
        "method": list("abaab"),
        "seed": [1, 1, 0, 1, 1],
        "accuracy": [0.5, 0.7, 0.6, 0.5, 0.75],
    }
    with pytest.raises(VerdictError, match=r"two scores for b with seed 1, 0.7 and 0.75\."):
        actlab.verdict(given)
    nothing = {**given, "accuracy": [None, 0.7, 0.6, None, 0.7], "seed": [1, 1, 0, 1, 1]}
    nothing["method"].append("b")
    nothing["seed"].append(0)
    nothing["accuracy"].append(0.8)
    assert actlab.verdict(nothing, margin=0.1).value.overall.candidates[1].failures == 1


def test_one_run_each_is_too_few_and_two_of_one_are_not() -> None:
    with pytest.raises(VerdictError, match="one run of every candidate"):
        actlab.verdict(table_of({"a": [0.9], "b": [0.8]}))
    found = actlab.verdict(table_of({"a": [0.9, 0.91], "b": [0.8]}), margin=0.1)
    assert found.groups == {"a": "unclear", "b": "unclear"}
    with pytest.raises(VerdictError, match="No two candidates have two runs"):
        dry_run(runs_of(read_table(table_of({"a": [0.9, 0.91], "b": [0.8]})), Columns()))
    with pytest.raises(VerdictError, match="Every run in the table failed"):
        actlab.verdict(table_of({"a": [None, None], "b": [None, None]}), score="accuracy")
    with pytest.raises(VerdictError, match="takes two candidates; the table has one, a"):
        actlab.verdict(table_of({"a": [0.9, 0.91]}))


def test_shares_beside_percentages_are_noticed_where_nothing_overlaps() -> None:
    both = {"a": [0.9, 0.91], "b": [90.0, 91.0]}
    assert "two_scales" in codes(actlab.verdict(table_of(both), margin=1))
    between = {"a": [0.9, 1.0], "b": [1.0, 91.0]}
    assert "two_scales" not in codes(actlab.verdict(table_of(between), margin=1))
    failed = {"a": [0.9, 1.0], "b": [None, None], "c": [1.5, 91.0]}
    (notice,) = (
        n
        for n in actlab.verdict(table_of(failed), margin=1).value.notices
        if n.code == "two_scales"
    )
    assert notice.names == ("a",)


def test_the_direction_is_noticed_where_nobody_gave_it() -> None:
    def found(metric: str, **asked: Any) -> list[str]:
        given = table_of({"a": [0.9, 0.91], "b": [0.8, 0.81]})
        given[metric] = given.pop("accuracy")
        return codes(actlab.verdict(given, score=metric, margin=0.1, **asked))

    assert "lower_by_name" in found("val_loss")
    assert "lower_by_name" not in found("val_loss", higher_is_better=False)
    assert "higher_by_default" in found("quality")
    assert "higher_by_default" not in found("quality", higher_is_better=True)
    assert "higher_by_default" not in found("accuracy")


def test_settings_of_one_trained_run_each_say_nothing_of_luck() -> None:
    """A spread takes two runs of a setting; those of one are left out of it."""
    given = [
        {"method": name, "lr": setting, "seed": seed, "accuracy": score}
        for name in "ab"
        for setting, own in enumerate([[0.9, None], [0.8, None], [0.7, None]])
        for seed, score in enumerate(own)
    ]
    (luck,) = _lucks(given)
    assert luck == 0.0
    given[1]["accuracy"] = 0.94
    spread, runs = 0.04 / math.sqrt(2.0), 1
    largest = scipy_stats.norm.ppf((3 - 0.375) / (3 + 0.25))
    assert _lucks(given) == [pytest.approx(largest * spread / math.sqrt(runs))]


def test_two_settings_are_enough_for_luck() -> None:
    given = [
        {"method": name, "lr": setting, "seed": seed, "accuracy": 0.9 - 0.1 * setting + 0.02 * seed}
        for name in "ab"
        for setting in range(2)
        for seed in range(2)
    ]
    largest = scipy_stats.norm.ppf((2 - 0.375) / (2 + 0.25))
    assert _lucks(given) == [pytest.approx(largest * 0.02 / math.sqrt(2.0) / math.sqrt(2.0))]


def test_settings_of_which_every_run_failed_are_refused_in_words() -> None:
    table = {"method": list("aabb"), "lr": [1, 2, 1, 2], "seed": [0] * 4, "accuracy": [None] * 4}
    with pytest.raises(VerdictError, match="Every run in the table failed"):
        actlab.verdict(table, setting="lr")


def _lucks(given: list[dict[str, Any]]) -> list[float]:
    notices = actlab.verdict(columns(given), setting="lr", margin=0.001).value.notices
    return [n.numbers["luck"] for n in notices if n.code == "chosen_on_scores"]


def test_two_blocks_are_several() -> None:
    single = {"dataset": ["d0", "d1"], "svm": [0.8, 0.7], "forest": [0.9, 0.85]}
    with pytest.raises(VerdictError, match="one run per candidate in each block"):
        dry_run(runs_of(read_table(single), Columns()))
    found = dry_run(runs_of(read_table(columns(in_blocks(2))), Columns()))
    assert (found.candidates, found.comparisons) == (3, 3)
    overall = actlab.verdict(columns(in_blocks(2)), margin=0.001).value.overall
    chances = {row.name: row.posterior for row in overall.candidates}
    assert chances["gelu"] is None
    assert chances["tanh"] is not None
    assert sum(chances["tanh"]) == pytest.approx(1.0)
