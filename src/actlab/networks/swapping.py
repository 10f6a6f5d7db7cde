"""Other activations in the slots of a copy of a network, and the way back."""

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from actlab.capture.reruns import quiet
from actlab.errors import ActlabError, SlotError
from actlab.i18n import _
from actlab.networks.activation_calls import run_on
from actlab.networks.activation_slots import Place, places
from actlab.networks.candidate_names import of_catalogue
from actlab.networks.candidates import ActivationChoice, module_of
from actlab.networks.elementwise import SWAPPED
from actlab.networks.function_calls import (
    CHILD,
    FunctionCalls,
    GatedUnit,
    InTurn,
    OfFunction,
    function_calls_of,
)
from actlab.networks.gated_units import halves, widen
from actlab.networks.initialisation import initialise
from actlab.records import Init, Slot, SlotKind, slot_fits

Selector = str | int | Callable[[Slot], bool]
"""Which slots: a pattern of paths (`encoder.*.act`, `relu@fc1` after one layer), a place in the
order of calls (-1 is the last one), or a function that is given the slot."""

_UNDO = "_activations_before"


def swap(
    model: nn.Module,
    *,
    conv: ActivationChoice | None = None,
    fc: ActivationChoice | None = None,
    recurrent: ActivationChoice | None = None,
    attention: ActivationChoice | None = None,
    gate: ActivationChoice | None = None,
    norm: ActivationChoice | None = None,
    at: Mapping[Selector, ActivationChoice] | None = None,
    init: Init | None = None,
    reinit: bool | None = None,
    example: Any = None,
) -> nn.Module:
    """Return a copy of `model` with other activations in its slots, by kind or by place.

    Every slot gets a module of its own, functional calls too where an `example` shows them (see
    `slots`). `at` maps places to activations and goes before the kinds. `init` is what becomes of
    the weights: `keep` (the default: what the model has), `gain` (the layer in front of each slot
    drawn anew, with the gain of the activation that follows it) or `reset` (each layer's
    `reset_parameters`); frozen layers stay. `reinit=True` is another way to say `reset`. `undo` is
    the way back.

    Raises SlotError where the model has no slot that is asked for, where one cannot be swapped or,
    without an example, may be of another kind, and where nothing would change; UnknownNameError for
    a name that the catalogue does not have.

    >>> network = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    >>> swap(network, fc="tanh", example=torch.zeros(1, 4))[1]
    Tanh()
    """
    kinds: dict[SlotKind, ActivationChoice | None] = {
        "conv": conv,
        "fc": fc,
        "recurrent": recurrent,
        "attention": attention,
        "gate": gate,
        "norm": norm,
    }
    wanted = {kind: choice for kind, choice in kinds.items() if choice is not None}
    how: Init = init or ("reset" if reinit else "keep")
    changed = copy.deepcopy(getattr(model, "_orig_mod", model))
    found = places(changed, example)
    chosen = _chosen(found, wanted, at or {}, example)
    if how == "keep" and all(
        isinstance(choice, str) and _is_there(choice, place.slot) for place, choice in chosen
    ):
        message = _("Nothing would change: {slots} is there already. Name another activation.")
        raise SlotError(message.format(slots=", ".join(sorted({p.slot.name for p, _c in chosen}))))
    filled = fill(changed, chosen)
    initialise(changed, how, filled)
    if example is not None:
        check_swapped(changed, [new for _place, new in filled], example)
    return changed


def undo(model: nn.Module) -> nn.Module:
    """Return a copy of a swapped model with the activations back that it had, weights as they are.

    >>> network = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    >>> undo(swap(network, fc="tanh"))[1]
    ReLU()
    """
    restored = copy.deepcopy(model)
    for owner_path, attribute, before in reversed(restored.__dict__.pop(_UNDO, [])):
        owner = restored.get_submodule(owner_path)
        if attribute == CHILD:
            _unhook(restored, getattr(owner, CHILD))
            del owner._modules[CHILD]
        else:
            now = getattr(owner, attribute, None)
            if isinstance(now, InTurn):
                _unhook(restored, now)
            _set(owner, attribute, before)
    return restored


def fill(
    model: nn.Module, chosen: Iterable[tuple[Place, ActivationChoice]]
) -> list[tuple[Place, nn.Module]]:
    """Put a new module in each chosen place of `model`, and return them."""
    chosen = list(chosen)
    new = [(place, made(choice, place)) for place, choice in chosen]
    for _place, module in new:
        module.__dict__[SWAPPED] = True
    before: list[tuple[str, str, Any]] = model.__dict__.setdefault(_UNDO, [])
    for part in model.modules():
        if getattr(part, "inplace", None) is True:
            # In place, a neighbour would overwrite what a new activation needs for its gradient.
            part.inplace = False  # type: ignore[assignment]
    for (place, module), (_place, choice) in zip(new, chosen, strict=True):
        if place.split is None and halves(module):
            before.extend(widen(model, place, choice if isinstance(choice, str) else str(module)))
    groups: dict[tuple[str, str | None], list[tuple[Place, nn.Module]]] = {}
    for place, module in new:
        groups.setdefault((place.owner, place.attribute), []).append((place, module))
    for (owner_path, attribute), group in groups.items():
        owner = model.get_submodule(owner_path)
        if attribute is None:
            if not isinstance(getattr(owner, CHILD, None), FunctionCalls):
                before.append((owner_path, CHILD, None))
            calls = function_calls_of(owner)
            for place, module in group:
                assert place.site is not None, "a functional call has a line"
                calls.put(
                    place.function, place.site, place.order, place.turn, module, place.argument
                )
            continue
        there = getattr(owner, attribute)
        if attribute == "nonlinearity":
            before.append((owner_path, attribute, there))
            _set_nonlinearity(owner, group[0][1])
            continue
        before.append((owner_path, attribute, there))
        first = group[0][0]
        turns = max(first.order) + 1
        if turns == 1:
            _set(owner, attribute, group[0][1])
            continue
        modules = {place.turn: module for place, module in group}
        kept = there if isinstance(there, nn.Module) else OfFunction(there)
        parts = [modules.get(turn, kept) for turn in range(turns)]
        in_turn = InTurn(parts, first.order)
        model.get_submodule(first.runner).register_forward_pre_hook(in_turn.begin)
        _set(owner, attribute, in_turn)
    return new


def check_swapped(model: nn.Module, modules: Sequence[nn.Module], example: Any) -> None:
    """Raise SlotError where a new activation is not called, or spoils what gradients need."""
    called: set[int] = set()
    own = [module for module in modules if isinstance(module, nn.Module)]
    with quiet((model,)), torch.enable_grad():
        handles = [m.register_forward_hook(lambda m, _a, _o: called.add(id(m))) for m in own]
        try:
            run_on(model, example)
        finally:
            for handle in handles:
                handle.remove()
        missed = [type(m).__name__ for m in own if id(m) not in called and not _is_word(m)]
        if missed:
            message = _(
                "A swapped activation must be called; {names} is not. Pass an example on which "
                "the network takes the same way as in training."
            )
            raise SlotError(message.format(names=", ".join(sorted(set(missed)))))
        model.train()
        _check_gradients(model, example)


def _check_gradients(model: nn.Module, example: Any) -> None:
    weights = [p for p in model.parameters() if p.requires_grad]
    try:
        found = run_on(model, example)
        outputs = [t for t in _floats(found) if t.requires_grad]
        if outputs and weights:
            total = torch.stack([output.float().sum() for output in outputs]).sum()
            torch.autograd.grad(total, weights, allow_unused=True)
    except RuntimeError as error:
        if "inplace operation" not in str(error) and "in-place" not in str(error):
            return  # not of the swap: a batch of one row in training mode, say
        message = _(
            "After an activation was swapped, gradients fail: something changes its output in "
            "place ({text}). Write that without in-place operations (x = x + y for x += y)."
        )
        raise SlotError(message.format(text=str(error).split("\n")[0].split(": [")[0])) from None
    except Exception:  # the example is for a look, not for a training step
        return


def _floats(item: Any) -> list[Tensor]:
    if isinstance(item, Tensor):
        return [item] if item.is_floating_point() else []
    if isinstance(item, Mapping):
        return [tensor for part in item.values() for tensor in _floats(part)]
    if isinstance(item, tuple | list):
        return [tensor for part in item for tensor in _floats(part)]
    return []


def _chosen(
    found: Sequence[Place],
    kinds: Mapping[SlotKind, ActivationChoice],
    at: Mapping[Selector, ActivationChoice],
    example: Any,
) -> list[tuple[Place, ActivationChoice]]:
    choices: dict[int, ActivationChoice] = {}
    for kind, choice in kinds.items():
        of_kind = [number for number, place in enumerate(found) if place.slot.kind == kind]
        unclear = [found[number].unclear for number in of_kind if found[number].unclear]
        if unclear:
            message = _(
                "{reason} Pass an example input (example=), which shows every call, or name the "
                "activation with at=."
            )
            raise SlotError(message.format(reason=unclear[0]))
        if not of_kind:
            raise SlotError(_no_slot(kind, found, example))
        choices |= dict.fromkeys(of_kind, choice)
    for selector, choice in at.items():
        named = _selected(found, selector)
        if not named:
            message = _("No slot fits {selector}; there are: {paths}.")
            paths = ", ".join(place.slot.path for place in found) or _("none")
            raise SlotError(message.format(selector=selector, paths=paths))
        choices |= dict.fromkeys(named, choice)
    for number in choices:
        slot = found[number].slot
        if not slot.swappable:
            message = _("The activation {path} ({name}) cannot be swapped. {reason}")
            raise SlotError(message.format(path=slot.path, name=slot.name, reason=slot.reason))
    if not choices:
        message = _("Nothing would change: name an activation for a kind of slot, or with at=.")
        raise SlotError(message)
    return [(found[number], choice) for number, choice in sorted(choices.items())]


def _selected(found: Sequence[Place], selector: Selector) -> list[int]:
    if isinstance(selector, str):
        return [number for number, place in enumerate(found) if slot_fits(place.slot, selector)]
    if isinstance(selector, int):
        inside = -len(found) <= selector < len(found)
        return [selector % len(found)] if inside else []
    return [number for number, place in enumerate(found) if selector(place.slot)]


def _no_slot(kind: SlotKind, found: Sequence[Place], example: Any) -> str:
    there = sorted({place.slot.kind for place in found})
    message = _("The model must have an activation of the kind {kind}; it has {kinds}.").format(
        kind=kind, kinds=", ".join(there) or _("none")
    )
    if example is None:
        message += " " + _(
            "Pass an example input (example=) to see functional calls and the order of calls too."
        )
    return message


def made(choice: ActivationChoice, place: Place) -> nn.Module:
    """Return a new module for a place; for nn.RNN, a module that names its nonlinearity."""
    module = module_of(choice, place.slot)
    if place.split is not None and not halves(module):
        return GatedUnit(module, place.split)
    return module


def _is_there(name: str, slot: Slot) -> bool:
    """Return whether a slot has the function of that name already, with its usual parameters."""
    try:
        function, there = of_catalogue(name), of_catalogue(slot.name)
    except ActlabError:
        return False
    return (
        function is not None
        and there is not None
        and (function.name, function.values) == (there.name, there.values)
    )


def _set(owner: nn.Module, attribute: str, value: Any) -> None:
    if attribute == "nonlinearity":
        _set_nonlinearity(owner, value)
        return
    there = owner._modules.get(attribute)
    if there is not None and isinstance(value, InTurn):
        for name, module in owner._modules.items():  # one object may have several names
            if module is there:
                owner._modules[name] = value
    elif there is not None and isinstance(value, nn.Module):
        owner._modules[attribute] = value
    else:
        owner._modules.pop(attribute, None)
        setattr(owner, attribute, value)
    if hasattr(owner, "activation_relu_or_gelu") and attribute == "activation":
        # Tells torch's fused encoder layer which function it may put in its place: none other.
        exact = isinstance(value, nn.GELU) and value.approximate == "none"
        fused = 1 if isinstance(value, nn.ReLU) else 2 if exact else 0
        owner.activation_relu_or_gelu = fused  # type: ignore[assignment]


def _is_word(module: nn.Module) -> bool:
    return isinstance(module, nn.Tanh | nn.ReLU) and getattr(module, "_names_only", False)


def _set_nonlinearity(owner: nn.Module, value: Any) -> None:
    name = value if isinstance(value, str) else type(value).__name__.lower()
    if name not in ("tanh", "relu"):
        message = _("A recurrent layer of torch's takes tanh or relu; got {name}.")
        raise SlotError(message.format(name=name))
    if isinstance(value, nn.Module):
        value._names_only = True  # type: ignore[assignment]
    owner.nonlinearity = name  # type: ignore[assignment]
    if hasattr(owner, "mode"):
        owner.mode = f"RNN_{name.upper()}"  # type: ignore[assignment]


def _unhook(model: nn.Module, target: nn.Module) -> None:
    """Take away the hooks that are methods of `target`."""
    for part in model.modules():
        for hooks in (part._forward_pre_hooks, part._forward_hooks):
            for key in [k for k, h in hooks.items() if getattr(h, "__self__", None) is target]:
                del hooks[key]
                part._forward_hooks_always_called.pop(key, None)
