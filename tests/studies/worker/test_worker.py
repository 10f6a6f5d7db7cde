"""The worker: a trial from names to a record, in this process and in a fresh one."""

import importlib.metadata
import io
import json
import pickle
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from actlab import addresses, data
from actlab.errors import DataError, DeviceError, UnknownNameError
from actlab.records import (
    DataPlan,
    Environment,
    Execution,
    LayerRow,
    NetworkSummary,
    Outcome,
    Plan,
    Precision,
    Protocol,
    Record,
    Seeds,
    Setting,
    Space,
    SplitSizes,
    Trial,
)
from actlab.studies import worker
from actlab.studies.plan.file import read_plan
from actlab.studies.worker.environment import kept_precision
from tests.real_mnist import REAL

SIZES = SplitSizes(800, 300, 300, 397)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def digits_trial(max_epochs: int | None = 2, sizes: SplitSizes = SIZES) -> Trial:
    return Trial(
        number=3,
        setting=Setting("relu", "tanh", 0.004),
        protocol=Protocol("corrected", "logits", max_epochs=max_epochs),
        network="small_cnn",
        data=DataPlan("digits", sizes),
        fingerprint=data.open_dataset("digits").fingerprint,
        seeds=Seeds.of_search(1),
        precision="fp32",
    )


def digits_plan() -> Plan:
    trial = digits_trial()
    return Plan(
        name="digits",
        data=trial.data,
        network=trial.network,
        space=Space(("relu", "prelu"), ("tanh",), 0.0005, 0.01),
        protocol=trial.protocol,
        trials=4,
        seed=1,
    )


def without_times(record: Record) -> Record:
    curve = tuple(replace(epoch, seconds=0.0) for epoch in record.curve)
    return replace(record, curve=curve, seconds=0.0)


def test_a_digits_trial_from_names_to_test_accuracy() -> None:
    trial = digits_trial(max_epochs=None)
    weights, record = worker.train(trial)
    assert record.outcome is Outcome.COMPLETED
    assert record.reason is None
    assert record.valid_accuracy is not None
    assert record.valid_accuracy > 0.9
    assert record.best_epoch is not None
    assert record.epochs == len(record.curve) == record.best_epoch + trial.protocol.patience
    final = worker.test_accuracy(trial, weights)
    assert (final.number, final.identity, final.test_images) == (3, trial.identity, 397)
    assert final.test_accuracy >= 0.96


def test_trials_trained_together_are_those_trained_alone(monkeypatch: pytest.MonkeyPatch) -> None:

    from actlab.training.fused import population

    monkeypatch.setattr(population, "fused_gain", lambda *_given: 2.0)
    first = digits_trial(sizes=SplitSizes(96, 64, 64, 397))
    second = replace(
        first,
        number=4,
        setting=Setting("prelu", "silu", 0.001),
        seeds=Seeds(split=2, weights=3, order=4),
        stage="confirm",
        replicate=0,
    )
    found = worker.train_many([first, second])
    for trial, (weights, record) in zip((first, second), found, strict=True):
        plain, alone = worker.train(trial)
        assert (record.identity, record.number) == (alone.identity, alone.number)
        assert (record.outcome, record.epochs) == (alone.outcome, alone.epochs)
        assert [epoch.train_loss for epoch in record.curve] == pytest.approx(
            [epoch.train_loss for epoch in alone.curve], rel=1e-4
        )
        assert (record.probes is None) == (alone.probes is None)
        assert worker.test_accuracy(trial, weights).test_accuracy == pytest.approx(
            worker.test_accuracy(trial, plain).test_accuracy, abs=0.02
        )


def test_a_record_says_what_was_asked() -> None:
    trial = replace(digits_trial(), replicate=4)
    record = worker.train(trial)[1]
    for name in ("number", "setting", "replicate", "seeds", "protocol", "precision", "fingerprint"):
        assert getattr(record, name) == getattr(trial, name)
    assert record.identity == trial.identity
    assert record.seconds >= sum(epoch.seconds for epoch in record.curve) > 0
    assert pickle.loads(pickle.dumps(record)) == record
    json.dumps(asdict(record), allow_nan=False)


def test_the_state_at_the_end_is_a_weights_file() -> None:
    weights = worker.train(digits_trial())[0]
    loaded = torch.load(io.BytesIO(weights), weights_only=True)
    assert {"conv1.weight", "conv2.bias", "fc1.weight", "fc2.bias"} <= set(loaded)
    assert all(isinstance(value, torch.Tensor) for value in loaded.values())


def test_segments_are_the_uncut_training_bit_for_bit() -> None:
    trial = digits_trial(max_epochs=3)
    weights, uncut = worker.train(trial)
    state, record = worker.train(trial, None, 1)
    assert (record.outcome, record.epochs) == (Outcome.PAUSED, 1)
    state, record = worker.train(trial, state, 2)
    assert (record.outcome, record.epochs) == (Outcome.PAUSED, 2)
    state, record = worker.train(trial, state, 9)
    assert state == weights
    assert without_times(record) == without_times(uncut)


RECORD_ELSEWHERE = """
import pickle, sys
from actlab.studies import worker
from actlab.studies.plan.file import read_plan
from actlab.studies.worker.environment import kept_precision
worker.initialise()
sys.stdout.buffer.write(pickle.dumps(worker.train(pickle.load(sys.stdin.buffer))))
"""


def test_another_process_gives_the_same_record_bit_for_bit() -> None:
    trial = digits_trial()
    weights, record = worker.train(trial)
    run = subprocess.run(
        [sys.executable, "-c", RECORD_ELSEWHERE],
        input=pickle.dumps(trial),
        capture_output=True,
        check=True,
    )
    weights_elsewhere, elsewhere = pickle.loads(run.stdout)
    assert without_times(elsewhere) == without_times(record)
    assert weights_elsewhere == weights


@pytest.mark.parametrize("part", ["split", "weights", "order"])
def test_each_seed_counts(part: str) -> None:
    trial = digits_trial(max_epochs=1)
    other = replace(trial, seeds=replace(trial.seeds, **{part: 2}))
    assert worker.train(other)[1].curve[0].train_loss != worker.train(trial)[1].curve[0].train_loss


def test_a_trial_that_diverges() -> None:
    trial = digits_trial(max_epochs=None)
    state, record = worker.train(replace(trial, setting=Setting("relu", "relu", 1e30)))
    assert record.outcome is Outcome.DIVERGED
    assert record.reason == f"The loss was not a finite number in epoch {record.epochs}."
    assert record.valid_accuracy is None
    assert (state == b"") == (record.best_epoch is None)


def test_other_data_than_planned_are_refused() -> None:
    trial = replace(digits_trial(), fingerprint="0" * 64)
    for run in (lambda: worker.train(trial), lambda: worker.test_accuracy(trial, b"")):
        with pytest.raises(DataError, match=f"with fingerprint {'0' * 64}; found e6d787"):
            run()


def test_data_are_read_and_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    trial = digits_trial(max_epochs=1)
    worker.train(trial)

    def refuse(*_arguments: object) -> object:
        raise AssertionError("the data were drawn again")

    monkeypatch.setattr(data, "draw_splits", refuse)
    monkeypatch.setattr(data, "open_dataset", refuse)
    worker.train(replace(trial, setting=Setting("silu", "elu", 0.001)))


def test_preparing_says_where_a_study_runs() -> None:
    environment = worker.prepare(digits_plan(), "actlab study run digits", "2026-11-23T10:00:00Z")
    assert isinstance(environment, Environment)
    assert environment.fingerprint == data.open_dataset("digits").fingerprint
    assert environment.class_counts == data.class_counts(data.open_dataset("digits"), SIZES, 1)
    assert environment.network.parameters == 21_546
    assert environment.versions["torch"] == importlib.metadata.version("torch")
    assert set(environment.versions) >= {"actlab", "python", "numpy", "optuna", "torch"}
    assert (environment.precision, environment.device) in {("fp32", "cpu"), ("bf16", "cpu")} or (
        environment.device == "cuda"
    )
    assert environment.machine["cores"] >= 1
    assert (environment.command, environment.started) == (
        "actlab study run digits",
        "2026-11-23T10:00:00Z",
    )
    json.dumps(asdict(environment), allow_nan=False)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"data": DataPlan("digits", SplitSizes(9000, 1, 1, 1))}, DataError, "ask for 9002"),
        ({"data": DataPlan("mnist", SIZES, "/nowhere")}, DataError, "The folder /nowhere must"),
        ({"data": DataPlan("digitz", SIZES)}, UnknownNameError, 'Did you mean "digits"'),
        ({"network": "published_cnn"}, DataError, r"takes images of shape \(1, 28, 28\)"),
        ({"network": "smal_cnn"}, UnknownNameError, 'Did you mean "small_cnn"'),
        ({"space": Space(("rleu",), ("tanh",), 0.1, 1.0)}, UnknownNameError, "rleu"),
    ],
)
def test_preparing_what_cannot_be_run(
    change: dict[str, object], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        worker.prepare(replace(digits_plan(), **change), "", "")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_a_device_that_is_not_there() -> None:
    with pytest.raises(DeviceError, match="finds no CUDA device"):
        worker.prepare(replace(digits_plan(), execution=Execution(device="cuda")), "", "")
    with pytest.raises(DeviceError, match="finds no CUDA device"):
        worker.train(replace(digits_trial(), device="cuda"))


def test_where_bf16_is_there_it_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:

    from actlab.training import precision

    monkeypatch.setattr(precision, "has_bf16", lambda _device: True)
    plan = replace(digits_plan(), execution=Execution(device="cpu"))
    assert worker.prepare(plan, "", "").precision in {"fp32", "bf16"}


def test_a_trial_in_bf16() -> None:
    record = worker.train(replace(digits_trial(max_epochs=4), precision="bf16"))[1]
    assert record.precision == "bf16"
    assert record.valid_accuracy is not None
    assert record.valid_accuracy > 0.5


def test_errors_cross_processes() -> None:
    with pytest.raises(DataError) as caught:
        worker.train(replace(digits_trial(), fingerprint="0"))
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again)) == (DataError, str(caught.value))


def test_importing_it_is_light() -> None:
    heavy = {"torch", "sklearn", "pooch"}
    code = f"import sys, actlab.studies.worker; print(*{heavy} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


@pytest.mark.mnist
@pytest.mark.skipif(
    not (REAL / "train-images-idx3-ubyte.gz").is_file(), reason="no real MNIST files here"
)
def test_an_epoch_of_the_published_study() -> None:
    sizes = SplitSizes(3000, 2000, 5000, 10_000)
    trial = replace(
        digits_trial(max_epochs=1),
        setting=Setting("prelu", "tanh", 0.002),
        protocol=Protocol("published", "softmax", max_epochs=1),
        network="published_cnn",
        data=DataPlan("mnist", sizes, str(REAL)),
        fingerprint=data.open_dataset("mnist", str(REAL)).fingerprint,
    )
    weights, record = worker.train(trial)
    assert record.valid_accuracy is not None
    assert record.valid_accuracy > 0.7
    assert record.curve[0].train_loss is not None
    # Softmax twice: the loss cannot go below ln(1 + 9 / e).
    assert record.curve[0].train_loss > 1.461
    assert abs(worker.test_accuracy(trial, weights).test_accuracy - record.valid_accuracy) < 0.05


def test_replicates_are_looked_into_and_searched_settings_are_not() -> None:
    trial = digits_trial(max_epochs=1)
    searched = worker.train(trial)
    confirmed = worker.train(replace(trial, stage="confirm", replicate=0))
    assert searched[1].probes is None
    probes = confirmed[1].probes
    assert probes is not None
    assert [layer.layer for layer in probes.layers] == [
        "conv1_activation",
        "conv2_activation",
        "fc1_activation",
    ]
    assert probes.images == SIZES.valid_epoch
    assert probes.layers[0].zeros > 0.1
    assert probes.gradient_ratio is not None
    assert confirmed[0] == searched[0]
    unlooked = replace(confirmed[1], probes=None, stage="search", replicate=None)
    unlooked = replace(unlooked, identity=trial.identity)
    assert without_times(unlooked) == without_times(searched[1])


class _WithACall(nn.Module):
    """A network with a slot, and a GELU written out, which stays a call."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.activation = nn.Linear(64, 16), nn.ReLU()
        self.second, self.last = nn.Linear(16, 16), nn.Linear(16, 10)

    def forward(self, images: Tensor) -> Tensor:
        before = self.second(self.activation(self.first(images.flatten(1))))
        scores: Tensor = self.last(before * 0.5 * (1.0 + torch.erf(before / 2**0.5)))
        return scores


def test_a_call_that_stays_a_call_is_not_looked_into() -> None:
    addresses.offer("here:with_a_call", _WithACall)
    trial = replace(
        digits_trial(max_epochs=1), network="here:with_a_call", stage="confirm", replicate=0
    )
    record = worker.train(replace(trial, init="keep"))[1]
    assert record.probes is not None, record.reason
    assert [layer.layer for layer in record.probes.layers] == ["network.activation"]


def test_a_precision_is_measured_once_on_a_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "platformdirs.user_cache_dir", lambda *_names, **_options: str(tmp_path / "cache")
    )
    plan, measured = read_plan("published", {}), list[int]()
    network = NetworkSummary((LayerRow("conv", "Conv2d", (32, 8), 10, 10),), 10, 10, 32)

    def measure(found: Precision) -> Precision:
        measured.append(1)
        return found

    assert kept_precision(plan, "cpu", network, lambda: measure("bf16")) == "bf16"
    assert kept_precision(plan, "cpu", network, lambda: measure("fp32")) == "bf16"
    assert len(measured) == 1
    larger = replace(network, layers=(replace(network.layers[0], multiply_adds=20),))
    assert kept_precision(plan, "cpu", larger, lambda: measure("fp32")) == "fp32"
    for path in (tmp_path / "cache" / "precision").iterdir():
        path.write_text("nonsense")
    assert kept_precision(plan, "cpu", network, lambda: measure("fp32")) == "fp32"
