"""The checker on a study's own network and loss: every activation of the space, one step each.

Runs in a worker of its own in parallel to the trials, so that it costs no waiting.
"""

import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from functools import cache
from itertools import zip_longest
from typing import Any

from actlab.files import write_bytes
from actlab.i18n import _
from actlab.records import FORMAT_VERSION, Plan, Seeds, Space
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
        return executor.submit(function, plan)

    def begin() -> None:
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
    """Return the findings, each once, with the activations (conv, fc) that show it."""
    found: dict[str, dict[str, Any]] = {}
    for conv, fc in pairs(plan.space):
        for finding in _findings(plan, conv, fc):
            entry = found.setdefault(finding["code"], finding | {"activations": []})
            entry["activations"].append([conv, fc])
    return list(found.values())


def pairs(space: Space) -> list[tuple[str, str]]:
    """Return pairs in which every activation of both slots stands at least once.

    >>> pairs(Space(("relu", "tanh"), ("elu",), 0.1, 0.2))
    [('relu', 'elu'), ('tanh', 'elu')]
    """
    first_conv, first_fc = space.conv_activation[0], space.fc_activation[0]
    together = zip_longest(space.conv_activation, space.fc_activation)
    return [(conv or first_conv, fc or first_fc) for conv, fc in together]


def _findings(plan: Plan, conv: str, fc: str) -> list[dict[str, Any]]:
    import torch
    from torch.nn import functional

    from actlab import checker, data, networks, training

    seeds = Seeds.of_search(plan.seed)
    dataset = data.open_dataset(plan.data.name, plan.data.directory)
    train = data.draw_splits(dataset, plan.data.splits, seeds.split).train
    batch = training.to_examples(
        train.images[:IMAGES], train.labels[:IMAGES], dataset.pixel_maximum, "cpu"
    )
    torch.manual_seed(seeds.weights)
    model = networks.build(
        plan.network, conv, fc, plan.protocol.head, example=batch.images[:2], init=plan.init
    )
    report = checker.check(
        model, functional.cross_entropy, (batch.images, batch.labels), task="multiclass"
    )
    findings: list[dict[str, Any]] = report.to_dict()["findings"]
    return findings
