"""Candidates, networks and data in files as a page shows them: the file without its folder."""

from collections import Counter
from dataclasses import fields, is_dataclass, replace
from typing import Any

from actlab.data import is_file, path_of
from actlab.pages.words import short_name
from actlab.studies.report.inputs import ReportData


def with_short_names(data: ReportData) -> ReportData:
    """Return what a page shows, with candidates named by file and thing alone.

    Two that would have one name keep their folders.
    """
    names = {name for one in data.plan.space.by_slot.values() for name in one}
    count = Counter(map(short_name, names))
    shorter = {
        name: short
        for name in names
        for short in [short_name(name)]
        if short != name and count[short] == 1
    }
    if not shorter:
        return data
    parts = ("space", data.plan.space), ("training", data.plan.training)
    plan = replace(data.plan, **{name: _renamed(part, shorter) for name, part in parts})
    shown = {
        name: _renamed(getattr(data, name), shorter)
        for name in ("environment", "records", "final", "verdict", "claims")
    }
    return replace(data, plan=plan, **shown)


def data_name(name: str) -> str:
    """Return a data set's name; of a file without its folder.

    >>> data_name("/home/me/table.csv:species"), data_name("digits")
    ('table.csv:species', 'digits')
    """
    path = path_of(name)
    return path.name + name[len(str(path)) :] if is_file(name) else name


def _renamed(value: Any, names: dict[str, str]) -> Any:
    """Return a value with the names in it replaced, however deep they are."""
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, tuple):
        changed = [_renamed(part, names) for part in value]
        same = all(new is old for new, old in zip(changed, value, strict=True))
        return value if same else tuple(changed)
    if isinstance(value, dict):
        return {_renamed(key, names): _renamed(part, names) for key, part in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        parts = {one.name: getattr(value, one.name) for one in fields(value) if one.init}
        new = {name: _renamed(part, names) for name, part in parts.items()}
        new = {name: part for name, part in new.items() if part is not parts[name]}
        return replace(value, **new) if new else value
    return value
