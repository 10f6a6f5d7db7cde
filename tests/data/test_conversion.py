"""Data in many forms become plain arrays; what cannot is refused with its place and a way out."""

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from actlab.data import draw_splits, final_test_split, fitted, unequal_inputs
from actlab.data.arrays import open_file
from actlab.data.conversion import as_arrays
from actlab.data.tables import Reading
from actlab.errors import ActlabError, DataError, UnknownNameError
from actlab.records import SplitSizes

RNG = np.random.default_rng(3)
X = RNG.normal(size=(40, 3)).astype(np.float32)
Y = np.arange(40) % 2


def table() -> Any:
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    frame["kind"] = np.where(Y == 1, "yes", "no")
    frame["colour"] = RNG.choice(["red", "blue"], 40)
    frame.loc[7, "b"] = np.nan
    return frame


def kept(folder: Path, arrays: dict[str, Any]) -> Any:
    np.savez(folder / "data.npz", **arrays)
    return open_file(str(folder / "data.npz"))


def test_a_table_is_refused_with_column_and_row_until_it_is_asked_to_be_changed() -> None:
    with pytest.raises(DataError, match=r"The column b .* row 7 is empty.*--fill median"):
        as_arrays(table().drop(columns="colour"), Reading("kind"))
    with pytest.raises(DataError, match=r"The column colour .* row 0 holds '.*--encode"):
        as_arrays(table(), Reading("kind", fill="median"))
    with pytest.raises(ActlabError, match='Did you mean "median"'):
        as_arrays(table(), Reading("kind", fill="mediann"))
    with pytest.raises(DataError, match=r"--target COLUMN\); it has a, b, c, kind, colour"):
        as_arrays(table(), Reading())
    found = as_arrays(table(), Reading("kind", encode=True, fill="mean"))
    assert found["x"].shape == (40, 5)
    assert found["x"].dtype == np.float32
    assert np.array_equal(found["x"][:, 3:].sum(axis=1), np.ones(40)), "one colour each"
    assert set(found["y"]) == {"yes", "no"}


def test_tables_come_from_files_too(tmp_path: Path) -> None:
    frame = table()
    frame.to_csv(tmp_path / "t.csv", index=False)
    reading = Reading("kind", encode=True, fill="median")
    assert np.allclose(
        as_arrays(tmp_path / "t.csv", reading)["x"],
        as_arrays(frame, reading)["x"],
        equal_nan=True,
    )
    with pytest.raises(DataError, match="There is no file"):
        as_arrays(tmp_path / "none.csv", reading)


def test_filling_and_scaling_know_the_training_rows_alone() -> None:
    train = np.array([[1.0, np.nan], [3.0, 2.0], [5.0, 4.0]], dtype=np.float32)
    change = fitted(train, "median", scale=True)
    assert np.allclose(change(train).mean(axis=0), 0, atol=1e-6)
    assert np.allclose(change(np.array([[3.0, np.nan]])), 0), "gaps are the median of the rows"
    unseen = change(np.array([[100.0, 100.0]]))
    assert (unseen > 10).all(), "what comes later is not looked at"
    ids = np.array([[1, 2]])
    assert fitted(ids, "median", scale=True)(ids) is ids, "token ids stay what they are"
    assert unequal_inputs(np.array([[0.001, 900.0], [0.002, 1100.0]])) is not None
    assert unequal_inputs(RNG.normal(size=(50, 3))) is None


class Numbered(torch.utils.data.Dataset[Any]):
    def __len__(self) -> int:
        return 40

    def __getitem__(self, place: int) -> Any:
        return torch.tensor(X[place]), int(Y[place])


def test_a_target_that_is_no_column_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r'no column "knid"\. Did you mean "kind"'):
        as_arrays(table(), Reading("knid"))


def test_datasets_and_loaders_are_read_by_their_items() -> None:
    for data in (Numbered(), torch.utils.data.DataLoader(Numbered(), batch_size=7)):
        found = as_arrays(data, Reading())
        assert np.array_equal(found["x"], X)
        assert np.array_equal(found["y"], Y)

    class Streamed(torch.utils.data.IterableDataset[Any]):
        def __iter__(self) -> Any:
            return iter(())

    with pytest.raises(DataError, match="a length and numbered items"):
        as_arrays(torch.utils.data.DataLoader(Streamed()), Reading())
    with pytest.raises(DataError, match=r"must be a pair \(x, y\).*train="):
        as_arrays(Dictionaries(), Reading())
    with pytest.raises(DataError, match="several inputs"):
        as_arrays({"input_ids": X, "mask": X}, Reading())


class Dictionaries:
    def __len__(self) -> int:
        return 3

    def __getitem__(self, place: int) -> dict[str, int]:
        return {"a": place}


def test_frames_of_inputs_and_targets_are_read_as_a_table_is() -> None:
    inputs = table().drop(columns="kind")
    with pytest.raises(DataError, match=r"The column colour .* row 0 holds .*encode=True"):
        as_arrays((inputs, Y), Reading(fill="median"))
    whole = as_arrays((inputs, Y), Reading(encode=True, fill="median"))
    assert whole["x"].shape == (40, 5)
    reading = Reading(encode=True, fill="median")
    parted = as_arrays((inputs[:30], Y[:30], inputs[30:], Y[30:]), reading)
    np.testing.assert_array_equal(parted["x_test"], whole["x"][30:])
    np.testing.assert_array_equal(parted["y_test"], Y[30:])


def test_two_columns_of_one_name_and_dates_are_refused() -> None:
    doubled = pd.concat([table(), table()[["a"]]], axis=1)
    with pytest.raises(DataError, match="two columns with the name a"):
        as_arrays(doubled, Reading("kind", encode=True, fill="mean"))
    dated = table().assign(day=pd.date_range("2024-01-01", periods=40))
    with pytest.raises(DataError, match=r"The column day .* holds dates.*--split-by time:day"):
        as_arrays(dated, Reading("kind", encode=True, fill="mean"))
    in_order = as_arrays(dated, Reading("kind", encode=True, fill="mean", time="day"))
    assert in_order["time"].tolist() == sorted(in_order["time"].tolist())


class Columns:
    """What is used of a dataset of Hugging Face: its columns, their names, and names of classes."""

    __module__ = "datasets.arrow_dataset"

    def __init__(self, names: tuple[str, ...] = (), **columns: list[Any]) -> None:
        self.columns = columns
        self.column_names = list(columns)
        self.features = {name: SimpleNamespace() for name in columns}
        if names:
            self.features["label"] = SimpleNamespace(names=names)

    def __getitem__(self, name: str) -> list[Any]:
        return self.columns[name]


class Splits(dict[str, Columns]):
    __module__ = "datasets.dataset_dict"


def test_datasets_of_hugging_face_are_read_by_their_columns() -> None:
    ids = Columns(("neg", "pos"), input_ids=[[1, 2], [3, 4]], attention_mask=[[1, 1]] * 2,
                  label=[1, 0])  # fmt: skip
    found = as_arrays(ids, Reading())
    assert found["x"].tolist() == [[1, 2], [3, 4]]
    assert found["x"].dtype.kind == "i"
    assert found["y"].tolist() == ["pos", "neg"]
    apart = as_arrays(Splits(train=ids, test=Columns(("neg", "pos"), input_ids=[[5, 6]],
                                                     attention_mask=[[1, 1]], label=[1])),
                      Reading())  # fmt: skip
    assert apart["x_test"].tolist() == [[5, 6]]
    assert apart["y_test"].tolist() == ["pos"]
    numbers = as_arrays(Columns(a=[1.0, 2.0], b=[3, 4], label=[0, 1]), Reading())
    assert numbers["x"].tolist() == [[1, 3], [2, 4]]
    with pytest.raises(DataError, match=r"Tokenise texts first"):
        as_arrays(Columns(text=["a", "b"], label=[0, 1]), Reading())
    with pytest.raises(DataError, match="must have one length"):
        as_arrays(Columns(input_ids=[[1], [1, 2]], label=[0, 1]), Reading())


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3)])
def test_pictures_in_a_dataset_have_their_channels_first(mode: str, channels: int) -> None:
    pictures = [Image.new(mode, (5, 6)) for _number in range(3)]
    for data in (Columns(image=pictures, label=[0, 1, 0]), Pictures(pictures)):
        assert as_arrays(data, Reading())["x"].shape == (3, channels, 6, 5)


class Pictures:
    """A dataset with numbered items whose inputs are pictures."""

    def __init__(self, pictures: list[Any]) -> None:
        self.pictures = pictures

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, number: int) -> tuple[Any, int]:
        return self.pictures[number], number % 2


def test_a_folder_of_pictures_has_a_class_per_folder(tmp_path: Path) -> None:
    for name, value in (("cats", 10), ("dogs", 200)):
        (tmp_path / name).mkdir()
        for place in range(3):
            pixels = np.full((6, 5, 3), value + place, dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{place}.png")
    found = as_arrays(tmp_path, Reading())
    assert found["x"].shape == (6, 3, 6, 5)
    assert found["x"].dtype == np.uint8
    assert found["y"].tolist() == ["cats"] * 3 + ["dogs"] * 3
    Image.fromarray(np.zeros((4, 4, 3), dtype=np.uint8)).save(tmp_path / "cats" / "z.png")
    with pytest.raises(DataError, match="must have one size"):
        as_arrays(tmp_path, Reading())
    assert as_arrays(tmp_path, Reading(size=4))["x"].shape == (7, 3, 4, 4)


def sizes() -> SplitSizes:
    return SplitSizes(train=16, valid_epoch=6, valid_trial=10, test=8)


def test_rows_of_one_group_are_in_one_split(tmp_path: Path) -> None:
    groups = np.arange(40) // 4
    marked = np.repeat(groups[:, None], 3, axis=1).astype(np.float32)
    dataset = kept(tmp_path, as_arrays((marked, Y), Reading(group=groups)))
    seen: set[float] = set()
    for seed in (1, 2):
        splits = draw_splits(dataset, sizes(), seed)
        parts = [splits.train, splits.valid_epoch, splits.valid_trial]
        parts.append(final_test_split(dataset, sizes(), seed))
        sets = [set(part.images[:, 0].tolist()) for part in parts]
        assert sum(map(len, sets)) == len(set.union(*sets)) == 10, "no group is in two splits"
        seen.add(tuple(sorted(sets[0])))  # type: ignore[arg-type]
    assert len(seen) == 2, "another seed draws other groups"


def test_in_the_order_of_time_the_later_rows_are_for_testing(tmp_path: Path) -> None:
    time = RNG.permutation(40)
    marked = np.repeat(time[:, None], 3, axis=1).astype(np.float32)
    dataset = kept(tmp_path, as_arrays((marked, Y), Reading(time=time)))
    splits = draw_splits(dataset, sizes(), 1)
    test = final_test_split(dataset, sizes(), 1)
    order = [splits.train, splits.valid_epoch, splits.valid_trial, test]
    for before, after in pairwise(order):
        assert before.images[:, 0].max() < after.images[:, 0].min()


def test_splits_that_are_given_are_kept(tmp_path: Path) -> None:
    given = np.array((["train"] * 5 + ["valid"] * 3 + ["test"] * 2) * 4)
    dataset = kept(tmp_path, as_arrays((X, Y), Reading(split=given)))
    splits = draw_splits(dataset, sizes(), 1)
    counts = [len(part) for part in vars(splits).values()]
    assert counts == [20, 6, 6]
    assert len(final_test_split(dataset, sizes(), 1)) == 8
    with pytest.raises(DataError, match="must say train, valid or test"):
        bad = tmp_path / "bad"
        bad.mkdir()
        kept(bad, as_arrays((X, Y), Reading(split=np.array(["train", "tset"] * 20))))


def test_numbers_are_targets_of_a_regression_and_part_of_the_fingerprint(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        folder.mkdir()
    plain = kept(first, as_arrays((X, X[:, 0]), Reading(task="regression")))
    scaled = kept(second, as_arrays((X, X[:, 0]), Reading(task="regression", scale=True)))
    assert plain.training_pool.labels.shape == (32, 1)
    assert plain.training_pool.labels.dtype == np.float32
    assert (plain.classes, plain.class_names) == (1, ())
    assert plain.fingerprint != scaled.fingerprint
    with pytest.raises(DataError, match=r"Targets of another shape.*train="):
        mask = tmp_path / "mask"
        mask.mkdir()
        kept(mask, as_arrays((X, np.zeros((40, 4, 4))), Reading(task="regression")))
