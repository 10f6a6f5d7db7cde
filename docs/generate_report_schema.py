"""Write docs/check-report.schema.json, the schema of what `actlab check --json` prints.

    python docs/generate_report_schema.py [--check]

It is made of the values themselves; `--check` only says whether the file is current.
"""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from actlab.checker.report import REPORT_VERSION, Report
from actlab.records import FORMAT_VERSION

FILE = Path(__file__).parent / "check-report.schema.json"


def schema() -> dict[str, Any]:
    """Return the schema; an infinite number is the text "inf" or "-inf"."""
    report = TypeAdapter(Report).json_schema(mode="serialization")
    versions = {
        "format_version": {"const": FORMAT_VERSION, "type": "integer"},
        "report_version": {"const": REPORT_VERSION, "type": "integer"},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What actlab check --json prints",
        **{name: part for name, part in report.items() if name not in ("title", "properties")},
        "properties": {**versions, **report["properties"]},
        "required": [*versions, *report["properties"]],
    }


def main() -> int:
    """Write the file, or say whether it is current."""
    text = json.dumps(schema(), indent=2) + "\n"
    if "--check" in sys.argv[1:]:
        return int(not FILE.is_file() or FILE.read_text() != text)
    FILE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
