"""The Python interface: every public name with its docstring."""

import importlib
from typing import Any

import actlab
from site_pages.language import chooser

GROUPS = (
    ("Know", "알아보기", ("get", "functions", "facts", "gain", "init_")),
    ("Compare", "비교하기", ("study", "open", "verdict", "slots", "swap", "undo")),
    ("Check", "점검하기", ("check", "check_step", "watch")),
)
RESULTS = (
    ("actlab.activations.function", "Function"),
    ("actlab.activations.catalogue.declared", "ScalarFacts"),
    ("actlab.studies.interface.interface", "Study"),
    ("actlab.records", "Verdict"),
    ("actlab.checker.report", "Report"),
    ("actlab.checker.report", "Finding"),
)
"""What the functions return."""


def pages(language: str) -> dict[str, str]:
    """Return the page, which mkdocstrings fills from the docstrings."""
    say = chooser(language)
    lines = [
        say("# Python interface", "# Python 인터페이스"),
        "",
        say(
            "`import actlab` is quick: a name loads what it needs when it is first used.",
            "`import actlab`은 빠르며, 각 이름은 처음 쓸 때 필요한 것을 불러옵니다. 아래 설명은 소스의 docstring(영어)에서 "
            "만들어집니다.",
        ),
    ]
    for english, korean, names in GROUPS:
        lines += ["", f"## {say(english, korean)}"]
        for name in names:
            lines += _entry(home(name), f"actlab.{name}")
    lines += ["", say("## What they return", "## 반환하는 객체")]
    for module, name in RESULTS:
        lines += _entry(defined(module, name), name)
    lines += ["", say("## In tests of your own", "## 테스트에서 쓰기")]
    lines += _entry("actlab.testing.assert_no_misuse", "actlab.testing.assert_no_misuse")
    return {"reference/python": "\n".join(lines) + "\n"}


def home(name: str) -> str:
    """Return where a public name is defined."""
    thing = getattr(actlab, name)
    return f"{thing.__module__}.{thing.__qualname__}"


def defined(module: str, name: str) -> str:
    """Return the full name of a class where it is defined."""
    thing: Any = getattr(importlib.import_module(module), name)
    return f"{thing.__module__}.{thing.__qualname__}"


def _entry(target: str, heading: str) -> list[str]:
    return [
        "",
        f"::: {target}",
        "    options:",
        f"      heading: {heading}",
        f"      toc_label: {heading}",
    ]
