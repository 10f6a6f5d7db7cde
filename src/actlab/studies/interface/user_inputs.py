"""A network and data of the user's: how they enter a plan, and are found again in a worker."""

import copy
import inspect
import io
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from actlab.addresses import offer, offered
from actlab.data import (
    is_file,
    open_dataset,
    path_of,
    pool_sizes,
    shared_sizes,
    sizes_as_given,
)
from actlab.data.arrays import read_arrays
from actlab.data.conversion import as_arrays
from actlab.data.tables import Reading
from actlab.errors import AddressError, DataError, NetworkError
from actlab.files import write_bytes
from actlab.i18n import _
from actlab.networks.candidate_names import all_different
from actlab.pages.words import short_name
from actlab.records import (
    Plan,
    Slot,
    SlotCandidates,
    SlotName,
    Space,
    StudyTask,
    slot_name,
)


@dataclass(frozen=True)
class FoundModel:
    """The name of a network in a plan, and whether worker processes can find it by that name.

    Where they cannot, `factory` makes it.
    """

    name: str
    travels: bool
    factory: Callable[[], Any] | None = None


def find_model(model: Any) -> FoundModel:
    """Return how to name a model: an address, a callable without arguments, or a module to copy.

    A callable that a module holds under its name is found by workers; any other (a notebook's
    function, a lambda, a module that is there already) is used in this process, or sent by value.

    Raises AddressError for anything else.
    """
    from torch import nn

    if isinstance(model, str):
        return FoundModel(absolute_address(model), travels=True)
    if isinstance(model, nn.Module):
        name = f"here:{type(model).__name__}"
        factory = partial(copy.deepcopy, model)
        offer(name, factory)
        return FoundModel(name, travels=False, factory=factory)
    if not callable(model):
        message = _(
            "model must be an address (file.py:build), a callable without arguments that makes a "
            "network, or a network; it is {kind}."
        )
        raise AddressError(message.format(kind=type(model).__name__))
    address = _address_of(model)
    if address is not None:
        return FoundModel(address, travels=True)
    name = f"here:{getattr(model, '__name__', 'model')}"
    offer(name, model)
    return FoundModel(name, travels=False, factory=model)


def with_its_slots(plan: Plan, named: Collection[SlotName] = ()) -> Plan:
    """Return a plan whose slots are those that its network has, each candidate once.

    A slot for `each` place becomes one per place. A usual slot of a kind that the network lacks has
    no candidates: there is nothing to compare in it. One that somebody `named` candidates for
    stays, so that it is refused to compare these in no slot. Of candidates that compute the same
    function the first stays. The network is run on the plan's data to see its slots.
    """
    from actlab import networks
    from actlab.studies.worker.inputs import example_rows

    if networks.is_address(plan.network) and plan.training.function is None:
        import torch

        _check_pixels(plan)
        with torch.random.fork_rng(devices=[]):
            found = networks.slots_of(plan.network, example_rows(plan.data))
        space = _with_places(plan.space, found, named)
        if not space.by_slot:
            raise NetworkError(_nothing_to_compare(plan.network, found))
        plan = replace(plan, space=space)
    return replace(plan, space=_without_twins(plan.space))


def _nothing_to_compare(network: str, found: Sequence[Slot]) -> str:
    message = _("{network} has no activation that another can be put in the place of.")
    named = _("name it in space.slots")
    reasons = [f"{slot.path} ({slot.kind}, {slot.name}): {slot.reason or named}" for slot in found]
    return " ".join((message.format(network=network), *reasons))


def _with_places(space: Space, found: Sequence[Slot], named: Collection[SlotName]) -> Space:
    further: list[SlotCandidates] = []
    paths_found = [one.path for one in found]
    for slot in space.slots:
        fitting = [
            one.path if paths_found.count(one.path) == 1 else f"{one.path}@{one.layer}"
            for one in found
            if slot_name(one, (slot.name,)) == slot.name
        ]
        paths = fitting if slot.each and fitting else [slot.name]
        further += [SlotCandidates(path, slot.candidates) for path in dict.fromkeys(paths)]
    names = [slot.name for slot in further]
    there = {slot_name(one, names) for one in found if one.swappable}
    conv, fc = (
        candidates if kind in there or (kind in named and len(candidates) > 1) else ()
        for kind, candidates in (("conv", space.conv_activation), ("fc", space.fc_activation))
    )
    return replace(space, conv_activation=conv, fc_activation=fc, slots=tuple(further))


def _without_twins(space: Space) -> Space:
    from actlab import networks

    same: dict[str, str] = {}
    for names in space.by_slot.values():
        if not all_different(names):
            same |= dict(networks.same_functions(names))
    if not same:
        return space
    left = tuple(dict.fromkeys((*space.same, *same.items())))

    def kept(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in names if same.get(name) not in names)

    return replace(
        space,
        conv_activation=kept(space.conv_activation),
        fc_activation=kept(space.fc_activation),
        slots=tuple(replace(slot, candidates=kept(slot.candidates)) for slot in space.slots),
        same=left,
    )


def candidate_names(given: Sequence[Any]) -> tuple[list[str], bool]:
    """Return how to name candidates, and whether worker processes can find all by these names.

    A module or function that the catalogue knows has its name there, once. Raises AddressError for
    what cannot be a candidate.
    """
    found = [_candidate_name(thing) for thing in given]
    names = [name for name, _travels in found]
    repeated = {n for n, thing in zip(names, given, strict=True) if not isinstance(thing, str)}
    kept = [n for place, n in enumerate(names) if n not in names[:place] or n not in repeated]
    return kept, all(travels for _name, travels in found)


def _candidate_name(thing: Any) -> tuple[str, bool]:
    from torch import nn

    from actlab import activations
    from actlab.errors import UnknownNameError

    if isinstance(thing, str):
        return absolute(thing), True
    one_value = not isinstance(thing, nn.Module) or all(p.numel() == 1 for p in thing.parameters())
    try:
        function = activations.get(thing) if one_value else None
    except UnknownNameError:
        function = None
    if function is not None:
        values = function.values
        usual = activations.get(function.name).values
        bound = ", ".join(
            f"{key}={value:g}" for key, value in values.items() if usual[key] != value
        )
        return (f"{function.name}({bound})" if bound else function.name), True
    if not callable(thing):
        message = _(
            "A candidate must be a name, a formula, an address, or a class, module or function; "
            "got {kind}."
        )
        raise AddressError(message.format(kind=type(thing).__name__))
    address = None if isinstance(thing, nn.Module) else _address_of(thing)
    if address is not None:
        return address, True
    return _offered(thing), False


def absolute(name: str) -> str:
    """Return a candidate's name; of an address with its file made absolute."""
    from actlab.networks import is_code

    return absolute_address(name) if is_code(name) and ".py:" in name else name


def located(plan: Plan) -> Plan:
    """Return the plan with its own files made absolute, so that any process finds them."""
    space = plan.space

    def found(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(absolute, names))

    further = tuple(replace(slot, candidates=found(slot.candidates)) for slot in space.slots)
    space = replace(
        space,
        conv_activation=found(space.conv_activation),
        fc_activation=found(space.fc_activation),
        slots=further,
    )
    plan = replace(plan, space=space)
    if not is_file(plan.data.name):
        return plan
    path = path_of(plan.data.name)
    column = plan.data.name[len(str(path)) :]
    return replace(plan, data=replace(plan.data, name=f"{path.resolve()}{column}"))


def absolute_address(address: str) -> str:
    """Return the address with the path of its file made absolute, so that any process finds it.

    Raises AddressError for a text that is no address.
    """
    place, colon, name = address.rpartition(":")
    if not colon or not place or not name or not address.isprintable():
        message = _('An address must look like pkg.module:Net or file.py:build; got "{given}".')
        raise AddressError(message.format(given=ascii(address)[1:-1]))
    return f"{Path(place).resolve()}:{name}" if place.endswith(".py") else address


def _address_of(factory: Callable[[], Any]) -> str | None:
    module, name = getattr(factory, "__module__", None), getattr(factory, "__qualname__", None)
    if not module or not name or module == "__main__" or "." in name:
        return None
    if getattr(sys.modules.get(module), name, None) is not factory:
        return None
    file = inspect.getsourcefile(sys.modules[module])
    return f"{Path(file).resolve()}:{name}" if file and "." not in module else f"{module}:{name}"


UserData = Any
"""A path (an .npz file, a table, a folder of images), the arrays (x, y) or (x, y, x_test, y_test),
a DataFrame, a dataset with numbered items, a DataLoader, or a dataset of Hugging Face."""

PARTS = ("loss", "metric", "optimiser", "schedule", "augmentation", "function")
"""The parts of a training that may be the user's own."""


def part_name(thing: Any) -> tuple[str, bool]:
    """Return how to name a part of a training, and whether worker processes can find it so.

    A name stays, an address has its file made absolute; an object is offered in this process unless
    a module holds it.
    """
    if isinstance(thing, str):
        return (absolute_address(thing) if ".py:" in thing else thing), True
    if not callable(thing):
        message = _("A part of a training must be a name, an address, or be called; got {kind}.")
        raise AddressError(message.format(kind=type(thing).__name__))
    address = _address_of(thing)
    return (address, True) if address is not None else (_offered(thing), False)


def _offered(thing: Any) -> str:
    """Return a name under which a thing can be found in this process."""
    label = getattr(thing, "__name__", type(thing).__name__).strip("<>")
    name, number = f"here:{label}", 1
    while offered(name) not in (None, thing):
        number += 1
        name = f"here:{label}_{number}"
    offer(name, thing)
    return name


def function_overrides(conv: Any, fc: Any) -> dict[str, Any]:
    """Return what a training by a function lays over a plan: it has no data and no network."""
    nothing: dict[str, Any] = {
        "name": "own",
        "data": {
            "name": "function",
            "splits": {"train": 1, "valid_epoch": 1, "valid_trial": 1, "test": 1},
        },
        "network.name": "function",
    }
    if conv is None:
        nothing["space.conv_activation"] = []
    if fc is None:
        nothing["space.fc_activation"] = []
    return nothing


@dataclass(frozen=True)
class FoundData:
    """What own data lay over a plan, and the task that their target poses."""

    overrides: dict[str, Any]
    task: StudyTask


def data_overrides(data: UserData, folder: Path, target: str | None = None) -> dict[str, Any]:
    """Return what own data lay over a plan, without its task: see `user_data`."""
    return user_data(data, folder, Reading(target)).overrides


def user_data(
    data: UserData, folder: Path, reading: Reading, network: str | None = None
) -> FoundData:
    """Return what own data lay over a plan; arrays are written to `data.npz` in `folder` first.

    An .npz file or a table of classes of which nothing else is asked stays where it is. They are
    split by shares, since the sizes that fit a preset's data say nothing for them. The task is that
    of `reading`, or the one that the target poses, which is then said. Bytes (uint8) are pixels
    unless the user's `network` looks them up in an embedding: then they are token ids.

    Raises DataError for what cannot be trained on.
    """
    task = reading.task
    is_path = isinstance(data, str | Path)
    path = Path(data) if is_path else folder / "data.npz"
    plain = is_path and is_file(str(path)) and reading.is_plain
    if plain and path.suffix == ".npz":
        found = read_arrays(path)
        task = _posed(found.get("y"))
        plain = task in ("binary", "multiclass") and not _are_ids(found.get("x"), network)
    elif plain:
        table = as_arrays(path, replace(reading, encode=True, fill="median"))
        task = _posed(table["y"])
        plain = task in ("binary", "multiclass")
    if not plain:
        arrays = as_arrays(data, reading)
        task = task or _posed(arrays["y"])
        if task in ("regression", "multilabel"):
            arrays["task"] = np.array(task)
        if _are_ids(arrays["x"], network):
            arrays |= {name: arrays[name].astype(np.int64) for name in _INPUTS if name in arrays}
            message = _("The bytes in x are token ids: {network} looks them up in an embedding.")
            print(message.format(network=short_name(network or "")), file=sys.stderr)
        path = _written(arrays, folder)
    elif is_path and not path.exists():
        raise DataError(_("There is no file {path}.").format(path=path))
    name = str(path.resolve())
    if plain and reading.target is not None:
        name = f"{name}:{reading.target}"
    assert task is not None, "a target poses a task"
    if reading.task is None:
        message = _("Task: {task}, as the target says (--task, task= for another).")
        print(message.format(task=task), file=sys.stderr)
    splits = vars(sizes_as_given(open_dataset(name)) or shared_sizes(pool_sizes(name)))
    overrides = {"name": "own", "data": {"name": name, "splits": splits}, "training.task": task}
    return FoundData(overrides, task)


_INPUTS = ("x", "x_test")


def _are_ids(x: Any, network: str | None) -> bool:
    """Return whether bytes, which are pixels otherwise, are looked up in an embedding."""
    if network is None or getattr(x, "dtype", None) != np.uint8 or np.ndim(x) < 2:
        return False
    import torch

    from actlab import networks

    rows = torch.from_numpy(x[:2].astype(np.int64))
    return networks.is_address(network) and networks.looks_up(network, rows)


def _check_pixels(plan: Plan) -> None:
    """Raise DataError where a plan's data are taken for pixels, and its network looks them up."""
    if not is_file(plan.data.name):
        return
    dataset = open_dataset(plan.data.name, plan.data.directory, plan.data.targets)
    if _are_ids(dataset.training_pool.images, plan.network):
        message = _(
            "{name} has its inputs as bytes (uint8), which are taken for pixels, and {network} "
            "looks them up in an embedding. Save token ids as int64: x.astype('int64')."
        )
        raise DataError(message.format(name=plan.data.name, network=plan.network))


def _posed(target: Any) -> StudyTask:
    """Return the task that a target poses: numbers that are no classes are to be predicted."""
    if target is None:
        return "multiclass"  # the file says what it lacks
    array = np.asarray(target)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 2 and array.dtype.kind in "biuf":
        ones = bool(((array == 0) | (array == 1)).all())
        if ones and bool((array.sum(axis=1) == 1).all()):
            return "binary" if array.shape[1] == 2 else "multiclass"
        return "multilabel" if ones else "regression"
    if array.ndim > 2:
        message = _(
            "A target must be a label, a number, or a row of these per example; got shape {shape}. "
            "Targets of another shape (a mask, a sequence) train by a function of your own "
            "(actlab.study(train=...))."
        )
        raise DataError(message.format(shape=array.shape))
    if array.ndim != 1 or array.dtype.hasobject:
        return "multiclass"  # opening it says what is wrong
    known = np.unique(array)
    amounts = array.dtype.kind in "iuf" and len(known) > max(50, len(array) / 4)
    if array.dtype.kind == "f" and not bool((array == np.floor(array)).all()):
        amounts = bool(np.isfinite(array).all())
    if amounts:
        return "regression"
    return "binary" if len(known) == 2 else "multiclass"


def _written(arrays: Mapping[str, Any], folder: Path) -> Path:
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / "data.npz", content.getvalue())
    return folder / "data.npz"
