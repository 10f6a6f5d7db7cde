"""Named splits, drawn from a seed: train, valid_epoch and valid_trial, and the test split apart."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actlab.data.dataset import Dataset, Division, Examples, first_groups
from actlab.errors import DataError
from actlab.i18n import _
from actlab.records import SplitSizes

_TEST_STREAM = 1
"""Second word of the test split's seed, so that its draw is independent of the others'."""


@dataclass(frozen=True)
class Splits:
    """What training may see: three parts of the training pool without overlap."""

    train: Examples
    valid_epoch: Examples
    valid_trial: Examples


def draw_splits(
    dataset: Dataset, sizes: SplitSizes, seed: int, avoided: int | None = None
) -> Splits:
    """Draw train, valid_epoch and valid_trial at random, without overlap, from the training pool.

    With `avoided` no row is among those that a draw with that seed gives; `has_unseen_rows` says
    whether enough others are left.

    Raises DataError where `sizes` asks for more than the data set has.

    >>> from actlab.data import open_dataset
    >>> splits = draw_splits(open_dataset("digits"), SplitSizes(800, 300, 300, 397), seed=1)
    >>> splits.train.images.shape
    (800, 1, 8, 8)
    """
    if dataset.division is not None:
        return _divided(dataset, dataset.division, sizes, seed)
    _check(dataset, sizes)
    order = _drawn(dataset, sizes, seed, avoided)
    first, second = sizes.train, sizes.train + sizes.valid_epoch
    last = second + sizes.valid_trial
    pool = dataset.training_pool
    return Splits(
        train=pool.take(order[:first]),
        valid_epoch=pool.take(order[first:second]),
        valid_trial=pool.take(order[second:last]),
    )


def _divided(dataset: Dataset, division: Division, sizes: SplitSizes, seed: int) -> Splits:
    """Return the splits of a pool whose rows are not free to go anywhere.

    Groups are drawn from the seed; in the order of time, and as given, every seed has the same.
    """
    pool, keys = dataset.training_pool, division.keys
    generator = np.random.default_rng(seed)
    if division.kind == "time":
        order = np.argsort(keys, kind="stable")
        ends = np.cumsum([sizes.train, sizes.valid_epoch, sizes.valid_trial])
        parts = np.split(order[: ends[-1]], ends[:-1])
    elif division.kind == "split":
        parts = _as_given(keys)
    else:
        parts = _by_group(keys, sizes, generator)
    if any(len(part) == 0 for part in parts):
        message = _(
            "{name} must have rows for train, valid_epoch and valid_trial; by {kind} they have "
            "{counts}. Give it more groups, or split another way."
        )
        counts = ", ".join(str(len(part)) for part in parts)
        raise DataError(message.format(name=dataset.name, kind=division.kind, counts=counts))
    train, epoch, trial = (pool.take(np.asarray(part, dtype=np.int64)) for part in parts)
    return Splits(train, epoch, trial)


def sizes_as_given(dataset: Dataset) -> SplitSizes | None:
    """Return the sizes of splits that the data give themselves, None where they give none."""
    if dataset.division is None or dataset.division.kind != "split":
        return None
    train, epoch, trial = map(len, _as_given(dataset.division.keys))
    return SplitSizes(train, epoch, trial, len(dataset.test_pool))


def _as_given(keys: NDArray[Any]) -> list[NDArray[np.int64]]:
    """Return the rows of each split; those of `valid` alternate between the two for validation."""
    train, valid = np.flatnonzero(keys == "train"), np.flatnonzero(keys == "valid")
    if len(valid):
        return [train, valid[::2], valid[1::2]]
    return [train, np.flatnonzero(keys == "valid_epoch"), np.flatnonzero(keys == "valid_trial")]


def _by_group(
    keys: NDArray[Any], sizes: SplitSizes, generator: np.random.Generator
) -> list[NDArray[np.int64]]:
    """Return rows such that each group is in one split, with about the sizes asked for."""
    left = np.arange(len(keys))
    parts = []
    for size in (sizes.valid_trial, sizes.valid_epoch):
        if len(np.unique(keys[left])) < 2:
            return [left, np.array([], dtype=np.int64), np.array([], dtype=np.int64)]
        chosen = np.isin(keys[left], first_groups(keys[left], size, generator))
        parts.append(left[chosen])
        left = left[~chosen]
    return [generator.permutation(left), parts[1], parts[0]]


def has_unseen_rows(pool: int, sizes: SplitSizes) -> bool:
    """Return whether a training pool of that size holds a second draw without a row of the first.

    >>> has_unseen_rows(60_000, SplitSizes(3000, 2000, 5000, 10_000))
    True
    >>> has_unseen_rows(1400, SplitSizes(800, 250, 350, 397))
    False
    """
    return 2 * _drawn_rows(sizes) <= pool


def final_test_split(dataset: Dataset, sizes: SplitSizes, seed: int) -> Examples:
    """Return the test split: for a final figure, after every choice was made, and nothing else.

    Raises DataError where `sizes` asks for more than the data set has.

    >>> from actlab.data import open_dataset
    >>> len(final_test_split(open_dataset("digits"), SplitSizes(800, 300, 300, 100), seed=1))
    100
    """
    if dataset.division is not None:
        return dataset.test_pool
    _check(dataset, sizes)
    order = np.random.default_rng((seed, _TEST_STREAM)).permutation(len(dataset.test_pool))
    return dataset.test_pool.take(np.sort(order[: sizes.test]))


def class_counts(dataset: Dataset, sizes: SplitSizes, seed: int) -> dict[str, tuple[int, ...]]:
    """Return the number of images of each class, in order of the classes, for every split.

    Raises DataError where `sizes` asks for more than the data set has.

    >>> from actlab.data import open_dataset
    >>> counts = class_counts(open_dataset("digits"), SplitSizes(800, 300, 300, 397), seed=1)
    >>> list(counts), sum(counts["train"])
    (['train', 'valid_epoch', 'valid_trial', 'test'], 800)
    """
    splits = draw_splits(dataset, sizes, seed)
    parts = {**vars(splits), "test": final_test_split(dataset, sizes, seed)}
    if not np.issubdtype(dataset.training_pool.labels.dtype, np.integer):
        return {}
    return {
        name: tuple(np.bincount(part.labels, minlength=dataset.classes).tolist())
        for name, part in parts.items()
    }


def size_faults(name: str, pools: tuple[int, int], sizes: SplitSizes) -> tuple[str, ...]:
    """Return a sentence for each way in which `sizes` does not fit `pools` (training, test).

    valid_trial alone may be 0: what is reported is then the figure on valid_epoch.

    >>> size_faults("digits", (1400, 397), SplitSizes(800, 300, 300, 397))
    ()
    """
    faults = [
        _("The split {split} must have at least 1 image; it has {count}.").format(
            split=split, count=count
        )
        for split, count in asdict(sizes).items()
        if count < (0 if split == "valid_trial" else 1)
    ]
    asked = _drawn_rows(sizes)
    if asked > pools[0]:
        faults.append(
            _(
                "{name} has {available} training images; train, valid_epoch and valid_trial ask "
                "for {asked} together. Make them smaller."
            ).format(name=name, available=pools[0], asked=asked)
        )
    if sizes.test > pools[1]:
        faults.append(
            _("{name} has {available} test images; test asks for {asked}. Make it smaller.").format(
                name=name, available=pools[1], asked=sizes.test
            )
        )
    return tuple(faults)


def _drawn(
    dataset: Dataset, sizes: SplitSizes, seed: int, avoided: int | None
) -> NDArray[np.int64]:
    """Return the rows of the pool in the order in which they are dealt to the splits."""
    pool = len(dataset.training_pool)
    generator = np.random.default_rng(seed)
    if avoided is None:
        return _shuffled(dataset, np.arange(pool), generator)
    if not has_unseen_rows(pool, sizes):
        message = _(
            "{name} has {pool} training images, too few for two draws of {asked} without a common "
            "one. Make the splits smaller."
        )
        asked = _drawn_rows(sizes)
        raise DataError(message.format(name=dataset.name, pool=pool, asked=asked))
    seen = _drawn(dataset, sizes, avoided, None)[: _drawn_rows(sizes)]
    return _shuffled(dataset, np.setdiff1d(np.arange(pool), seen), generator)


def _shuffled(
    dataset: Dataset, rows: NDArray[np.int64], generator: np.random.Generator
) -> NDArray[np.int64]:
    """Return rows in a random order; of a user's data, such that every stretch has all classes.

    Each class is spread evenly over the order, so that each split has its share of it.
    """
    if not dataset.class_names:
        return generator.permutation(rows)
    labels = dataset.training_pool.labels[rows]
    places = np.empty(len(rows))
    for label in np.unique(labels):
        own = generator.permutation(np.flatnonzero(labels == label))
        places[own] = (np.arange(len(own)) + generator.random(len(own))) / len(own)
    return rows[np.argsort(places, kind="stable")]


def _drawn_rows(sizes: SplitSizes) -> int:
    return sizes.train + sizes.valid_epoch + sizes.valid_trial


def _check(dataset: Dataset, sizes: SplitSizes) -> None:
    pools = (len(dataset.training_pool), len(dataset.test_pool))
    faults = size_faults(dataset.name, pools, sizes)
    if faults:
        raise DataError(" ".join(faults))
