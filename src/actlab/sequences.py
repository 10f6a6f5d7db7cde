"""The layers of a plain sequence, with those of the sequences within it in their places."""

from torch import nn


def sequence_layers(sequence: nn.Module) -> list[tuple[str, nn.Module]]:
    """Return the layers that a sequence applies one after the other, by their dotted names.

    The layers of a sequence within it take its place, where that is a plain `nn.Sequential`
    without hooks: applying them in turn is then all that it does.

    >>> inner = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    >>> [name for name, _layer in sequence_layers(nn.Sequential(nn.Flatten(), inner))]
    ['0', '1.0', '1.1']
    """
    found: list[tuple[str, nn.Module]] = []
    for name, layer in sequence.named_children():
        if type(layer) is nn.Sequential and not _hooked(layer):
            found += [(f"{name}.{inner}", each) for inner, each in sequence_layers(layer)]
        else:
            found.append((name, layer))
    return found


def _hooked(layer: nn.Module) -> bool:
    hooks = (
        layer._forward_hooks,
        layer._forward_pre_hooks,
        layer._backward_hooks,
        layer._backward_pre_hooks,
    )
    return any(map(len, hooks))
