"""The best trial's network as files: weights, ONNX, the lines to change, and a card."""

import io
import json
import logging
import warnings
from dataclasses import asdict, dataclass
from difflib import unified_diff
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actlab.errors import ActlabError, RunFolderError, missing_extra, os_errors_as
from actlab.files import write_bytes, write_text
from actlab.i18n import _
from actlab.networks import is_address
from actlab.records import Record, best_record
from actlab.studies.export.card import card
from actlab.studies.run_folder import RunFolder
from actlab.studies.search import best_weights

if TYPE_CHECKING:
    from torch import Tensor, nn

    from actlab.networks.written_lines import Change

TOLERANCE = 1e-4
"""How far the outputs of the ONNX file may be from the module's, relative to the largest."""


@dataclass(frozen=True)
class Export:
    """What was written: the network itself and the files.

    `onnx` is None where no ONNX was asked for; `onnx_difference` is the largest difference of its
    outputs from the module's, relative to the largest output, None where it could not be run.
    `changes` are the lines of the user's source to edit, empty for a built-in network.
    """

    network: "nn.Module"
    weights: Path
    card: Path
    onnx: Path | None
    onnx_difference: float | None
    changes: "tuple[Change, ...]"
    diff: Path | None


def export(folder: RunFolder, target: Path, *, onnx: bool = True) -> Export:
    """Write the network of the best trial of a search into the folder `target`.

    `model.pt` is its state dict, `model.onnx` the same for other programs (any number of rows),
    `changes.diff` and `changes.json` are the edits of the user's source that make it, `README.md`
    is the model card. A network of the user's is built again, by its own code.

    Raises RunFolderError where no trial has completed or its weights are gone, MissingExtraError
    where ONNX is asked for and its packages are missing, ActlabError where the ONNX file gives
    other outputs than the module.
    """
    import torch

    if onnx:
        for library in ("onnx", "onnxscript", "onnxruntime"):
            _required(library)
    best = _best(folder)
    network, example = trained_network(folder)
    message = _("The folder {path} cannot be written: {reason}.")
    with os_errors_as(RunFolderError, message, path=target):
        target.mkdir(parents=True, exist_ok=True)
        content = io.BytesIO()
        torch.save(network.state_dict(), content)
        weights = write_bytes(target / "model.pt", content.getvalue())
        exported = _write_onnx(network, example, target / "model.onnx") if onnx else None
        edits = source_changes(folder, best)
        diff = _write_changes(target, edits) if edits else None
        difference = exported[1] if exported else None
        text = card(folder, best, edits, difference)
        page = write_text(target / "README.md", text)
    path = exported[0] if exported else None
    return Export(network, weights, page, path, difference, edits, diff)


def trained_network(folder: RunFolder) -> "tuple[nn.Module, Tensor]":
    """Return the best trial's network with its weights, on the CPU and in eval mode, and two rows.

    A network of the user's comes as their own class, unless the protocol put a softmax behind it.
    """
    import torch

    from actlab import networks, training
    from actlab.studies.worker.inputs import example_rows

    best, plan = _best(folder), folder.plan()
    if plan.training.function is not None:
        message = _("The whole training of this study is a function: no network of it is kept.")
        raise RunFolderError(message)
    kept = best_weights.kept(folder, best)
    if kept is None:
        message = _("The weights of trial {number} are gone: actlab study resume {path}")
        raise RunFolderError(message.format(number=best.number, path=folder.path))
    weights = training.weights_from_bytes(kept)
    rows = example_rows(plan.data)
    with torch.random.fork_rng(devices=[]):
        built = networks.build(
            plan.network,
            best.setting.conv_activation,
            best.setting.fc_activation,
            plan.protocol.head,
            further=dict(best.setting.slots),
            example=rows if is_address(plan.network) else None,
            init=plan.init,
        )
    built.load_state_dict(weights)
    network: nn.Module = built
    if is_address(plan.network) and len(built) == 1:
        network = built[0]
    return network.eval(), rows


def source_changes(folder: RunFolder, best: Record) -> "tuple[Change, ...]":
    """Return the edits of the user's source for the best setting; none for a built-in network."""
    plan = folder.plan()
    if not is_address(plan.network):
        return ()
    from actlab.networks.from_address import factory
    from actlab.networks.written_lines import changes
    from actlab.studies.worker.inputs import example_rows

    return changes(factory(plan.network), example_rows(plan.data), best.setting.activations)


def _best(folder: RunFolder) -> Record:
    best = best_record(folder.records())
    if best is None:
        message = _("{path} has no trial that completed, so there is nothing to export.")
        raise RunFolderError(message.format(path=folder.path))
    return best


def _required(library: str) -> Any:
    try:
        return import_module(library)
    except ImportError:
        raise missing_extra(library) from None


def _write_onnx(network: "nn.Module", example: "Tensor", path: Path) -> tuple[Path, float]:
    """Write the network as ONNX and return how far its outputs are from the module's."""
    import torch

    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network,
            (example,),
            input_names=["input"],
            output_names=["output"],
            dynamic_shapes=({0: torch.export.Dim.DYNAMIC},),
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    write_bytes(path, program.model_proto.SerializeToString())
    session = _required("onnxruntime").InferenceSession(path.read_bytes())
    with torch.no_grad():
        rows = torch.cat([example, example.flip(0), example[:1]])  # another number of rows
        expected = network(rows)
    (found,) = session.run(None, {"input": rows.numpy()})
    largest = float(expected.abs().max()) or 1.0
    difference = float((torch.from_numpy(found) - expected).abs().max()) / largest
    if not difference <= TOLERANCE:
        message = _(
            "The ONNX file gives other outputs than the module: they differ by {share:.2g}."
        )
        raise ActlabError(message.format(share=difference))
    return path, difference


def _write_changes(target: Path, edits: "tuple[Change, ...]") -> Path:
    from actlab.addresses import shown_path
    from actlab.networks.written_lines import edited, source_of

    document = {"format_version": 1, "changes": [asdict(one) for one in edits]}
    write_text(target / "changes.json", json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    texts: list[str] = []
    for file in sorted({one.file for one in edits if one.file is not None and one.new}):
        source = source_of(file)
        after = edited(source, tuple(one for one in edits if one.file == file))
        lines = (source.splitlines(keepends=True), after.splitlines(keepends=True))
        texts += unified_diff(*lines, shown_path(file), shown_path(file))
    return write_text(target / "changes.diff", "".join(texts))
