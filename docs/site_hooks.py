"""What the site adds to its pages: the commands' help, and links to files of the repository."""

import os
import re
from pathlib import Path
from typing import Any

import typer

os.environ["ACTLAB_LANG"] = "en"
os.environ["COLUMNS"] = "100"

REPOSITORY = Path(__file__).parent.parent
COMMANDS = "<!-- commands -->"


def on_page_markdown(markdown: str, page: Any, **_others: Any) -> str:
    """Fill in the commands; a link to a file beside the pages' folder becomes the file's name."""
    if COMMANDS in markdown:
        markdown = markdown.replace(COMMANDS, commands())
    folder = (REPOSITORY / "docs" / page.file.src_uri).parent

    def named(link: re.Match[str]) -> str:
        target = (folder / link.group(2).partition("#")[0]).resolve()
        inside = target.is_relative_to(REPOSITORY / "docs") and target.suffix != ".py"
        if inside and target.is_file():
            return link.group()
        if not target.exists() or not target.is_relative_to(REPOSITORY):
            return link.group()
        return f"{link.group(1)} (`{target.relative_to(REPOSITORY)}`)"

    return re.sub(r"(?<!!)\[([^\]]*)\]\((?!\w+:|#)([^)\s]+)\)", named, markdown)


def commands() -> str:
    """Return every command with its help, as the program prints it."""
    from actlab.cli.main import app

    parts: list[str] = []
    _add(parts, typer.main.get_command(app), ["actlab"], None)
    return "\n".join(parts)


def _add(parts: list[str], command: Any, path: list[str], parent: Any) -> None:
    context = command.make_context(path[-1], [], parent=parent, resilient_parsing=True)
    parts += [f"## {' '.join(path)}", "", "```text", command.get_help(context).rstrip(), "```", ""]
    for name in getattr(command, "commands", {}):
        _add(parts, command.commands[name], [*path, name], context)
