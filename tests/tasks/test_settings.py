"""The compared output layers: the published table, and a right counterpart for every wrong one."""

import pytest

from actlab.records import OutputLayer
from actlab.tasks import TASKS, OutputSetting, counterpart, output_settings, right_output
from actlab.tasks.settings import HIDDEN, PUBLISHED, TRANSFORMED


def test_sixteen_published_settings_and_two_transformed() -> None:
    assert len(PUBLISHED) == 16
    assert len(TRANSFORMED) == 2
    assert all(setting.published and setting.fc_activation == HIDDEN for setting in PUBLISHED)
    assert not any(setting.published for setting in TRANSFORMED)
    counts = [sum(s.output.task == task.name for s in PUBLISHED) for task in TASKS]
    assert counts == [4, 3, 3, 3, 3]


@pytest.mark.parametrize("setting", output_settings(), ids=str)
def test_every_setting_has_its_right_counterpart_in_the_run(setting: OutputSetting) -> None:
    everything = output_settings()
    assert setting in everything
    right = counterpart(setting)
    assert right.right
    assert (right.output, right.fc_activation) in {(s.output, s.fc_activation) for s in everything}


def test_one_right_head_per_task_behind_the_published_hidden_layer() -> None:
    right = [s.output for s in output_settings() if s.right and s.published]
    assert right == [right_output(task.name) for task in TASKS]


def test_no_setting_twice_and_the_order_of_the_tasks() -> None:
    everything = output_settings()
    assert len(set(everything)) == len(everything)
    assert output_settings(["multilabel", "binary"]) == (
        *(s for s in everything if s.output.task == "binary"),
        *(s for s in everything if s.output.task == "multilabel"),
    )


@pytest.mark.parametrize(
    ("layer", "published", "corrected"),
    [
        (OutputLayer("multiclass", "softmax", "ce"), "softmax", "logits"),
        (OutputLayer("multilabel", "softmax", "ce"), "softmax", "logits"),
        (OutputLayer("multiclass", "sigmoid", "ce"), "sigmoid", "sigmoid"),
        (OutputLayer("multilabel", "sigmoid", "bce"), "sigmoid", "logits"),
        (OutputLayer("multilabel", "softmax", "bce"), "softmax", "softmax"),
        (OutputLayer("regression", "none", "mse", "raw"), "logits", "logits"),
        (OutputLayer("regression", "relu", "mse", "raw"), "relu", "relu"),
        (OutputLayer("regression", "sigmoid_transformed", "mse", "raw"), "sigmoid", "sigmoid"),
    ],
)
def test_what_the_network_ends_in(layer: OutputLayer, published: str, corrected: str) -> None:
    assert (layer.ending("published"), layer.ending("corrected")) == (published, corrected)
