"""`actlab study export`: the best network of a study, to take home."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from actlab.cli.output import print_json
from actlab.cli.study.options import Json, RunFolderPath
from actlab.cli.study.own import Code, Network, check_named
from actlab.i18n import _

Out = Annotated[
    Path, typer.Option("--out", "-o", metavar="DIR", help=_("The folder to write into."))
]
Onnx = Annotated[bool, typer.Option(help=_("Write model.onnx too, and compare its outputs."))]


def export(
    path: RunFolderPath,
    *,
    out: Out = Path("exported"),
    onnx: Onnx = True,
    network: Network = None,
    code: Code = None,
    json: Json = False,
) -> None:
    """Write the network of the best trial: weights, ONNX, the lines to edit, a model card."""
    from actlab.studies.export import export as written
    from actlab.studies.run_folder import RunFolder

    folder = RunFolder.open(path)
    check_named(folder.plan(), network, code)
    found = written(folder, out, onnx=onnx)
    if json:
        print_json(
            {
                "weights": str(found.weights),
                "onnx": None if found.onnx is None else str(found.onnx),
                "onnx_difference": found.onnx_difference,
                "card": str(found.card),
                "diff": None if found.diff is None else str(found.diff),
                "changes": [asdict(one) for one in found.changes],
            }
        )
        return
    for file in (found.card, found.weights, found.onnx, found.diff):
        if file is not None:
            print(file)
