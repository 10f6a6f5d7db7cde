"""bf16 beside fp32: close to it, learning as it does, chosen only where it is there and faster."""

import platform
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from actlab.errors import DeviceError
from actlab.records import Outcome, Precision
from actlab.training import (
    POLICIES,
    faster_precision,
    precision,
    resolve_device,
    resolve_precision,
    train,
)
from actlab.training.loop import Recipe

from .synthetic import examples, network, recipe, training_data


def in_bf16(settings: Recipe) -> Recipe:
    return Recipe(settings.learning_rate, settings.protocol, settings.order_seed, POLICIES["bf16"])


def never() -> Precision:
    raise AssertionError("nothing was to be measured")


def test_fp32_is_the_network_itself() -> None:
    model, images = network(), examples(5, seed=1).images
    assert torch.equal(POLICIES["fp32"](model, images), model(images))


@pytest.mark.parametrize("name", ["sigmoid", "relu", "leaky_relu_0.01", "prelu", "elu", "silu"])
def test_bf16_is_close_in_values_and_gradients(name: str) -> None:
    model, images = network(name, "tanh"), examples(64, seed=1).images
    parameters = list(model.parameters())
    whole = model(images)
    rounded = POLICIES["bf16"](model, images)
    assert rounded.dtype is torch.float32
    # bf16 keeps 8 bits: each product is right to 0.4 %, and the network is five layers deep.
    assert (rounded - whole).abs().max() < 0.02 * whole.abs().max()
    assert not torch.equal(rounded, whole)
    gradients = torch.autograd.grad(rounded.sum(), parameters)
    assert all(gradient.dtype is torch.float32 for gradient in gradients)


def test_bf16_learns() -> None:
    found = train(network(), training_data(300, 100), in_bf16(recipe(0.005, max_epochs=8)))
    assert found.outcome is Outcome.COMPLETED
    assert found.valid_accuracy is not None
    assert found.valid_accuracy > 0.5


def test_the_faster_one_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    def slowly(model: nn.Module, images: Tensor) -> Tensor:
        time.sleep(0.005)
        outputs: Tensor = model(images)
        return outputs

    model, images = network(), examples(4, seed=1).images
    before = [parameter.detach().clone() for parameter in model.parameters()]
    for slow, quick in (("fp32", "bf16"), ("bf16", "fp32")):
        monkeypatch.setitem(POLICIES, slow, slowly)
        monkeypatch.setitem(POLICIES, quick, lambda model, images: model(images))
        assert faster_precision(model, images) == quick
    assert all(torch.equal(now, then) for now, then in zip(model.parameters(), before, strict=True))


def test_the_processor_is_asked_for_bf16() -> None:
    cpuinfo = Path("/proc/cpuinfo")
    if platform.machine() != "x86_64" or not cpuinfo.is_file():
        pytest.skip("the second route reads /proc/cpuinfo of an x86-64 machine")
    flags = set(cpuinfo.read_text().split())
    assert precision.cpu_has_bf16() == bool(flags & {"avx512_bf16", "amx_bf16"})


def test_auto_is_fp32_without_a_measurement_where_there_is_no_bf16(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(precision, "has_bf16", lambda _device: False)
    assert resolve_precision("auto", "cpu", never) == "fp32"
    with pytest.raises(DeviceError, match=r"does not compute in it\. Use --precision fp32"):
        resolve_precision("bf16", "cpu", never)
    assert resolve_precision("fp32", "cpu", never) == "fp32"


def test_where_there_is_bf16_auto_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "has_bf16", lambda _device: True)
    assert resolve_precision("auto", "cpu", lambda: "bf16") == "bf16"
    assert resolve_precision("auto", "cpu", lambda: "fp32") == "fp32"
    assert resolve_precision("bf16", "cpu", never) == "bf16"
    assert resolve_precision("fp32", "cpu", never) == "fp32"


@pytest.mark.parametrize("there", [True, False])
def test_devices(monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert resolve_device("auto") == ("cuda" if there else "cpu")
    assert resolve_device("cpu") == "cpu"
    if there:
        assert resolve_device("cuda") == "cuda"
    else:
        with pytest.raises(DeviceError, match="finds no CUDA device on this machine"):
            resolve_device("cuda")


def test_auto_does_not_look_at_bf16_for_a_network_whose_steps_are_calls() -> None:
    few = precision.FEWEST_MULTIPLY_ADDS - 1
    assert resolve_precision("auto", "cpu", never, few) == "fp32"


def test_a_little_faster_is_not_clearly_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {"fp32": 1.1, "bf16": 1.0}
    monkeypatch.setattr(
        precision,
        "step_seconds",
        lambda _model, _images, policy: seconds["bf16" if policy is POLICIES["bf16"] else "fp32"],
    )
    assert faster_precision(network(), examples(4, seed=1).images) == "fp32"
    seconds["fp32"] = 1.2
    assert faster_precision(network(), examples(4, seed=1).images) == "bf16"


def test_a_torch_that_cannot_say_what_the_processor_does_trains_in_float32(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities")
    assert not precision.cpu_has_bf16()
