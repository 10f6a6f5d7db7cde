"""Regression targets as a network is trained on them, and predictions in the original units."""

import numpy as np
from numpy.typing import NDArray

from actlab.errors import DataError
from actlab.i18n import _
from actlab.records import OutputLayer, TargetScale

Numbers = NDArray[np.float64]


def fit_scale(output: OutputLayer, training_target: NDArray[np.float32]) -> TargetScale:
    """Return how the target of a regression is scaled; mean and deviation of these rows alone.

    The deviation is that of the rows themselves (divided by their number). Raises DataError for
    a target that has none.

    >>> layer = OutputLayer("regression", "none", "mse", "standardised")
    >>> fit_scale(layer, np.array([[1.0], [5.0]], dtype=np.float32))
    TargetScale(mean=3.0, deviation=2.0, sigmoid=False)
    """
    sigmoid = output.head == "sigmoid_transformed"
    if output.target != "standardised":
        return TargetScale(sigmoid=sigmoid)
    rows = training_target.astype(np.float64)
    with np.errstate(invalid="ignore"):
        mean, deviation = float(rows.mean()), float(rows.std())
    if not (np.isfinite(deviation) and deviation > 0):
        raise DataError(
            _(
                "A target must be finite and must vary to be standardised; over the training rows "
                "its mean is {mean} and its deviation {deviation}."
            ).format(mean=mean, deviation=deviation)
        )
    return TargetScale(mean, deviation, sigmoid)


def to_training(scale: TargetScale, target: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the target that the network is trained on, in float32.

    sigmoid(y) = 1 / (1 + exp(-y)), in float32 as the network's own: exactly 1 from 16.7 on.

    >>> to_training(TargetScale(3.0, 2.0), np.array([[1.0], [5.0]], dtype=np.float32)).tolist()
    [[-1.0], [1.0]]
    """
    centred = (target.astype(np.float64) - scale.mean) / scale.deviation
    scaled: NDArray[np.float32] = centred.astype(np.float32)
    if not scale.sigmoid:
        return scaled
    with np.errstate(over="ignore"):
        return np.float32(1.0) / (np.float32(1.0) + np.exp(-scaled))


def to_original(scale: TargetScale, output: NDArray[np.float32]) -> Numbers:
    """Return predictions in the original units, in float64; the way back of `to_training`.

    logit(p) = ln(p) - ln(1 - p). An output that float32 rounded to exactly 0 or 1 is taken back
    to minus or plus infinity, since nothing says which number it was.

    >>> to_original(TargetScale(3.0, 2.0, sigmoid=True), np.array([[0.5], [1.0]])).tolist()
    [[3.0], [inf]]
    """
    values = output.astype(np.float64)
    if scale.sigmoid:
        with np.errstate(divide="ignore"):
            values = np.log(values) - np.log1p(-values)
    return values * scale.deviation + scale.mean
