"""Data sets by name."""

import pytest

from actlab.data import NAMES, image_shape, open_dataset, pool_sizes
from actlab.errors import DataError, UnknownNameError


@pytest.mark.parametrize("ask", [open_dataset, pool_sizes, image_shape])
def test_an_unknown_name_has_a_nearest_one(ask: object) -> None:
    assert callable(ask)
    with pytest.raises(UnknownNameError, match=r'no data set "minst"\. Did you mean "mnist"'):
        ask("minst")


def test_data_are_opened_once_in_a_process() -> None:
    assert open_dataset("digits") is open_dataset("digits")


def test_digits_are_read_from_no_folder() -> None:
    with pytest.raises(DataError, match="read from no folder"):
        open_dataset("digits", "somewhere")


def test_sizes_and_shapes_are_known_for_every_name() -> None:
    assert {name: (image_shape(name), pool_sizes(name)) for name in NAMES} == {
        "digits": ((1, 8, 8), (1400, 397)),
        "fashion_mnist": ((1, 28, 28), (60_000, 10_000)),
        "mnist": ((1, 28, 28), (60_000, 10_000)),
        "mnist1d": ((40,), (4000, 1000)),
    }
