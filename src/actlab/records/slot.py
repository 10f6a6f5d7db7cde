"""A place in a network that takes an activation."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

SlotKind = Literal["conv", "fc", "recurrent", "attention", "gate", "norm", "output"]
"""The layer before the activation; `gate` is multiplied into something else, `norm` follows a
normalisation with no layer before it, `output` makes what the network returns."""


SlotName = str
"""What a study calls a slot: a kind of layer (`conv`, `fc`), or a name or pattern of its own."""

Init = Literal["keep", "gain", "reset"]
"""What becomes of the weights where activations are swapped: those that the network has, those that
fit the activation's gain, or torch's defaults."""


@dataclass(frozen=True)
class Slot:
    """A place for an activation: its path in the network, and the kind of layer before it.

    `layer` is the path of that layer, `name` what is in the slot: a name of the catalogue where it
    has one, else a class or function. `calls` counts its calls in one forward pass, `location`
    is the line that makes them, `width` the channels (after a convolution) or features that it
    sees. Where `swappable` is False, `reason` says why, and what to do.
    """

    path: str
    kind: SlotKind
    layer: str
    name: str = ""
    calls: int = 1
    location: str | None = None
    swappable: bool = True
    reason: str | None = None
    width: int | None = None


def slot_fits(slot: Slot, pattern: str) -> bool:
    """Return whether a place fits a pattern of paths such as `encoder.*.act`.

    Places of one path, as of one module that is called after several layers, are told apart by the
    layer before them: `relu@fc1`.

    >>> place = Slot("encoder.0.act", "fc", "encoder.0.up")
    >>> slot_fits(place, "encoder.*"), slot_fits(place, "encoder.*@*.up"), slot_fits(place, "up")
    (True, True, False)
    """
    path, at, layer = pattern.partition("@")
    if pattern == slot.path or fnmatchcase(slot.path, pattern):
        return True
    return bool(at) and slot_fits(slot, path) and fnmatchcase(slot.layer, layer)


def slot_name(slot: Slot, further: Iterable[SlotName]) -> SlotName | None:
    """Return which slot of a study a place belongs to: a further one that fits it, or its kind.

    A further one fits by kind, or as `slot_fits` says. None: it is compared in none.

    >>> place = Slot("encoder.0.act", "fc", "encoder.0.up")
    >>> slot_name(place, ("decoder.*", "encoder.*")), slot_name(place, ())
    ('encoder.*', 'fc')
    """
    for name in further:
        if name == slot.kind or slot_fits(slot, name):
            return name
    return slot.kind if slot.kind in ("conv", "fc") else None


@dataclass(frozen=True)
class GatedWidth:
    """What a gated unit makes of the layers around its slot: hidden width, parameters of both."""

    slot: str
    candidate: str
    width: int
    new_width: int
    parameters: int
    new_parameters: int


@dataclass(frozen=True)
class NetworkHash:
    """What tells one network of the user's from an edited one: a hash of each of its sides."""

    structure: str
    shapes: str
    source: str


@dataclass(frozen=True)
class Coverage:
    """How many activations of a network a comparison reaches, of how many.

    Activations that make the output are none of them.
    """

    activations: int
    swapped: int
    slots: tuple[Slot, ...] = ()
