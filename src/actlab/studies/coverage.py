"""Which activations of the network are compared, in sentences: for the page and the terminal."""

from collections.abc import Iterable

from actlab.records import Coverage, GatedWidth, Init, Slot, SlotName, slot_name
from actlab.text import Formatter


def coverage_line(found: Coverage, form: Formatter) -> str:
    """Return how many activations are compared, of how many."""
    _ = form.translations.gettext
    return _("{swapped} of {activations} activations covered").format(
        swapped=found.swapped, activations=found.activations
    )


def left_out_line(slot: Slot, compared: Iterable[SlotName], form: Formatter) -> str:
    """Return which activation is not compared, and why; "" for one that is."""
    _ = form.translations.gettext
    if _study_slot(slot, compared) or slot.kind == "output":
        return ""
    why = slot.reason or _("It is left as it is.")
    return f"{slot.path} ({slot.kind}, {slot.name}): {why}"


def slot_rows(
    found: Coverage, compared: Iterable[SlotName], form: Formatter
) -> tuple[tuple[str, str, str, str, str], ...]:
    """Return a row per activation: path, kind, name, where it is called, what becomes of it."""
    _ = form.translations.gettext
    names = tuple(compared)
    return tuple(
        (
            slot.path,
            slot.kind,
            slot.name,
            slot.location or "",
            _study_slot(slot, names) or slot.reason or _("It is left as it is."),
        )
        for slot in found.slots
    )


def _study_slot(slot: Slot, compared: Iterable[SlotName]) -> SlotName:
    """Return in which slot of the study an activation is compared; "" for none."""
    names = tuple(compared)
    name = slot_name(slot, [one for one in names if one not in ("conv", "fc")])
    return name if slot.swappable and name in names and name is not None else ""


def same_line(left: str, kept: str, form: Formatter) -> str:
    """Return that two names stand for one candidate."""
    _ = form.translations.gettext
    text = _("{left} computes the same function as {kept}: they are one candidate, {kept}.")
    return text.format(left=left, kept=kept)


def gated_line(one: GatedWidth, form: Formatter) -> str:
    """Return what width a gated candidate has, for how many parameters."""
    _ = form.translations.gettext
    return _(
        "{candidate} in {slot}: hidden width {new_width} instead of {width}, so that the layers "
        "around it have {new_parameters} parameters instead of {parameters}."
    ).format(
        candidate=one.candidate,
        slot=one.slot,
        new_width=form.count(one.new_width),
        width=form.count(one.width),
        new_parameters=form.count(one.new_parameters),
        parameters=form.count(one.parameters),
    )


def init_line(init: Init, form: Formatter) -> str:
    """Return what becomes of the network's weights where activations are swapped."""
    _ = form.translations.gettext
    return {
        "keep": _("keep: the network's own weights"),
        "gain": _("gain: drawn anew before each slot, with the gain of its activation"),
        "reset": _("reset: torch's defaults"),
    }[init]
