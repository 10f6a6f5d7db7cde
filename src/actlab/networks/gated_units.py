"""A gated linear unit in place of an activation, at the same number of parameters.

A gated unit takes two values for each that it gives, so the layer before it must give twice as many
as the layer after it takes. The hidden width h between a layer of d inputs and one of o outputs
becomes h' = h (d + 1 + o) / (2 (d + 1) + o), rounded, which keeps the number of weights.

Source: Shazeer 2020, GLU Variants Improve Transformer, arXiv:2002.05202 (two thirds of the width).
"""

import torch
from torch import nn

from actlab.errors import SlotError
from actlab.i18n import _
from actlab.networks.activation_slots import Place
from actlab.records import GatedWidth


def halves(module: nn.Module) -> bool:
    """Return whether a module gives half as many values as it takes in the last dimension.

    >>> halves(nn.GLU()), halves(nn.ReLU())
    (True, False)
    """
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            output = module(torch.zeros(2, 8))
    except Exception:  # it takes something else
        return False
    return isinstance(output, torch.Tensor) and tuple(output.shape) == (2, 4)


def gated_width(model: nn.Module, place: Place, candidate: str) -> GatedWidth:
    """Return what becomes of the layers around a place that a gated unit is put in.

    Raises SlotError where the width between them is not free to change.
    """
    before, after = _around(model, place, candidate)
    width = before.out_features
    per_unit = before.in_features + (before.bias is not None)
    taken = after.out_features
    new = max(1, round(width * (per_unit + taken) / (2 * per_unit + taken)))
    rest = taken if after.bias is not None else 0
    return GatedWidth(
        slot=place.slot.path,
        candidate=candidate,
        width=width,
        new_width=new,
        parameters=width * (per_unit + taken) + rest,
        new_parameters=new * (2 * per_unit + taken) + rest,
    )


def widen(model: nn.Module, place: Place, candidate: str) -> list[tuple[str, str, nn.Module]]:
    """Give the layers around a place their new widths; return what was there, by owner and name.

    Their weights are drawn by torch's defaults.
    """
    before, after = _around(model, place, candidate)
    new = gated_width(model, place, candidate).new_width
    paths = place.around
    assert paths is not None, "there are layers around it"
    made = (
        nn.Linear(before.in_features, 2 * new, before.bias is not None, **_kind(before)),
        nn.Linear(new, after.out_features, after.bias is not None, **_kind(after)),
    )
    replaced: list[tuple[str, str, nn.Module]] = []
    for path, layer in zip(paths, made, strict=True):
        owner_path, _dot, name = path.rpartition(".")
        owner = model.get_submodule(owner_path)
        replaced.append((owner_path, name, owner._modules[name]))  # type: ignore[arg-type]
        owner._modules[name] = layer
    return replaced


def _kind(layer: nn.Linear) -> dict[str, torch.device | torch.dtype]:
    return {"device": layer.weight.device, "dtype": layer.weight.dtype}


def _around(model: nn.Module, place: Place, candidate: str) -> tuple[nn.Linear, nn.Linear]:
    layers = [model.get_submodule(path) for path in place.around or ()]
    plain = [layer for layer in layers if type(layer) is nn.Linear]
    if len(plain) == 2 and all(layer.weight.requires_grad for layer in plain):
        return plain[0], plain[1]
    message = _(
        "{candidate} gives half as many values as it takes, so the width around {path} must "
        "change; that needs one nn.Linear right before it and one after it (dropout may lie "
        "between), each used once and not frozen. Leave {candidate} out, or write such a block."
    )
    raise SlotError(message.format(candidate=candidate, path=place.slot.path))
