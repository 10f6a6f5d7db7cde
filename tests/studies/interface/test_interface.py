"""`actlab.study`, with real trainings of a tiny network."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import actlab
from actlab.errors import (
    ActlabError,
    AddressError,
    DataError,
    NetworkError,
    PlanError,
    RunFolderError,
)
from actlab.records import Outcome
from actlab.studies.interface.user_inputs import find_model
from actlab.studies.plan.file import read_plan, write_plan
from actlab.studies.run_folder import RunFolder

QUICK = {
    "trials": 4,
    "replicates": 0,
    "seed": 1,
    "protocol.max_epochs": 4,
    "space.learning_rate": {"low": 0.03, "high": 0.1},
}


def data() -> tuple[Any, Any]:
    """Return two classes that a line tells apart, nearly always."""
    labels = np.arange(240) % 2
    inputs = np.random.default_rng(1).normal(size=(240, 4)).astype(np.float32)
    return inputs + 2.0 * labels[:, None], labels


def network() -> nn.Module:
    """Return a network with one fc slot."""
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))


def test_a_study_of_a_function_of_this_process(tmp_path: Path) -> None:
    before = torch.get_rng_state()
    study = actlab.study(
        model=lambda: network(), data=data(), fc=["relu", "tanh"], out=tmp_path, overrides=QUICK
    )
    assert torch.equal(torch.get_rng_state(), before)
    assert [record.outcome for record in study.records] == [Outcome.COMPLETED] * 4
    assert list(study.plan.space.by_slot) == ["fc"], "there is no conv slot to compare in"
    assert {record.setting.fc_activation for record in study.records} == {"relu", "tanh"}
    assert study.best is not None
    assert study.best.valid_accuracy == max(r.valid_accuracy or 0 for r in study.records)
    assert study.final is not None
    assert study.final.test_accuracy > 0.9
    assert (tmp_path / "report.html").is_file()
    assert study.verdict() is None
    assert study.findings == []
    assert "4 of 4 trials" in repr(study)
    page = (tmp_path / "report.html").read_text()
    text = re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL)
    assert re.findall(r"(?i)\bconv\w*", text) == [], "nothing is said of layers that are not there"
    assert "1 of 1 activations covered" in text
    assert "keep: the network&#39;s own weights" in text
    assert study._repr_html_().count("<tr>") == 5
    pytest.importorskip("pandas")
    frame = study.to_pandas()
    assert list(frame["valid_accuracy"]) == [r.valid_accuracy for r in study.records]


def test_the_same_call_goes_on_and_another_plan_is_refused(tmp_path: Path) -> None:
    def run(**changed: Any) -> Any:
        return actlab.study(
            model=network(), data=data(), fc=["relu"], out=tmp_path, overrides=QUICK | changed
        )

    first = run().records
    lines = (tmp_path / "records.jsonl").read_bytes()
    assert run().records == first
    assert (tmp_path / "records.jsonl").read_bytes() == lines, "nothing was trained twice"
    with pytest.raises(RunFolderError, match="holds a study with another plan"):
        run(trials=5)


def test_a_study_is_confirmed(tmp_path: Path) -> None:
    study = actlab.study(
        model=network, data=data(), fc=["relu", "tanh"], out=tmp_path,
        overrides=QUICK | {"execution.workers": 1},
    )  # fmt: skip
    verdict = study.confirm(seeds=3)
    fc = next(slot for slot in verdict.slots if slot.slot == "fc")
    assert {candidate.name: candidate.n for candidate in fc.candidates} == {
        "relu": 3,
        "tanh": 3,
    }
    assert study.verdict() == verdict


def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match='did you mean the preset "digits"'):
        actlab.study("digit", out=tmp_path)
    with pytest.raises(PlanError, match='Did you mean "tanh"'):
        actlab.study("digits", fc=["tahn"], out=tmp_path)
    with pytest.raises(AddressError, match="it is int"):
        actlab.study(model=3, out=tmp_path)
    with pytest.raises(DataError, match="it has 3 parts"):
        actlab.study(data=(1, 2, 3), out=tmp_path)
    with pytest.raises(DataError, match="x holds objects"):
        actlab.study(data=([{}], [1]), out=tmp_path)
    with pytest.raises(ActlabError, match="class scores"):
        actlab.study(
            model=lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)),
            data=data(), fc=["relu"], out=tmp_path, overrides=QUICK,
        )  # fmt: skip


def test_what_workers_can_import_travels() -> None:
    found = find_model(network)
    assert found.travels
    assert found.name.endswith(":network")
    assert not find_model(lambda: network()).travels
    assert not find_model(network()).travels


def test_no_code_is_run_because_a_plan_names_it(tmp_path: Path) -> None:
    code = tmp_path / "evil.py"
    code.write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n\ndef build():\n    pass\n")
    plan = read_plan("digits", {})
    path = tmp_path / "plan.toml"
    path.write_text(write_plan(replace(plan, network=f"{code}:build")))
    with pytest.raises(AddressError, match="name it as model="):
        actlab.study(path, out=tmp_path / "run")
    folder = RunFolder.create(tmp_path / "other", replace(plan, network=f"{code}:build"))
    opened = actlab.open(folder.path)
    assert opened.records == ()
    for go_on in (opened.run, opened.confirm):
        with pytest.raises(ActlabError, match=r"name it as model=|search must be finished"):
            go_on()
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "run").exists()


class Bent(nn.Module):
    """An activation with a parameter of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(0.3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return x, below 0 times the slope."""
        return torch.where(x > 0, x, self.slope * x)


def deep() -> nn.Module:
    """Return a network with two places."""
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 9), nn.Tanh(), nn.Linear(9, 2))


def test_candidates_are_names_formulas_classes_modules_and_functions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["relu", "leaky_relu(0.2)", "x*tanh(x)", Bent, nn.ELU(0.5), lambda x: x.sin(), "swiglu"]
    study = actlab.study(
        model=network, data=data(), fc=[*given, "max(x, 0)", nn.ReLU], out=tmp_path,
        overrides=QUICK | {"trials": 7},
    )  # fmt: skip
    assert "max(x, 0) computes the same function as relu" in capsys.readouterr().err
    names = study.plan.space.fc_activation
    assert names[:3] == ("relu", "leaky_relu(0.2)", "x*tanh(x)")
    assert names[3].endswith("test_interface:Bent")
    assert (names[4], names[6]) == ("elu(alpha=0.5)", "swiglu")
    assert names[5].startswith("here:lambda")  # numbered, where this process has others
    assert len(names) == 7
    assert dict(study.plan.space.same) == {"max(x, 0)": "relu"}
    assert {record.outcome for record in study.records} == {Outcome.COMPLETED}
    page = (tmp_path / "report.html").read_text()
    assert "max(x, 0) computes the same function as relu" in page
    assert "swiglu in 1: hidden width 5 instead of 8" in page


@pytest.mark.slow
def test_each_place_is_a_slot_of_its_own_if_asked(tmp_path: Path) -> None:
    study = actlab.study(
        model=deep, data=data(), fc=["relu"], out=tmp_path,
        overrides=QUICK
        | {"trials": 6, "space.slots": {"[13]": {"candidates": ["relu", "silu"], "each": True}}},
    )  # fmt: skip
    assert study.plan.space.by_slot == {"1": ("relu", "silu"), "3": ("relu", "silu")}
    assert len({tuple(record.setting.activations.items()) for record in study.records}) > 2
    verdict = study.confirm(seeds=2)
    assert [slot.slot for slot in verdict.slots] == ["1", "3"]
    assert "Activation in 3" in (tmp_path / "report.html").read_text()
    table = (tmp_path / "trials.csv").read_text().splitlines()[0]
    assert table.startswith("number,1_activation,3_activation,learning_rate,outcome")


class OneModule(nn.Module):
    """One activation that is called after two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(4, 8), nn.Linear(8, 8), nn.Linear(8, 2)
        self.act = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.last(self.act(self.second(self.act(self.first(x)))))
        return scores


def test_places_of_one_module_are_told_apart_by_the_layer_before(tmp_path: Path) -> None:
    each = {"candidates": ["relu", "silu"], "each": True}
    study = actlab.study(
        model=OneModule, data=data(), fc=["relu"], out=tmp_path,
        overrides=QUICK | {"trials": 2, "space.slots": {"act": each}},
    )  # fmt: skip
    assert list(study.plan.space.by_slot) == ["act@first", "act@second"]
    assert {record.outcome for record in study.records} == {Outcome.COMPLETED}
    swapped = actlab.swap(OneModule(), at={"act@second": "tanh"}, example=torch.zeros(1, 4))
    assert [slot.name for slot in actlab.slots(swapped, torch.zeros(1, 4))] == ["relu", "tanh"]


def test_a_network_in_which_nothing_can_be_compared_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="no activation that another can be put in the place of"):
        actlab.study(
            model=lambda: nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 2)),
            data=data(), out=tmp_path / "run", overrides=QUICK,
        )  # fmt: skip


def test_code_of_candidates_is_named_too(tmp_path: Path) -> None:
    code = tmp_path / "evil_candidates.py"
    code.write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n\ndef act(x):\n    return x\n")
    plan = read_plan("digits", {"space.fc_activation": ["relu", f"{code}:act"]})
    path = tmp_path / "plan.toml"
    path.write_text(write_plan(plan))
    with pytest.raises(AddressError, match=r"its file as code="):
        actlab.study(path, out=tmp_path / "run")
    assert not (tmp_path / "ran").exists()
