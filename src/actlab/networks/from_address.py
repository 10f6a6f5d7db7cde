"""Networks of the user's: any module with slots, made by a callable without arguments.

A plan names such a network by the address of the callable, as `file.py:build`.
"""

import hashlib
import inspect
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn

from actlab.addresses import find, is_user, user_code
from actlab.errors import DataError, NetworkError, SlotError
from actlab.i18n import _
from actlab.networks.activation_slots import Place, places
from actlab.networks.candidate_names import is_gated
from actlab.networks.gated_units import gated_width
from actlab.networks.initialisation import initialise
from actlab.networks.shapes import input_shape, is_address
from actlab.networks.swapping import check_swapped, fill
from actlab.records import (
    Coverage,
    GatedWidth,
    Init,
    NetworkHash,
    Slot,
    SlotName,
    Space,
    slot_name,
)

Factory = Callable[[], nn.Module]


def build_from_address(
    address: str,
    chosen: Mapping[SlotName, str],
    head: "OrderedDict[str, nn.Module]",
    example: Tensor | None = None,
    init: Init = "keep",
) -> nn.Sequential:
    """Return a network from the callable at `address`, with what is `chosen` in its slots.

    A slot that nothing is chosen for stays what it is. On an `example`, rows of inputs, functional
    calls are found too. `init` is what becomes of the weights that the callable drew. The network
    gives scores; the layers of `head` are put behind it.

    Raises AddressError where the address leads nowhere, NetworkError where no module comes from it.
    """
    model = _made(address)
    _filled(model, chosen, example, init)
    return nn.Sequential(OrderedDict(network=model, **head))


def slots_of(address: str, example: Tensor) -> tuple[Slot, ...]:
    """Return the slots of the network at `address`."""
    return tuple(place.slot for place in _seen(address, _made(address), example))


def check_fits(
    network: str,
    space: Space,
    data_name: str,
    example: Tensor,
    outputs: tuple[int, ...],
) -> None:
    """Raise an error where `network` does not take rows such as those of `example`.

    One that an address leads to is built and run. It needs a place for every slot of `space`, must
    give `outputs` numbers per row (the class scores, say), be the same under the same seed, and
    keep its gradients with every candidate.

    >>> space = Space(("relu",), ("tanh",), 0.001, 0.01)
    >>> check_fits("small_cnn", space, "digits", torch.zeros(2, 1, 8, 8), outputs=(10,))
    """
    taken, given = input_shape(network), tuple(example.shape[1:])
    if taken is None:
        _check_from_address(network, space, example, outputs)
    elif taken != given:
        raise DataError(
            _(
                "The network {network} takes images of shape {taken}; those of {name} have shape "
                "{given}. Choose another network or other data."
            ).format(network=network, taken=taken, name=data_name, given=given)
        )


def coverage_of(found: Sequence[Slot], compared: Iterable[SlotName] = ("conv", "fc")) -> Coverage:
    """Return how many of a network's activations a study puts others in the place of.

    `compared` are the slots that the study has candidates for.

    >>> found = coverage_of([Slot("0", "conv", ""), Slot("1", "gate", ""), Slot("2", "output", "")])
    >>> found.activations, found.swapped
    (2, 1)
    """
    names = set(compared)
    inner = [slot for slot in found if slot.kind != "output"]
    swapped = [slot for slot in inner if slot.swappable and slot_name(slot, names) in names]
    return Coverage(len(inner), len(swapped), tuple(found))


def coverage_from_address(address: str, example: Tensor, compared: Iterable[SlotName]) -> Coverage:
    """Return which activations a study of the network at `address` puts others in the place of."""
    return coverage_of(slots_of(address, example), compared)


def gated_widths(address: str, space: Space, example: Tensor) -> tuple[GatedWidth, ...]:
    """Return what width every gated candidate has in its slots, for how many parameters."""
    gated = {
        slot: [name for name in names if is_gated(name)] for slot, names in space.by_slot.items()
    }
    if not any(gated.values()) or not is_address(address):
        return ()
    model = _made(address)
    return tuple(
        gated_width(model, place, candidate)
        for place, slot in _compared(_seen(address, model, example), gated)
        if place.split is None
        for candidate in gated[slot]
    )


def network_hash(address: str, code: Iterable[str] = ()) -> NetworkHash:
    """Return what tells one network from an edited one: hashes of its parts.

    The structure is every module's path and class, the shapes those of parameters and buffers with
    their kinds of number, the source that of the callable, of the user's own classes, and of the
    `code` at further addresses (candidates, a loss).
    """
    things = [find(one) for one in code]
    parts: list[tuple[str, nn.Module]] = []
    shapes: list[tuple[str, Tensor]] = []
    if is_address(address):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            model = _made(address)
        parts = list(model.named_modules())
        shapes = [*model.named_parameters(), *model.named_buffers()]
        things += [find(address), *{type(part) for _path, part in parts}]
    return NetworkHash(
        structure=_hash(f"{path} {part.extra_repr()}{type(part)}" for path, part in parts),
        shapes=_hash(_shape_of(name, tensor) for name, tensor in shapes),
        source=_hash(sorted(map(_source_of, things))),
    )


def _shape_of(name: str, tensor: Tensor) -> str:
    """Return name, shape and kind of a tensor; one that is made at its first use has no shape."""
    shape = "lazy" if _is_lazy(tensor) else tuple(tensor.shape)
    return f"{name} {shape} {tensor.dtype} {tensor.requires_grad}"


def _hash(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _source_of(thing: object) -> str:
    """Return the source of a callable or class of the user's; "" where it is another's."""
    try:
        file = inspect.getsourcefile(thing)  # type: ignore[arg-type]
        return inspect.getsource(thing) if is_user(file) else ""  # type: ignore[arg-type]
    except (TypeError, OSError):  # an object that was called, or text that was typed in
        return ""


def _compared(found: Sequence[Place], names: Collection[SlotName]) -> list[tuple[Place, SlotName]]:
    """Return the places that something else is put in, each with the slot of the study it is of.

    Raises SlotError where a further slot names one that cannot be swapped.
    """
    further = [name for name in names if name not in ("conv", "fc")]
    pairs = []
    for place in found:
        name = slot_name(place.slot, further)
        if name not in names or name is None:
            continue
        if place.slot.swappable:
            pairs.append((place, name))
        elif name in further:
            message = _("The activation {path} ({name}) cannot be swapped. {reason}")
            slot = place.slot
            raise SlotError(message.format(path=slot.path, name=slot.name, reason=slot.reason))
    return pairs


def _seen(address: str, model: nn.Module, example: Tensor | None) -> Sequence[Place]:
    advice = "" if example is None else _takes(example)
    try:
        with user_code(address, NetworkError, advice=advice):
            return places(model, example)
    except SlotError as error:
        if example is not None and ("dtype" in str(error) or "scalar type" in str(error)):
            kind = _kind_advice(example, str(error))
            raise NetworkError(f"{address}: {_ended(str(error))} {kind}") from None
        if "CUDA" in str(error) or "NVIDIA" in str(error):
            message = _("{address}: {error} Its forward must compute on the device of its input.")
            told = message.format(address=address, error=_ended(str(error)))
            raise NetworkError(told) from None
        message = _(
            "{address}: {error} {advice} It is given one tensor of rows; a network with several "
            "inputs takes them joined in one, or trains by a function (actlab.study(train=...))."
        )
        told = message.format(address=address, error=_ended(str(error)), advice=advice)
        raise NetworkError(told if example is not None else str(error)) from None


def _kind_advice(example: Tensor, error: str) -> str:
    if any(kind in error for kind in ("Half", "BFloat16", "Double")):
        return _("A study trains in float32; make the network so (model.float()).")
    if example.is_floating_point():
        return _("Give token ids as an array of whole numbers (x.astype('int64')).")
    return _(
        "Whole numbers stay so, as token ids; give measurements as floating-point numbers "
        "(x.astype('float32'))."
    )


def _takes(example: Tensor) -> str:
    return _("It must take inputs of shape {shape}.").format(shape=tuple(example.shape[1:]))


def _filled(
    model: nn.Module, chosen: Mapping[SlotName, str], example: Tensor | None, init: Init
) -> list[nn.Module]:
    found = places(model, example)
    pairs = _compared(found, chosen)
    filled = fill(model, [(place, chosen[slot]) for place, slot in pairs])
    initialise(model, init, filled)
    return [module for _place, module in filled]


def _check_from_address(
    address: str, space: Space, example: Tensor, outputs: tuple[int, ...]
) -> None:
    model = _same_twice(address)
    with user_code(address, NetworkError, advice=_takes(example)), torch.no_grad():
        output = model.eval()(example)
    if not isinstance(output, Tensor):
        message = _(
            "{address} must return a tensor of class scores; it returns {kind}. Return the scores "
            "alone from forward (a model of transformers has them as .logits)."
        )
        raise NetworkError(message.format(address=address, kind=type(output).__name__))
    if not output.is_floating_point():
        message = _("{address} must give floating-point scores; it gives {kind}.")
        raise NetworkError(message.format(address=address, kind=output.dtype))
    if tuple(output.shape) not in {(len(example), count) for count in outputs}:
        message = _("{address} must give {classes} class scores per example; it gives {shape}.")
        shape = tuple(output.shape[1:])
        counts = _(" or ").join(map(str, outputs))
        raise NetworkError(message.format(address=address, classes=counts, shape=shape))
    _check_training(address, example)
    found = _seen(address, model, example)
    _check_slots(address, space, found)
    for chosen in space.rounds:
        tried = _made(address)
        check_swapped(tried, _filled(tried, chosen, example, "keep"), example)


def _check_training(address: str, example: Tensor) -> None:
    """Raise NetworkError where a network cannot take a step on a batch of training rows.

    It must run in training mode, on another number of rows than those of `example`, and its scores
    must lead a gradient back to its weights.
    """
    rows = example[torch.arange(2 * len(example) + 1) % len(example)]
    message = _("It takes {count} rows at once and must take {other} in training mode too.")
    advice = message.format(count=len(example), other=len(rows))
    model = _made(address).train()
    with (
        torch.random.fork_rng(devices=[]),
        user_code(address, NetworkError, advice=advice),
        torch.enable_grad(),
    ):
        output = model(rows)
    if not isinstance(output, Tensor):
        message = _("{address} must return a tensor in training mode too; there it returns {kind}.")
        raise NetworkError(message.format(address=address, kind=type(output).__name__))
    if len(output) != len(rows):
        message = _("{address} must give scores for each row; for {rows} it gives {given}. {more}")
        counts = {"rows": len(rows), "given": len(output)}
        raise NetworkError(message.format(address=address, more=advice, **counts))
    if any(True for _weight in model.parameters()) and not output.requires_grad:
        message = _(
            "{address} must give scores from which a gradient leads back to its weights; something "
            "in forward cuts it off (detach, no_grad, a way through NumPy)."
        )
        raise NetworkError(message.format(address=address))


def _check_weights(address: str, model: nn.Module) -> None:
    """Raise NetworkError where nothing can be learned: weights that are frozen, or no numbers."""
    weights = [one for one in model.named_parameters() if not _is_lazy(one[1])]
    for name, weight in weights:
        if not bool(torch.isfinite(weight).all()):
            message = _("{address} must start from finite weights; {name} has NaN or infinity.")
            raise NetworkError(message.format(address=address, name=name))
    if weights and not any(weight.requires_grad for weight in model.parameters()):
        message = _("{address} must have weights that learn; all are frozen (requires_grad=False).")
        raise NetworkError(message.format(address=address))


def _is_lazy(tensor: Tensor) -> bool:
    return isinstance(tensor, nn.UninitializedParameter | nn.UninitializedBuffer)


def _check_slots(address: str, space: Space, found: Sequence[Place]) -> None:
    """Raise NetworkError where a slot of the study has no place in the network."""
    there = {slot for _place, slot in _compared(found, space.by_slot)}
    left = [place.slot for place in found if not place.slot.swappable and place.slot.reason]
    for slot, names in space.by_slot.items():
        if slot in there or (slot in ("conv", "fc") and len(names) == 1):
            continue  # one name alone compares nothing; studies of before have it as a stand-in
        if slot in ("conv", "fc"):
            message = _(
                "{address} must have a {kind} slot (an activation after such a layer) to compare "
                "{count} activations in it; it has none. Leave its candidates out."
            )
            sentence = message.format(address=address, kind=slot, count=len(names))
        else:
            message = _("No activation of {address} fits the slot {slot}; there are: {paths}.")
            paths = ", ".join(f"{p.slot.path} ({p.slot.kind})" for p in found) or _("none")
            sentence = message.format(address=address, slot=slot, paths=paths)
        reasons = [f"{one.path} ({one.name}): {one.reason}" for one in left]
        raise NetworkError(" ".join((sentence, *reasons)))


def _same_twice(address: str) -> nn.Module:
    """Return the network, and raise NetworkError where a second one of the same seed differs."""
    models = []
    for _time in range(2):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            models.append(_made(address))
    _check_weights(address, models[0])
    first, second = (model.state_dict() for model in models)
    same = first.keys() == second.keys() and all(
        _is_lazy(value) or torch.equal(value, second[name])
        for name, value in first.items()
        if isinstance(value, Tensor)
    )
    if not same:
        message = _(
            "{address} must make the same network under the same seed of torch; two calls differ. "
            "Draw its weights with torch's generator, which every trial seeds."
        )
        raise NetworkError(message.format(address=address))
    return models[0]


def factory(address: str) -> Factory:
    """Return what makes the network at an address; what goes wrong in it is one sentence.

    It raises AddressError where the address leads nowhere, NetworkError where no module comes.
    """
    return lambda: _made(address)


def _made(address: str) -> nn.Module:
    # What the file itself draws when it is first loaded is no part of the network's start.
    with torch.random.fork_rng(devices=[]):
        maker = find(address)
    advice = _(
        "It must make a network without arguments, on the CPU; a study moves it to its device."
    )
    with user_code(address, NetworkError, argv=[address.rpartition(":")[0]], advice=advice):
        model = maker()
    if not isinstance(model, nn.Module):
        message = _("{address} must return a torch module; it returns {kind}.")
        raise NetworkError(message.format(address=address, kind=type(model).__name__))
    if any(tensor.is_meta for tensor in (*model.parameters(), *model.buffers())):
        message = _(
            "{address} makes a network on the meta device, which has no weights. Give it some: "
            "model.to_empty(device='cpu'), then its initialisation."
        )
        raise NetworkError(message.format(address=address))
    quantised = next((part for part in model.modules() if _is_quantised(part)), None)
    if quantised is not None:
        message = _(
            "{address} has quantised layers ({kind}), which do not train. Compare activations in "
            "the network that was quantised."
        )
        raise NetworkError(message.format(address=address, kind=type(quantised).__name__))
    return model


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def _is_quantised(part: nn.Module) -> bool:
    home = type(part).__module__
    return home.startswith("torch.ao.nn.quantized") or "torch.nn.quantized" in home
