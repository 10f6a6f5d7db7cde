"""A rectifier inside a renderer that says 0 for every point, and one that does not."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import actlab
from actlab.checker.report import Report


def rendered(bias: float, activation: Callable[[Tensor], Tensor]) -> Report:
    torch.manual_seed(0)
    body, density, colour = nn.Linear(3, 32), nn.Linear(32, 1), nn.Linear(32, 3)
    nn.init.constant_(density.bias, bias)
    points, pixels = torch.randn(64, 12, 3), torch.rand(64, 3)

    def step() -> Tensor:
        hidden = torch.sin(body(points.reshape(-1, 3)))
        dense = activation(density(hidden)).view(64, 12)
        colours = torch.sigmoid(colour(hidden)).view(64, 12, 3)
        opaque = 1 - torch.exp(-0.1 * dense)
        weights = opaque * torch.cumprod(1 - opaque + 1e-10, 1)
        return F.mse_loss((weights[..., None] * colours).sum(1), pixels)

    return actlab.check_step(step)


def test_a_density_that_is_zero_everywhere_is_found() -> None:
    (found,) = (f for f in rendered(-20.0, F.relu).errors if f.code == "ACT304")
    assert "oftplus" in found.fix


@pytest.mark.parametrize(("bias", "activation"), [(0.5, F.relu), (-2.0, F.softplus)])
def test_a_density_that_lives_is_left_alone(
    bias: float, activation: Callable[[Tensor], Tensor]
) -> None:
    assert "ACT304" not in rendered(bias, activation).codes
