"""What people asked for in public about the activations of their own models: done, or refused.

Each is a request from an issue or a pull request, on a small model of the same kind; the source is
named with it.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import actlab
from actlab.errors import ActlabError, DataError
from actlab.networks import SlotError

RNG = np.random.default_rng(4)
ROWS = RNG.normal(size=(240, 6)).astype(np.float32)
CLASSES = (ROWS[:, 0] > 0).astype(int)
QUICK = {"trials": 3, "replicates": 0, "protocol.max_epochs": 2}


def names(model: nn.Module, example: Any) -> list[tuple[str, str]]:
    return [(slot.kind, slot.name) for slot in actlab.slots(model, example)]


class Conv(nn.Module):
    default_act = nn.SiLU()

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv, self.bn, self.act = (
            nn.Conv2d(before, after, 3),
            nn.BatchNorm2d(after),
            self.default_act,
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.act(self.bn(self.conv(x)))  # type: ignore[no-any-return]


class Excited(nn.Module):
    """A convolution with a squeeze-and-excite gate."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.act = nn.Conv2d(3, 8, 3, padding=1), nn.SiLU()
        self.squeeze, self.inner = nn.Conv2d(8, 2, 1), nn.SiLU()
        self.excite, self.gate = nn.Conv2d(2, 8, 1), nn.Sigmoid()
        self.last = nn.Conv2d(8, 4, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.act(self.conv(x))
        scale = x.mean((2, 3), keepdim=True)
        x = x * self.gate(self.excite(self.inner(self.squeeze(scale))))
        return self.last(x).mean((2, 3))  # type: ignore[no-any-return]


class Functional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 3), nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(F.relu(self.first(x), inplace=True).mean((2, 3)))  # type: ignore[no-any-return]


class FReLU(nn.Module):
    """max(x, depthwise convolution of x): it has to know its channels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.spread = nn.Conv2d(width, width, 3, padding=1, groups=width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.maximum(x, self.spread(x))


class Rational(nn.Module):
    """A learnable activation of somebody's own."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.tensor([0.0, 1.0, 0.3]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        a, b, c = self.weights
        return (a + b * x + c * x * x) / (1 + x.abs())


def mlp(outputs: int = 2) -> nn.Module:
    return nn.Sequential(
        nn.Linear(6, 12), nn.GELU(), nn.Linear(12, 12), nn.GELU(), nn.Linear(12, outputs)
    )


IMAGE = torch.randn(2, 3, 12, 12)


def test_1_silu_to_relu_everywhere_with_one_activation_object_for_all() -> None:
    """ultralytics/ultralytics#6014"""
    model = nn.Sequential(Conv(3, 4), Conv(4, 4), nn.Flatten(), nn.Linear(256, 2))
    assert names(model, IMAGE) == [("conv", "silu")] * 2
    swapped = actlab.swap(model, conv="relu", example=IMAGE)
    assert names(swapped, IMAGE) == [("conv", "relu")] * 2
    assert names(model, IMAGE) == [("conv", "silu")] * 2


@pytest.mark.slow
def test_2_pretrained_weights_are_fine_tuned_after_the_change(tmp_path: Path) -> None:
    """ultralytics/ultralytics#17534"""
    trained = mlp()
    first = trained.get_parameter("0.weight").detach().clone()
    swapped = actlab.swap(trained, fc="relu", example=torch.randn(2, 6))
    assert torch.equal(swapped.get_parameter("0.weight"), first)
    study = actlab.study(
        model=trained, data=(ROWS, CLASSES), fc=["gelu", "relu"], out=tmp_path,
        overrides=QUICK | {"space.learning_rate": {"low": 1e-9, "high": 1e-8}},
    )  # fmt: skip
    kept = torch.load(tmp_path / "best_model.pt", weights_only=True)["network.0.weight"]
    assert torch.allclose(kept, first, atol=1e-5), "a study starts from the weights of the model"
    assert study.plan.init == "keep"


def test_3_an_efficientnet_keeps_its_gates() -> None:
    """tensorflow/tensorflow#47208"""
    assert names(Excited(), IMAGE) == [("conv", "silu"), ("conv", "silu"), ("gate", "sigmoid")]
    swapped = actlab.swap(Excited(), conv="relu", example=IMAGE)
    assert names(swapped, IMAGE) == [("conv", "relu"), ("conv", "relu"), ("gate", "sigmoid")]


def test_4_functional_calls_are_reached() -> None:
    """A question on hooks to the ReLUs of Inception V3, which calls F.relu."""
    swapped = actlab.swap(Functional(), conv="tanh", example=IMAGE)
    assert names(swapped, IMAGE) == [("conv", "tanh")]


def test_5_an_activation_may_need_the_channels_of_its_slot() -> None:
    """ultralytics/yolov5#584, megvii-model/FunnelAct#3"""
    model = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 7, 3), nn.ReLU(), nn.Conv2d(7, 2, 3)
    )
    swapped = actlab.swap(model, conv=FReLU, example=IMAGE)
    widths = [part.spread.in_channels for part in swapped.modules() if isinstance(part, FReLU)]
    assert widths == [4, 7]


def test_6_bert_with_another_activation() -> None:
    """google-research/bert#179, #814"""
    transformers = pytest.importorskip("transformers")
    config = transformers.BertConfig(
        vocab_size=30, hidden_size=8, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=16,
    )  # fmt: skip
    model = transformers.BertForSequenceClassification(config).eval()
    ids = {"input_ids": torch.randint(0, 30, (2, 5))}
    kinds = names(model, ids)
    assert kinds == [("fc", "gelu"), ("fc", "gelu"), ("fc", "tanh")]
    swapped = actlab.swap(model, at={"*intermediate*": "mish"}, example=ids)
    assert [name for _kind, name in names(swapped, ids)] == ["mish", "mish", "tanh"]


def test_7_recurrent_layers_say_what_can_be_changed() -> None:
    """pytorch/pytorch#1173, #1932"""
    rows = torch.randn(2, 5, 6)
    with pytest.raises(SlotError, match=r"part of the layer in torch's own code.*nn\.RNN"):
        actlab.swap(nn.LSTM(6, 4), recurrent="relu", example=rows)
    swapped = actlab.swap(nn.RNN(6, 4), recurrent="relu", example=rows)
    assert isinstance(swapped, nn.RNN)
    assert swapped.nonlinearity == "relu"


def test_8_a_formula_and_another_activation_per_layer() -> None:
    """lululxvi/deepxde#710"""
    x = torch.randn(3, 6)
    swapped = actlab.swap(mlp(), at={0: "x*tanh(x)", 1: "sin"}, example=x)
    hidden = swapped[0](x)  # type: ignore[index]
    expected = torch.sin(swapped[2](hidden * torch.tanh(hidden)))  # type: ignore[index]
    assert torch.allclose(swapped(x), swapped[4](expected), atol=1e-6)  # type: ignore[index]


@pytest.mark.slow
def test_9_a_reinforcement_learner_is_compared_by_its_reward(tmp_path: Path) -> None:
    """DLR-RM/rl-baselines3-zoo#2"""

    def reward(setting: Any, seed: int) -> float:
        """Find the best of three arms by policy gradients."""
        generator = torch.Generator().manual_seed(seed)
        policy = nn.Sequential(nn.Linear(1, 8), setting.module("policy"), nn.Linear(8, 3))
        optimiser = torch.optim.Adam(policy.parameters(), lr=10 * setting.learning_rate)
        for _step in range(20):
            shares = policy(torch.ones(1, 1)).softmax(dim=1)[0]
            arm = int(torch.multinomial(shares.detach(), 1, generator=generator))
            gain = (0.1, 0.2, 1.0)[arm]
            optimiser.zero_grad()
            (-gain * shares[arm].log()).backward()
            optimiser.step()
        return float(policy(torch.ones(1, 1)).softmax(dim=1)[0, 2])

    study = actlab.study(
        train=reward, slots={"policy": ["relu", "tanh"]}, out=tmp_path,
        overrides={"trials": 4, "replicates": 0},
    )  # fmt: skip
    verdict = study.confirm(seeds=3)
    assert {row.name for row in verdict.slots[0].candidates} == {"relu", "tanh"}


def test_10_a_segmentation_is_refused_with_the_way_out(tmp_path: Path) -> None:
    """qubvel-org/segmentation_models.pytorch#313, ZFTurbo/segmentation_models_3D#15"""
    images, masks = np.zeros((20, 3, 8, 8), np.float32), np.zeros((20, 8, 8), np.int64)
    with pytest.raises(DataError, match="train by a function of your own"):
        actlab.study(model=Functional, data=(images, masks), task="regression", out=tmp_path)


@pytest.mark.slow
def test_11_a_learnable_activation_of_ones_own_against_mish(tmp_path: Path) -> None:
    """ml-research/rational_activations#9"""
    study = actlab.study(
        model=mlp, data=(ROWS, CLASSES), fc=[Rational, "mish"], out=tmp_path, overrides=QUICK
    )
    assert study.plan.space.fc_activation[0].endswith(":Rational")
    verdict = study.confirm(seeds=2)
    assert len(verdict.slots[0].candidates) == 2


@pytest.mark.slow
def test_12_each_activation_may_have_an_initialisation_that_fits(tmp_path: Path) -> None:
    """SciML/NeuralPDE.jl#603"""
    study = actlab.study(
        model=mlp, data=(ROWS, CLASSES), fc=["gelu", "tanh"], init="gain", out=tmp_path,
        overrides=QUICK,
    )  # fmt: skip
    assert study.plan.init == "gain"
    assert "gain: drawn anew before each slot" in (tmp_path / "report.html").read_text()


@pytest.mark.slow
def test_13_silu_against_a_gated_unit_by_the_mean_absolute_error(tmp_path: Path) -> None:
    """wandb/senpai#446, #1067, #1482; Open-Superintelligence-Lab/blueberry-llm#2"""
    study = actlab.study(
        model=lambda: mlp(1), data=(ROWS, 10 + 2 * ROWS[:, 1]), fc=["gelu", "silu"], metric="mae",
        out=tmp_path / "A", overrides=QUICK,
    )  # fmt: skip
    assert study.confirm(seeds=2).metric.name == "mae"  # type: ignore[union-attr]
    block = nn.Sequential(nn.Linear(6, 30), nn.SiLU(), nn.Linear(30, 2))
    gated = actlab.study(
        model=block, data=(ROWS, CLASSES), fc=["silu", "swiglu"], out=tmp_path / "B",
        overrides=QUICK,
    )  # fmt: skip
    environment = gated._folder.environment()
    assert environment is not None
    (width,) = environment.gated
    assert abs(width.parameters - width.new_parameters) <= 20


def test_what_is_refused_names_the_way_out() -> None:
    with pytest.raises(ActlabError, match="Leave swiglu out, or write such a block"):
        actlab.swap(Functional(), conv="swiglu", example=IMAGE)
