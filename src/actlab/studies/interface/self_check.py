"""The checker on a study's own network and loss: every activation of the space, one step each.

Runs in a worker of its own in parallel to the trials, so that it costs no waiting.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

from actlab.files import write_bytes
from actlab.i18n import _
from actlab.records import FORMAT_VERSION, USUAL_TRAINING, Plan, Seeds, Setting, SlotName
from actlab.studies.executors.cluster import ClusterExecutor
from actlab.studies.executors.dispatch import persist
from actlab.studies.executors.session import ExecutorFactory
from actlab.studies.executors.worker_process import WorkerLostError
from actlab.studies.run_folder import RunFolder

Check = Callable[[Plan], list[dict[str, Any]]]

_LOGGER = logging.getLogger("actlab")

IMAGES = 64
"""Size of the batch that the step is taken on."""


@contextmanager
def self_checking(
    folder: RunFolder,
    make_executor: ExecutorFactory,
    check: Check | None = None,
) -> Iterator[Callable[[], None]]:
    """Check the study in `folder` while the body runs, and write `findings.json` at its end.

    The check begins when the body calls what it is given, at the latest with its end. `check`
    returns the findings of a plan; those of a study without it. Where it cannot be made, that is
    said, no file is written, and the study ends as it would have.
    """
    plan = folder.plan()
    function = check or check_own
    if folder.findings_path.exists():
        yield lambda: None
        return
    executor: Executor = make_executor(1, plan.execution.trial_timeout)

    @cache
    def begun() -> Future[list[dict[str, Any]]]:
        if isinstance(executor, ClusterExecutor) and plan.training.function is None:
            executor.bring(plan.data)
        return executor.submit(function, plan)

    def begin() -> None:
        with suppress(Exception):  # said at the end, where it is tried once more
            begun()

    try:
        yield begin
        try:
            findings = _result(begun(), executor, function, plan)
            document = {"format_version": FORMAT_VERSION, "findings": findings}
            write_bytes(folder.findings_path, json.dumps(document, indent=2).encode())
        except Exception as error:  # the study is done: only records decide whether it is
            message = _("The study's own network was not checked: {kind}: {reason}")
            _LOGGER.warning(message.format(kind=type(error).__name__, reason=error))
    finally:
        executor.shutdown(cancel_futures=True)


def _result(
    future: Future[list[dict[str, Any]]], executor: Executor, check: Check, plan: Plan
) -> list[dict[str, Any]]:
    try:
        return future.result()
    except WorkerLostError:
        return persist(executor, check, plan)


def check_own(plan: Plan) -> list[dict[str, Any]]:
    """Return the findings, each once, with the activations by slot that show it."""
    found: dict[str, dict[str, Any]] = {}
    if plan.training.function is not None:
        return []  # its loss is inside the function
    for chosen in plan.space.rounds:
        for finding in _findings(plan, chosen):
            entry = found.setdefault(finding["code"], finding | {"activations": []})
            entry["activations"].append(list(chosen.values()))
    return list(found.values())


def _findings(plan: Plan, chosen: Mapping[SlotName, str]) -> list[dict[str, Any]]:
    import torch
    from torch.nn import functional

    from actlab import checker, data, networks, training
    from actlab.studies.worker.inputs import preparation

    seeds = Seeds.of_search(plan.seed)
    dataset = data.open_dataset(plan.data.name, plan.data.directory)
    train = data.draw_splits(dataset, plan.data.splits, seeds.split).train
    images = preparation(dataset, train.images)(train.images[:IMAGES])
    batch = training.to_examples(images, train.labels[:IMAGES], dataset.pixel_maximum, "cpu")
    setting = Setting.of(chosen, plan.space.learning_rate_low)
    torch.manual_seed(seeds.weights)
    model = networks.build(
        plan.network,
        setting.conv_activation,
        setting.fc_activation,
        plan.protocol.head,
        further=dict(setting.slots),
        example=batch.images[:2],
        init=plan.init,
    )
    loss: Any = functional.cross_entropy
    if plan.training != USUAL_TRAINING:
        is_regression = plan.training.task == "regression"
        scale = training.ColumnScale.of(batch.labels) if is_regression else None
        weights = training.class_weights(plan.training, batch.labels)
        loss = training.objective_of_study(plan.training, scale, weights).loss
    report = checker.check(model, loss, (batch.images, batch.labels), task=plan.training.task)
    findings: list[dict[str, Any]] = report.to_dict()["findings"]
    return findings
