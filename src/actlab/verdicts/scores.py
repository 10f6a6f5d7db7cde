"""A table of scores: one per candidate and seed, those of failed runs among them."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of candidates, shape (candidates, seeds).

    `ran` says which runs there are; a run that failed has the value NaN. Where the scores are not
    `paired`, a column is no seed that candidates share, only a place. `failures` of `runs` are
    given where a value stands for several runs: the mean of a block.
    """

    candidates: tuple[str, ...]
    values: NDArray[np.float64]
    ran: NDArray[np.bool_]
    paired: bool = True
    failures: NDArray[np.int_] | None = None
    runs: NDArray[np.int_] | None = None

    @property
    def trained(self) -> NDArray[np.bool_]:
        """Return which runs there are that did not fail."""
        return self.ran & ~np.isnan(self.values)

    @property
    def seeds(self) -> int:
        """Return the number of seeds; of a candidate's most runs where nothing is paired."""
        return int(self.values.shape[1])


def scores_by_seed(rows: Mapping[str, Mapping[Hashable, float | None]]) -> Scores:
    """Return the table of scores by candidate and seed; None and NaN are runs that failed.

    >>> found = scores_by_seed({"relu": {0: 0.9, 1: 0.8}, "tanh": {1: None}})
    >>> found.ran.tolist(), found.trained.tolist()
    ([[True, True], [False, True]], [[True, True], [False, False]])
    """
    every = dict.fromkeys(seed for row in rows.values() for seed in row)
    seeds = {seed: place for place, seed in enumerate(every)}
    values = np.full((len(rows), len(seeds)), np.nan)
    ran = np.zeros((len(rows), len(seeds)), dtype=np.bool_)
    for lane, row in enumerate(rows.values()):
        places = [seeds[seed] for seed in row]
        values[lane, places] = [np.nan if score is None else score for score in row.values()]
        ran[lane, places] = True
    return Scores(tuple(rows), values, ran)
