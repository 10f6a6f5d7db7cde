"""The one name of an operation, in whatever namespace it was called."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from actlab.capture import ops


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (torch.linalg.vector_norm, "vector_norm"), (torch.linalg.norm, "norm"),
        (torch.norm, "norm"), (torch.linalg.matmul, "matmul"), (torch.special.expit, "sigmoid"),
        (torch.special.softmax, "softmax"), (torch.special.log_softmax, "log_softmax"),
        (torch.special.logsumexp, "logsumexp"), (torch.special.log1p, "log1p"),
        (torch.special.erf, "erf"), (torch.erf, "erf"),
    ],
)  # fmt: skip
def test_an_operation_of_a_namespace_has_its_plain_name(
    function: Callable[..., Any], name: str
) -> None:
    assert ops.name_of(function) == name


@pytest.mark.parametrize("norm", [torch.linalg.vector_norm, torch.linalg.norm])
def test_autograd_calls_a_norm_what_the_recorder_does(norm: Callable[..., torch.Tensor]) -> None:
    node = norm(torch.ones(3, requires_grad=True)).grad_fn
    assert node is not None
    assert ops.name_of_autograd_node(type(node).__name__) == "vector_norm"
