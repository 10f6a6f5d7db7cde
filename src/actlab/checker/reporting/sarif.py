"""A report as SARIF 2.1.0, the format that code hosts read."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from actlab.capture.location import Location
from actlab.checker.report import Finding, Report
from actlab.checker.rule import Rule, page_of
from actlab.documentation import ADDRESS, rule_address

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def document(report: Report, rules: Iterable[type[Rule]], version: str) -> dict[str, Any]:
    """Return a SARIF log with one run; paths are relative to the present folder where they can be.

    What could not be checked is in the run's notifications.
    """
    notifications = [
        {
            "level": "note",
            "message": {"text": f"{item.code} could not be checked: {item.reason}"},
            "associatedRule": {"id": item.code},
        }
        for item in report.unchecked
    ]
    driver = {
        "name": "actlab",
        "version": version,
        "informationUri": ADDRESS,
        "rules": [_rule(rule) for rule in rules],
    }
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "results": [_result(found) for found in report.findings],
                "invocations": [
                    {"executionSuccessful": True, "toolExecutionNotifications": notifications}
                ],
            }
        ],
    }


def _rule(rule: type[Rule]) -> dict[str, Any]:
    page = page_of(rule)
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": (rule.__doc__ or "").strip().splitlines()[0]},
        "fullDescription": {"text": page.sections["What it does"]},
        "help": {"text": page.sections["Why is this bad?"]},
        "helpUri": rule_address(rule.code),
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(found: Finding) -> dict[str, Any]:
    text = f"{found.message}. {found.proof}. {found.why}. Fix: {found.fix}"
    result: dict[str, Any] = {
        "ruleId": found.code,
        "level": _LEVELS[found.severity],
        "message": {"text": text},
    }
    places = [_place(place) for place in (found.location, *found.others) if place.file is not None]
    if places:
        result["locations"] = places[:1]
    if len(places) > 1:
        result["relatedLocations"] = places[1:]
    return result


def _place(location: Location) -> dict[str, Any]:
    region: dict[str, Any] = {"startLine": location.line}
    if location.column is not None:
        region["startColumn"] = location.column
    if location.end_column is not None:
        region["endColumn"] = location.end_column
    place: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(str(location.file))},
            "region": region,
        }
    }
    if location.module:
        place["logicalLocations"] = [{"fullyQualifiedName": location.module, "kind": "member"}]
    return place


def _uri(file: str) -> str:
    path = Path(file)
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        return path.relative_to(Path.cwd()).as_posix()
    return path.as_uri() if path.is_absolute() else path.as_posix()
