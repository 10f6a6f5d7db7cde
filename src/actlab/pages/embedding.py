"""What a page carries inside itself: its assets, and its figures as data for its script."""

import json
from gettext import NullTranslations
from importlib import resources
from typing import Any

from markupsafe import Markup

from actlab.pages.figure import PageFigure
from actlab.pages.theme import dark_colours


def page_data(
    figures: dict[str, PageFigure], language: str, translations: NullTranslations
) -> dict[str, Any]:
    """Return what the page's script reads: figures, colours and the words that it writes."""
    _ = translations.gettext
    return {
        "language": language,
        "dark": dark_colours(),
        "figures": {
            name: json.loads(figure.figure.to_json())
            | {"views": [{"layout": view.layout, "trace": view.trace} for view in figure.views]}
            for name, figure in figures.items()
        },
        "words": {
            "shown": _("{shown} of {all} trials"),
            "copied": _("Copied"),
            "modebar": {
                "Zoom": _("Zoom"),
                "Pan": _("Pan"),
                "Reset axes": _("Reset axes"),
                "Download plot as a PNG": _("Save as PNG"),
                "Double-click to zoom back out": _("Double-click to zoom back out"),
            },
        },
    }


def script_json(value: dict[str, Any]) -> Markup:
    """Return JSON that cannot end the script element it stands in."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def asset(name: str, package: str = "actlab.pages") -> str:
    """Return the text of a file in a package's assets."""
    return resources.files(package).joinpath("assets", name).read_text(encoding="utf-8")
