"""Networks of the user's: any module with slots, made by a callable without arguments.

A plan names such a network by the address of the callable, as `file.py:build`.
"""

import hashlib
import inspect
import itertools
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn

from actlab.addresses import is_user, load, user_code
from actlab.errors import DataError, NetworkError
from actlab.i18n import _
from actlab.networks.activation_slots import Place, places
from actlab.networks.initialisation import initialise
from actlab.networks.shapes import input_shape
from actlab.networks.swapping import check_swapped, fill
from actlab.records import Coverage, Init, NetworkHash, Slot, Space

Factory = Callable[[], nn.Module]

_OF_THIS_PROCESS: dict[str, Factory] = {}


def offer(name: str, factory: Factory) -> None:
    """Let networks of that name be made by `factory`, in this process only.

    For a callable that no address leads to: a notebook's function, a lambda.
    """
    _OF_THIS_PROCESS[name] = factory


def build_from_address(
    address: str,
    conv_activation: str,
    fc_activation: str,
    head: "OrderedDict[str, nn.Module]",
    example: Tensor | None = None,
    init: Init = "keep",
) -> nn.Sequential:
    """Return a network from the callable at `address`, with its slots filled.

    A slot of a kind that the network does not have stays out. On an `example`, rows of inputs,
    functional calls are found too. `init` is what becomes of the weights that the callable drew.
    The network gives class scores; the layers of `head` are put behind it.

    Raises AddressError where the address leads nowhere, NetworkError where no module comes from it.
    """
    model = _made(address)
    _filled(model, conv_activation, fc_activation, example, init)
    return nn.Sequential(OrderedDict(network=model, **head))


def slot_kinds(address: str, example: Tensor) -> set[str]:
    """Return in which kinds of slots of the network at `address` something else can be put."""
    model = _made(address)
    return {place.slot.kind for place in _comparable(_seen(address, model, example))}


def check_fits(
    network: str,
    space: Space,
    data_name: str,
    example: Tensor,
    classes: int,
) -> None:
    """Raise an error where `network` does not take rows such as those of `example`.

    One that an address leads to is built and run. It needs a slot for every kind with several
    candidates in `space`, must give a score per class, be the same under the same seed, and keep
    its gradients with every candidate.

    >>> space = Space(("relu",), ("tanh",), 0.001, 0.01)
    >>> check_fits("small_cnn", space, "digits", torch.zeros(2, 1, 8, 8), classes=10)
    """
    taken, given = input_shape(network), tuple(example.shape[1:])
    if taken is None:
        _check_from_address(network, space, example, classes)
    elif taken != given:
        raise DataError(
            _(
                "The network {network} takes images of shape {taken}; those of {name} have shape "
                "{given}. Choose another network or other data."
            ).format(network=network, taken=taken, name=data_name, given=given)
        )


def coverage_of(found: Sequence[Slot]) -> Coverage:
    """Return how many of a network's activations a study puts others in the place of.

    >>> found = coverage_of([Slot("0", "conv", ""), Slot("1", "gate", ""), Slot("2", "output", "")])
    >>> found.activations, found.swapped
    (2, 1)
    """
    inner = [slot for slot in found if slot.kind != "output"]
    swapped = [slot for slot in inner if slot.kind in ("conv", "fc") and slot.swappable]
    return Coverage(len(inner), len(swapped), tuple(found))


def coverage_from_address(address: str, example: Tensor) -> Coverage:
    """Return which activations a study of the network at `address` puts others in the place of."""
    model = _made(address)
    return coverage_of([place.slot for place in _seen(address, model, example)])


def network_hash(address: str) -> NetworkHash:
    """Return what tells one network from an edited one: hashes of its parts.

    The structure is every module's path and class, the shapes those of parameters and buffers with
    their kinds of number, the source that of the callable and of the user's classes.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = _made(address)
    maker = _OF_THIS_PROCESS.get(address) or load(address).thing
    classes = {type(part) for part in model.modules()}
    shapes = itertools.chain(model.named_parameters(), model.named_buffers())
    return NetworkHash(
        structure=_hash(
            f"{path} {part.extra_repr()}{type(part)}" for path, part in model.named_modules()
        ),
        shapes=_hash(f"{name} {tuple(t.shape)} {t.dtype} {t.requires_grad}" for name, t in shapes),
        source=_hash(sorted(_source_of(thing) for thing in (maker, *classes))),
    )


def _hash(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _source_of(thing: object) -> str:
    """Return the source of a callable or class of the user's; "" where it is another's."""
    try:
        file = inspect.getsourcefile(thing)  # type: ignore[arg-type]
        return inspect.getsource(thing) if is_user(file) else ""  # type: ignore[arg-type]
    except (TypeError, OSError):  # an object that was called, or text that was typed in
        return ""


def _comparable(found: Sequence[Place]) -> list[Place]:
    return [place for place in found if place.slot.kind in ("conv", "fc") and place.slot.swappable]


def _seen(address: str, model: nn.Module, example: Tensor | None) -> Sequence[Place]:
    advice = ""
    if example is not None:
        advice = _("It must take inputs of shape {shape}.").format(shape=tuple(example.shape[1:]))
    with user_code(address, NetworkError, advice=advice):
        return places(model, example)


def _filled(
    model: nn.Module, conv: str, fc: str, example: Tensor | None, init: Init
) -> list[nn.Module]:
    names = {"conv": conv, "fc": fc}
    found = places(model, example)
    chosen = [(place, names[place.slot.kind]) for place in _comparable(found)]
    filled = fill(model, chosen)
    initialise(model, init, filled, found)
    return [module for _place, module in filled]


def _check_from_address(address: str, space: Space, example: Tensor, classes: int) -> None:
    model = _same_twice(address)
    advice = _("It must take inputs of shape {shape}.").format(shape=tuple(example.shape[1:]))
    with user_code(address, NetworkError, advice=advice), torch.no_grad():
        output = model.eval()(example)
    if not isinstance(output, Tensor):
        message = _(
            "{address} must return a tensor of class scores; it returns {kind}. Return the scores "
            "alone from forward (a model of transformers has them as .logits)."
        )
        raise NetworkError(message.format(address=address, kind=type(output).__name__))
    if tuple(output.shape) != (len(example), classes):
        message = _("{address} must give {classes} class scores per example; it gives {shape}.")
        shape = tuple(output.shape[1:])
        raise NetworkError(message.format(address=address, classes=classes, shape=shape))
    found = _seen(address, model, example)
    kinds = {place.slot.kind for place in _comparable(found)}
    left = [place.slot for place in found if not place.slot.swappable and place.slot.reason]
    for kind, names in (("conv", space.conv_activation), ("fc", space.fc_activation)):
        if kind not in kinds and len(names) > 1:
            message = _(
                "{address} must have a {kind} slot (an activation after such a layer) to compare "
                "{count} activations in it; it has none. Name one activation for it."
            )
            sentence = message.format(address=address, kind=kind, count=len(names))
            reasons = [f"{slot.path} ({slot.name}): {slot.reason}" for slot in left]
            raise NetworkError(" ".join((sentence, *reasons)))
    for conv, fc in itertools.zip_longest(space.conv_activation, space.fc_activation):
        tried = _made(address)
        pair = conv or space.conv_activation[0], fc or space.fc_activation[0]
        check_swapped(tried, _filled(tried, *pair, example, "keep"), example)


def _same_twice(address: str) -> nn.Module:
    """Return the network, and raise NetworkError where a second one of the same seed differs."""
    models = []
    for _time in range(2):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            models.append(_made(address))
    first, second = (model.state_dict() for model in models)
    same = first.keys() == second.keys() and all(
        isinstance(value, nn.UninitializedParameter) or torch.equal(value, second[name])
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
    maker = _OF_THIS_PROCESS.get(address) or load(address).thing
    advice = _("It must make a network without arguments.")
    with user_code(address, NetworkError, argv=[address.rpartition(":")[0]], advice=advice):
        model = maker()
    if not isinstance(model, nn.Module):
        message = _("{address} must return a torch module; it returns {kind}.")
        raise NetworkError(message.format(address=address, kind=type(model).__name__))
    return model
