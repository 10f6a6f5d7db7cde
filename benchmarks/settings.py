"""The settings that benchmarks train: drawn from the published space, the same in every run."""

import numpy as np

from actlab.records import Setting
from actlab.studies.plan_file import read_plan

SEED = 20250301


def settings(count: int) -> list[Setting]:
    """Return `count` settings; any eight in a row have every activation once in each slot."""
    space = read_plan("published", {}).space
    generator = np.random.default_rng(SEED)
    low, high = np.log(space.learning_rate_low), np.log(space.learning_rate_high)
    found: list[Setting] = []
    while len(found) < count:
        pairs = zip(
            generator.permutation(space.conv_activation),
            generator.permutation(space.fc_activation),
            strict=True,
        )
        rates = np.exp(generator.uniform(low, high, len(space.conv_activation)))
        found += [
            Setting(str(conv), str(fc), float(rate))
            for (conv, fc), rate in zip(pairs, rates, strict=True)
        ]
    return found[:count]
