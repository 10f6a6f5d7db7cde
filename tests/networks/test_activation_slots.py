"""Slots of any network: found in a pass, named by the layer before, whatever calls them."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.activations import get
from actlab.errors import UnknownNameError
from actlab.networks import SlotError, build, slots, swap


def found(model: nn.Module, example: object = None) -> list[tuple[str, str]]:
    return [(slot.path, slot.kind) for slot in slots(model, example)]


class Late(nn.Module):
    """Registers its activations after its layers, as many hand-written networks do."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(1, 2, 3)
        self.linear = nn.Linear(2, 3)
        self.last = nn.Linear(3, 2)
        self.after_convolution = nn.ReLU()
        self.after_linear = nn.Tanh()

    def forward(self, images: Tensor) -> Tensor:
        pooled = self.after_convolution(self.convolution(images)).mean((2, 3))
        outputs: Tensor = self.last(self.after_linear(self.linear(pooled)))
        return outputs


class Shared(Late):
    """Calls one activation after a convolution and after a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.after_linear = self.after_convolution


def test_the_published_network() -> None:
    assert found(build("published_cnn", "relu", "sigmoid", "softmax")) == [
        ("conv1_activation", "conv"),
        ("conv2_activation", "conv"),
        ("conv3_activation", "conv"),
        ("fc1_activation", "fc"),
    ]


def test_a_slot_names_the_layer_before_it() -> None:
    network = build("published_cnn", "relu", "sigmoid", "softmax")
    assert [slot.layer for slot in slots(network)] == ["conv1", "conv2", "conv3", "fc1"]


def test_layers_between_change_nothing_and_the_output_is_no_slot() -> None:
    block = nn.Sequential(nn.BatchNorm2d(2), nn.Dropout(), nn.GELU(), nn.MaxPool2d(2))
    model = nn.Sequential(
        nn.ReLU(), nn.Conv2d(1, 2, 3), block, nn.Flatten(), nn.Linear(2, 1), nn.Sigmoid()
    )
    assert found(model) == [("2.2", "conv")]


@pytest.mark.parametrize(
    ("layer", "kind"),
    [
        (nn.Conv1d(1, 1, 1), "conv"),
        (nn.ConvTranspose2d(1, 1, 1), "conv"),
        (nn.LazyConv3d(1, 1), "conv"),
        (nn.Bilinear(1, 1, 1), "fc"),
        (nn.LazyLinear(1), "fc"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_kinds_of_layers(layer: nn.Module, kind: str) -> None:
    assert found(nn.Sequential(layer, nn.SiLU(), nn.Linear(1, 1))) == [("1", kind)]


@pytest.mark.parametrize(
    "module", [nn.Softmax(dim=1), nn.LogSoftmax(dim=1), nn.GLU(), nn.MultiheadAttention(2, 1)]
)
def test_what_is_no_activation_of_single_values(module: nn.Module) -> None:
    assert ("1", "fc") not in found(nn.Sequential(nn.Linear(2, 2), module, nn.Linear(2, 2)))


@pytest.mark.parametrize("name", ["mish", "telu", "tanhexp", "softsign", "prelu"])
def test_modules_of_the_catalogue_are_activations(name: str) -> None:
    try:
        module = get(name).module()
    except UnknownNameError:
        pytest.skip(f"the catalogue has no {name}")
    assert found(nn.Sequential(nn.Linear(2, 2), module, nn.Linear(2, 2))) == [("1", "fc")]


def test_the_order_of_calls_is_taken_from_an_example() -> None:
    model, example = Late(), torch.zeros(1, 1, 4, 4)
    assert found(model) == []
    assert found(model, example) == [("after_convolution", "conv"), ("after_linear", "fc")]
    assert found(model, (example,)) == found(model, example)


def test_looking_changes_nothing() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Conv2d(2, 1, 1))
    before = {key: value.clone() for key, value in model.state_dict().items()}
    slots(model, torch.randn(4, 1, 5, 5))
    assert model.training
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert not model[2]._forward_pre_hooks


def test_one_module_called_in_two_places_is_two_slots() -> None:
    assert found(Shared(), torch.zeros(1, 1, 4, 4)) == [
        ("after_convolution", "conv"),
        ("after_convolution", "fc"),
    ]


class Loop(nn.Module):
    """Calls one activation three times after the same layer."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.last = nn.Linear(3, 3), nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        for _step in range(3):
            x = torch.tanh(self.layer(x))
        outputs: Tensor = self.last(x)
        return outputs


def test_calls_of_one_place_are_counted() -> None:
    (slot,) = slots(Loop(), torch.zeros(1, 3))
    assert (slot.kind, slot.name, slot.calls, slot.layer) == ("fc", "tanh", 3, "layer")
    assert slot.location is not None
    assert slot.location.startswith(__file__)


class Formulas(nn.Module):
    """Activations of every spelling, each after a linear layer of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(4, 4) for _layer in range(7))

    def forward(self, x: Tensor) -> Tensor:
        a, b, c, d, e, gate, last = self.layers
        x = F.relu(a(x), inplace=True)
        x = b(x).clamp(min=0)
        x = c(x)
        x = x * torch.sigmoid(x)
        x = d(x)
        x = x * torch.tanh(F.softplus(x))
        x = e(x)
        x = 0.5 * x * (1 + torch.erf(x / 2**0.5))
        x = x * torch.sigmoid(gate(x))
        outputs: Tensor = last(x).softmax(1)
        return outputs


def test_functions_and_formulas() -> None:
    seen = slots(Formulas(), torch.zeros(2, 4))
    assert [(slot.name, slot.kind, slot.layer) for slot in seen] == [
        ("relu", "fc", "layers.0"),
        ("relu", "fc", "layers.1"),
        ("silu", "fc", "layers.2"),
        ("mish", "fc", "layers.3"),
        ("gelu", "fc", "layers.4"),
        ("sigmoid", "gate", "layers.5"),
    ]
    assert [slot.swappable for slot in seen] == [True, True, True, True, False, True]
    assert "written out as a formula" in (seen[4].reason or "")


class Own(nn.Module):
    """An activation of the user's, of no class that anybody knows."""

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.cos(x)


def test_a_class_of_the_users_is_measured() -> None:
    model = nn.Sequential(nn.Linear(4, 4), Own(), nn.Dropout(), nn.LayerNorm(4), nn.Linear(4, 1))
    assert found(model, torch.zeros(2, 4)) == [("1", "fc")]
    assert found(model) == [("1", "fc")]


def test_a_norm_alone_and_a_last_pooling() -> None:
    model = nn.Sequential(
        nn.BatchNorm2d(1), nn.ReLU(), nn.Conv2d(1, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1)
    )
    assert found(model, torch.zeros(2, 1, 4, 4)) == [("1", "norm"), ("3", "conv")]
    model.append(nn.Sigmoid())
    (*_inner, last) = slots(model, torch.zeros(2, 1, 4, 4))
    assert (last.path, last.kind, last.swappable) == ("5", "output", False)


class TwoLast(nn.Module):
    """Two last layers, and what is made of what they give."""

    def __init__(self, join: Callable[[Tensor, Tensor, Tensor], Any]) -> None:
        super().__init__()
        self.a, self.b, self.join = nn.Linear(4, 4), nn.Linear(4, 4), join

    def forward(self, x: Tensor) -> Any:
        return self.join(self.a(x), self.b(x), x)


@pytest.mark.parametrize(
    ("join", "kinds"),
    [
        pytest.param(lambda a, _b, _x: 3 * a.tanh() + 1, ["output"], id="bounded by it"),
        pytest.param(lambda a, b, _x: (a.sigmoid() + b.sigmoid()) / 2, ["output"] * 2, id="mean"),
        pytest.param(lambda a, b, _x: torch.cat([a.sigmoid(), b], 1), ["output"], id="joined"),
        pytest.param(
            lambda a, b, _x: b + 0 * a.relu().sum(1, keepdim=True), ["fc"], id="no effect"
        ),
        pytest.param(lambda a, _b, x: x + a.tanh(), ["fc"], id="added to the input"),
        pytest.param(lambda a, b, _x: a.sigmoid() * b, ["gate"], id="multiplied"),
        pytest.param(lambda a, _b, _x: F.layer_norm(a.tanh(), (4,)), ["fc"], id="normalised"),
        pytest.param(
            lambda a, b, _x: F.cosine_similarity(a.tanh(), b.tanh()), ["fc"] * 2, id="compared"
        ),
        pytest.param(
            lambda a, b, _x: (a.sigmoid(), b.tanh()), ["output", "fc"], id="second result"
        ),
    ],
)
def test_an_output_makes_what_is_returned_probabilities_or_bounds_it(
    join: Callable[[Tensor, Tensor, Tensor], Any], kinds: list[str]
) -> None:
    assert [slot.kind for slot in slots(TwoLast(join), torch.randn(2, 4))] == kinds


def test_an_lstm_says_why_it_cannot_be_swapped() -> None:
    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.last = nn.LSTM(3, 4, batch_first=True), nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            outputs: Tensor = self.last(self.lstm(x)[0][:, -1])
            return outputs

    (slot,) = slots(Recurrent(), torch.zeros(2, 5, 3))
    assert (slot.kind, slot.swappable) == ("recurrent", False)
    assert "nn.RNN" in (slot.reason or "")


def test_squeeze_and_excite_gates_are_told_apart() -> None:
    class Excited(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.act, self.scale = nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Conv2d(2, 2, 1)
            self.gate, self.last = nn.Sigmoid(), nn.Linear(2, 2)

        def forward(self, x: Tensor) -> Tensor:
            x = self.act(self.conv(x))
            x = x * self.gate(self.scale(x.mean((2, 3), keepdim=True)))
            outputs: Tensor = self.last(x.mean((2, 3)))
            return outputs

    assert found(Excited(), torch.zeros(2, 1, 5, 5)) == [("act", "conv"), ("gate", "gate")]


def test_an_encoder_layers_function_is_an_attribute() -> None:
    layer = nn.TransformerEncoderLayer(4, 2, 8, activation=F.gelu, batch_first=True)
    model = nn.Sequential(layer, nn.Linear(4, 1))
    assert found(model, torch.zeros(2, 3, 4)) == [("0.activation", "fc")]


def test_a_model_that_does_not_run_on_the_example() -> None:
    with pytest.raises(SlotError, match="must run on the example; it raised RuntimeError"):
        slots(nn.Sequential(nn.Linear(3, 3)), torch.zeros(2, 4))


@pytest.mark.filterwarnings("ignore")
def test_a_scripted_model_is_refused() -> None:
    scripted = torch.jit.trace(nn.Sequential(nn.Linear(3, 3), nn.ReLU()), torch.zeros(2, 3))
    with pytest.raises(SlotError, match="scripted model cannot be looked into"):
        slots(scripted, torch.zeros(2, 3))


class Shaped(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers, self.act = nn.ModuleList(nn.Linear(4, 4) for _n in range(5)), nn.LeakyReLU(0.2)

    def forward(self, x: Tensor) -> Tensor:
        a, b, c, d, last = self.layers
        x = F.leaky_relu(a(self.act(d(x))), 0.3)
        x = F.gelu(b(x), approximate="tanh")
        outputs: Tensor = last(c(x).clamp(0, 6))
        return outputs


def test_a_name_has_the_parameters_that_are_not_usual() -> None:
    assert [slot.name for slot in slots(Shaped(), torch.zeros(2, 4))] == [
        "leaky_relu(negative_slope=0.2)",
        "leaky_relu(negative_slope=0.3)",
        "gelu_tanh",
        "relu6",
    ]
    for wanted in ("leaky_relu", "gelu", "relu"):
        assert swap(Shaped(), fc=wanted, example=torch.zeros(2, 4)) is not None
    other = nn.Sequential(nn.Linear(4, 4), nn.LeakyReLU(0.2), nn.Linear(4, 1))
    with pytest.raises(SlotError, match="Nothing would change"):
        swap(other, fc="leaky_relu(0.2)")


class Graph(nn.Module):
    """Two layers of a graph network: what the neighbours have is summed by a dense adjacency."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Parameter(torch.rand(4, 5)), nn.Parameter(torch.rand(5, 5))
        self.last = nn.Linear(5, 2)
        self.register_buffer("adjacency", torch.eye(3))

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.adjacency @ x @ self.first)
        x = torch.tanh(self.adjacency @ (x @ self.second))
        outputs: Tensor = self.last(x)
        return outputs


def test_a_sum_over_neighbours_is_no_layer() -> None:
    assert [slot.kind for slot in slots(Graph(), torch.randn(2, 3, 4))] == ["fc", "fc"]


@pytest.mark.parametrize("spread", ["expand_as", "view_as", "type_as"])
def test_what_a_gate_is_made_the_shape_of_is_no_gate(spread: str) -> None:
    class Excited(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.act, self.gate = nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Sigmoid()
            self.squeeze, self.last = nn.Conv2d(4, 4, 1), nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            x = self.act(self.conv(x))
            pooled = x if spread == "view_as" else x.mean((2, 3), keepdim=True)
            scale = getattr(self.gate(self.squeeze(pooled)), spread)(x)
            return self.last((x * scale).mean((2, 3)))  # type: ignore[no-any-return]

    found = slots(Excited(), torch.randn(2, 1, 8, 8))
    assert [(slot.path, slot.kind) for slot in found] == [("act", "conv"), ("gate", "gate")]
