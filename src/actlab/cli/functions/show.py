"""`actlab functions show`: every fact of one function, for its parameters or for others."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actlab.cli.functions.arguments import Json, Name, Values, chosen
from actlab.cli.functions.formula import nearest_sentence
from actlab.cli.output import print_json
from actlab.errors import ActlabError
from actlab.i18n import _, process_language, translation

if TYPE_CHECKING:
    from actlab.activations import Function

Code = Annotated[
    str | None,
    typer.Option(
        "--code",
        metavar="torch|keras|jax|numpy|cpp|c",
        help=_("Print lines to paste: the function, and weights that start with its gain."),
    ),
]


Hazards = Annotated[
    bool,
    typer.Option(
        "--hazards", help=_("Measure, too, where the module and the formula go wrong, by dtype.")
    ),
]


def show(
    name: Name,
    values: Values = None,
    *,
    code: Code = None,
    hazards: Hazards = False,
    json: Json = False,
) -> None:
    """Print the facts of a function."""
    from actlab.activations import facts
    from actlab.activations.catalogue.aliases import FRAMEWORKS
    from actlab.cli.functions.tables import input_words, print_facts, print_hazards

    if ":" in name and name.partition(":")[0] not in FRAMEWORKS:
        _show_addressed(name, json=json)
        return
    function = chosen(name, values)
    if code is not None:
        _show_code(function, code, json=json)
        return
    found = facts.of(function).as_json()
    if hazards and function.kind == "structural" and function.factors is None:
        message = _("Hazards are measured of functions of one or two inputs; {name} has several.")
        raise ActlabError(message.format(name=function.name))
    measured = _hazards(function) if hazards else None
    if json:
        known = [asdict(exception) for exception in function.exceptions]
        extra = {} if measured is None else {"hazards": measured, "hazard_exceptions": known}
        print_json({**found, **extra})
        return
    from actlab.activations.pitfalls import pitfalls

    print_facts(found, pitfalls(function.pitfalls, found, translation(process_language())))
    if measured is not None:
        slices = measured if function.factors is not None else {"": measured}
        for name, of_slice in slices.items():
            if name:
                print(_("{name}, the other input at 1").format(name=input_words(name)))
            print_hazards(of_slice, module=True)
        reasons = {(exception.dtypes, exception.reason): None for exception in function.exceptions}
        for dtypes, reason in reasons:
            print(f"  - {', '.join(dtypes)}: {_(reason)}")


def _hazards(function: "Function") -> dict[str, Any]:
    """Return the hazards by dtype; of a gated function by input first, the other one at 1."""
    from actlab.activations import facts
    from actlab.activations.facts.gated import slice_of

    def by_dtype(chosen: Any) -> dict[str, Any]:
        return {dtype: found.as_json() for dtype, found in facts.hazards_by_dtype(chosen).items()}

    if function.factors is None:
        return by_dtype(function)
    return {
        "gate": by_dtype(slice_of(function, "gate")),
        "value": by_dtype(slice_of(function, "value")),
    }


def _show_addressed(address: str, *, json: bool) -> None:
    """Print the facts of what an address names: file.py:MyActivation."""
    import actlab
    from actlab.addresses import load, user_code
    from actlab.cli.functions.tables import print_facts

    thing = load(address).thing
    with user_code(address):
        made = thing() if isinstance(thing, type) else thing
        found = actlab.facts(made)
    if json:
        print_json(found.as_json())
        return
    document = found.as_json()
    print_facts(document, ())
    near = document.get("nearest")
    if near is not None:
        print(nearest_sentence(near))
    if found.smoothness is None:
        print(_("Whether it is smooth cannot be seen from its values."))


def _show_code(function: "Function", framework: str, *, json: bool) -> None:
    from actlab.activations import facts
    from actlab.activations.code_lines import checked_framework, code_lines

    gain = facts.of(function).gain_forward
    lines = code_lines(function, checked_framework(framework), gain)
    if json:
        document: dict[str, Any] = {
            "name": function.name,
            "framework": lines.framework,
            "activation": lines.activation,
            "initialisation": lines.initialisation,
            "gain_forward": gain,
        }
        print_json(document)
    else:
        print(lines.text)
