"""The random numbers of a training: what layers, losses and augmentations draw, from its seed.

torch's generators, NumPy's global one and Python's: a network of the user's may draw from any.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def seed_generators(seed: int) -> None:
    """Let every global generator begin with `seed` (up to 64 bits).

    >>> seed_generators(3)
    >>> first = random.random(), float(np.random.random()), float(torch.rand(()))
    >>> seed_generators(3)
    >>> first == (random.random(), float(np.random.random()), float(torch.rand(())))
    True
    """
    torch.manual_seed(seed)
    random.seed(seed)
    # The global generator is the one that a user's code draws from; it takes words of 32 bits.
    np.random.seed([seed & 0xFFFFFFFF, seed >> 32])


@contextmanager
def kept_generators() -> Iterator[None]:
    """Give the process its random numbers back at the end, as if nothing had been drawn."""
    python, numpy = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng():
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
