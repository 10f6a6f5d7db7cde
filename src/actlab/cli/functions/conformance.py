"""`actlab functions test`, `vectors`, `identify`: is this kernel that function; which is it?"""

import json as text_json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from actlab.cli.functions.arguments import Json, Name, Values, chosen
from actlab.cli.output import print_json
from actlab.errors import ActlabError
from actlab.i18n import _
from actlab.text import significant

Target = Annotated[
    str,
    typer.Argument(
        metavar="TARGET",
        help=_("FILE.py:THING, module:THING, FILE.onnx, FILE.onnx#VALUE, or a folder of vectors."),
    ),
]
Thing = Annotated[
    str, typer.Argument(metavar="TARGET", help=_("FILE.py:THING, module:THING, or FILE.onnx."))
]
As = Annotated[str, typer.Option("--as", metavar="NAME", help=_("The function that it should be."))]
DType = Annotated[
    str,
    typer.Option("--dtype", metavar="float32|bfloat16|float16|float64", help=_("In which type.")),
]
Modes = Annotated[
    list[str] | None,
    typer.Option(
        "--mode",
        metavar="compiled|exported",
        help=_("Compare the kernel with itself, compiled or exported (may be repeated)."),
    ),
]
Output = Annotated[
    Path, typer.Option("-o", "--output", metavar="FILE.json|npz", help=_("Where to write."))
]
Model = Annotated[bool, typer.Option("--model", help=_("Name the activations of a whole model."))]
Shapes = Annotated[
    list[str] | None,
    typer.Option(
        "--input-shape",
        metavar="N,C,H,W",
        help=_("Run the model on normal numbers of this shape, to see functional calls too."),
    ),
]


def compare_kernel(
    target: Target,
    values: Values = None,
    *,
    name: As,
    dtype: DType = "float32",
    mode: Modes = None,
    json: Json = False,
) -> None:
    """Compare a kernel with a function; exit with 1 where it is another."""
    from actlab.activations.conformance import check, check_vectors

    function = chosen(name, values)
    folder = Path(target)
    if folder.is_dir():
        reports = check_vectors(folder, function)
        document: Any = {
            "ok": all(report.ok for report in reports),
            "reports": [report.as_json() for report in reports],
        }
    else:
        kernel, gradients = _kernel(target)
        with _running(target):
            report = check(kernel, function, dtype, gradients=gradients, modes=tuple(mode or ()))
        reports, document = [report], report.as_json()
    if json:
        print_json(document)
    else:
        for report in reports:
            _print_report(report)
    if not all(report.ok for report in reports):
        raise typer.Exit(1)


def _print_report(report: Any) -> None:
    for row in report.checks:
        mark = "·" if row.reported else "✓" if row.ok else "✗"
        error = "" if row.worst_ulp is None else f"  {significant(row.worst_ulp, 3)} ULP"
        print(f"{mark} {_words(row.name)}{error}{_where(row)}")
    words = _("It is {name} in {dtype}.") if report.ok else _("It is not {name} in {dtype}.")
    print(words.format(name=report.function, dtype=report.dtype))


def _words(check: str) -> str:
    return {
        "value": _("value"),
        "gradient": _("gradient"),
        "gradient at a kink": _("gradient at a kink"),
        "second derivative": _("second derivative"),
        "infinite input": _("infinite input"),
        "NaN kept": _("NaN kept"),
        "dtype": _("type kept"),
        "shape": _("shape kept"),
        "input kept": _("input kept"),
        "determinism": _("the same twice"),
        "strided input": _("strided input"),
        "compiled": _("compiled"),
        "exported": _("exported"),
        "relative error in the tails": _("relative error in the tails"),
        "gradient 0 from": _("gradient exactly 0 from"),
    }[check]


def _where(row: Any) -> str:
    if row.reported:
        return f"  x = {significant(row.at, 6)}"
    if row.ok or row.given is None:
        return ""
    shown = {
        key: significant(value, 6)
        for key in ("at", "given", "true")
        if (value := getattr(row, key)) is not None
    }
    if "at" in shown:
        return "  " + _("at x = {at}: {given}, not {true}").format(**shown)
    return "  " + _("{given}, not {true}").format(**shown)


def vectors(name: Name, values: Values = None, *, output: Output, json: Json = False) -> None:
    """Write inputs with true values and gradients, for ports in other languages."""
    from actlab.activations.conformance import vectors as made
    from actlab.errors import writing
    from actlab.files import write_bytes

    function = chosen(name, values)
    tables = {dtype: made(function, dtype) for dtype in ("float32", "float16", "bfloat16")}
    document = {"function": function.name, "parameters": function.values, "dtypes": tables}
    if output.suffix == ".npz":
        import io

        import numpy as np

        columns = {f"{d}_{k}": np.array(v) for d, table in tables.items() for k, v in table.items()}
        stream = io.BytesIO()
        np.savez(stream, **columns)  # type: ignore[arg-type]  # columns are arrays, not options
        content = stream.getvalue()
    elif output.suffix == ".json":
        content = text_json.dumps(document).encode()
    else:
        message = _('Vectors are written to .json or .npz, not to "{suffix}".')
        raise ActlabError(message.format(suffix=output.suffix))
    with writing(output, "-o"):
        write_bytes(output, content)
    if json:
        print_json({"vectors": str(output), "function": function.name})
    else:
        print(output)


def identify(
    target: Thing,
    *,
    model: Model = False,
    input_shape: Shapes = None,
    json: Json = False,
) -> None:
    """Name what a module, a callable or each activation of a model computes.

    With --model the names that a configuration gives are held against what was found; exit with 1
    where one is not there.
    """
    from actlab.activations.conformance import (
        configured_names,
        differing,
        identify_single,
        load_onnx,
    )
    from actlab.activations.conformance import identify as named

    missing: dict[str, str] = {}
    if target.partition("#")[0].endswith(".onnx"):
        found = _of_onnx(target) if model else {"": identify_single(load_onnx(target))}
    else:
        thing = _loaded(target)
        with _running(target):
            if model and not hasattr(thing, "named_modules") and callable(thing):
                thing = thing()  # it builds the model
            found = _of_model(thing, input_shape) if model else {"": named(thing)}
        if model:
            missing = differing(configured_names(getattr(thing, "config", None)), found)
    if json:
        print_json({"slots": found, "missing": missing} if model else found[""])
    else:
        _print_found(found, missing)
    if missing:
        raise typer.Exit(1)


def _print_found(found: Mapping[str, Mapping[str, Any]], missing: Mapping[str, str]) -> None:
    distance = _("distance")
    for path, row in found.items():
        place = f"{path}: " if path else ""
        far = "" if row["equal"] else f"  ({distance} {significant(row['distance'], 3)})"
        print(f"{place}{row['call']}{far}")
    for key, name in missing.items():
        message = _("The configuration has {key} = {name}, which nothing here computes.")
        print(message.format(key=key, name=name))


def _of_onnx(path: str) -> dict[str, Any]:
    from actlab.activations.conformance import identify_single, onnx_activations

    found = {}
    for name, kernels in onnx_activations(path):
        named = []
        for kernel in kernels:
            try:
                named.append(identify_single(kernel))
            except ActlabError:
                continue
            if named[-1]["equal"]:
                break
        if named:
            found[name] = named[-1] if named[-1]["equal"] else named[0]
    if not found:
        raise ActlabError(_("{path} has no activation.").format(path=path))
    return found


def _of_model(model: Any, shapes: Sequence[str] | None) -> dict[str, Any]:
    """Return what each activation computes: of one pass where there is an input, else of modules.

    The input is of the shapes that were given, or what a model of Hugging Face says of its own: an
    image as its configuration has it, or the dummy inputs, where the model runs on them.
    """
    from torch import nn

    from actlab.activations.conformance import identify as named
    from actlab.activations.conformance import identify_modules
    from actlab.networks.activation_slots import slot_functions

    if not isinstance(model, nn.Module):
        raise ActlabError(_("--model needs a torch module."))
    example = _example(model, shapes)
    called: Sequence[tuple[Any, Any]] | None = None
    if example is not None:
        try:
            called = slot_functions(model.eval(), example)
        except ActlabError:
            if shapes:
                raise
    if called is None:
        found = identify_modules(model.named_modules())
    else:
        found = {}
        for slot, function in called:
            try:
                found[slot.path] = named(function)
            except ActlabError:
                continue
    if not found:
        message = _(
            "No activation was found in {name}. Give --input-shape to see functional calls."
        )
        raise ActlabError(message.format(name=type(model).__name__))
    return found


def _example(model: Any, shapes: Sequence[str] | None) -> Any:
    import torch

    if shapes:
        generator = torch.Generator().manual_seed(0)
        made = [torch.randn(_shape(text), generator=generator) for text in shapes]
        return made[0] if len(made) == 1 else tuple(made)
    if getattr(model, "main_input_name", "") == "pixel_values":
        config = getattr(model, "config", None)
        side = getattr(config, "image_size", None) or 64
        sides = list(side) if isinstance(side, list | tuple) else [side, side]
        channels = getattr(config, "num_channels", 3)
        generator = torch.Generator().manual_seed(0)
        return {"pixel_values": torch.randn(1, channels, *sides, generator=generator)}
    try:
        dummy = dict(model.dummy_inputs)
    except (AttributeError, TypeError, ValueError, NotImplementedError):
        return None
    return {name: value for name, value in dummy.items() if isinstance(value, torch.Tensor)}


def _shape(text: str) -> list[int]:
    try:
        shape = [int(part) for part in text.split(",")]
    except ValueError:
        shape = []
    if not shape or min(shape) < 1:
        message = _('A shape is written as in 1,3,32,32; not "{given}".')
        raise ActlabError(message.format(given=text))
    return shape


def _loaded(address: str) -> Any:
    from actlab.addresses import load, user_code

    thing = load(address).thing
    if isinstance(thing, type):
        with user_code(address):
            return thing()
    return thing


def _kernel(target: str) -> tuple[Any, bool]:
    """Return a callable on tensors, and whether it has gradients."""
    if target.partition("#")[0].endswith(".onnx"):
        from actlab.activations.conformance import load_onnx

        return load_onnx(target), False
    thing = _loaded(target)
    if not callable(thing):
        message = _("{target} is no function or module, but {kind}.")
        raise ActlabError(message.format(target=target, kind=type(thing).__name__))
    return thing, True


@contextmanager
def _running(target: str) -> Iterator[None]:
    """Run the user's kernel: what it prints goes to standard error, what it raises is said."""
    from actlab.addresses import user_code

    with user_code(target):
        yield
