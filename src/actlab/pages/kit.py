"""The page kit: one way from finished values to a page that is whole in one file.

A page is a template of a package, filled with values, in a language, with its style sheets, scripts
and figures inside it; values are escaped, and a name that a template misspells is an error. What is
only read when a tab opens (figures, curves, the page in the other language) lies packed in it.
"""

import base64
import gzip
import json
from collections.abc import Mapping
from gettext import NullTranslations
from importlib import resources
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from actlab.pages.figure import PageFigure
from actlab.pages.theme import colour_names, style_variables

PAGES = "actlab.pages"


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
    packed: Mapping[str, str] | None = None,
    code: str = "",
) -> str:
    """Return a template filled with `values`, in the language of `messages`, as one HTML text.

    Templates, `styles` and `scripts` (assets) are looked for in `packages`, then in the kit; `code`
    is a script that comes before them. `data` is what the page's scripts read at once, `packed` the
    texts by name that they read when they are asked for, as they read the figures.
    """
    shown = dict(figures or {})
    texts = {"page-figures": _json(figures_data(shown))} | dict(packed or {})
    everything = {
        "language": language,
        "figures": shown,
        "styles": Markup(style_variables() + "".join(_found(name, packages) for name in styles)),
        "scripts": Markup(code + "".join(_found(name, packages) for name in scripts)),
        "page_data": script_json(page_data(language, messages) | dict(data or {})),
        "packed": Markup("\n").join(_chunk(name, text) for name, text in texts.items()),
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


def page_data(language: str, translations: NullTranslations) -> dict[str, Any]:
    """Return what the page's scripts read at once: colours and the words that they write."""
    _ = translations.gettext
    return {
        "language": language,
        "colours": colour_names(),
        "words": {
            "shown": _("{shown} of {all} trials"),
            "copied": _("Copied"),
            "show_all": _("Show all"),
            "save": _("Save {name} as {format}"),
        },
    }


def figures_data(figures: Mapping[str, PageFigure]) -> dict[str, Any]:
    """Return the figures as the page's script draws them, each with its views."""
    found = {}
    for name, figure in figures.items():
        drawn: dict[str, Any] = json.loads(figure.figure.to_json())
        drawn["layout"].pop("template", None)
        drawn["views"] = [{"layout": view.layout, "trace": view.trace} for view in figure.views]
        found[name] = drawn
    return found


def pack(text: str) -> str:
    """Return a text compressed, in letters that cannot end a script element.

    >>> len(pack("x" * 10_000)) < 100
    True
    """
    return base64.b64encode(gzip.compress(text.encode(), 6, mtime=0)).decode()


def unpack(packed: str) -> str:
    """Return the text that `pack` packed, as `unpacked` of kit.js does in the page.

    >>> unpack(pack("한글 <script>"))
    '한글 <script>'
    """
    return gzip.decompress(base64.b64decode(packed)).decode()


def _chunk(name: str, text: str) -> Markup:
    return Markup('<script type="text/plain" id="{}">{}</script>').format(name, Markup(pack(text)))


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def script_json(value: dict[str, Any]) -> Markup:
    """Return JSON that cannot end the script element it stands in."""
    text = _json(value)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _found(name: str, packages: tuple[str, ...]) -> str:
    """Return an asset of the first package that has it, else of the kit."""
    homes = (p for p in packages if resources.files(p).joinpath("assets", name).is_file())
    return asset(name, next(homes, PAGES))


def asset(name: str, package: str = PAGES) -> str:
    """Return the text of a file in a package's assets."""
    return resources.files(package).joinpath("assets", name).read_text(encoding="utf-8")
