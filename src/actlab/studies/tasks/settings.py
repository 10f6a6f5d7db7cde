"""The output layers that are compared, right heads and wrong ones, and the plan of such a run."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from actlab.errors import ActlabError, unknown_name
from actlab.i18n import _
from actlab.records import (
    DataPlan,
    Execution,
    LossName,
    OutputHead,
    OutputLayer,
    OutputPlan,
    OutputSetting,
    Plan,
    Protocol,
    ProtocolName,
    Space,
    SplitSizes,
    TargetForm,
    TaskName,
)
from actlab.tasks import task

if TYPE_CHECKING:
    from actlab.records import OutputSetting


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


SEED = 20250305
"""The seed of the published output-layer study."""

_LEARNING_RATE = 0.001
_PATIENCE = 10
_NETWORKS = {
    "mnist": ("published_cnn", SplitSizes(2000, 3000, 0, 10_000)),
    "digits": ("small_cnn", SplitSizes(800, 600, 0, 397)),
}
"""Network and splits by data set; the figure on valid_epoch is the one that is reported."""


def tasks_plan(
    names: Sequence[str],
    protocols: Sequence[str],
    seeds: int,
    dataset: str,
    directory: Path | None,
    workers: int | None,
    targets: Path | None = None,
) -> Plan:
    """Return the plan that compares right and wrong output layers of the named tasks (none: all).

    With `targets`, a file of the user's, one task is named. Raises UnknownNameError for a
    task, a protocol or a data set that does not exist.
    """
    from actlab.tasks import TASKS, task

    if dataset not in _NETWORKS:
        raise unknown_name(_("data set"), dataset, _NETWORKS)
    asked = [task(name).name for name in names] or [known.name for known in TASKS]
    settings = output_settings(asked, [_protocol(name) for name in dict.fromkeys(protocols)])
    if targets is not None:
        if len(asked) != 1:
            raise ActlabError(_("Name the one task that the file with targets poses."))
        settings = tuple(replace(setting, published=False) for setting in settings)
    network, splits = _NETWORKS[dataset]
    return Plan(
        name=f"tasks-{dataset}",
        data=DataPlan(dataset, splits, _absolute(directory), _absolute(targets)),
        network=network,
        space=Space(
            conv_activation=("relu",),
            fc_activation=_used((HIDDEN, *OTHER_HIDDEN), settings),
            learning_rate_low=_LEARNING_RATE,
            learning_rate_high=_LEARNING_RATE,
        ),
        protocol=Protocol(
            settings[0].protocol,
            "softmax" if settings[0].protocol == "published" else "logits",
            patience=_PATIENCE,
        ),
        trials=seeds * len(settings),
        seed=SEED,
        execution=Execution(workers=workers),
        tasks=OutputPlan(settings, seeds),
    )


def _absolute(path: Path | None) -> str | None:
    return str(path.resolve()) if path is not None else None


def _used(activations: tuple[str, ...], settings: "Sequence[OutputSetting]") -> tuple[str, ...]:
    used = {setting.fc_activation for setting in settings}
    return tuple(name for name in activations if name in used)


def _protocol(name: str) -> ProtocolName:
    for known in get_args(ProtocolName):
        if name == known:
            protocol: ProtocolName = known
            return protocol
    raise unknown_name(_("protocol"), name, get_args(ProtocolName))
