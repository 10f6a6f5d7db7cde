"""The output layers that are compared: right heads and wrong ones, published and added."""

from collections.abc import Iterable
from dataclasses import dataclass

from actlab.records import LossName, OutputHead, OutputLayer, TargetForm, TaskName
from actlab.tasks.definitions import task

HIDDEN = "sigmoid"
"""The activation of the hidden linear layer in the published output-layer study."""

OTHER_HIDDEN = ("relu", "tanh", "silu")
"""What stands in its place to tell a head's fault from a hidden layer's."""


@dataclass(frozen=True)
class OutputSetting:
    """An output layer behind a hidden layer; `published` where the author trained it."""

    output: OutputLayer
    fc_activation: str = HIDDEN
    published: bool = True

    @property
    def right(self) -> bool:
        """Return whether head, loss and form of the target are those that fit the task.

        >>> OutputSetting(OutputLayer("binary", "sigmoid", "bce")).right
        False
        """
        return self.output == right_output(self.output.task)


def right_output(name: TaskName) -> OutputLayer:
    """Return the output layer that fits a task.

    >>> right_output("regression")
    OutputLayer(task='regression', head='none', loss='mse', target='standardised')
    """
    fitting = task(name)
    form: TargetForm | None = "standardised" if name == "regression" else None
    return OutputLayer(name, fitting.head, fitting.loss, form)


def _regression(head: OutputHead, target: TargetForm, *, published: bool = True) -> OutputSetting:
    return OutputSetting(OutputLayer("regression", head, "mse", target), published=published)


def _of(name: TaskName, *pairs: tuple[OutputHead, LossName]) -> tuple[OutputSetting, ...]:
    return tuple(OutputSetting(OutputLayer(name, head, loss)) for head, loss in pairs)


PUBLISHED: tuple[OutputSetting, ...] = (
    _regression("none", "raw"),
    _regression("none", "standardised"),
    _regression("relu", "raw"),
    _regression("relu", "standardised"),
    *_of("probability", ("sigmoid", "bce"), ("softmax", "bce"), ("softmax", "ce")),
    *_of("binary", ("softmax", "ce"), ("sigmoid", "bce"), ("sigmoid", "ce")),
    *_of("multiclass", ("softmax", "ce"), ("sigmoid", "bce"), ("sigmoid", "ce")),
    *_of("multilabel", ("sigmoid", "bce"), ("softmax", "bce"), ("softmax", "ce")),
)
"""The sixteen settings of the published table, in its order."""

TRANSFORMED: tuple[OutputSetting, ...] = (
    _regression("sigmoid_transformed", "raw", published=False),
    _regression("sigmoid_transformed", "standardised", published=False),
)
"""The two regressions on the sigmoid of the target, which the author described and left out."""

HIDDEN_VARIED: tuple[OutputSetting, ...] = tuple(
    OutputSetting(output, hidden, published=False)
    for hidden in OTHER_HIDDEN
    for output in (
        OutputLayer("multiclass", "sigmoid", "bce"),
        OutputLayer("multiclass", "softmax", "ce"),
    )
)
"""Multi-class by sigmoids and its right counterpart behind other hidden activations."""


def output_settings(tasks: Iterable[TaskName] | None = None) -> tuple[OutputSetting, ...]:
    """Return the settings to compare for `tasks` (None: all five), task by task.

    Every wrong head has its right counterpart among them: the same task, and hidden activation,
    with the output layer that fits.

    >>> len(output_settings()), len(output_settings(["regression"]))
    (24, 6)
    """
    everything = (*PUBLISHED, *TRANSFORMED, *HIDDEN_VARIED)
    order = list(dict.fromkeys(setting.output.task for setting in everything))
    wanted = order if tasks is None else [name for name in order if name in set(tasks)]
    return tuple(
        setting for name in wanted for setting in everything if setting.output.task == name
    )


def counterpart(setting: OutputSetting) -> OutputSetting:
    """Return the right setting that a setting is held against; a right one is its own.

    >>> counterpart(OutputSetting(OutputLayer("multiclass", "sigmoid", "ce"))).output.head
    'softmax'
    """
    right = right_output(setting.output.task)
    return OutputSetting(right, setting.fc_activation, setting.published)
