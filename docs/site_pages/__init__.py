"""The pages of the documentation that are made from the program, in English and in Korean.

`write(folder)` puts them beside the written ones: every command with its help, the public names
with their docstrings, the keys of a plan, the schemas of the files, a page per function and per
rule, and the tutorials from their notebooks. Everything follows from the sources alone.
"""

from pathlib import Path

from site_pages import (
    commands,
    file_formats,
    functions,
    notebooks,
    plan_keys,
    python_names,
    rules,
    shared_tables,
)

LANGUAGES = ("en", "ko")


def write(folder: Path) -> None:
    """Write every generated page into a copy of the documentation's folder."""
    shared_tables.fill(folder)
    for language in LANGUAGES:
        suffix = ".md" if language == "en" else f".{language}.md"
        for part in (commands, python_names, plan_keys, file_formats, functions, rules, notebooks):
            for name, text in part.pages(language).items():
                _write(folder / f"{name}{suffix}", text)
    for part in (file_formats, functions, notebooks):
        for name, content in part.files().items():
            _write(folder / name, content)


def _write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
