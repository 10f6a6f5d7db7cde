"""Plan files and presets: read as a whole, every fault named at once, written back resolved."""

from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from actlab.errors import PlanError, nearest, reason_of
from actlab.files import parse_toml
from actlab.i18n import _
from actlab.records import Plan
from actlab.studies.plan.schema import NAMED_SECTIONS, PlanFile, document, plan_of

PRESETS = ("digits", "published", "corrected", "balanced", "quick")


def read_plan(source: str, overrides: Mapping[str, Any]) -> Plan:
    """Return the plan of a preset or of a TOML file, with `overrides` laid over it.

    `overrides` maps dotted keys ("execution.workers") to values; None means: as the file says.
    Raises PlanError with every fault.
    """
    return _revised(source, _not_empty(source, _document_of(source)), overrides)


def parse_plan(source: str, content: bytes) -> Plan:
    """Return the plan in a TOML text that was read from `source`; raises PlanError as above."""
    return validate(source, _not_empty(source, _parse(source, content)))


def revised(plan: Plan, overrides: Mapping[str, Any]) -> Plan:
    """Return the plan with `overrides` laid over it, as `read_plan` lays them."""
    return _revised(plan.name, document(plan), overrides)


def _revised(source: str, given: dict[str, Any], overrides: Mapping[str, Any]) -> Plan:
    for key, value in overrides.items():
        if value is not None:
            _lay_over(given, key.split("."), value)
    return validate(source, given)


def validate(source: str, given: Mapping[str, Any]) -> Plan:
    """Return the plan that a document describes, or raise PlanError with every fault in it."""
    try:
        return plan_of(given)
    except ValidationError as error:
        raise PlanError(source, [_sentence(fault) for fault in error.errors()]) from None


def write_plan(plan: Plan) -> str:
    """Return the TOML text of a plan, with nothing left to defaults."""
    return tomli_w.dumps(document(plan))


def _not_empty(source: str, given: dict[str, Any]) -> dict[str, Any]:
    if not given:
        raise PlanError(source, [_("it is empty; start from a preset, such as: digits")])
    return given


def _document_of(source: str) -> dict[str, Any]:
    if source in PRESETS:
        text = (
            resources.files("actlab.studies.plan").joinpath(f"presets/{source}.toml").read_bytes()
        )
        return _parse(source, text)
    path = Path(source)
    if not path.is_file():
        raise PlanError(source, [_not_found(source)])
    try:
        return _parse(source, path.read_bytes())
    except OSError as error:
        raise PlanError(source, [reason_of(error)]) from None


def _parse(source: str, content: bytes) -> dict[str, Any]:
    try:
        return parse_toml(content.decode("utf-8"))
    except ValueError as error:
        reason = _("it is not a TOML text: {error}").format(error=error)
        raise PlanError(source, [reason]) from None


def _not_found(source: str) -> str:
    near = nearest(source, PRESETS)
    presets = ", ".join(PRESETS)
    if near is not None:
        return _('no such file or preset; did you mean the preset "{near}"?').format(near=near)
    return _("no such file or preset; the presets are: {presets}").format(presets=presets)


def _lay_over(document: dict[str, Any], keys: list[str], value: Any) -> None:
    for key in keys[:-1]:
        inner = document.setdefault(key, {})
        if not isinstance(inner, dict):
            return  # the section itself has the wrong type, which validation will name
        document = inner
    document[keys[-1]] = value


def _sentence(fault: ErrorDetails) -> str:
    location = [part for part in fault["loc"] if isinstance(part, str)]
    named = [part for index, part in enumerate(location) if not _is_tag(location, index)]
    place = ".".join(named) or _("plan")
    return f"{place}: {_explain(fault, location)}"


def _explain(fault: ErrorDetails, location: list[str]) -> str:
    kind = fault["type"]
    bounds = fault.get("ctx", {})
    given = _shown(fault["input"])
    if kind == "extra_forbidden":
        return _unknown_key(location)
    if kind == "missing":
        return _("is missing")
    if kind == "value_error":
        return str(bounds["error"])
    if kind == "literal_error":
        near = nearest(str(fault["input"]), _quoted(bounds["expected"]))
        hint = " " + _('Did you mean "{near}"?').format(near=near) if near else ""
        message = _("must be one of {valid}; got {given}.")
        return message.format(valid=bounds["expected"], given=given) + hint
    if kind == "union_tag_invalid":
        near = nearest(bounds["tag"], NAMED_SECTIONS[location[0]])
        hint = " " + _('Did you mean "{near}"?').format(near=near) if near else ""
        message = _('the name must be one of {valid}; got "{given}".')
        return message.format(valid=bounds["expected_tags"], given=bounds["tag"]) + hint
    if kind == "too_short":
        return _("must not be empty")
    return _("{reason}; got {given}").format(reason=_reason(kind, bounds), given=given)


def _reason(kind: str, bounds: Mapping[str, Any]) -> str:
    reasons = {
        "greater_than_equal": _("must be at least {ge}"),
        "greater_than": _("must be above {gt}"),
        "less_than_equal": _("must be at most {le}"),
        "less_than": _("must be below {lt}"),
        "finite_number": _("must be a finite number"),
        "int_type": _("must be a whole number"),
        "int_from_float": _("must be a whole number"),
        "float_type": _("must be a number"),
        "bool_type": _("must be true or false"),
        "string_type": _("must be a text in quotes"),
        "tuple_type": _("must be a list"),
        "string_too_short": _("must not be empty"),
        "string_too_long": _("must have at most {max_length} characters"),
        "string_pattern_mismatch": _("must be made of letters, digits, dot, dash and underscore"),
        "model_type": _("must be a table"),
        "model_attributes_type": _("must be a table"),
    }
    return reasons.get(kind, _("is not valid ({kind})").replace("{kind}", kind)).format(**bounds)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _quoted(expected: str) -> list[str]:
    return [part.strip(" '") for part in expected.replace(" or ", ", ").split(",")]


def _is_tag(location: list[str], index: int) -> bool:
    """Return whether this part of a fault's place is a section's name, no key of the file."""
    return index == 1 and location[1] in NAMED_SECTIONS.get(location[0], {})


def _unknown_key(location: list[str]) -> str:
    section: type[BaseModel] = PlanFile
    for index, key in enumerate(location[:-1]):
        if _is_tag(location, index):
            section = NAMED_SECTIONS[location[0]][key]
            continue
        annotation = section.model_fields[key].annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            section = annotation
    known: Iterable[str] = section.model_fields
    key = location[-1]
    if location[0] == "space" and key.endswith("_activation"):
        return _(
            "there is no such key; further places of a network have their candidates in "
            'space.slots, by path, pattern or kind: {{"{path}": [...]}}'
        ).format(path=key.removesuffix("_activation"))
    near = nearest(key, known) or _elsewhere(key)
    if near is not None:
        return _('there is no such key; did you mean "{near}"?').format(near=near)
    return _("there is no such key; the keys here are: {keys}").format(keys=", ".join(known))


def _elsewhere(key: str) -> str | None:
    """Return the dotted key of another section that is, or is nearly, called `key`."""
    places: dict[str, str] = {}
    for name, field in PlanFile.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            for inner in section.model_fields:
                places.setdefault(inner, f"{name}.{inner}")
    near = nearest(key, places)
    return None if near is None else places[near]
