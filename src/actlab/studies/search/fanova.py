"""fANOVA: which share of the variance of a score over the space each parameter explains alone.

A random forest learns the score from the settings. Each of its trees is constant on boxes: a set of
choices for every category, an interval for every range. So the marginal of a parameter (the mean
prediction over all others) and its variance are sums over boxes, whose sizes are known.
Hutter, Hoos and Leyton-Brown 2014, ICML, PMLR 32(1), 754-762.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Choices = tuple[str, ...]
Range = tuple[float, float]

MOST_SAMPLES = 4_000
"""A tree is grown on at most so many trials, drawn for each."""

_LEAF = -1


@dataclass(frozen=True)
class _Tree:
    """The leaves of a tree: what each predicts, and the box of each.

    `chosen` says by parameter which choices a leaf takes, `interval` which part of a range.
    """

    predictions: Array
    chosen: Mapping[str, NDArray[np.bool_]]
    interval: Mapping[str, Array]

    def widths(self, space: Mapping[str, Choices | Range]) -> dict[str, Array]:
        """Return which share of a parameter each leaf takes, by parameter."""
        found = {name: taken.mean(axis=1) for name, taken in self.chosen.items()}
        for name, ends in self.interval.items():
            low, high = (float(end) for end in space[name])
            found[name] = (ends[:, 1] - ends[:, 0]) / (high - low)
        return found


def shares_of_variance(
    space: Mapping[str, Choices | Range],
    settings: Sequence[Mapping[str, Any]],
    scores: Sequence[float],
    *,
    trees: int,
    seed: int,
) -> dict[str, float]:
    """Return the share that each parameter explains alone; empty where nothing varies.

    `space` has choices or an interval by parameter, each setting a value. All choices of a
    category count alike, and so do all parts of an interval. The shares need not add up to 1: the
    rest is interaction.

    >>> space = {"act": ("relu", "tanh"), "rate": (0.0, 1.0)}
    >>> settings = [{"act": n, "rate": r / 10} for n in ("relu", "tanh") for r in range(10)]
    >>> scores = [0.5 if setting["act"] == "relu" else 0.75 for setting in settings]
    >>> shares_of_variance(space, settings, scores, trees=4, seed=1)
    {'act': 1.0, 'rate': 0.0}
    """
    from sklearn.ensemble import RandomForestRegressor

    varied = {name: values for name, values in space.items() if len(set(values)) > 1}
    if not varied:
        return {}
    table = np.column_stack([_columns(varied[name], settings, name) for name in varied])
    forest = RandomForestRegressor(
        trees, max_samples=min(len(settings), MOST_SAMPLES), random_state=seed
    )
    forest.fit(table, np.asarray(scores))
    found = [_shares(_tree(one.tree_, varied), varied) for one in forest.estimators_]
    told = [shares for shares in found if shares]
    if not told:
        return {}
    means = {name: float(np.mean([shares[name] for shares in told])) for name in varied}
    return {name: means.get(name, 0.0) for name in space}


def _columns(values: Choices | Range, settings: Sequence[Mapping[str, Any]], name: str) -> Array:
    """Return a column per choice, 1 where it is chosen; or the value itself."""
    given = [setting[name] for setting in settings]
    if isinstance(values[0], str):
        return np.array([[one == choice for choice in values] for one in given], dtype=np.float64)
    return np.array(given, dtype=np.float64)[:, None]


def _tree(tree: Any, space: Mapping[str, Choices | Range]) -> _Tree:
    """Return the leaves of one of scikit-learn's trees, in which parents come before children."""
    owner = [
        (name, place)
        for name, values in space.items()
        for place in (range(len(values)) if isinstance(values[0], str) else (None,))
    ]
    count = tree.node_count
    chosen = {
        name: np.ones((count, len(values)), dtype=bool)
        for name, values in space.items()
        if isinstance(values[0], str)
    }
    interval = {
        name: np.tile(np.array(values, dtype=np.float64), (count, 1))
        for name, values in space.items()
        if name not in chosen
    }
    boxes = (*chosen.values(), *interval.values())
    for node, (left, right) in enumerate(zip(tree.children_left, tree.children_right, strict=True)):
        if left == _LEAF:
            continue
        for box in boxes:
            box[left] = box[right] = box[node]
        name, place = owner[tree.feature[node]]
        if place is None:
            interval[name][left, 1] = interval[name][right, 0] = tree.threshold[node]
        else:
            chosen[name][left, place] = False
            chosen[name][right] &= np.arange(len(space[name])) == place
    leaves = tree.children_left == _LEAF
    return _Tree(
        tree.value[leaves, 0, 0],
        {name: box[leaves] for name, box in chosen.items()},
        {name: box[leaves] for name, box in interval.items()},
    )


def _shares(tree: _Tree, space: Mapping[str, Choices | Range]) -> dict[str, float]:
    widths = tree.widths(space)
    volumes = np.prod(list(widths.values()), axis=0)
    variance = _variance(tree.predictions, volumes)
    if variance <= 0.0:
        return {}
    found = {}
    for name in space:
        others = np.prod([width for other, width in widths.items() if other != name], axis=0)
        parts = tree.predictions * others
        if name in tree.chosen:
            marginal = parts @ tree.chosen[name]
            sizes = np.full(marginal.size, 1 / marginal.size)
        else:
            marginal, sizes = _along(parts, tree.interval[name])
        found[name] = _variance(marginal, sizes) / variance
    return found


def _along(parts: Array, interval: Array) -> tuple[Array, Array]:
    """Return the sum of the parts whose interval covers a piece, and the pieces' sizes."""
    ends, places = np.unique(interval, return_inverse=True)
    steps = np.zeros(ends.size)
    low, high = places.reshape(interval.shape).T
    np.add.at(steps, low, parts)
    np.add.at(steps, high, -parts)
    sizes = np.diff(ends)
    return np.cumsum(steps)[:-1], sizes / sizes.sum()


def _variance(values: Array, weights: Array) -> float:
    mean = np.average(values, weights=weights)
    return float(np.average((values - mean) ** 2, weights=weights))
