"""The callbacks, driven by hand, and by the real trainers where those are installed."""

import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.checker import callbacks
from actlab.checker.callbacks import MissingExtraError, lightning_watch, transformers_watch
from actlab.checker.watching import MisuseWarning
from tests.checker.watching.test_watch import hooks, silent

INPUTS, TARGETS = torch.randn(40, 8), torch.arange(40) % 3


class Net(nn.Module):
    """A network that computes its own loss, as both libraries have them."""

    def __init__(self, bias: float = 0.0) -> None:
        super().__init__()
        self.hidden, self.out = nn.Linear(8, 32), nn.Linear(32, 3)
        nn.init.constant_(self.hidden.bias, bias)

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(self.out(torch.relu(self.hidden(x))), y)

    def forward(self, x: Tensor, labels: Tensor) -> dict[str, Tensor]:
        return {"loss": self.loss(x, labels)}


@pytest.fixture
def anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the callbacks be made without their libraries."""
    for module in (callbacks.of_lightning, callbacks.of_transformers):
        monkeypatch.setattr(module, "base_class", lambda *args: object)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(callbacks.extras.importlib, "import_module", missing)
    with pytest.raises(MissingExtraError) as raised:
        lightning_watch()
    assert str(raised.value) == (
        "lightning or pytorch_lightning is needed here and not installed: "
        'pip install "actlab[lightning]"'
    )
    with pytest.raises(MissingExtraError, match=r"actlab\[transformers\]"):
        transformers_watch()


@pytest.mark.usefixtures("anywhere")
def test_lightning_by_hand() -> None:
    callback = lightning_watch(every=2, show=silent)
    trainer, net = SimpleNamespace(is_global_zero=True), Net(bias=-30.0)
    callback.on_train_start(trainer, net)
    with pytest.warns(MisuseWarning, match="ACT501"):
        for number in range(8):
            callback.on_train_batch_start(trainer, net, None, number)
            loss = net.loss(INPUTS, TARGETS)
            callback.on_before_backward(trainer, net, loss)
            loss.backward()
            callback.on_train_batch_end(trainer, net, None, None, number)
        callback.on_train_end(trainer, net)
    callback.on_exception(trainer, net, RuntimeError())
    row = callback.watch.summary.models[0]
    assert (row.training_passes, row.sampled) == (8, 4)
    assert [found.code for found in callback.watch.findings] == ["ACT501"]
    assert hooks(net) == 0


@pytest.mark.usefixtures("anywhere")
def test_transformers_by_hand() -> None:
    shown: list[Any] = []
    callback = transformers_watch(every=3, show=shown.append)
    state, net = SimpleNamespace(is_world_process_zero=True, global_step=0), Net()
    callback.on_train_begin(None, state, None, model=net)
    for number in range(7):
        callback.on_step_begin(None, state, None)
        assert (hooks(net) > 0) == (number % 3 == 0)
        for _part in range(2):  # gradient accumulation
            net(INPUTS, TARGETS)["loss"].backward()
        state.global_step += 1
        callback.on_step_end(None, state, None)
        assert hooks(net) == 0
    callback.on_train_end(None, state, None)
    (summary,) = shown
    assert (summary.models[0].training_passes, summary.models[0].sampled) == (7, 3)
    assert [row.layer for row in summary.layers] == ["hidden (linear)", "out (linear)"]


@pytest.mark.slow
@pytest.mark.parametrize("fault", [False, True])
def test_the_trainer_of_lightning(tmp_path: Path, fault: bool) -> None:
    lightning = pytest.importorskip("lightning")

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = Net(bias=-30.0)

        def training_step(self, batch: Any, number: int) -> Tensor:
            if fault and number == 5:
                raise ZeroDivisionError
            return self.net.loss(*batch)

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=0.01)

    data = torch.utils.data.TensorDataset(INPUTS, TARGETS)
    callback, module = lightning_watch(every=2, show=silent), Module()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = lightning.Trainer(
            max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False,
            enable_progress_bar=False, enable_model_summary=False, callbacks=[callback],
            default_root_dir=tmp_path,
        )  # fmt: skip
        loader = torch.utils.data.DataLoader(data, batch_size=5)
        if fault:
            with pytest.raises(ZeroDivisionError):
                trainer.fit(module, loader)
        else:
            trainer.fit(module, loader)
    row = callback.watch.summary.models[0]
    assert (row.training_passes, row.sampled) == ((6, 3) if fault else (8, 4))
    assert [found.code for found in callback.watch.findings] == ([] if fault else ["ACT501"])
    assert hooks(module) == 0


@pytest.mark.slow
@pytest.mark.parametrize("compiled", [False, True])
def test_the_trainer_of_transformers(tmp_path: Path, compiled: bool) -> None:
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    rows = [{"x": x, "labels": y} for x, y in zip(INPUTS, TARGETS, strict=True)]
    callback, net = transformers_watch(every=2, show=silent), Net(bias=-30.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        arguments = transformers.TrainingArguments(
            output_dir=str(tmp_path), max_steps=8, per_device_train_batch_size=5, report_to=[],
            use_cpu=True, disable_tqdm=True, save_strategy="no", logging_strategy="no",
            torch_compile=compiled, torch_compile_backend="eager" if compiled else None,
            remove_unused_columns=False,
        )  # fmt: skip
        transformers.Trainer(
            model=net, args=arguments, train_dataset=rows, callbacks=[callback]
        ).train()
    row = callback.watch.summary.models[0]
    assert (row.training_passes, row.sampled) == (8, 4)
    assert [found.code for found in callback.watch.findings] == ["ACT501"]
    assert hooks(net) == 0


class Stuck(nn.Module):
    """A part that answers, and a module around it that is never called itself."""

    def __init__(self) -> None:
        super().__init__()
        self.net, self.measure = nn.Linear(8, 1), nn.MSELoss()

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        found: Tensor = self.measure(self.net(x), y)
        return found


@pytest.mark.usefixtures("anywhere")
@pytest.mark.parametrize("learns", [False, True])
def test_lightning_is_told_when_the_answers_are_one_constant(learns: bool) -> None:
    callback = lightning_watch(every=10, show=silent)
    trainer, module = SimpleNamespace(is_global_zero=True), Stuck()
    targets = INPUTS[:, :1] + 3.0
    callback.on_train_start(trainer, module)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MisuseWarning)
        for number in range(80):
            if number == 5 and not learns:
                nn.init.zeros_(module.net.weight)
                nn.init.constant_(module.net.bias, float(targets.mean()))
            callback.on_train_batch_start(trainer, module, None, number)
            loss = module.loss(INPUTS, targets)
            callback.on_before_backward(trainer, module, loss)
            loss.backward()
            callback.on_train_batch_end(trainer, module, None, None, number)
        callback.on_train_end(trainer, module)
    codes = [found.code for found in callback.watch.findings]
    assert codes == ([] if learns else ["ACT509"])
    assert hooks(module) == 0
