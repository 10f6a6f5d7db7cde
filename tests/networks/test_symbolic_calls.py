"""Which places of a network's code call its activations, seen without running it on numbers."""

import pytest
import torch
from torch import Tensor, nn

from actlab.networks.symbolic_calls import is_named_often, kinds_called


class Net(nn.Module):
    """One activation after a convolution and a linear layer, and a gate through a view."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.act, self.gate = nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Sigmoid()
        self.fc, self.last, self.unused = nn.Linear(4, 4), nn.Linear(4, 2), nn.Tanh()

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.conv(x))
        scale = self.gate(self.fc(x.mean((2, 3))))
        x = x * scale.view(-1, 4, 1, 1).expand_as(x)
        return self.last(self.act(self.fc(x.mean((2, 3)))))  # type: ignore[no-any-return]


class Asks(Net):
    def forward(self, x: Tensor) -> Tensor:
        return x if bool(x.sum() > 0) else super().forward(x)


def test_the_kinds_of_the_places_that_call_an_activation() -> None:
    model = Net().train()
    before = torch.get_rng_state()
    assert kinds_called(model, ["act", "gate", "unused"]) == {
        "act": ("conv", "fc"),
        "gate": ("gate",),
    }
    assert torch.equal(torch.get_rng_state(), before)
    assert model.training


class Prints(Net):
    def forward(self, x: Tensor) -> Tensor:
        print(x)
        return super().forward(x)


class Leaves(Net):
    def forward(self, x: Tensor) -> Tensor:
        raise SystemExit(3)


def test_code_that_asks_for_numbers_cannot_be_followed(capsys: pytest.CaptureFixture[str]) -> None:
    for made in (Asks, Leaves):
        assert kinds_called(made(), ["act", "gate"]) is None
    assert kinds_called(Prints(), ["act"]) == {"act": ("conv", "fc")}
    assert capsys.readouterr().out == ""


def test_an_attribute_is_counted_in_the_code_of_all_its_classes() -> None:
    assert is_named_often(Asks(), "act")
    assert not is_named_often(Asks(), "gate")
    assert not is_named_often(Asks(), "last")
