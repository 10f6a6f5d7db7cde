"""The output layers that are compared: right heads and wrong ones, published and added."""

from collections.abc import Iterable
from dataclasses import replace

from actlab.records import (
    LossName,
    OutputHead,
    OutputLayer,
    OutputSetting,
    ProtocolName,
    TargetForm,
    TaskName,
)
from actlab.tasks import task

HIDDEN = "sigmoid"
"""The activation of the hidden linear layer in the published output-layer study."""

OTHER_HIDDEN = ("relu", "tanh", "silu")
"""What stands in its place to tell a head's fault from a hidden layer's."""


def right_output(name: TaskName) -> OutputLayer:
    """Return the output layer that fits a task.

    >>> right_output("regression")
    OutputLayer(task='regression', head='none', loss='mse', target='standardised')
    """
    fitting = task(name)
    form: TargetForm | None = "standardised" if name == "regression" else None
    return OutputLayer(name, fitting.head, fitting.loss, form)


def is_right(setting: OutputSetting) -> bool:
    """Return whether head, loss and form of the target are those that fit the task.

    >>> is_right(OutputSetting(OutputLayer("binary", "sigmoid", "bce"), "published", "relu", True))
    False
    """
    return setting.output == right_output(setting.output.task)


def counterpart(setting: OutputSetting) -> OutputSetting:
    """Return the right setting that a setting is held against; a right one is its own.

    >>> wrong = OutputSetting(OutputLayer("binary", "sigmoid", "ce"), "published", "sigmoid", True)
    >>> counterpart(wrong).output.head
    'softmax'
    """
    right = replace(setting, output=right_output(setting.output.task))
    return replace(right, published=right.fc_activation == HIDDEN)


def _regression(head: OutputHead, target: TargetForm) -> OutputLayer:
    return OutputLayer("regression", head, "mse", target)


def _of(name: TaskName, *pairs: tuple[OutputHead, LossName]) -> tuple[OutputLayer, ...]:
    return tuple(OutputLayer(name, head, loss) for head, loss in pairs)


PUBLISHED: tuple[OutputLayer, ...] = (
    _regression("none", "raw"),
    _regression("none", "standardised"),
    _regression("relu", "raw"),
    _regression("relu", "standardised"),
    *_of("probability", ("sigmoid", "bce"), ("softmax", "bce"), ("softmax", "ce")),
    *_of("binary", ("softmax", "ce"), ("sigmoid", "bce"), ("sigmoid", "ce")),
    *_of("multiclass", ("softmax", "ce"), ("sigmoid", "bce"), ("sigmoid", "ce")),
    *_of("multilabel", ("sigmoid", "bce"), ("softmax", "bce"), ("softmax", "ce")),
)
"""The output layers of the published table's sixteen settings, in its order."""

TRANSFORMED: tuple[OutputLayer, ...] = (
    _regression("sigmoid_transformed", "raw"),
    _regression("sigmoid_transformed", "standardised"),
)
"""Two regressions on the sigmoid of the target, which the author described and left out."""

HIDDEN_VARIED: tuple[OutputLayer, ...] = _of("multiclass", ("sigmoid", "bce"), ("softmax", "ce"))
"""Trained behind other hidden activations too: the head of claim 9 and its right counterpart."""


def output_settings(
    tasks: Iterable[TaskName], protocols: Iterable[ProtocolName]
) -> tuple[OutputSetting, ...]:
    """Return the settings to compare, protocol by protocol, task by task.

    Every wrong head has its right counterpart among them: the same task, protocol and hidden
    activation, with the output layer that fits.

    >>> len(output_settings(["regression"], ["published", "corrected"]))
    12
    """
    pairs = [(output, HIDDEN) for output in (*PUBLISHED, *TRANSFORMED)]
    pairs += [(output, hidden) for hidden in OTHER_HIDDEN for output in HIDDEN_VARIED]
    order = list(dict.fromkeys(output.task for output, _hidden in pairs))
    wanted = set(tasks)
    return tuple(
        OutputSetting(output, protocol, hidden, hidden == HIDDEN and output in PUBLISHED)
        for protocol in protocols
        for name in order
        for output, hidden in pairs
        if output.task == name and name in wanted
    )
