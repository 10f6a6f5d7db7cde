"""Whether a network looks its inputs up in an embedding: then they are token ids, not amounts."""

import torch
from torch import Tensor

from actlab.capture.trace import Value
from actlab.errors import ActlabError
from actlab.networks.activation_calls import record_pass
from actlab.networks.from_address import factory


def looks_up(address: str, ids: Tensor) -> bool:
    """Return whether the network at `address` looks `ids`, rows of whole numbers, up in a table.

    One that does not run on whole numbers looks nothing up.
    """
    try:
        with torch.random.fork_rng(devices=[]):
            trace, _modules, _output = record_pass(factory(address)().eval(), ids)
    except ActlabError:
        return False
    return any(
        _comes_from(ids, value)
        for call in trace.calls
        if call.op in ("embedding", "embedding_bag")
        for value in call.inputs
        if not value.tensor.is_floating_point()
    )


def _comes_from(given: Tensor, value: Value) -> bool:
    waiting, seen = [value], set[int]()
    while waiting:
        one = waiting.pop()
        if one.call is None and one.tensor is given:
            return True
        if one.call is not None and one.call.index not in seen:
            seen.add(one.call.index)
            waiting.extend(one.call.inputs)
    return False
