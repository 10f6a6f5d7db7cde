"""The page kit: one way from finished values to a page that is whole in one file.

A page is a template of a package, filled with values, in a language, with its style sheets, scripts
and figures inside it; values are escaped, and a name that a template misspells is an error.
"""

import json
from collections.abc import Mapping
from gettext import NullTranslations
from importlib import resources
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from actlab.pages.figure import PageFigure
from actlab.pages.theme import dark_colours, style_variables

PAGES = "actlab.pages"
PLOTLY = "plotly-cartesian.min.js"


def render_page(
    template: str,
    packages: tuple[str, ...],
    language: str,
    messages: NullTranslations,
    values: Mapping[str, Any],
    *,
    styles: tuple[str, ...] = ("report.css",),
    scripts: tuple[str, ...] = (),
    figures: Mapping[str, PageFigure] | None = None,
    data: Mapping[str, Any] | None = None,
) -> str:
    """Return a template filled with `values`, in the language of `messages`, as one HTML text.

    Templates are looked for in `packages`, then in the kit; `styles` and `scripts` are assets of
    the kit. `data` is what the page's scripts read beside the figures.
    """
    shown = dict(figures or {})
    everything = {
        "language": language,
        "figures": shown,
        "styles": Markup(style_variables() + "".join(asset(name) for name in styles)),
        "scripts": Markup("".join(asset(name) for name in scripts)),
        "plotly": Markup(asset(PLOTLY)),
        "page_data": script_json(page_data(shown, language, messages) | dict(data or {})),
    }
    return (
        environment(messages, *packages, PAGES)
        .get_template(template)
        .render(everything | dict(values))
    )


def environment(messages: NullTranslations, *packages: str) -> Environment:
    """Return the templates of `packages`, looked for in that order, in a page's language."""
    found = Environment(
        loader=ChoiceLoader([PackageLoader(package) for package in packages]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    found.install_gettext_translations(messages, newstyle=False)  # type: ignore[attr-defined]  # added by the extension
    return found


def page_data(
    figures: Mapping[str, PageFigure], language: str, translations: NullTranslations
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


def asset(name: str, package: str = PAGES) -> str:
    """Return the text of a file in a package's assets."""
    return resources.files(package).joinpath("assets", name).read_text(encoding="utf-8")
