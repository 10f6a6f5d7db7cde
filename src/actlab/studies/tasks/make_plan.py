"""The plan of a run of tasks, from what the command line says."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from actlab.errors import ActlabError, unknown_name
from actlab.i18n import _
from actlab.records import (
    DataPlan,
    Execution,
    OutputPlan,
    Plan,
    Protocol,
    ProtocolName,
    Space,
    SplitSizes,
)

if TYPE_CHECKING:
    from actlab.records import OutputSetting

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

    With `targets`, a file of the user's own, one task is named. Raises UnknownNameError for a
    task, a protocol or a data set that does not exist.
    """
    from actlab.studies.tasks import output_settings
    from actlab.studies.tasks.settings import HIDDEN, OTHER_HIDDEN
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
