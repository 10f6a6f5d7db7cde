"""The plugin of pytest: the fixture `actlab_check`."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from actlab.testing import assert_no_misuse

if TYPE_CHECKING:
    from actlab.checker.report import Report


@pytest.fixture
def actlab_check() -> "Callable[..., Report]":
    """`actlab.testing.assert_no_misuse`: the test fails where an activation is misused.

    Called with (model, loss_fn, (x, y)), or with a step that returns the loss.
    """
    return assert_no_misuse
