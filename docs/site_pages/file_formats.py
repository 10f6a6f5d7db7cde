"""The files that actlab writes and prints, each with its JSON schema."""

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from actlab.records import (
    Candidate,
    Confirmation,
    Environment,
    FinalFigure,
    Notice,
    Record,
)
from actlab.studies.plan.schema import PlanFile
from site_pages.language import chooser, head, row

DOCS = Path(__file__).parents[1]
FILES = (
    ("plan", "plan.toml", "the resolved plan", "모든 기본값이 채워진 계획"),
    ("record", "records.jsonl", "one line per training", "학습 하나당 한 줄"),
    (
        "verdict",
        "verdict.json",
        "what the replicates support",
        "시드별 재학습 결과로 내린 판정",
    ),
    (
        "environment",
        "environment.json",
        "versions, machine, data, command",
        "버전, 컴퓨터, 데이터, 명령",
    ),
    ("final", "final.json", "the test accuracy of the best model", "가장 좋은 모델의 test 정확도"),
    ("confirmation", "confirm.json", "what is to be trained again", "다시 학습할 것"),
    (
        "check-report",
        "actlab check --json",
        "what a check found",
        "점검 결과",
    ),
)


def pages(language: str) -> dict[str, str]:
    """Return the page."""
    say = chooser(language)
    lines = [
        say("# File formats", "# 파일 형식"),
        "",
        say(
            "What actlab writes carries its format's version; keys only ever become more. Infinite "
            'numbers are the texts "inf" and "-inf", accuracies are fractions. The schemas are '
            "made of the values that read and write the files. What else lies in a run folder: "
            "[Run folder and exit codes](../run-folder.md).",
            'actlab이 쓰는 파일에는 형식의 버전이 있으며, 키는 늘어나기만 합니다. 무한대는 문자열 "inf"와 "-inf"로, 정확도는 비율로 '
            "적습니다. 스키마는 파일을 읽고 쓰는 값에서 만들어집니다. 실행 폴더의 다른 파일은 [실행 폴더와 종료 코드](../run-folder.md)에 "
            "있습니다.",
        ),
        "",
        *head(say("file", "파일"), say("what", "내용"), say("schema", "스키마")),
    ]
    for name, file, english, korean in FILES:
        link = f"[{name}.schema.json](schemas/{name}.schema.json)"
        lines.append(row(f"`{file}`", say(english, korean), link))
    return {"reference/file-formats": "\n".join(lines) + "\n"}


def files() -> dict[str, str]:
    """Return the schemas by the paths of their files."""
    values = {
        "record": Record,
        "environment": Environment,
        "final": FinalFigure,
        "confirmation": Confirmation,
    }
    schemas: dict[str, Any] = {
        name: TypeAdapter(value).json_schema(mode="serialization") for name, value in values.items()
    }
    schemas["plan"] = PlanFile.model_json_schema()
    schemas["verdict"] = verdict_schema()
    written = {
        name: json.dumps(
            {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, indent=2
        )
        for name, schema in schemas.items()
    }
    written["check-report"] = (DOCS / "check-report.schema.json").read_text(encoding="utf-8")
    return {f"reference/schemas/{name}.schema.json": text for name, text in written.items()}


def verdict_schema() -> dict[str, Any]:
    """Return the schema of verdict.json: a list of candidates per slot, best first."""
    values = {"candidates": Candidate, "notice_codes": Notice}
    parts = {
        name: TypeAdapter(list[value]).json_schema(  # type: ignore[valid-type]  # one of the above
            mode="serialization", ref_template="#/$defs/{model}"
        )
        for name, value in values.items()
    }
    definitions: dict[str, Any] = {}
    for part in parts.values():
        definitions |= part.pop("$defs", {})
    by_slot = {
        name: {"type": "object", "additionalProperties": part} for name, part in parts.items()
    }
    texts = {"type": "object", "additionalProperties": {"type": "array"}}
    properties = {
        "format_version": {"const": 1},
        "slots": by_slot["candidates"],
        "notice_codes": by_slot["notice_codes"],
        "notices": texts,
        "comparisons": texts,
        "summary": {"type": "object", "additionalProperties": {"type": "string"}},
        "claims": {"type": "array", "items": {"type": "object"}},
        "margin": {"type": "number"},
        "seeds": {"type": "integer"},
        "methods": {"type": "string"},
    }
    return {
        "title": "verdict.json",
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "$defs": definitions,
    }
