"""The settings that benchmarks train: drawn from the published space, the same in every run."""

from dataclasses import replace

import numpy as np

from actlab.records import Setting, Space
from actlab.studies.plan.file import read_plan

SEED = 20250301
STEADY_FC = ("sigmoid", "tanh")
STEADY_RATE = 0.002


def settings(count: int) -> list[Setting]:
    """Return `count` settings; any eight in a row have every conv activation once."""
    return _drawn(read_plan("published", {}).space, count)


def steady_settings(count: int) -> list[Setting]:
    """Return `count` settings whose trainings end close together from seed to seed.

    Under the published protocol the same setting with another seed may end 40 points apart where
    the learning rate is high or the fully connected activation unbounded; a comparison of two ways
    to train would see nothing else. Left out, before any training: conv sigmoid, FC activations
    other than sigmoid and tanh, learning rates above 0.002.
    """
    space = read_plan("published", {}).space
    conv = tuple(name for name in space.conv_activation if name != "sigmoid")
    return _drawn(
        replace(
            space, conv_activation=conv, fc_activation=STEADY_FC, learning_rate_high=STEADY_RATE
        ),
        count,
    )


def _drawn(space: Space, count: int) -> list[Setting]:
    generator = np.random.default_rng(SEED)
    low, high = np.log(space.learning_rate_low), np.log(space.learning_rate_high)
    found: list[Setting] = []
    while len(found) < count:
        conv = generator.permutation(space.conv_activation)
        fc = np.resize(generator.permutation(space.fc_activation), len(conv))
        rates = np.exp(generator.uniform(low, high, len(conv)))
        found += [
            Setting(str(one), str(other), float(rate))
            for one, other, rate in zip(conv, fc, rates, strict=True)
        ]
    return found[:count]
