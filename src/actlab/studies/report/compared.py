"""The slots of a study, and its network's activations, as the page's tables have them."""

from dataclasses import dataclass

from actlab.records import Plan, SlotName
from actlab.studies.coverage import coverage_line, gated_line, init_line, same_line, slot_rows
from actlab.studies.report.inputs import ReportData
from actlab.text import Formatter


@dataclass(frozen=True)
class SlotColumn:
    """A slot of the study with its candidates; `key` is its name as a part of an attribute."""

    name: SlotName
    key: str
    candidates: tuple[str, ...]


def slot_columns(plan: Plan) -> tuple[SlotColumn, ...]:
    """Return the slots of a study in their order."""
    return tuple(
        SlotColumn(slot, slot if slot in ("conv", "fc") else f"slot{place}", names)
        for place, (slot, names) in enumerate(plan.space.by_slot.items())
    )


@dataclass(frozen=True)
class Compared:
    """What a page says of the activations that are compared: a line, the weights, the places."""

    line: str
    init: str
    lines: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def compared_activations(data: ReportData, form: Formatter) -> Compared:
    """Return what the page says of the activations of the study's network."""
    found, space = data.environment.coverage, data.plan.space
    lines = [same_line(left, kept, form) for left, kept in space.same]
    lines += [gated_line(one, form) for one in data.environment.gated]
    return Compared(
        line="" if found is None else coverage_line(found, form),
        init=init_line(data.plan.init, form),
        lines=tuple(lines),
        rows=() if found is None else slot_rows(found, space.by_slot, form),
    )
