"""What the activations of a study cost on this machine: measured once, kept in the run folder."""

import json

from actlab.errors import RunFolderError
from actlab.files import write_bytes
from actlab.i18n import _
from actlab.studies.run_folder import RunFolder


def measure_costs(folder: RunFolder) -> None:
    """Measure the time of every activation relative to a copy, unless that was done before."""
    from actlab.activations import facts, get

    if folder.costs_path.exists():
        return
    space = folder.plan().space
    names = dict.fromkeys((*space.conv_activation, *space.fc_activation))
    found = {name: facts.cost(get(name)).forward_ratio for name in names}
    write_bytes(folder.costs_path, json.dumps(found, indent=2).encode() + b"\n")


def known_costs(folder: RunFolder) -> dict[str, float]:
    """Return the costs by activation; none before they were measured."""
    if not folder.costs_path.exists():
        return {}
    try:
        found = json.loads(folder.costs_path.read_bytes())
        return {str(name): float(cost) for name, cost in found.items()}
    except (ValueError, AttributeError, TypeError):
        message = _("{path} is not what actlab wrote: the file has been altered. Delete it.")
        raise RunFolderError(message.format(path=folder.costs_path)) from None
