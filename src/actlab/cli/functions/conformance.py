"""`actlab functions test`, `vectors`, `identify`: is this kernel that function; which is it?"""

import json as text_json
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from actlab.cli.functions.arguments import Json, Name, Values, chosen
from actlab.cli.output import print_json
from actlab.errors import ActlabError
from actlab.i18n import _
from actlab.text import significant

Target = Annotated[
    str, typer.Argument(metavar="TARGET", help=_("FILE.py:THING, module:THING, or FILE.onnx."))
]
As = Annotated[str, typer.Option("--as", metavar="NAME", help=_("The function that it should be."))]
DType = Annotated[
    str,
    typer.Option("--dtype", metavar="float32|bfloat16|float16|float64", help=_("In which type.")),
]
Output = Annotated[
    Path, typer.Option("-o", "--output", metavar="FILE.json|npz", help=_("Where to write."))
]
Model = Annotated[bool, typer.Option("--model", help=_("Name the activations of a whole model."))]


def compare_kernel(
    target: Target,
    values: Values = None,
    *,
    name: As,
    dtype: DType = "float32",
    json: Json = False,
) -> None:
    """Compare a kernel with a function; exit with 1 where it is another."""
    from actlab.activations.conformance import check

    function = chosen(name, values)
    kernel, gradients = _kernel(target)
    report = check(kernel, function, dtype, gradients=gradients)
    if json:
        print_json(report.as_json())
    else:
        for row in report.checks:
            mark = "✓" if row.ok else "✗"
            error = "" if row.worst_ulp is None else f"  {significant(row.worst_ulp, 3)} ULP"
            print(f"{mark} {row.name}{error}{_where(row)}")
        words = _("It is {name} in {dtype}.") if report.ok else _("It is not {name} in {dtype}.")
        print(words.format(name=function.name, dtype=dtype))
    if not report.ok:
        raise typer.Exit(1)


def _where(row: Any) -> str:
    if row.ok or row.at is None:
        return ""
    message = _("at x = {x}: {given}, not {true}")
    shown = {key: significant(getattr(row, key), 6) for key in ("at", "given", "true")}
    return "  " + message.format(x=shown["at"], given=shown["given"], true=shown["true"])


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


def identify(target: Target, *, model: Model = False, json: Json = False) -> None:
    """Name what a module, a callable or each activation of a model computes."""
    from actlab.activations.conformance import identify as named

    thing = _loaded(target)
    found = _of_model(thing) if model else {"": named(thing)}
    if json:
        print_json({"slots": found} if model else found[""])
        return
    distance = _("distance")
    for path, row in found.items():
        place = f"{path}: " if path else ""
        far = "" if row["equal"] else f"  ({distance} {significant(row['distance'], 3)})"
        print(f"{place}{row['call']}{far}")


def _of_model(model: Any) -> dict[str, Any]:
    """Return what each leaf without weights computes, where it works number by number."""
    from torch import nn

    from actlab.activations.conformance import identify as named

    if not isinstance(model, nn.Module):
        raise ActlabError(_("--model needs a torch module."))
    found = {}
    for path, module in model.named_modules():
        leaf = not list(module.children()) and path
        passive = isinstance(module, nn.Dropout | nn.Flatten | nn.Identity)
        if not leaf or passive or (hasattr(module, "weight") and not isinstance(module, nn.PReLU)):
            continue
        try:
            found[path] = named(module)
        except ActlabError:
            continue
    return found


def _loaded(address: str) -> Any:
    from actlab.addresses import load, user_code

    thing = load(address).thing
    if isinstance(thing, type):
        with user_code(address):
            return thing()
    return thing


def _kernel(target: str) -> tuple[Any, bool]:
    """Return a callable on tensors, and whether it has gradients."""
    if target.endswith(".onnx"):
        return _onnx(target), False
    return _loaded(target), True


def _onnx(path: str) -> Any:
    import torch

    from actlab.errors import missing_extra

    try:
        runtime = import_module("onnxruntime")
    except ImportError:
        raise missing_extra("onnxruntime") from None
    try:
        session = runtime.InferenceSession(path)
    except Exception as error:
        message = _("{path} cannot be read as ONNX: {reason}")
        raise ActlabError(message.format(path=path, reason=error)) from None
    name = session.get_inputs()[0].name

    def apply(x: torch.Tensor) -> torch.Tensor:
        (found, *_others) = session.run(None, {name: x.detach().numpy()})
        return torch.from_numpy(found)

    return apply
