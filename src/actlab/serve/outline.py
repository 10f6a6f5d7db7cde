"""A run folder as the live view reads it: records without their curves, each line parsed once."""

import json
from pathlib import Path

from actlab.files import parse_json
from actlab.records import Record
from actlab.studies.run_folder import RunFolder


class OutlinedFolder(RunFolder):
    """A run folder whose records have neither learning curve nor probes: most of their bytes.

    It is kept between requests, and parses only the lines that it has not seen.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._seen: dict[bytes, Record] = {}

    def _record(self, line: bytes, place: int) -> Record:
        known = self._seen.get(line)
        if known is None:
            known = super()._record(_outlined(line), place)
            self._seen[line] = known
        return known


def _outlined(line: bytes) -> bytes:
    """Return a line without curve and probes; one that is no record stays as it is."""
    try:
        found = parse_json(line)
    except ValueError:
        return line
    if not isinstance(found, dict) or not {"curve", "probes"} & found.keys():
        return line
    return json.dumps(found | {"curve": [], "probes": None}).encode()
