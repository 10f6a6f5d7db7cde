"""A simulated run of tasks to draw: every setting on two seeds, and what can be odd in one."""

import math
from collections.abc import Sequence
from dataclasses import replace

from actlab.case_study.published_results import PUBLISHED_RESULTS
from actlab.data.targets import LABELS
from actlab.records import (
    Claim,
    ConfidenceBin,
    Epoch,
    LayerGradients,
    Outcome,
    OutputFigures,
    OutputSetting,
    OutputSummary,
    PredictedGroup,
    Record,
    TargetScale,
)
from actlab.studies.report import FindingText
from actlab.studies.report.tasks import SettingSpreads, Spread, TasksData
from actlab.studies.tasks import right_output
from actlab.studies.tasks.settings import tasks_plan
from actlab.tasks import TASKS

from .studies import WRITTEN, published_study, record

SEEDS = 2
MARKUP = "</script><b>&"


def summary(setting: OutputSetting) -> OutputSummary:
    """What a layer says, by the kind of its task."""
    task = setting.output.task
    bins = (ConfidenceBin(0.5, 0.6, 4, 0.55, 0.5), ConfidenceBin(0.9, 1.0, 6, 0.96, 1.0))
    if task == "regression":
        groups = (
            PredictedGroup(1.0, 5, 1.2, 0.1, 1.0, 1.4, 0),
            PredictedGroup(2.0, 5, None, None, None, None, 5),
        )
        return OutputSummary(1.0, 1.9, groups=groups)
    if task == "multilabel":
        return OutputSummary(0.1, 0.9, confidence=bins, labels=(0.9, 0.8, 0.7, 0.6))
    classes = 10 if task == "multiclass" else 2
    table = tuple(tuple(9 if i == j else 1 for j in range(classes)) for i in range(classes))
    return OutputSummary(0.0, 1.0, confusion=table, confidence=bins)


def trained(setting: OutputSetting, seed: int, number: int) -> Record:
    """A completed training of three epochs."""
    layer = setting.output
    regression = layer.task == "regression"
    score = 0.5 if regression else 0.9
    epochs = tuple(
        Epoch(
            1.0, 1.0, None if regression else score, 1.0, valid_mse=math.inf if regression else None
        )
        if epoch == 0
        else Epoch(0.5, 0.6, None if regression else score, 1.0, score if regression else None)
        for epoch in range(3)
    )
    gradients = (LayerGradients("conv1", (0.1, 0.05, None)), LayerGradients("fc2", (0.3, 0.0, 0.2)))
    made = record(number, "relu", setting.fc_activation, 0.001, score, curve=(), replicate=seed)
    return replace(
        made,
        protocol=replace(made.protocol, name=setting.protocol, head=layer.ending(setting.protocol)),
        output=layer,
        curve=epochs,
        epochs=3,
        stage="task",
        valid_accuracy=None if regression else score,
        valid_mse=score if regression else None,
        figures=OutputFigures(score, 10, TargetScale(1.5, 0.5), summary(setting), gradients),
    )


def tasks_run(protocols: Sequence[str] = ("corrected",), names: Sequence[str] = ()) -> TasksData:
    """All settings trained but the last training of each task, which diverged."""
    plan = tasks_plan(names, protocols, SEEDS, "mnist", None, None)
    assert plan.tasks is not None
    settings = plan.tasks.settings
    records = [
        trained(setting, seed, seed * len(settings) + place)
        for seed in range(SEEDS)
        for place, setting in enumerate(settings)
    ]
    records[-1] = replace(
        records[-1], outcome=Outcome.DIVERGED, reason=f"the loss was {MARKUP}", figures=None
    )
    finding = FindingText("ACT201", "error", f"softmax over one: {MARKUP}")
    return TasksData(
        plan=plan,
        environment=published_study().environment,
        records=tuple(records),
        right=frozenset(right_output(task.name) for task in TASKS),
        written=WRITTEN,
        spreads={s: SettingSpreads(Spread(0.9), Spread(0.9, 0.85, 1.02)) for s in settings},
        published={layer: (one.valid, one.test) for layer, one in PUBLISHED_RESULTS.items()},
        claims={
            setting.protocol: (
                Claim(10, "tenth claim", "supported", f"because {MARKUP}"),
                Claim(6, "sixth claim", "not enough evidence", "too few"),
            )
            for setting in settings
        },
        findings={s: (finding,) if s.output.head == "softmax" else () for s in settings},
        targets={
            "regression": {1.0: 5, 2.0: 5},
            "probability": {0.0: 6, 1.0: 4},
            "multilabel": {1.0: 5, 3.0: 5},
        },
        labels=tuple(LABELS),
    )
