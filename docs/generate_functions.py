"""Write the pages of docs/functions from the facts; `--check` only says whether they are current.

    python docs/generate_functions.py [--check] [--cost] [--hazards [NAME...]]

`--cost` measures the cost of the document's functions on this machine first and keeps it in
`docs/functions/cost.json`, from which the page reads it. `--hazards` measures where the functions,
all or those that are named, go wrong, and keeps it in `docs/functions/hazards.json`; it writes no
page.
"""

import argparse
import json
import math
import platform
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from published_claims import CLAIMS, TABLE, TableRow, of

from actlab.activations import functions

FOLDER = Path(__file__).parent / "functions"
COST = FOLDER / "cost.json"
HAZARDS = FOLDER / "hazards.json"

VERDICTS = {
    "holds": "✔ holds",
    "by degree": "◐ by degree",
    "does not hold": "✘ does not hold",
    "conjecture": "? conjecture",
}


def number(value: float | None, digits: int = 6) -> str:
    """Return a number for a table: six digits, a sign for infinity, a dash for none."""
    if value is None:
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.{digits}g}".replace("-", "−")


def heading(*cells: str) -> tuple[str, str]:
    """Return the first two lines of a table."""
    return f"| {' | '.join(cells)} |", "|" + "---|" * len(cells)


def interval(found: Any) -> str:
    """Return a range as an interval; a square bracket means that the end is attained."""
    if found.range_low is None or found.range_high is None:
        return "–"
    left, right = "[" if found.low_attained else "(", "]" if found.high_attained else ")"
    return f"{left}{number(found.range_low)}, {number(found.range_high)}{right}"


def claims_page(costs: Mapping[str, Any] | None) -> str:
    """Return the page on the published table and claims."""
    lines = [
        "# The published functions and claims, tested",
        "",
        "Written by `docs/generate_functions.py` from the facts of the catalogue. Each line",
        "repeats what the published document says and puts beside it what actlab finds: ✔ holds,",
        "◐ holds by degree, ✘ does not hold, ? is a conjecture that no fact decides.",
        "",
        "![SiLU against ReLU](silu-relu.svg)",
        "",
        "## The table of eight functions",
        "",
        "The mean is that of f(X) for a standard normal X; zero-centredness is",
        "1 − |E f| / √E[f²], so 1 is centred exactly. Cost is the time of a forward and a backward",
        "pass next to a copy of the same tensor.",
        "",
        *heading(
            "function",
            "range, published",
            "range",
            "zero-centred, published",
            "mean",
            "zero-centredness",
            "cost, published",
            "cost, measured",
            "learns",
        ),
        *(_table_line(row, costs) for row in TABLE),
        "",
        _cost_note(costs),
        "",
        "The published ranges do not tell which ends are attained; a square bracket does.",
        "",
        "## The claims",
        "",
        *heading("about", "claim", "verdict", "because"),
    ]
    for claim in CLAIMS:
        found = claim.test()
        verdict = VERDICTS[found.verdict]
        lines.append(f"| {claim.about} | {claim.sentence} | {verdict} | {found.evidence} |")
    lines += ["", "![Stacked linear layers](stacked-layers.svg)", ""]
    return "\n".join(lines)


def _table_line(row: TableRow, costs: Mapping[str, Any] | None) -> str:
    found = of(row.name, **row.values)
    published = f"{number(row.low)} to {number(row.high)}"
    scalar = found.mean_under_N01 is not None
    measured = interval(found) if scalar else "each (0, 1), together 1"
    centred = {True: "yes", False: "no", None: "–"}[row.zero_centred]
    if scalar:
        centred += " " + _centred_verdict(row.zero_centred, found.mean_under_N01)
    cost = "–"
    if costs is not None and row.name in costs["functions"]:
        ratios = costs["functions"][row.name]
        cost = f"{ratios['forward'] + ratios['backward']:.1f} ×"
    learns = "yes" if found.learnable else "no"
    cells = (
        row.label, published, measured, centred, number(found.mean_under_N01),
        number(found.zero_centredness, 3), row.cost, cost, learns,
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _centred_verdict(published: bool | None, mean: float | None) -> str:
    assert mean is not None
    if published:
        return "✔" if mean == 0.0 else "◐"
    return "✔" if abs(mean) > 0.1 else "✘"


def _cost_note(costs: Mapping[str, Any] | None) -> str:
    if costs is None:
        return "No cost has been measured for this page; run `actlab functions cost` for yours."
    return (
        f"Measured in float32, {costs['date']}, by `python docs/generate_functions.py --cost` on "
        f"{costs['machine']}. `actlab functions cost` measures your machine."
    )


def catalogue_page() -> str:
    """Return the page with the main facts of every function."""
    lines = [
        "# The catalogue",
        "",
        "Written by `docs/generate_functions.py` from the facts; `actlab functions show NAME` has",
        "all of them. A square bracket means that the end of a range is attained; mean and gain",
        "are for a standard normal input.",
        "",
        *heading(
            "function",
            "formula",
            "range",
            "direction",
            "class",
            "minimum (x, y)",
            "largest \\|f′\\|",
            "mean",
            "gain",
            "gain back",
            "no gradient",
        ),
    ]
    structural = []
    for function in sorted(functions(), key=lambda entry: entry.name):
        found = of(function.name)
        formula = function.formula.replace("|", "\\|")
        if function.kind == "structural":
            structural.append(
                f"| {function.name} | `{formula}` | {found.arity} | {found.output_width} "
                f"| {function.source} |"
            )
            continue
        minimum = "–" if found.min_x is None else f"{number(found.min_x)}, {number(found.min_y)}"
        cells = (
            function.name, f"`{formula}`", interval(found), str(found.monotonic).replace("_", " "),
            str(found.smoothness), minimum, number(found.max_abs_grad),
            number(found.mean_under_N01), number(found.gain_forward), number(found.gain_backward),
            number(found.zero_grad_fraction_N01),
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        "## Functions of several inputs",
        "",
        *heading("function", "formula", "inputs", "output width", "source"),
        *structural,
        "",
    ]
    return "\n".join(lines)


def pages() -> dict[str, str]:
    """Return the text of each generated page by its file name."""
    costs = json.loads(COST.read_text()) if COST.is_file() else None
    return {"published-claims.md": claims_page(costs), "catalogue.md": catalogue_page()}


def draw() -> None:
    """Write the two pictures of the page."""
    from actlab.activations import get, lessons
    from actlab.activations.drawing.picture import picture
    from actlab.cli.functions.explain import draw_stack

    picture([get("silu"), get("relu")]).save(FOLDER / "silu-relu.svg")
    draw_stack(lessons.stack(points=1601), FOLDER / "stacked-layers.svg")


def measure_cost() -> None:
    """Measure the published functions on this machine and keep the ratios."""
    from actlab.activations import facts

    measured = {}
    for row in TABLE:
        found = facts.cost(row.name)
        measured[row.name] = {
            "forward": round(found.forward_ratio, 2),
            "backward": round(found.backward_ratio, 2),
        }
    document = {
        "machine": f"{platform.machine()}, {_processor()}, one thread",
        "date": datetime.now(UTC).date().isoformat(),
        "functions": measured,
    }
    COST.write_text(json.dumps(document, indent=2) + "\n")


def measure_hazards(names: Sequence[str]) -> None:
    """Measure where functions go wrong, and keep what was found; gated ones input by input."""
    import torch

    from actlab.activations import facts, get
    from actlab.activations.facts.gated import slice_of

    document = json.loads(HAZARDS.read_text()) if HAZARDS.is_file() and names else {"functions": {}}
    chosen = names or [
        function.name
        for function in functions()
        if function.kind != "structural" or function.factors is not None
    ]
    for name in chosen:
        function = get(name)
        parts: dict[str, Any] = {"": function}
        if function.factors is not None:
            parts = {part: slice_of(function, part) for part in ("gate", "value")}
        document["functions"][name] = {
            part: {
                dtype: {way: _known(getattr(found, way).__dict__) for way in ("module", "formula")}
                for dtype, found in facts.hazards_by_dtype(measured).items()
            }
            for part, measured in parts.items()
        }
        print(name, flush=True)
    kept = {"date": datetime.now(UTC).date().isoformat(), "torch": torch.__version__}
    lines = ",\n".join(
        f"{json.dumps(name)}: {json.dumps(document['functions'][name])}"
        for name in sorted(document["functions"])
    )
    HAZARDS.write_text(json.dumps(kept)[:-1] + ', "functions": {\n' + lines + "\n}}\n")


def _known(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that say something, numbers to four digits."""
    return {
        name: float(f"{value:.4g}") if isinstance(value, float) else value
        for name, value in fields.items()
        if value is not None
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown processor"


def main() -> int:
    """Write the pages, or say whether they are current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--cost", action="store_true")
    parser.add_argument("--hazards", nargs="*", metavar="NAME")
    options = parser.parse_args()
    if options.cost:
        measure_cost()
    if options.hazards is not None:
        measure_hazards(options.hazards)
        return 0
    stale = []
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        path = FOLDER / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not options.check:
                path.write_text(text, encoding="utf-8")
    if not options.check:
        draw()
    for name in stale:
        print(f"{'not current' if options.check else 'written'}: {FOLDER / name}")
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
