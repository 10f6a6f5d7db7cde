"""Plans: read, refused with every fault, written back."""

import tomllib
from pathlib import Path

import pytest

from actlab.errors import PlanError
from actlab.records import TpeSampler
from actlab.studies.plan.file import PRESETS, read_plan, validate, write_plan


def faults_of(text: str) -> str:
    with pytest.raises(PlanError) as caught:
        validate("plan.toml", tomllib.loads(text))
    return "\n".join(caught.value.faults)


def preset_text(name: str) -> str:
    return write_plan(read_plan(name, {}))


@pytest.mark.parametrize("preset", PRESETS)
def test_a_written_plan_reads_back_as_itself(preset: str, tmp_path: Path) -> None:
    plan = read_plan(preset, {"execution.workers": 3})
    path = tmp_path / "plan.toml"
    path.write_text(write_plan(plan))
    assert read_plan(str(path), {}) == plan


def test_the_published_preset_is_the_published_study() -> None:
    plan = read_plan("published", {})
    assert (plan.trials, plan.seed) == (120, 20250301)
    assert vars(plan.data.splits) == {
        "train": 3000,
        "valid_epoch": 2000,
        "valid_trial": 5000,
        "test": 10000,
    }
    assert (plan.protocol.head, plan.protocol.batch_size, plan.protocol.patience) == (
        "softmax",
        32,
        5,
    )
    assert plan.protocol.weight_decay == 0.01
    assert plan.protocol.max_epochs is None
    assert len(plan.space.conv_activation) == len(plan.space.fc_activation) == 8
    assert (plan.space.learning_rate_low, plan.space.learning_rate_high) == (0.0005, 0.01)
    sampler = plan.sampler
    assert isinstance(sampler, TpeSampler)
    assert (sampler.startup_trials, sampler.candidates) == (10, 24)
    assert not sampler.multivariate
    assert not sampler.constant_liar


def test_corrected_differs_from_published_by_its_protocol_alone() -> None:
    published, corrected = read_plan("published", {}), read_plan("corrected", {})
    assert corrected.protocol.head == "logits"
    differing = {key for key, value in vars(published).items() if value != vars(corrected)[key]}
    assert differing == {"name", "protocol"}


def test_the_protocol_option_changes_the_head() -> None:
    assert read_plan("digits", {"protocol.name": "published"}).protocol.head == "softmax"


def test_every_fault_is_named_at_once() -> None:
    text = preset_text("digits")
    text = text.replace("trials = 32", 'trials = "many"')
    text = text.replace("train = 800", "train = 80000")
    text = text.replace("low = 0.0005", "low = 0.5")
    text = text.replace('"relu"', '"rleu"', 1)
    text = text.replace("patience = 5", "patience = 0\npatiense = 5")
    found = faults_of(text)
    assert "trials: must be a whole number; got 'many'" in found
    assert "80500" in found.replace(",", "") or "80600" in found
    assert "low must not be above high" in found
    assert 'Did you mean "relu"?' in found
    assert "protocol.patience: must be at least 1; got 0" in found
    assert 'protocol.patiense: there is no such key; did you mean "patience"?' in found


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("trials = 32", "trials = 0", "trials: must be at least 1; got 0"),
        ("trials = 32", "trials = 2.5", "trials: must be a whole number; got 2.5"),
        ("trials = 32", "trials = true", "trials: must be a whole number; got True"),
        ("seed = 20250301\n", "", "seed: is missing"),
        ("seed = 20250301", "seed = -1", "seed: must be at least 0; got -1"),
        ('name = "digits"', 'name = "../evil"', "name: must be made of letters"),
        ('name = "small_cnn"', 'name = "smal_cnn"', 'Did you mean "small_cnn"?'),
        ('name = "small_cnn"', 'name = "published_cnn"', "takes images of shape (1, 28, 28)"),
        ('name = "corrected"', 'name = "correct"', 'Did you mean "corrected"?'),
        ("high = 0.01", "high = nan", "must be"),
        ("high = 0.01", "high = 0", "must be above 0"),
        ("margin = 0.005", "marign = 0.005", 'did you mean "margin"?'),
        ("replicates = 5", "replicates = 1", "must be 0 (a search alone, or a run of tasks) or at"),
        ("format_version = 1", "format_version = 9", "must be one of 1; got 9"),
        ("test = 397", "test = 398", "398"),
        ("[space]", "[spaec]", 'spaec: there is no such key; did you mean "space"?'),
    ],
)
def test_one_fault_is_one_plain_sentence(old: str, new: str, expected: str) -> None:
    text = preset_text("digits")
    assert old in text
    assert expected in faults_of(text.replace(old, new, 1))


def test_an_empty_space_and_a_repeated_name_are_refused() -> None:
    plan = tomllib.loads(preset_text("digits"))
    plan["space"]["fc_activation"] = ["relu", "tanh", "relu"]
    with pytest.raises(PlanError) as caught:
        validate("plan.toml", plan)
    assert caught.value.faults == ("space.fc_activation: names relu more than once",)
    plan["space"]["fc_activation"] = []
    with pytest.raises(PlanError, match="must have candidates for both slots of small_cnn"):
        validate("plan.toml", plan)
    plan["space"]["conv_activation"] = []
    with pytest.raises(PlanError, match="name candidates for a slot"):
        validate("plan.toml", plan)


def test_a_function_of_many_inputs_is_refused_in_a_slot() -> None:
    plan = tomllib.loads(preset_text("digits"))
    plan["space"]["conv_activation"] = ["softmax"]
    with pytest.raises(PlanError, match="does not map each value on its own"):
        validate("plan.toml", plan)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "it is empty"),
        (b"# only a comment\n", "it is empty"),
        (b"trials = = 3", "it is not a TOML text"),
        (bytes(range(128, 256)), "it is not a TOML text"),
        (b"data = 3\nspace = []", "data: must be a table; got 3"),
        (b"x = " + b"[" * 100_000, "it is nested too deeply"),
    ],
)
def test_a_file_that_is_no_plan(content: bytes, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_bytes(content)
    with pytest.raises(PlanError) as caught:
        read_plan(str(path), {})
    assert expected in str(caught.value)


def test_an_override_of_a_broken_section_does_not_hide_the_break(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(preset_text("digits").replace("[execution]", "[exec]"))
    with pytest.raises(PlanError, match="exec: there is no such key"):
        read_plan(str(path), {"execution.workers": 2})


def test_the_nearest_preset_is_named() -> None:
    with pytest.raises(PlanError, match='did you mean the preset "published"'):
        read_plan("publishd", {})


def test_the_margin_of_a_tie_is_a_setting(tmp_path: Path) -> None:
    assert read_plan("digits", {}).margin == 0.005
    path = tmp_path / "plan.toml"
    path.write_text(write_plan(read_plan("digits", {"margin": 0.01})))
    assert read_plan(str(path), {}).margin == 0.01
    with pytest.raises(PlanError, match="margin"):
        read_plan("digits", {"margin": 0.0})


def test_further_slots_and_what_is_trained_for_are_written_back(tmp_path: Path) -> None:
    document = tomllib.loads(preset_text("digits"))
    document["network"]["name"] = "net.py:build"
    document["space"]["slots"] = {
        "encoder.*.act": ["relu", "leaky_relu(0.2)"],
        "gate": {"candidates": ["silu", "x*sigmoid(2*x)"], "each": True},
    }
    document["training"] = {"task": "binary", "metric": "auc", "class_weights": [1.0, 3.0]}
    plan = validate("plan.toml", document)
    assert plan.space.by_slot["encoder.*.act"] == ("relu", "leaky_relu(0.2)")
    assert plan.space.slots[1].each
    path = tmp_path / "plan.toml"
    path.write_text(write_plan(plan))
    assert read_plan(str(path), {}) == plan


def test_splits_may_be_shares_of_the_pools() -> None:
    document = tomllib.loads(preset_text("digits"))
    document["data"]["splits"] = {
        "train": 0.5, "valid_epoch": 0.2, "valid_trial": 0.3, "test": 1.0,
    }  # fmt: skip
    splits = validate("plan.toml", document).data.splits
    assert (splits.train, splits.valid_epoch, splits.valid_trial, splits.test) == (
        700, 280, 420, 397,
    )  # fmt: skip
    document["data"]["splits"]["train"] = 0.9
    with pytest.raises(PlanError, match="ask for 1960 together"):
        validate("plan.toml", document)


@pytest.mark.parametrize(
    ("training", "told"),
    [
        ({"metric": "aucc"}, 'Did you mean "auc"'),
        ({"task": "regression", "metric": "auc"}, "does not fit the task regression"),
        ({"task": "regression", "class_weights": "balanced"}, "class_weights are for classes"),
        ({"clip": -1.0}, "must be above 0"),
        ({"function": "f.py:train"}, "function"),
    ],
)
def test_what_does_not_fit_in_a_training_is_told(training: dict[str, object], told: str) -> None:
    document = tomllib.loads(preset_text("digits"))
    document["training"] = training
    with pytest.raises(PlanError, match=told):
        validate("plan.toml", document)
