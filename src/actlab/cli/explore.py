"""`actlab explore`: the offline page on which functions are chosen, compared and moved."""

from pathlib import Path
from typing import Annotated

import typer

from actlab.cli.functions.arguments import Json
from actlab.cli.output import print_json
from actlab.errors import ActlabError, unknown_name
from actlab.i18n import LANGUAGES, _, process_language, translation

Output = Annotated[
    Path, typer.Option("-o", "--output", metavar="FILE.html", help=_("Where to write the page."))
]
Language = Annotated[
    str | None, typer.Option("--lang", metavar="en|ko", help=_("Language of the page."))
]


def explore(
    *, output: Output = Path("explorer.html"), language: Language = None, json: Json = False
) -> None:
    """Write the explorer and print where it is."""
    from actlab.activations.explorer import write
    from actlab.activations.explorer.data import explorer_data

    page_language = process_language() if language is None else language
    if page_language not in LANGUAGES:
        raise unknown_name(_("language"), page_language, LANGUAGES)
    if not output.parent.is_dir():
        message = _("There is no folder {folder}; make it first or choose another -o.")
        raise ActlabError(message.format(folder=output.parent))
    data = explorer_data(translation(page_language))
    path = write(output, data, page_language)
    if json:
        print_json({"explorer": str(path), "language": page_language})
    else:
        print(path)
