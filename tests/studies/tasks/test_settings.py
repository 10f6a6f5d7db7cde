"""The compared output layers: the published table, and a right counterpart for every wrong one."""

import pytest

from actlab.records import OutputLayer, OutputSetting, TaskName
from actlab.studies.tasks import counterpart, is_right, output_settings, right_output
from actlab.studies.tasks.settings import HIDDEN, PUBLISHED, TRANSFORMED
from actlab.tasks import TASKS

NAMES = [task.name for task in TASKS]
EVERYTHING = output_settings(NAMES, ["published", "corrected"])


def test_sixteen_published_settings_two_transformed_and_six_with_another_hidden_layer() -> None:
    assert (len(PUBLISHED), len(TRANSFORMED)) == (16, 2)
    assert [sum(o.task == name for o in PUBLISHED) for name in NAMES] == [4, 3, 3, 3, 3]
    for protocol in ("published", "corrected"):
        own = [setting for setting in EVERYTHING if setting.protocol == protocol]
        assert [s.output for s in own if s.published] == list(PUBLISHED)
        assert len([s for s in own if not s.published and s.fc_activation == HIDDEN]) == 2
        assert len([s for s in own if s.fc_activation != HIDDEN]) == 6


@pytest.mark.parametrize("setting", EVERYTHING, ids=str)
def test_every_setting_has_its_right_counterpart_in_the_run(setting: OutputSetting) -> None:
    right = counterpart(setting)
    assert is_right(right)
    assert right in EVERYTHING
    assert (right == setting) == is_right(setting)


def test_one_right_head_per_task_behind_the_published_hidden_layer() -> None:
    right = [s.output for s in output_settings(NAMES, ["corrected"]) if is_right(s) and s.published]
    assert right == [right_output(name) for name in NAMES]


def test_no_setting_twice_and_the_order_of_the_tasks() -> None:
    assert len(set(EVERYTHING)) == len(EVERYTHING)
    two: list[TaskName] = ["multilabel", "binary"]
    assert [s.output.task for s in output_settings(two, ["corrected"])] == [
        *["binary"] * 3,
        *["multilabel"] * 3,
    ]


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
