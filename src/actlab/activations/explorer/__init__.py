"""The explorer: one offline page on which functions are chosen, compared and moved.

    from actlab.activations.explorer import write
    from actlab.activations.explorer.data import explorer_data

    write(Path("explorer.html"), explorer_data(translation("ko")), "ko")

Everything that is shown comes in as data; function values under a moved slider are computed in
the page, by code that was generated from the formula.
"""

import json
from gettext import NullTranslations
from pathlib import Path
from typing import Any

from markupsafe import Markup

from actlab import i18n
from actlab.activations.explorer.columns import COLUMNS, cells, number
from actlab.activations.explorer.data import ExplorerData, ExplorerFunction
from actlab.errors import writing
from actlab.files import write_text
from actlab.i18n import N_
from actlab.pages.kit import page_data, render_page

MOST_CHOSEN = 6

PRESETS = {
    N_("ReLU family"): ("relu", "leaky_relu", "prelu", "elu", "selu"),
    N_("GELU family"): ("gelu", "silu", "mish", "quick_gelu", "hardswish"),
    N_("Bounded"): ("sigmoid", "tanh", "hardsigmoid", "softsign"),
    N_("Output layers"): ("sigmoid", "tanh", "softplus", "identity"),
}
"""Functions that are looked at together."""

_PACKAGE = "actlab.activations.explorer"


def render(
    data: ExplorerData, language: str = "en", *, translations: NullTranslations | None = None
) -> str:
    """Return the explorer in "en" or "ko"; `translations` replaces the messages of the language.

    The page depends on nothing but its arguments and asks for nothing when it is opened.
    """
    messages = i18n.translation(language) if translations is None else translations
    functions = sorted(data.functions, key=lambda function: function.name)
    values = {
        "functions": functions,
        "structural": data.structural,
        "columns": COLUMNS,
        "number": number,
        "meanings": {column.key: column.meaning for column in COLUMNS},
        "rows": [(function, cells(function.facts, messages)) for function in functions],
        "markup": {function.name: Markup(function.formula_markup) for function in functions},
        "symbols": {
            function.name: {slider.name: Markup(slider.symbol) for slider in function.sliders}
            for function in functions
        },
        "presets": PRESETS,
        "most_chosen": MOST_CHOSEN,
    }
    return render_page(
        "explorer.html",
        (_PACKAGE,),
        language,
        messages,
        values,
        styles=("report.css", "explorer.css"),
        scripts=("kit.js", "chart.js", "normal.js", "formula.js", "explorer.js", "save.js"),
        data=_page_data(data, functions, language, messages),
        packed={"surfaces": json.dumps(_surfaces(data), separators=(",", ":"))},
        code=_code(functions),
    )


def write(
    path: Path,
    data: ExplorerData,
    language: str = "en",
    *,
    translations: NullTranslations | None = None,
) -> Path:
    """Write the explorer in one step and return the path.

    Raises ActlabError where the folder is missing or cannot be written.
    """
    with writing(path, "-o"):
        return write_text(path, render(data, language, translations=translations))


def _page_data(
    data: ExplorerData,
    functions: list[ExplorerFunction],
    language: str,
    translations: NullTranslations,
) -> dict[str, Any]:
    """Return what the page's script reads: functions, colours and the words that it writes."""
    _ = translations.gettext
    return {
        "chosen": [name for name in data.chosen if any(f.name == name for f in functions)],
        "most": MOST_CHOSEN,
        "functions": {
            function.name: {
                "sliders": [
                    {"name": s.name, "default": s.default, "low": s.low, "high": s.high}
                    for s in function.sliders
                ],
                "kinks": [kink["x"] for kink in function.facts.get("kinks") or ()],
                "minimum": _minimum(function),
                "aliases": list(function.facts.get("aliases") or ()),
                "exact": {
                    "mean": function.facts.get("mean_under_N01"),
                    "second": function.facts.get("second_moment_N01"),
                    "slope": function.facts.get("mean_grad_N01"),
                    "slopeSecond": function.facts.get("second_moment_grad_N01"),
                    "flat": function.facts.get("zero_grad_fraction_N01"),
                },
            }
            for function in functions
        },
        "presets": {name: list(names) for name, names in PRESETS.items()},
        "words": page_data(language, translations)["words"]
        | {
            "add": _("Add"),
            "remove": _("Remove"),
            "addNamed": _("Add {name}"),
            "removeNamed": _("Remove {name}"),
            "full": _("Six functions are shown; remove one before adding another."),
            "unknown": _('There is no function "{given}".'),
            "near": _('There is no function "{given}". Did you mean "{near}"?'),
            "present": _("{name} is already shown."),
            "shown": _("{shown} of {all} functions"),
            "copied": _("Copied"),
            "minimum": _("minimum"),
            "kink": _("kink"),
            "exactly": _("{share} of inputs give exactly {value}"),
            "density": _("density"),
            "input": _("the input itself"),
            "computed": _("computed in the page"),
            "nothing": _("Nothing is chosen. Add a function above, or from the table."),
            "layer": _("layer"),
            "gate": _("gate"),
            "value": _("value"),
            "minus": _("{name} − {other}"),
            "formulaLetter": _("“{letter}” at character {position} has no place in a formula."),
            "formulaLong": _("A formula has at most 500 characters."),
            "formulaExpected": _("Expected {sign}, found {found}."),
            "formulaArguments": _("{name} takes {wanted} arguments, it has {given}."),
            "formulaInput": _("A formula contains its input, which is written x."),
            "formulaEnd": _("the end"),
        },
    }  # fmt: skip


def _surfaces(data: ExplorerData) -> dict[str, Any]:
    """Return the values of every gated function on its grid, to four digits."""
    drawn = {f.name: f.drawn.surface for f in data.structural if f.drawn is not None}
    return {
        name: {
            "gate": [round(place, 4) for place in surface.gate],
            "value": [round(place, 4) for place in surface.value],
            "heights": [[float(f"{height:.4g}") for height in row] for row in surface.heights],
        }
        for name, surface in drawn.items()
        if surface is not None
    }


def _minimum(function: ExplorerFunction) -> list[float] | None:
    x, y = function.facts.get("min_x"), function.facts.get("min_y")
    return None if x is None or y is None else [x, y]


def _code(functions: list[ExplorerFunction]) -> str:
    """Return the functions as JavaScript, one line each; the page's policy forbids evaluation."""
    lines = [
        f"  {json.dumps(function.name)}: {{"
        f"value: (x, p) => {function.value_code}, slope: (x, p) => {function.slope_code}}},"
        for function in functions
    ]
    return "const FORMULAS = {\n" + "\n".join(lines) + "\n};"
