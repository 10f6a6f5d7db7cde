"""Swapping: values against the network written out by hand, weights as asked, original whole."""

import copy
import pickle

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import actlab
from actlab.errors import UnknownNameError
from actlab.networks import SlotError, build, slots, swap, undo
from actlab.networks.initialisation import gain_of
from actlab.records import Slot

IMAGES = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(1))


class Mixed(nn.Module):
    """A functional call, a module called twice, and a self-gated product."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.second = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3)
        self.fc, self.hidden, self.last = nn.Linear(64, 16), nn.Linear(16, 16), nn.Linear(16, 10)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        x = F.gelu(self.second(self.act(self.conv(x))))
        x = self.hidden(self.act(self.fc(x.flatten(1))))
        outputs: Tensor = self.last(x * torch.sigmoid(x))
        return outputs


def by_hand(model: Mixed, x: Tensor, conv: nn.Module, fc: nn.Module) -> Tensor:
    x = conv(model.second(conv(model.conv(x)))).flatten(1)
    outputs: Tensor = model.last(fc(model.hidden(fc(model.fc(x)))))
    return outputs


def state(model: nn.Module) -> dict[str, Tensor]:
    return {key: value.clone() for key, value in model.state_dict().items()}


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(
        torch.equal(value, second[key]) for key, value in first.items()
    )


def test_functional_and_shared_calls_by_value() -> None:
    model = Mixed()
    before = state(model)
    changed = swap(model, conv="tanh", fc="silu", example=IMAGES)
    assert torch.equal(changed(IMAGES), by_hand(model, IMAGES, nn.Tanh(), nn.SiLU()))
    assert same(before, state(model))
    assert same(before, state(changed))
    assert [slot.name for slot in slots(changed, IMAGES)] == ["tanh", "tanh", "silu", "silu"]
    assert torch.equal(undo(changed)(IMAGES), model(IMAGES))


def test_a_swapped_model_copies_pickles_and_learns() -> None:
    changed = swap(Mixed(), conv="prelu", fc="prelu", example=IMAGES)
    for other in (copy.deepcopy(changed), pickle.loads(pickle.dumps(changed))):
        assert torch.equal(other(IMAGES), changed(IMAGES))
    changed(IMAGES).sum().backward()
    slopes = [p for p in changed.parameters() if p.numel() == 1]
    assert len(slopes) == 4
    assert all(slope.grad is not None for slope in slopes)


def test_one_of_the_places_of_a_shared_module() -> None:
    model = Mixed()
    changed = swap(model, at={lambda slot: slot.layer == "fc": "tanh"}, example=IMAGES)
    x = F.gelu(model.second(model.conv(IMAGES).relu())).flatten(1)
    expected = model.last(F.silu(model.hidden(model.fc(x).tanh())))
    assert torch.allclose(changed(IMAGES), expected)


def test_places_by_pattern_and_depth() -> None:
    model = nn.Sequential(*(nn.Linear(2, 2), nn.ReLU()) * 3, nn.Linear(2, 1))
    example = torch.zeros(1, 2)
    first = swap(model, at={0: "tanh", -1: "silu"}, example=example)
    assert [slot.name for slot in slots(first, example)] == ["tanh", "relu", "silu"]
    second = swap(model, at={"[35]": "elu"}, example=example)
    assert [slot.name for slot in slots(second, example)] == ["relu", "elu", "elu"]
    with pytest.raises(SlotError, match=r"No slot fits 9; there are: 1, 3, 5"):
        swap(model, at={9: "tanh"}, example=example)


def test_an_encoder_layer_leaves_its_fused_path() -> None:
    layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True).eval()
    example = torch.randn(2, 3, 4)
    changed = swap(nn.Sequential(layer, nn.Linear(4, 1)), fc="tanh", example=example).eval()
    with torch.no_grad():
        assert not torch.allclose(changed[0](example), layer(example))
        training = copy.deepcopy(changed[0])
    assert torch.allclose(changed[0](example), training(example))
    layer.activation = torch.tanh
    layer.activation_relu_or_gelu = 0
    assert torch.allclose(changed[0](example), layer(example))


def test_an_rnn_takes_its_two_words_and_an_lstm_none() -> None:
    class Recurrent(nn.Module):
        def __init__(self, layer: nn.Module) -> None:
            super().__init__()
            self.layer, self.last = layer, nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            outputs: Tensor = self.last(self.layer(x)[0][:, -1])
            return outputs

    example = torch.randn(2, 5, 3)
    torch.manual_seed(1)
    plain = Recurrent(nn.RNN(3, 4, batch_first=True))
    changed = swap(plain, recurrent="relu", example=example)
    torch.manual_seed(1)
    expected = Recurrent(nn.RNN(3, 4, batch_first=True, nonlinearity="relu"))
    assert torch.equal(changed(example), expected(example))
    assert torch.equal(undo(changed)(example), plain(example))
    with pytest.raises(SlotError, match="takes tanh or relu; got silu"):
        swap(plain, recurrent="silu", example=example)
    with pytest.raises(SlotError, match="part of the layer in torch's own code"):
        swap(Recurrent(nn.LSTM(3, 4, batch_first=True)), recurrent="relu", example=example)


def test_a_gated_linear_unit_by_its_gate() -> None:
    model = nn.Sequential(nn.Linear(3, 8), nn.GLU(), nn.Linear(4, 2))
    example = torch.randn(2, 3)
    changed = swap(model, gate="silu", example=example)
    first, second = model[0](example).chunk(2, -1)
    assert torch.equal(changed(example), model[2](first * F.silu(second)))


def test_factories_take_slot_and_width() -> None:
    model = nn.Sequential(nn.Conv2d(1, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(180, 7), nn.ReLU())
    model.append(nn.Linear(7, 2))
    seen: list[tuple[str, int | None]] = []

    def prelu(width: int, slot: Slot) -> nn.Module:
        seen.append((slot.path, width))
        return nn.PReLU(width)

    changed = swap(model, conv=prelu, fc=torch.tanh, example=IMAGES)
    assert seen == [("1", 5)]
    assert changed[1].weight.shape == (5,)
    assert torch.equal(changed[4](IMAGES), IMAGES.tanh())


def test_every_slot_has_a_module_of_its_own() -> None:
    activation = nn.ReLU()
    model = nn.Sequential(
        *(nn.Conv2d(1, 1, 1), activation, nn.Conv2d(1, 1, 1), activation),
        *(nn.Flatten(), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1)),
    )
    for example in (None, torch.ones(1, 1, 2, 2)):
        changed = swap(model, conv="prelu", fc=nn.Tanh, example=example)
        assert isinstance(changed[1], nn.PReLU)
        assert isinstance(changed[3], nn.PReLU)
        assert changed[1] is not changed[3]
        assert isinstance(changed[6], nn.Tanh)
        assert model[1] is activation


def test_weights_are_kept_drawn_with_the_gain_or_reset() -> None:
    model = build("small_cnn", "relu", "sigmoid", "logits")
    assert same(state(swap(model, fc="tanh")), state(model))
    torch.manual_seed(9)
    drawn = state(swap(model, fc="tanh", reinit=True))
    torch.manual_seed(9)
    assert same(drawn, state(build("small_cnn", "relu", "tanh", "logits")))
    wide = nn.Sequential(nn.Linear(400, 400), nn.ReLU(), nn.Linear(400, 3))
    changed = swap(wide, fc="tanh", init="gain", example=torch.zeros(1, 400))
    deviation = float(changed[0].weight.detach().std())
    assert deviation == pytest.approx(gain_of(nn.Tanh()) / 20, rel=0.02)
    assert float(changed[0].bias.detach().abs().max()) == 0
    assert torch.equal(changed[2].weight, wide[2].weight)


class Branched(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.up, self.gate = (
            nn.Linear(300, 300),
            nn.Linear(300, 300),
            nn.Linear(300, 300),
        )
        self.norm, self.last = nn.LayerNorm(300), nn.Linear(300, 300)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.first(x))
        x = torch.tanh(self.gate(x)) + self.up(x)
        return self.last(self.norm(x))


def test_the_layer_before_a_slot_is_drawn_for_the_activation_that_follows_it() -> None:
    torch.manual_seed(3)
    network = Branched()
    changed = swap(network, at={"relu": "silu"}, init="gain", example=torch.zeros(2, 300))
    size = float(changed.first.weight.detach().std()) * 300**0.5
    assert size == pytest.approx(gain_of(nn.SiLU()), rel=0.02)
    for name in ("up", "gate", "last"):
        assert torch.equal(getattr(changed, name).weight, getattr(network, name).weight)


@pytest.mark.parametrize("example", [None, torch.zeros(2, 512)], ids=["registered", "run"])
def test_swap_and_init_start_the_layers_before_slots_alike(example: Tensor | None) -> None:
    torch.manual_seed(11)
    net = nn.Sequential(
        *(part for _depth in range(3) for part in (nn.Linear(512, 512), nn.ReLU())),
        nn.Linear(512, 512),
    )
    changed = swap(net, fc="silu", init="gain", example=example)
    alike = actlab.init_(swap(net, fc="silu"))
    for started in (changed, alike):
        sizes = [float(started[place].weight.detach().std()) * 512**0.5 for place in (0, 2, 4)]
        assert sizes == pytest.approx([gain_of(nn.SiLU())] * 3, rel=0.02)


@pytest.mark.parametrize("init", ["gain", "reset"])
def test_frozen_layers_stay(init: str) -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 2))
    model[0].requires_grad_(False)
    changed = swap(model, fc="tanh", init=init)  # type: ignore[arg-type]
    assert torch.equal(changed[0].weight, model[0].weight)


@pytest.mark.parametrize(
    ("module", "gain"),
    # By the integrals: E relu^2 = 1/2, E identity^2 = 1, E sigmoid^2 = 0.29338 (scipy.integrate).
    [(nn.ReLU(), 2**0.5), (nn.Identity(), 1.0), (nn.Sigmoid(), 0.2933790**-0.5)],
    ids=lambda value: type(value).__name__,
)
def test_gains(module: nn.Module, gain: float) -> None:
    assert gain_of(module) == pytest.approx(gain, rel=1e-5)


def test_a_neighbour_that_works_in_place_is_named() -> None:
    class Overwritten(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc, self.act, self.last = nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 2)

        def forward(self, x: Tensor) -> Tensor:
            x = self.act(self.fc(x))
            x *= 2
            outputs: Tensor = self.last(x)
            return outputs

    with pytest.raises(SlotError, match="something changes its output in place"):
        swap(Overwritten(), fc="tanh", example=torch.randn(2, 3))
    dropped = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Dropout(inplace=True), nn.Linear(3, 2))
    swap(dropped, fc="tanh", example=torch.randn(2, 3))(torch.randn(2, 3)).sum().backward()


def test_what_would_change_nothing_is_refused() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
    with pytest.raises(SlotError, match="an activation of the kind conv; it has fc"):
        swap(model, conv="relu")
    with pytest.raises(SlotError, match="Nothing would change: relu is there already"):
        swap(model, fc="relu", example=torch.zeros(1, 2))
    with pytest.raises(SlotError, match="name an activation for a kind of slot"):
        swap(model)
    with pytest.raises(UnknownNameError, match="tnah"):
        swap(model, fc="tnah")


class MadeInForward(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self.last(nn.ReLU()(self.first(x)))
        return outputs


def test_a_module_that_is_made_where_it_is_called_is_swapped() -> None:
    model, x = MadeInForward(), torch.randn(3, 4)
    swapped = swap(model, fc="tanh", example=x)
    torch.testing.assert_close(swapped(x), model.last(torch.tanh(model.first(x))))
    torch.testing.assert_close(undo(swapped)(x), model(x))


class OneForAll(nn.Module):
    """One module after a convolution and after a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.act = nn.Conv2d(1, 4, 3), nn.ReLU()
        self.fc, self.last = nn.Linear(4, 8), nn.Linear(8, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.conv(x)).mean((2, 3))
        return self.last(self.act(self.fc(x)))  # type: ignore[no-any-return]


class Excited(nn.Module):
    """A squeeze-and-excite block: a sigmoid scales the channels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.act = nn.Conv2d(1, 4, 3), nn.ReLU()
        self.squeeze, self.gate, self.last = nn.Conv2d(4, 4, 1), nn.Sigmoid(), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.conv(x))
        scale = self.gate(self.squeeze(x.mean((2, 3), keepdim=True)))
        return self.last((x * scale.expand_as(x)).mean((2, 3)))  # type: ignore[no-any-return]


class Asks(OneForAll):
    """Asks for a size, so that its code cannot be followed without an example."""

    def forward(self, x: Tensor) -> Tensor:
        return x if x.shape[0] > 100 else super().forward(x)


class AsksExcited(Excited):
    """As above."""

    def forward(self, x: Tensor) -> Tensor:
        return x if x.shape[0] > 100 else super().forward(x)


@pytest.mark.parametrize("made", [OneForAll, Asks, AsksExcited])
def test_without_an_example_a_doubtful_kind_is_refused(made: type[nn.Module]) -> None:
    with pytest.raises(SlotError, match=r"example=.*at="):
        swap(made(), conv="tanh")
    changed = swap(made(), conv="tanh", example=IMAGES)
    assert {slot.name for slot in slots(changed, IMAGES) if slot.kind == "conv"} == {"tanh"}
    assert {slot.name for slot in slots(changed, IMAGES) if slot.kind != "conv"} <= {
        "relu",
        "sigmoid",
    }
    assert isinstance(swap(made(), at={"act": "tanh"}).get_submodule("act"), nn.Tanh)


def test_without_an_example_a_gate_is_seen_in_the_code() -> None:
    assert [(slot.path, slot.kind) for slot in slots(Excited())] == [
        ("act", "conv"),
        ("gate", "gate"),
    ]
    assert isinstance(swap(Excited(), conv="tanh").get_submodule("gate"), nn.Sigmoid)


def test_without_an_example_a_recurrent_layer_is_a_slot() -> None:
    long, plain = slots(nn.Sequential(nn.LSTM(2, 2), nn.RNN(2, 2, nonlinearity="relu")))
    assert (long.kind, long.swappable, plain.name, plain.swappable) == (
        "recurrent",
        False,
        "relu",
        True,
    )
    with pytest.raises(SlotError, match="Write the cell in Python"):
        swap(nn.Sequential(nn.LSTM(2, 2)), recurrent="relu")


def test_without_an_example_a_rectifier_before_the_last_pool_is_a_slot() -> None:
    layers = (nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Conv2d(2, 2, 3))
    pool = nn.AdaptiveAvgPool2d(1)
    assert len(slots(nn.Sequential(*layers, nn.ReLU(), pool))) == 2
    assert len(slots(nn.Sequential(*layers, nn.Sigmoid(), pool))) == 1
