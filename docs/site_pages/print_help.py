"""Print every command with its help, as Markdown, in the language of the process."""

from typing import Any

import typer

from actlab.cli.main import app


def sections(command: Any, path: list[str], parent: Any = None) -> list[str]:
    """Return a section for a command and for each of its own commands."""
    context = command.make_context(path[-1], [], parent=parent, resilient_parsing=True)
    lines = [f"## {' '.join(path)}", "", "```text", command.get_help(context).rstrip(), "```", ""]
    for name in getattr(command, "commands", {}):
        lines += sections(command.commands[name], [*path, name], context)
    return lines


if __name__ == "__main__":
    print("\n".join(sections(typer.main.get_command(app), ["actlab"])))
