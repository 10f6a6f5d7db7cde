"""The facts of a function, and where it goes wrong in each dtype, as tables at the terminal."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from actlab.activations.explorer.columns import MONOTONIC_WORDS, SMOOTHNESS_WORDS
from actlab.i18n import N_, _
from actlab.text import significant

_GROUPS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        N_("values"),
        (
            ("range", N_("range")),
            ("monotonic", N_("direction")),
            ("minimum", N_("minimum")),
            ("lim_minus_inf", N_("limit at −∞")),
            ("lim_plus_inf", N_("limit at ∞")),
            ("fixed_points", N_("fixed points")),
        ),
    ),
    (
        N_("gradient"),
        (
            ("smoothness", N_("smoothness")),
            ("kinks", N_("kinks")),
            ("steepest", N_("largest |f′|")),
            ("df0", N_("f′ left and right of 0")),
            ("grad_lim_minus_inf", N_("limit of f′ at −∞")),
            ("grad_lim_plus_inf", N_("limit of f′ at ∞")),
        ),
    ),
    (
        N_("under a standard normal input"),
        (
            ("mean_under_N01", N_("mean")),
            ("second_moment_N01", N_("second moment")),
            ("zero_centredness", N_("zero-centredness")),
            ("mean_grad_N01", N_("mean gradient")),
            ("second_moment_grad_N01", N_("second moment of the gradient")),
            ("zero_grad_fraction_N01", N_("share without gradient")),
            ("gain_forward", N_("gain forward")),
            ("gain_backward", N_("gain backward")),
            ("nfnet_gamma", N_("NFNet's gamma")),
        ),
    ),
)


_OF_INPUT = (
    ("max_abs_grad", N_("largest |f′|")),
    ("mean_grad_N01", N_("mean gradient")),
    ("second_moment_grad_N01", N_("second moment of the gradient")),
    ("zero_grad_fraction_N01", N_("share without gradient")),
    ("gain_backward", N_("gain backward")),
)
"""The facts of each input of a gated function."""


def print_facts(facts: Mapping[str, Any], pitfalls: Sequence[str]) -> None:
    """Print the facts, from the keys of `functions show --json`, and what to watch for."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    console.print(f"[bold]{facts['name']}[/bold]   {_escaped(facts['formula'])}")
    for label, identity in _identity(facts):
        console.print(f"  {label}: {_escaped(identity)}", style="dim")
    table = Table(box=None, show_header=False, padding=(0, 2))
    for title, rows in fact_rows(facts):
        table.add_row(f"[bold]{title}[/bold]", "")
        for label, text in rows:
            table.add_row(f"  {label}", _escaped(text))
    if facts.get("kept_values") is not None:
        table.add_row(_("numbers kept for backward, per output"), str(facts["kept_values"]))
    for key, label in (("arity", _("inputs")), ("output_width", _("output width"))):
        if facts.get(key) is not None:
            table.add_row(label, str(facts[key]))
    console.print(table)
    if pitfalls:
        console.print(_("Pitfalls"), style="bold")
    for sentence in pitfalls:
        console.print(f"  - {_escaped(sentence)}")


def fact_rows(facts: Mapping[str, Any]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield each group of facts that the function has: its title, its labels and values.

    A gated function has two groups more, along its gate and along its value.
    """
    for title, rows in _GROUPS:
        shown = [(_(label), text) for key, label in rows if (text := _text(key, facts)) is not None]
        if shown:
            yield _(title), shown
    for name, title in (("gate", N_("along the gate")), ("value", N_("along the value"))):
        along = (facts.get("inputs") or {}).get(name)
        if along is not None:
            yield _(title), [(_(label), number(along[key])) for key, label in _OF_INPUT]


def number(value: float | None) -> str:
    """Return a number with ten digits.

    >>> number(-0.27846454276107380), number(float("inf")), number(None)
    ('−0.2784645428', '∞', '-')
    """
    if value is None or math.isnan(value):
        return "-"
    return significant(value, 10)


def _identity(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    if facts["source"]:
        found.append((_("source"), facts["source"]))
    if facts["parameters"]:
        values = ", ".join(
            f"{name} = {number(value)}" for name, value in facts["parameters"].items()
        )
        found.append((_("learnable parameters") if facts["learnable"] else _("parameters"), values))
    if facts["aliases"]:
        found.append((_("aliases"), ", ".join(facts["aliases"])))
    return found


def _text(key: str, facts: Mapping[str, Any]) -> str | None:
    """Return a row's value, None where the function has no such fact."""
    match key:
        case "range":
            return _range(facts)
        case "minimum":
            if facts["min_x"] is None:
                return None
            return _("{y} at x = {x}").format(y=number(facts["min_y"]), x=number(facts["min_x"]))
        case "steepest":
            return _steepest(facts)
        case "df0":
            left, right = facts["df0_left"], facts["df0_right"]
            return None if left is None else f"{number(left)}, {number(right)}"
        case "fixed_points":
            return ", ".join(_point(point) for point in facts.get(key) or ()) or None
        case "kinks":
            places = [number(kink["x"]) for kink in facts.get(key) or ()]
            return ", ".join(places) or None
        case "monotonic":
            return None if facts[key] is None else _(MONOTONIC_WORDS[facts[key]])
        case "smoothness":
            return None if facts[key] is None else _(SMOOTHNESS_WORDS[facts[key]])
        case _:
            return None if facts.get(key) is None else number(facts[key])


def _point(point: Any) -> str:
    if isinstance(point, list | tuple):
        return f"[{number(point[0])}, {number(point[1])}]"
    return number(point)


def _range(facts: Mapping[str, Any]) -> str | None:
    low, high = facts["range_low"], facts["range_high"]
    if low is None or high is None:
        return None
    left, right = "[" if facts["low_attained"] else "(", "]" if facts["high_attained"] else ")"
    return f"{left}{number(low)}, {number(high)}{right}"


def _steepest(facts: Mapping[str, Any]) -> str | None:
    if facts["max_abs_grad"] is None:
        return None
    text = number(facts["max_abs_grad"])
    if facts["argmax_abs_grad"] is None:
        return text
    return _("{y} at x = {x}").format(y=text, x=number(facts["argmax_abs_grad"]))


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def print_hazards(hazards: Mapping[str, Any], *, module: bool) -> None:
    """Print from which x on values and gradients are wrong, and the errors in the tails.

    `module` asks for the shipped module as well as the formula as written.
    """
    from rich.console import Console
    from rich.table import Table

    ways = ("module", "formula") if module else ("formula",)
    console = Console()
    for headings, cells in hazard_columns():
        table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
        for heading in ("", *headings):
            table.add_column(heading, no_wrap=True)
        for way in ways:
            table.add_row(f"[bold]{hazard_way(way)}[/bold]")
            for dtype, found in hazards.items():
                table.add_row(f"  {dtype}", *cells(found[way]))
        console.print(table)
    for line in hazard_legend():
        console.print(line)


def input_words(name: str) -> str:
    """Return along which input of a gated function something is measured."""
    return {"gate": _("along the gate"), "value": _("along the value")}[name]


HazardCells = Callable[[Mapping[str, Any]], tuple[str, ...]]


def hazard_columns() -> list[tuple[tuple[str, ...], HazardCells]]:
    """Return the headings and what fills their cells, in two groups as wide as a terminal."""
    first = (_("value wrong"), _("gradient wrong"), _("ULP of f"), _("of f′"))
    second = (_("ULP near 0"), _("at ∓∞"), _("gradient 0 from"))
    return [(first, _from_where), (second, _remarks)]


def hazard_way(way: str) -> str:
    """Return the word for the shipped module, or for the formula as written."""
    return {"module": _("module"), "formula": _("as written")}[way]


def hazard_legend() -> list[str]:
    """Return what the columns mean."""
    return [
        _("Wrong from that x on. ULP: the largest error in the tails (and where)."),
        _("Near 0: the larger of the two errors up to |x| = 0.5."),
    ]


def _from_where(hazards: Mapping[str, Any]) -> tuple[str, ...]:
    places = (_start_of(hazards, quantity) for quantity in ("value", "gradient"))
    return (*places, *(_tail(hazards, quantity) for quantity in ("value", "gradient")))


def _remarks(hazards: Mapping[str, Any]) -> tuple[str, ...]:
    return (_near_zero(hazards), _at_infinity(hazards), _no_gradient(hazards))


def _fault(fault: str) -> str:
    words = {
        "nan": _("NaN"),
        "inf": _("inf"),
        "error": _("inexact"),
        "overflow": _("overflow"),
    }
    return words[fault]


def _start_of(hazards: Mapping[str, Any], quantity: str) -> str:
    x = hazards[f"{quantity}_from"]
    if x is None:
        return _("nowhere")
    return f"{significant(x)} ({_fault(hazards[f'{quantity}_wrong'])})"


def _near_zero(hazards: Mapping[str, Any]) -> str:
    errors = [hazards[f"near_zero_{quantity}_ulp"] for quantity in ("value", "gradient")]
    known = [error for error in errors if error is not None]
    return significant(max(known), 2) if known else "-"


def _at_infinity(hazards: Mapping[str, Any]) -> str:
    faults = [
        hazards[f"value_at_{end}"] or hazards[f"gradient_at_{end}"] for end in ("minus_inf", "inf")
    ]
    shown = [_("right") if fault is None else _fault(fault) for fault in faults]
    return shown[0] if shown[0] == shown[1] else ", ".join(shown)


def _no_gradient(hazards: Mapping[str, Any]) -> str:
    places = (hazards["no_gradient_left"], hazards["no_gradient_right"])
    return ", ".join(significant(x, 3) for x in places if x is not None) or "-"


def _tail(hazards: Mapping[str, Any], quantity: str) -> str:
    error = hazards[f"tail_{quantity}_ulp"]
    if error is None:
        return "-"
    return f"{significant(error, 2)} ({significant(hazards[f'tail_{quantity}_at'], 3)})"
