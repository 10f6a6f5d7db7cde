"""Files, frames and exports as they come, and what is no table."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import actlab
from actlab.errors import ActlabError, DataError
from actlab.verdicts.tables import number_in, read_table

from .test_judge import columns, csv_of, rows


def groups(given: Any) -> dict[str, str]:
    return actlab.verdict(given).groups


EXPECTED = groups(columns(rows()))


def test_a_parquet_file_is_a_table(tmp_path: Path) -> None:
    path = tmp_path / "optimizer=adam" / "scores.parquet"
    path.parent.mkdir()
    pd.DataFrame(rows()).to_parquet(path)
    assert groups(path) == EXPECTED
    upper = path.rename(path.with_suffix(".PQ"))
    assert groups(upper) == EXPECTED
    upper.write_bytes(upper.read_bytes()[:-20])
    with pytest.raises(DataError, match="cannot be read"):
        groups(upper)


def test_frames_are_tables() -> None:
    pyarrow = import_module("pyarrow")
    frame = pd.DataFrame(rows())
    assert groups(frame) == EXPECTED
    assert groups(frame.convert_dtypes()) == EXPECTED
    assert groups(frame.astype({"activation": "category", "seed": "Int64"})) == EXPECTED
    assert groups(pyarrow.Table.from_pandas(frame)) == EXPECTED
    wide = frame.pivot(index="seed", columns="activation", values="val_acc")
    assert groups(wide) == groups({name: wide[name].tolist() for name in wide})
    with pytest.raises(DataError, match="two columns of the name seed"):
        groups(pd.concat([frame, frame[["seed"]]], axis=1))
    missing = frame.astype({"seed": "Int64"})
    missing.loc[3, "seed"] = pd.NA
    with pytest.raises(DataError, match="needs its seed; it is missing in row 4"):
        groups(missing)


def test_json_of_pandas_and_of_tensorboard(tmp_path: Path) -> None:
    frame, path = pd.DataFrame(rows()), tmp_path / "a.json"
    for orient in ("records", "columns", "split", "index", "table"):
        if orient not in ("index", "table"):
            frame.to_json(path, orient=orient)
            assert groups(path) == EXPECTED, orient
    path.write_text(json.dumps({"header": list(frame), "rows": frame.to_numpy().tolist()}))
    assert groups(path) == EXPECTED
    path.write_text(json.dumps(columns(rows()), indent=1))
    assert groups(path) == EXPECTED


def test_a_decimal_comma_where_semicolons_separate(tmp_path: Path) -> None:
    path = tmp_path / "german.csv"
    path.write_text("\ufeff" + csv_of(rows(), ";").replace(".", ","), encoding="utf-8")
    assert groups(path) == EXPECTED
    path.write_text(csv_of(rows(), "\t").replace(".", ","), encoding="utf-16")
    assert groups(path) == EXPECTED


def test_columns_of_objects_are_taken_apart(tmp_path: Path) -> None:
    """A frame of `wandb.Api().runs`, in memory and as CSV, where nan is a name."""
    table = [
        {
            "summary": {"val_acc": row["val_acc"], "_step": 9, "grad": {"norm": float("nan")}},
            "config": {"activation": row["activation"], "seed": row["seed"], "x": None},
            "name": f"run-{number}",
        }
        for number, row in enumerate(rows())
    ]
    frame, path = pd.DataFrame(table), tmp_path / "project.csv"
    assert groups(frame) == EXPECTED
    frame.to_csv(path)
    assert groups(path) == EXPECTED
    found = read_table(path)
    assert "config.activation" in found.columns
    assert found.columns["summary.grad.norm"][0] is None


@pytest.mark.parametrize("name", ["random.csv", "random.parquet", "random.jsonl"])
def test_random_bytes_are_no_table(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(np.random.default_rng(0).bytes(3000))
    with pytest.raises(DataError):
        actlab.verdict(path)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        (7, "is a int"),
        ({"a": 5, "b": 6}, "no list of values"),
        ({"a": [1, 2], "b": [1]}, "different lengths: a .2., b .1."),
        ({"m": [[1], [2]], "score": [1, 2]}, "Which column"),
        ({"model": [["x"], ["y"]], "seed": [0, 1], "score": [1, 2]}, "holds lists"),
        ({}, "has no rows"),
        ("x" * 5000, "cannot be read"),
        ("a\0b", "cannot be read"),
    ],
)
def test_what_is_no_table_in_memory(given: Any, match: str) -> None:
    with pytest.raises(ActlabError, match=match):
        actlab.verdict(given)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("[1, 2]", "one JSON object per run"),
        ('{"a": 1}\n{"a": ', "in line 2"),
        ("[" * 100_000, "JSON"),
        ('{"score": ' + "9" * 5000 + "}", "JSON"),
        ('{"header": ["a", "a"], "rows": [[1, 2]]}', "two columns of the name a"),
        ('{"header": ["a", "b"], "rows": [[1]]}', "1 values in line 1, and 2 columns"),
        ("a,b\n1,2,3\n", "3 values in line 2"),
        ("a,a\n1,2\n", "two columns of the name a"),
        ("a\n1\n", "one column"),
        ("\n \n", "is empty"),
        (",", "is empty"),
        (",,\n,,\n", "is empty"),
    ],
)
def test_what_is_no_table_in_a_file(tmp_path: Path, content: str, match: str) -> None:
    path = tmp_path / ("a.jsonl" if content[0] in "[{" else "a.csv")
    path.write_text(content)
    with pytest.raises(ActlabError, match=match):
        actlab.verdict(path)


def test_numbers_as_people_and_programs_write_them() -> None:
    finite = {"0.5": 0.5, " 93.1% ": 93.1, "−1e-3": -0.001, "5": 5.0, 7: 7.0}
    assert {given: number_in(given) for given in finite} == finite
    for given in (None, "", "NaN", "inf", "-Infinity", "<NA>", "n/a", 10**400, float("inf")):
        found = number_in(given)
        assert found is not None
        assert np.isnan(found), given
    assert [number_in(given) for given in ("good", "1,000", True, [1])] == [None] * 4


def test_a_million_columns_are_too_many_to_compare_and_soon_refused(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    names = ",".join(f"c{place}" for place in range(100_000))
    path.write_text(f"{names}\n{','.join('1' * 100_000)}\n")
    with pytest.raises(ActlabError, match="has 100000 candidates; at most 2000"):
        actlab.verdict(path)


def test_what_would_steer_a_terminal_is_not_in_a_name() -> None:
    given = {
        "candi\x1b[2Jdate": ["\x1b]0;x\x07a", "\x1b]0;x\x07a", "b\u202e", "b\u202e"],
        "seed": [0, 1, 0, 1],
        "score": [0.5, 0.6, 0.7, 0.8],
    }
    table = read_table(given)
    assert "candi\N{REPLACEMENT CHARACTER}[2Jdate" in table.columns
    found = actlab.verdict(table, candidate="candi\N{REPLACEMENT CHARACTER}[2Jdate")
    assert not {"\x1b", "\x07", "\u202e"} & set(found.to_markdown() + "".join(found.groups))


def test_a_device_is_no_table() -> None:
    with pytest.raises(DataError, match="it is no regular file"):
        read_table("/dev/zero")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.tsv", "x,y\tz\n1,5\t2\n", {"x,y": ["1.5"], "z": ["2"]}),
        ("a.tsv", "x,y,z\n1,2,3\n", {"x": ["1"], "y": ["2"], "z": ["3"]}),
        ("a.csv", "x,y,z\tw\n1,2,3\n", {"x": ["1"], "y": ["2"], "z\tw": ["3"]}),
        ("a.csv", "x\ty\tz,w\n1\t2\t3,5\n", {"x": ["1"], "y": ["2"], "z,w": ["3.5"]}),
        ("a.csv", "x;y\n1,5;a,b\n-2,5 %;1,2,3\n", {"x": ["1.5", "-2.5 %"], "y": ["a,b", "1,2,3"]}),
        ("a.csv", 'x, y \n1,"a, b"\n\n2,\n', {"x": ["1", "2"], "y": ["a, b", ""]}),
        ("a.csv", "\n\n# a remark\nx,y\n1,2\n", {"x": ["1"], "y": ["2"]}),
        ("a.csv", "#,x\n1,2\n", {"#": ["1"], "x": ["2"]}),
    ],
)
def test_what_separates_the_columns(
    tmp_path: Path, name: str, text: str, expected: dict[str, list[str]]
) -> None:
    path = tmp_path / name
    path.write_text(text)
    assert dict(read_table(path).columns) == expected


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("# one\n# two\na,b\n1,2\n1\n", "1 values in line 5, and 2 columns"),
        ('{"a": 1}\n\n{"a": 2}\n{"a"\n', "is not JSON lines: .* in line 4"),
        ('[\n{"a": 1},\n{"a"}\n]', "is not JSON lines: .* in line 3"),
    ],
)
def test_the_line_of_a_fault_is_that_of_the_file(tmp_path: Path, text: str, match: str) -> None:
    path = tmp_path / "scores.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=match):
        read_table(path)


def test_objects_in_rows_are_flat_and_what_is_missing_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": {"b": 1, "c": {"d": 2}}, "e": 3}\n{"e": 4, "f": null}\n')
    assert dict(read_table(path).columns) == {
        "a.b": [1, None], "a.c.d": [2, None], "e": [3, 4], "f": [None, None]
    }  # fmt: skip
    path.write_text('{"a": 1, "b": {"c": 2}}')
    assert dict(read_table(path).columns) == {"a": [1], "b.c": [2]}
    path.write_text('{"columns": ["a", "b"], "data": [[1, 2], [3, 4]]}')
    assert dict(read_table(path).columns) == {"a": [1, 3], "b": [2, 4]}


def test_a_column_of_json_may_be_called_data(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for name in ("data", "columns", "rows", "header"):
        table = {name: ["x", "y"], "method": ["a", "b"], "score": [0.9, 0.8]}
        path.write_text(json.dumps(table))
        assert dict(read_table(path).columns) == table


def test_a_frame_of_polars_is_asked_for_lists() -> None:
    class Frame:
        schema = ("activation", "seed", "val_acc")

        def to_dict(self, *, as_series: bool = True) -> dict[str, Any]:
            found = columns(rows())
            return {key: np.array(one) for key, one in found.items()} if as_series else found

    read = read_table(Frame())
    assert groups(read) == EXPECTED
    assert all(isinstance(column, list) for column in read.columns.values())
