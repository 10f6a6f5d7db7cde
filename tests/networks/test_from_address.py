"""Networks of the user's own, named by an address."""

from pathlib import Path

import pytest
import torch

from actlab.addresses import offer
from actlab.errors import AddressError, NetworkError
from actlab.networks import build, check_fits, coverage, network_hash, slots, slots_of
from actlab.networks.from_address import factory
from actlab.records import SlotCandidates, Space

PROGRAM = """
import random
import torch
from torch import nn
from torch.nn import functional as F

class Functional(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.fc, self.last = nn.Conv2d(1, 4, 3), nn.Linear(144, 8), nn.Linear(8, 10)

    def forward(self, x):
        return self.last(F.relu(self.fc(F.gelu(self.conv(x)).flatten(1))))

class Silent(Functional):
    def forward(self, x):
        return self.last(0.5 * self.fc(self.conv(x).flatten(1)))

class Labelled(Functional):
    def forward(self, x):
        return {"logits": super().forward(x)}

def conv():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(),
        nn.Linear(144, 8), nn.ReLU(), nn.Linear(8, 10),
    )

def dense():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 10))

def broken():
    raise RuntimeError("on purpose")

def functional():
    return Functional()

def silent():
    return Silent()

def lottery():
    network = dense()
    nn.init.constant_(network[1].weight, random.random())
    return network

def labelled():
    return Labelled()

class Fixed(Functional):
    def forward(self, x):
        return self.last(self.fc(F.relu(self.conv(x)).reshape(2, -1)))

class Pooled(Functional):
    def forward(self, x):
        return super().forward(x)[:2]

class Complex(Functional):
    def forward(self, x):
        scores = super().forward(x)
        return torch.complex(scores, scores)

class Cut(Functional):
    def forward(self, x):
        return super().forward(x).detach()

class Auxiliary(Functional):
    def forward(self, x):
        scores = super().forward(x)
        return (scores, scores) if self.training else scores

class Untrained(Functional):
    def forward(self, x):
        assert not self.training, "only for answers"
        return super().forward(x)

def cut():
    return Cut()

def auxiliary():
    return Auxiliary()

def untrained():
    return Untrained()

def fixed():
    return Fixed()

def pooled():
    return Pooled()

def complexes():
    return Complex()

def text():
    return "no network"
"""
EIGHT = (1, 8, 8)
ROWS = torch.zeros(2, *EIGHT)


@pytest.fixture
def program(tmp_path: Path) -> str:
    path = tmp_path / "own_networks_of_a_test.py"
    path.write_text(PROGRAM)
    return str(path)


def space(conv: tuple[str, ...] = ("relu", "tanh")) -> Space:
    return Space(conv, ("relu", "tanh"), 1e-3, 1e-2)


def test_slots_are_filled_and_weights_are_the_callables(program: str) -> None:
    torch.manual_seed(1)
    first = build(f"{program}:conv", "tanh", "sigmoid", "softmax")
    assert [slot.name for slot in slots(first)] == ["tanh", "sigmoid"]
    shares = first(torch.randn(3, *EIGHT))
    assert torch.allclose(shares.sum(dim=1), torch.ones(3))
    torch.manual_seed(1)
    again = build(f"{program}:conv", "relu", "silu", "softmax")
    torch.manual_seed(2)
    other = build(f"{program}:conv", "tanh", "sigmoid", "softmax")
    weights = [next(network.parameters()) for network in (first, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_functional_calls_are_filled_on_an_example(program: str) -> None:
    images = torch.randn(3, *EIGHT)
    network = build(f"{program}:functional", "tanh", "silu", "logits", example=images)
    part = network.get_submodule("network")
    hidden = torch.tanh(part.get_submodule("conv")(images)).flatten(1)
    hidden = torch.nn.functional.silu(part.get_submodule("fc")(hidden))
    assert torch.equal(network(images), part.get_submodule("last")(hidden))


def test_a_kind_without_a_slot_stays_out(program: str) -> None:
    network = build(f"{program}:dense", "relu", "tanh", "logits")
    assert [slot.kind for slot in slots(network)] == ["fc"]
    check_fits(f"{program}:dense", space(conv=("relu",)), "own", ROWS, (10,))
    with pytest.raises(NetworkError, match=r"must have a conv slot .* to compare 2 activations"):
        check_fits(f"{program}:dense", space(), "own", ROWS, (10,))


def test_a_network_without_activations_is_no_comparison(program: str) -> None:
    with pytest.raises(NetworkError, match="must have a fc slot"):
        check_fits(f"{program}:silent", space(conv=("relu",)), "own", ROWS, (10,))


@pytest.mark.parametrize(
    ("name", "rows", "classes", "told"),
    [
        ("conv", ROWS, 7, r"must give 7 class scores per example; it gives \(10,\)"),
        ("conv", torch.zeros(2, 1, 9, 9), 10, r"must take inputs of shape \(1, 9, 9\)"),
        ("broken", ROWS, 10, "raised RuntimeError: on purpose"),
        ("text", ROWS, 10, "must return a torch module; it returns str"),
        ("labelled", ROWS, 10, "must return a tensor of class scores; it returns dict"),
        (
            "fixed",
            ROWS,
            10,
            "raised RuntimeError.*takes 2 rows at once and must take 5 in",
        ),
        ("pooled", ROWS, 10, "must give scores for each row; for 5 it gives 2. It takes 2 rows"),
        ("cut", ROWS, 10, "from which a gradient leads back to its weights"),
        ("auxiliary", ROWS, 10, "a tensor in training mode too; there it returns tuple"),
        ("untrained", ROWS, 10, "raised AssertionError: only for answers.* in training mode too"),
        ("complexes", ROWS, 10, "must give floating-point scores; it gives torch.complex64"),
        ("lottery", ROWS, 10, "the same network under the same seed of torch; two calls differ"),
    ],
)
def test_what_does_not_fit_is_named(
    program: str, name: str, rows: torch.Tensor, classes: int, told: str
) -> None:
    with pytest.raises(NetworkError, match=told):
        check_fits(f"{program}:{name}", space(), "own", rows, (classes,))


def test_an_edited_network_has_another_hash(program: str) -> None:
    before = network_hash(f"{program}:dense")
    path = Path(program)
    assert before == network_hash(f"{program}:dense")
    path.with_name("wider.py").write_text(
        PROGRAM.replace("64, 8", "64, 9").replace("8, 10", "9, 10")
    )
    after = network_hash(f"{path.with_name('wider.py')}:dense")
    assert before.shapes != after.shapes
    assert before.source != after.source


def test_an_address_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    with pytest.raises(AddressError, match=r"There is no file .*none\.py"):
        build(f"{tmp_path}/none.py:build", "relu", "relu", "logits")


def test_a_callable_of_this_process_needs_no_address() -> None:
    offer("here:dense", lambda: torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10)))
    assert build("here:dense", "relu", "relu", "logits")(torch.zeros(2, *EIGHT)).shape == (2, 10)


def test_further_slots_take_their_places_by_path_pattern_or_kind(program: str) -> None:
    chosen = Space((), ("relu",), 1e-3, 1e-2, (SlotCandidates("conv*", ("tanh", "silu")),))
    assert chosen.rounds == [{"fc": "relu", "conv*": "tanh"}, {"fc": "relu", "conv*": "silu"}]
    with pytest.raises(NetworkError, match=r"No activation .* fits the slot conv\*"):
        check_fits(f"{program}:dense", chosen, "own", ROWS, (10,))
    exact = Space((), (), 1e-3, 1e-2, (SlotCandidates("2", ("tanh", "silu")),))
    check_fits(f"{program}:dense", exact, "own", ROWS, (10,))
    network = build(f"{program}:dense", None, None, "logits", further={"2": "silu"})
    assert [slot.name for slot in slots(network)] == ["silu"]
    assert coverage(f"{program}:dense", ROWS, ("2",)).swapped == 1
    assert coverage(f"{program}:dense", ROWS, ("conv",)).swapped == 0


def test_what_a_file_draws_when_it_is_loaded_is_no_part_of_the_network(tmp_path: Path) -> None:
    file = tmp_path / "drawing.py"
    file.write_text(
        "import torch\n"
        "from torch import nn\n"
        "EXAMPLE = torch.randn(8, 4)\n"
        "def build():\n"
        "    return nn.Linear(4, 2)\n"
    )
    made = []
    for _time in range(2):
        torch.manual_seed(0)
        made.append(factory(f"{file}:build")())
    assert torch.equal(*(model.get_parameter("weight") for model in made))


@pytest.mark.parametrize(
    ("model", "rows", "advice"),
    [
        (torch.nn.Linear(4, 2), torch.zeros(2, 4, dtype=torch.int64), r"astype\('float32'\)"),
        (torch.nn.Embedding(4, 2), torch.zeros(2, 4), r"astype\('int64'\)"),
        (torch.nn.Linear(4, 2).half(), torch.zeros(2, 4), r"model\.float\(\)"),
    ],
)
def test_numbers_of_the_wrong_kind_say_which_are_needed(
    model: torch.nn.Module, rows: torch.Tensor, advice: str
) -> None:
    offer("here:kinds", lambda: model)
    with pytest.raises(NetworkError, match=advice):
        slots_of("here:kinds", rows)


def test_a_forward_that_asks_for_a_gpu_is_sent_to_its_input() -> None:
    class OnGpu(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            raise AssertionError("Torch not compiled with CUDA enabled")

    offer("here:on_gpu", OnGpu)
    with pytest.raises(NetworkError, match="must compute on the device of its input"):
        slots_of("here:on_gpu", torch.zeros(2, 4))


def test_weights_that_cannot_learn_are_refused() -> None:
    def broken() -> torch.nn.Module:
        network = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
        network[0].weight.data[1, 2] = torch.nan
        return network

    def frozen() -> torch.nn.Module:
        network = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
        return network.requires_grad_(False)

    space = Space((), ("relu", "tanh"), 0.001, 0.01)
    offer("here:broken", broken)
    with pytest.raises(NetworkError, match=r"finite weights; 0\.weight has NaN"):
        check_fits("here:broken", space, "own", torch.zeros(2, 4), outputs=(2,))
    offer("here:frozen", frozen)
    with pytest.raises(NetworkError, match="all are frozen"):
        check_fits("here:frozen", space, "own", torch.zeros(2, 4), outputs=(2,))
