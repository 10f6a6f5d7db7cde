"""What goes into the statistics, checked once: finite numbers, matching lengths, levels."""

import math

import numpy as np
import numpy.typing as npt

from actlab.errors import ActlabError
from actlab.i18n import _

Array = npt.NDArray[np.float64]
ArrayLike = npt.ArrayLike


class StatisticsError(ActlabError):
    """Numbers that a statistic cannot be computed from."""


def sample(values: ArrayLike, minimum: int = 1) -> Array:
    """Return `values` as a vector of at least `minimum` finite numbers.

    >>> sample([1, 2])
    array([1., 2.])
    """
    found = _finite(values, dimensions=1)
    if found.size < minimum:
        raise StatisticsError(
            _("The number of values must be at least {minimum}; it is {given}.").format(
                minimum=minimum, given=found.size
            )
        )
    return found


def pair(first: ArrayLike, second: ArrayLike, minimum: int = 1) -> tuple[Array, Array]:
    """Return two vectors of one length: position i of both belongs to the same seed.

    >>> pair([1, 2], [3, 4])
    (array([1., 2.]), array([3., 4.]))
    """
    left, right = sample(first, minimum), sample(second, minimum)
    if left.size != right.size:
        raise StatisticsError(
            _(
                "Paired values need one partner each; {first} and {second} values were given. "
                "Keep the seeds that both have."
            ).format(first=left.size, second=right.size)
        )
    return left, right


def table(scores: ArrayLike, seeds: int = 1, candidates: int = 2) -> Array:
    """Return `scores` as a (seeds, candidates) array of finite numbers, at least that large.

    >>> table([[1, 2], [3, 4]]).shape
    (2, 2)
    """
    found = _finite(scores, dimensions=2)
    if found.shape[0] < seeds or found.shape[1] < candidates:
        raise StatisticsError(
            _(
                "The scores need one row per seed (at least {seeds}) and one column per candidate "
                "(at least {candidates}); the shape given is {shape}."
            ).format(seeds=seeds, candidates=candidates, shape=found.shape)
        )
    return found


def fraction(name: str, value: float) -> float:
    """Return `value` where it lies strictly between 0 and 1 (a level, a confidence, a power).

    >>> fraction("confidence", 0.95)
    0.95
    """
    if not 0.0 < value < 1.0:
        raise StatisticsError(
            _("{name} must lie between 0 and 1; it is {value}.").format(name=name, value=value)
        )
    return float(value)


def not_negative(name: str, value: float) -> float:
    """Return `value` where it is a finite number >= 0.

    >>> not_negative("margin", 0.005)
    0.005
    """
    if not (math.isfinite(value) and value >= 0.0):
        raise StatisticsError(
            _("{name} must be a finite number of at least 0; it is {value}.").format(
                name=name, value=value
            )
        )
    return float(value)


def numbers(values: ArrayLike, dimensions: int) -> Array:
    """Return `values` as an array of that many dimensions; NaN and infinities may be among them.

    >>> numbers([1, 2], dimensions=1)
    array([1., 2.])
    """
    try:
        found = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise StatisticsError(_("The values must be numbers, in rows of one length.")) from error
    if found.ndim != dimensions:
        raise StatisticsError(
            _("The values must have {dimensions} dimension(s); the shape given is {shape}.").format(
                dimensions=dimensions, shape=found.shape
            )
        )
    return found


def _finite(values: ArrayLike, dimensions: int) -> Array:
    found = numbers(values, dimensions)
    if not np.isfinite(found).all():
        raise StatisticsError(
            _(
                "The values must be finite; an infinity or a NaN is among them. A replicate that "
                "diverged counts at chance level."
            )
        )
    return found
