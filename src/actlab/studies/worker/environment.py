"""What a study finds before its first trial, and a new process made ready for trials."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

from actlab import data
from actlab.addresses import find
from actlab.errors import NetworkError
from actlab.files import write_text
from actlab.i18n import _
from actlab.records import Environment, NetworkSummary, Plan, Precision, Seeds, Setting
from actlab.studies.plan.code import code_of
from actlab.studies.worker.baseline import best_constant, check_parts, check_target
from actlab.studies.worker.inputs import built, example_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from actlab.training import Device

_LIBRARIES = ("actlab", "numba", "numpy", "optuna", "scikit-learn", "torch", "torchinfo")


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def prepare(plan: Plan, command: str, started: str) -> Environment:
    """Open the plan's data, build its network, choose device and precision; return what was found.

    `command` is what started the study, `started` when, in ISO 8601.

    Raises DataError for data that are missing, altered, too small or of another size than the
    network takes, NetworkError for a network of the user's that does not fit, DeviceError for a
    device or a precision that this machine does not have, UnknownNameError for a name that nothing
    has.
    """
    from actlab import networks, training

    device = training.resolve_device(plan.execution.device)
    if plan.training.function is not None:
        return _of_function(plan, device, command, started)
    dataset = data.open_dataset(plan.data.name, plan.data.directory, plan.data.targets)
    shape = data.image_shape(plan.data.name)
    example = example_rows(plan.data)
    check_target(plan, dataset)
    check_parts(plan, dataset)
    outputs = (1, 2) if plan.training.task == "binary" else (dataset.classes,)
    networks.check_fits(plan.network, plan.space, plan.data.name, example, outputs)
    first = _first_setting(plan)
    size = (plan.protocol.batch_size, *shape)
    network = networks.summarise(
        plan.network, first.conv_activation, first.fc_activation, plan.protocol.head, size, example
    )
    code = code_of(plan)
    constant = best_constant(plan, dataset) if dataset.is_own else None
    return Environment(
        versions=training.versions_of(_LIBRARIES),
        machine=training.describe_machine(device, available_cores()),
        fingerprint=dataset.fingerprint,
        class_counts=data.class_counts(dataset, plan.data.splits, Seeds.of_search(plan.seed).split),
        network=network,
        coverage=networks.coverage(plan.network, example, plan.space.by_slot),
        gated=networks.gated_widths(plan.network, plan.space, example),
        network_hash=networks.network_hash(plan.network, code) if code else None,
        precision=training.resolve_precision(
            plan.execution.precision,
            device,
            lambda: kept_precision(plan, device, network, lambda: _faster_precision(plan, device)),
            network.multiply_adds,
        ),
        device=device,
        command=command,
        started=started,
        pool=len(dataset.training_pool.labels),
        baseline=None if constant is None else constant[0],
        constant="" if constant is None else constant[1],
        class_names=dataset.class_names,
        divided_by="" if dataset.division is None else dataset.division.kind,
        scaled=dataset.scale,
        unequal_inputs=None
        if dataset.scale or not dataset.is_own
        else data.unequal_inputs(dataset.training_pool.images),
    )


def _of_function(plan: Plan, device: Device, command: str, started: str) -> Environment:
    """Return where a study runs whose training is the user's own function; it is not called."""
    from actlab import networks, training

    address = plan.training.function
    assert address is not None, "its training is a function"
    function = find(address)
    if not callable(function):
        message = _("{address} must be a function of a setting and a seed; it is {kind}.")
        raise NetworkError(message.format(address=address, kind=type(function).__name__))
    return Environment(
        versions=training.versions_of(_LIBRARIES),
        machine=training.describe_machine(device, available_cores()),
        fingerprint="",
        class_counts={},
        network=NetworkSummary((), 0, 0, 0),
        network_hash=networks.network_hash(plan.network, code_of(plan)),
        precision="fp32",
        device=device,
        command=command,
        started=started,
    )


def kept_precision(
    plan: Plan, device: Device, network: NetworkSummary, measure: Callable[[], Precision]
) -> Precision:
    """Return which precision is faster: measured once for a network on a machine, then kept.

    Timings vary, and the same plan should give the same records on the same machine. The answer is
    a word in a file of the user's cache folder; one that says anything else is measured again.
    """
    from actlab import training

    machine = training.describe_machine(device, available_cores())
    asked = (
        [machine["processor"], machine["device"]],
        training.versions_of(("torch",)),
        [device, plan.together(device), plan.network],
        [asdict(row) for row in network.layers],
    )
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()
    import platformdirs

    path = Path(platformdirs.user_cache_dir("actlab", appauthor=False)) / "precision" / digest[:32]
    with suppress(OSError):
        known = path.read_text()
        if known in ("fp32", "bf16"):
            return cast(Precision, known)
    found = measure()
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_text(path, found)
    return found


def initialise() -> None:
    """Make a new process ready to train: one thread, and memory that stays in it."""
    import torch

    from actlab import training

    torch.set_num_threads(1)
    # A saturated network's gradients become denormal numbers, on which a CPU computes many times
    # slower; as zeros they change no accuracy (benchmarks/denormals.py).
    torch.set_flush_denormal(True)
    torch.set_num_interop_threads(1)
    training.keep_pages()


def reset() -> None:
    """Undo what a network of the user's may have set for the whole process."""
    import torch

    torch.set_default_dtype(torch.float32)
    torch.set_grad_enabled(True)
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)


def _faster_precision(plan: Plan, device: Device) -> Precision:
    """Return which precision is faster for the plan's network with its first activations."""
    import torch

    from actlab import networks
    from actlab.training import fused

    model = built(
        plan.network,
        _first_setting(plan),
        plan.protocol.head,
        plan.seed,
        device,
        example=example_rows(plan.data),
        init=plan.init,
    )
    shape = (plan.protocol.batch_size, *data.image_shape(plan.data.name))
    rows = example_rows(plan.data)
    images = rows[torch.arange(shape[0]) % len(rows)].to(device)
    count = plan.together(device)
    view = model if count == 1 else networks.as_written(model)
    return fused.faster_precision_together(view, images, plan.protocol, count)


def _first_setting(plan: Plan) -> Setting:
    """Return the setting of every slot's first candidate, at the lowest rate."""
    return Setting.of(plan.space.first, plan.space.learning_rate_low)
