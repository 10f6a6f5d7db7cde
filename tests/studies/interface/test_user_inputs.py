"""How data of the user's enter a plan."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import actlab
from actlab.addresses import offer
from actlab.data.tables import Reading
from actlab.errors import DataError
from actlab.studies.interface.user_inputs import user_data

IDS = np.random.default_rng(0).integers(0, 40, (60, 5), dtype=np.uint8)
LABELS = (IDS[:, 0] > 20).astype(int)


def tokens() -> nn.Module:
    """Return a network that looks its inputs up."""
    return nn.Sequential(
        nn.Embedding(40, 4), nn.Flatten(), nn.Linear(20, 6), nn.ReLU(), nn.Linear(6, 2)
    )


def pixels() -> nn.Module:
    """Return a network that computes with its inputs."""
    return nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 2))


def test_bytes_are_ids_where_the_network_looks_them_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    offer("here:tokens", tokens)
    np.savez(tmp_path / "mine.npz", x=IDS, y=LABELS)
    for name, data in (("arrays", (IDS, LABELS)), ("file", tmp_path / "mine.npz")):
        found = user_data(data, tmp_path / name, Reading(), "here:tokens")
        with np.load(found.overrides["data"]["name"]) as kept:
            assert kept["x"].dtype == np.int64
            assert np.array_equal(kept["x"], IDS)
        assert "token ids" in capsys.readouterr().err


def test_bytes_are_pixels_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    offer("here:pixels", pixels)
    for network in ("here:pixels", "small_cnn", None):
        found = user_data((IDS, LABELS), tmp_path, Reading(), network)
        with np.load(found.overrides["data"]["name"]) as kept:
            assert kept["x"].dtype == np.uint8
    assert "token ids" not in capsys.readouterr().err


def test_a_plan_that_takes_ids_for_pixels_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", x=IDS, y=LABELS)
    plan = {"data.name": str(tmp_path / "mine.npz"), "trials": 2, "replicates": 0}
    plan |= {"data.splits": {"train": 30, "valid_epoch": 9, "valid_trial": 9, "test": 12}}
    with torch.random.fork_rng(), pytest.raises(DataError, match=r"int64"):
        actlab.study(model=tokens, fc=["relu", "tanh"], out=tmp_path / "run", overrides=plan)


def test_splits_that_the_data_give_have_their_own_sizes(tmp_path: Path) -> None:
    where = np.array((["train"] * 7 + ["valid"] * 2 + ["test"]) * 6)
    inputs = IDS.astype(np.float32)
    found = user_data((inputs, LABELS), tmp_path, Reading(split=where))
    sizes = {"train": 42, "valid_epoch": 6, "valid_trial": 6, "test": 6}
    assert found.overrides["data"]["splits"] == sizes
