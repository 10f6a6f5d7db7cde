"""The functions as torch modules; the only part of the catalogue that loads torch."""

from importlib import import_module
from typing import Any

import torch
from torch import nn

from actlab.activations.catalogue.entry import Entry, ParameterError
from actlab.i18n import _


def build(
    entry: Entry,
    *,
    channels: int | None = None,
    channel_dim: int = 1,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> nn.Module:
    """Return the module of an entry with the values that its parameters have.

    `channels` gives every learnable parameter one value per channel, in the dimension `channel_dim`
    of the input. With a `dtype` the parameters
    start at their values rounded to it once. Raises ParameterError where the function has nothing
    to learn.

    >>> from actlab.activations.catalogue import ENTRIES
    >>> build(ENTRIES["elu"].bind(alpha=0.5))
    ELU(alpha=0.5)
    """
    arguments: dict[str, Any] = dict(entry.values)
    if channels is not None:
        if not any(parameter.learnable for parameter in entry.parameters):
            message = _("{function} has nothing to learn, so it takes no channels.")
            raise ParameterError(message.format(function=entry.name))
        arguments["channels"] = channels
    from actlab.activations.modules.channels import along

    file, attribute = entry.factory.split(":")
    factory = getattr(import_module(f"actlab.activations.modules.{file}"), attribute)
    before = torch.get_default_dtype()
    try:
        torch.set_default_dtype(before if dtype is None else torch.float64)
        built: nn.Module = factory(**arguments)
    finally:
        torch.set_default_dtype(before)
    return along(built, channel_dim).to(device=device, dtype=dtype)
