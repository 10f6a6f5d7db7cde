"""Pictures of functions as one offline HTML page."""

import html as markup
import math
from collections.abc import Sequence
from gettext import NullTranslations
from typing import Any

from actlab.activations.drawing import DrawnFunction, kink_text, vertical_limits
from actlab.pages.kit import asset, script_json
from actlab.pages.theme import LIGHT, SERIES, colour_names, style_variables
from actlab.text import significant

_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:">
<link rel="icon" href="data:,">
<title>{title} · actlab</title>
<style>{style}
main {{ max-width: 70rem; margin: 0 auto; padding: 1rem; }}
h1 {{ font-size: 1.3rem; margin: 0.5rem 0; }}
#plot {{ height: min(85vh, 44rem); }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
{notes}
<div id="plot" class="plot" role="img" aria-label="{description}"></div>
</main>
<script>{chart}
window.actlabColours = {colours};
actlabChart.draw(document.getElementById("plot"), {figure});
</script>
</body>
</html>
"""


def html(functions: Sequence[DrawnFunction], translations: NullTranslations) -> str:
    """Return a page that shows the functions and needs no network."""
    _ = translations.gettext
    title = ", ".join(function.name for function in functions)
    return _PAGE.format(
        language=translations.info().get("language", "en"),
        title=markup.escape(title),
        notes="".join(f"<p>{markup.escape(text)}</p>" for text in _notes(functions)),
        description=markup.escape(_("f and its derivative f′ of {names}").format(names=title)),
        style=style_variables() + asset("report.css"),
        chart=asset("chart.js"),
        figure=_json(figure(functions, translations)),
        colours=_json(colour_names()),
    )


def figure(functions: Sequence[DrawnFunction], translations: NullTranslations) -> dict[str, Any]:
    """Return the figure, in Plotly's schema: f above, f' below, on one x axis."""
    traces = [
        trace
        for index, function in enumerate(functions)
        for trace in _traces(function, index, translations)
    ]
    axis = {"gridcolor": LIGHT["grid"], "zerolinecolor": LIGHT["line"], "color": LIGHT["muted"]}
    return {
        "data": traces,
        "layout": {
            "paper_bgcolor": LIGHT["surface"],
            "plot_bgcolor": LIGHT["surface"],
            "font": {"color": LIGHT["ink"], "family": "system-ui, sans-serif"},
            "margin": {"l": 56, "r": 16, "t": 8, "b": 44},
            "hovermode": "x unified",
            "hoverlabel": {"bgcolor": LIGHT["surface"]},
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            "xaxis": {**axis, "title": {"text": "x"}, "anchor": "y2"},
            "yaxis": {
                **axis,
                "title": {"text": "f(x)"},
                "domain": [0.44, 1.0],
                "range": list(vertical_limits(functions, slope=False)),
            },
            "yaxis2": {
                **axis,
                "title": {"text": "f′(x)"},
                "domain": [0.0, 0.38],
                "range": list(vertical_limits(functions, slope=True)),
            },
        },
    }


def _traces(
    function: DrawnFunction, index: int, translations: NullTranslations
) -> list[dict[str, Any]]:
    _ = translations.gettext
    colour = LIGHT[SERIES[index % len(SERIES)]]
    traces: list[dict[str, Any]] = []
    for offset, line in enumerate(function.lines):
        name = f"{function.name} {line.label}".strip()
        style = {"color": LIGHT[SERIES[(index + offset) % len(SERIES)]], "width": 2.4}
        shared = {"x": list(line.x), "mode": "lines", "line": style, "legendgroup": name}
        traces += [
            {**shared, "y": list(line.value), "name": name},
            {**shared, "y": list(line.slope), "name": f"{name} ′", "yaxis": "y2"}
            | {"showlegend": False},
        ]
    ends = [
        end
        for end in (function.range_low, function.range_high)
        if end is not None and abs(end) < 1e6
    ]
    span = [function.lines[0].x[0], function.lines[0].x[-1]]
    for end in ends:
        name = _("range {interval}").format(interval=function.range_text)
        style = {"color": colour, "width": 1, "dash": "dash"}
        traces.append(
            {"x": span, "y": [end, end], "mode": "lines", "line": style, "hoverinfo": "skip"}
            | {"name": f"{function.name}: {name}", "legendgroup": f"{function.name} range"}
            | {"showlegend": end == ends[0]}
        )
    if function.minimum is not None:
        x, y = function.minimum
        name = _("minimum ({x}, {y})").format(x=significant(x), y=significant(y))
        traces.append(
            {"x": [x], "y": [y], "mode": "markers", "name": f"{function.name}: {name}"}
            | {"marker": {"color": colour, "size": 11}}
        )
    if function.kinks:
        traces += _kink_traces(function, colour, translations)
    return traces


def _kink_traces(
    function: DrawnFunction, colour: str, translations: NullTranslations
) -> list[dict[str, Any]]:
    shared = {
        "x": [x for kink in function.kinks for x in (kink.x, kink.x)],
        "mode": "markers",
        "name": f"{function.name}: " + kink_text(function, translations),
        "legendgroup": f"{function.name} kink",
        "marker": {
            "color": LIGHT["surface"],
            "size": 10,
            "symbol": "diamond",
            "line": {"color": colour, "width": 2},
        },
    }
    values = [y for kink in function.kinks for y in (kink.left[0], kink.right[0])]
    slopes = [y for kink in function.kinks for y in (kink.left[1], kink.right[1])]
    return [
        {**shared, "y": values},
        {**shared, "y": slopes, "yaxis": "y2", "showlegend": False},
    ]


def _notes(functions: Sequence[DrawnFunction]) -> list[str]:
    return [function.note for function in functions if function.note]


def _json(value: dict[str, Any]) -> str:
    """Return a figure as JSON for a script; NaN becomes null, a gap."""

    def plain(item: Any) -> Any:
        if isinstance(item, dict):
            return {key: plain(part) for key, part in item.items()}
        if isinstance(item, list | tuple):
            return [plain(part) for part in item]
        if isinstance(item, float):
            return float(f"{item:.9g}") if math.isfinite(item) else None
        return item

    return script_json(plain(value))
