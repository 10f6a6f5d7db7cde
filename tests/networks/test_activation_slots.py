"""Slots of any network: found, named by the layer before, filled anew."""

import pytest
import torch
from torch import Tensor, nn

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


def test_one_module_after_both_kinds_cannot_be_told() -> None:
    with pytest.raises(SlotError, match="called after a convolution and after a linear layer"):
        slots(Shared(), torch.zeros(1, 1, 4, 4))


def test_swapping_fills_every_slot_with_a_module_of_its_own() -> None:
    activation = nn.ReLU()
    model = nn.Sequential(
        *(nn.Conv2d(1, 1, 1), activation, nn.Conv2d(1, 1, 1), activation),
        *(nn.Flatten(), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1)),
    )
    changed = swap(model, conv="prelu", fc=nn.Tanh)
    assert isinstance(changed[1], nn.PReLU)
    assert isinstance(changed[3], nn.PReLU)
    assert changed[1] is not changed[3]
    assert isinstance(changed[6], nn.Tanh)
    assert model[1] is activation
    assert changed(torch.ones(1, 1, 2, 2)).shape == (1, 1)


def test_swapping_one_kind_leaves_the_other() -> None:
    changed = swap(build("small_cnn", "relu", "sigmoid", "logits"), conv="silu")
    kinds = {slot.kind: type(slot.activation).__name__ for slot in slots(changed)}
    assert kinds == {"conv": "SiLU", "fc": "Sigmoid"}


def test_swapping_draws_new_weights_unless_told_not_to() -> None:
    model = build("small_cnn", "relu", "sigmoid", "logits")
    kept = swap(model, fc="tanh", reinit=False).state_dict()
    assert all(torch.equal(kept[key], value) for key, value in model.state_dict().items())
    torch.manual_seed(9)
    drawn = swap(model, fc="tanh").state_dict()
    torch.manual_seed(9)
    fresh = build("small_cnn", "relu", "tanh", "logits").state_dict()
    assert all(torch.equal(drawn[key], value) for key, value in fresh.items())


def test_swapping_with_an_example() -> None:
    example = torch.zeros(1, 1, 4, 4)
    changed = swap(Late(), conv="tanh", example=example)
    assert [type(slot.activation).__name__ for slot in slots(changed, example)] == ["Tanh", "Tanh"]


def test_a_model_without_the_slot() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
    with pytest.raises(SlotError, match="after a layer of the kind conv; it has none"):
        swap(model, conv="relu")


def test_an_activation_that_nothing_has() -> None:
    with pytest.raises(UnknownNameError, match="tnah"):
        swap(build("small_cnn", "relu", "relu", "logits"), fc="tnah")
