"""Documents as they are kept: places made portable, numbers rounded, what repeats written once.

Numbers have 9 significant digits: sums of floats end differently on processors that add them in
another order, and the digits after the ninth are theirs.
"""

import json
import linecache
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

DIGITS = 9
"""Significant digits of a number that are kept."""

TOLERANCE = 2 * 10.0 ** (1 - DIGITS)
"""Relative difference of two numbers that were rounded to either side."""

_PLACE = re.compile(r"([\w./<>-]*?[\w-]+\.py):(\d+)")
_REFERENCE = "="
_WORTH_SHARING = 40
"""Characters of a value from which on it is written once and referred to."""

Masks = Mapping[str, str]
"""What is masked, each with the reason: a key, `parent/key`, or `re:` and a pattern of text."""


def portable(value: Any, folder: Path, masks: Masks) -> Any:
    """Return a document without what belongs to the machine, the moment and the place of a file.

    The line number of a place in a program becomes the text of that line, so that a file can be
    moved and lines can be added above.
    """
    patterns = [re.compile(key.removeprefix("re:")) for key in masks if key.startswith("re:")]
    texts = _texts(folder, patterns)

    def plain(value: Any, parent: str = "") -> Any:
        if isinstance(value, dict):
            if "line" in value and "file" in value:
                value = _placed(value, "file", "line", folder)
            if "artifactLocation" in value:
                value = _placed_in_sarif(value, folder)
            return {
                texts(key): _masked(item)
                if key in masks or f"{parent}/{key}" in masks
                else plain(item, key)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [plain(item, parent) for item in value]
        if isinstance(value, str):
            return texts(value)
        return rounded(value) if isinstance(value, float) else value

    return plain(value)


def rounded(value: float) -> float:
    """Return the number with the digits that are kept.

    >>> rounded(0.12345678912345)
    0.123456789
    """
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else value


def _texts(folder: Path, patterns: list[re.Pattern[str]]) -> Callable[[str], str]:
    def plain(text: str) -> str:
        text = text.replace(str(folder), "<folder>")
        text = _PLACE.sub(lambda found: f"{Path(found[1]).name}:<line>", text)
        for pattern in patterns:
            text = pattern.sub("<masked>", text)
        return text

    return plain


def _masked(value: Any) -> Any:
    """Keep the shape of a value: that it is there, and of what kind."""
    if isinstance(value, dict):
        return {key: _masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    return "<number>" if isinstance(value, int | float) or value in {"inf", "-inf"} else "<text>"


def _placed(place: dict[str, Any], file: str, line: str, folder: Path) -> dict[str, Any]:
    path, number = place[file], place[line]
    if path is None or number is None:
        return place
    return {**place, file: Path(path).name, line: _source(path, number, folder)}


def _placed_in_sarif(place: dict[str, Any], folder: Path) -> dict[str, Any]:
    parsed = urlparse(place["artifactLocation"]["uri"])
    path, region = unquote(parsed.path), place["region"]
    source = _source(path, region["startLine"], folder)
    return {
        **place,
        "artifactLocation": {**place["artifactLocation"], "uri": Path(path).name},
        "region": {**region, "startLine": source},
    }


def _source(path: str, number: int, folder: Path) -> str:
    found = next((p for p in (Path(path), folder / path) if p.is_file()), Path(path))
    linecache.checkcache(str(found))
    return linecache.getline(str(found), number).strip() or f"<line {number}>"


def differences(kept: Any, found: Any, path: str = "") -> Iterator[str]:
    """Yield where two documents differ, each place with both values."""
    if isinstance(kept, dict) and isinstance(found, dict):
        for key in dict.fromkeys([*kept, *found]):
            inner = f"{path}/{key}"
            if key not in found:
                yield f"{inner}: is gone; it was {_shown(kept[key])}"
            elif key not in kept:
                yield f"{inner}: is new: {_shown(found[key])}"
            else:
                yield from differences(kept[key], found[key], inner)
    elif isinstance(kept, list) and isinstance(found, list) and len(kept) == len(found):
        for place, (one, other) in enumerate(zip(kept, found, strict=True)):
            yield from differences(one, other, f"{path}[{place}]")
    elif not _same(kept, found):
        yield f"{path}: was {_shown(kept)}, is {_shown(found)}"


def _same(kept: Any, found: Any) -> bool:
    if isinstance(kept, float) and isinstance(found, float):
        return math.isclose(kept, found, rel_tol=TOLERANCE)
    return type(kept) is type(found) and bool(kept == found)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 300 else f"{text[:297]}..."


def write(path: Path, document: dict[str, Any]) -> None:
    """Write a document of cases, a case on a line, with values that repeat in `shared`."""
    path.write_text(packed_text(document), encoding="utf-8")


def packed_text(document: dict[str, Any]) -> str:
    """Return the text of a golden file."""
    counts: Counter[str] = Counter()
    _count(document, counts)
    shared: dict[str, int] = {}
    values: list[Any] = []

    def pack(value: Any) -> Any:
        key = _key(value)
        if len(key) < _WORTH_SHARING or counts[key] < 2:
            return pack_inside(value)
        if key not in shared:
            inside = pack_inside(value)
            shared[key] = len(values)
            values.append(inside)
        return {_REFERENCE: shared[key]}

    def pack_inside(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: pack(item) for key, item in value.items()}
        return [pack(item) for item in value] if isinstance(value, list) else value

    cases = {name: pack(case) for name, case in document.items()}
    lines = [
        f"{json.dumps(name, ensure_ascii=False)}: {_key(case)}" for name, case in cases.items()
    ]
    return (
        '{"shared": [\n'
        + ",\n".join(map(_key, values))
        + '\n],\n"cases": {\n'
        + ",\n".join(lines)
        + "\n}}\n"
    )


def read(path: Path) -> dict[str, Any]:
    """Return the document of a golden file, whole again."""
    kept = json.loads(path.read_text(encoding="utf-8"))
    values: list[Any] = []

    def whole(value: Any) -> Any:
        if isinstance(value, dict):
            if value.keys() == {_REFERENCE}:
                return values[value[_REFERENCE]]
            return {key: whole(item) for key, item in value.items()}
        return [whole(item) for item in value] if isinstance(value, list) else value

    for value in kept["shared"]:
        values.append(whole(value))  # noqa: PERF401  later values refer to earlier ones
    return {name: whole(case) for name, case in kept["cases"].items()}


def _count(value: Any, counts: Counter[str]) -> None:
    key = _key(value)
    if len(key) >= _WORTH_SHARING:
        counts[key] += 1
        if counts[key] > 1:
            return
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _count(item, counts)


def _key(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
