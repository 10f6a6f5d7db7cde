"""The three lessons of `actlab functions explain`, as numbers: computed here, told elsewhere."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Perceptron:
    """One unit: products of inputs and weights, their sum with the bias, and f of it."""

    inputs: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float
    products: tuple[float, ...]
    total: float
    outputs: dict[str, float]


@dataclass(frozen=True)
class Stack:
    """Three linear layers without and with relu between them, over the same inputs.

    `slope` and `intercept` are those of the one linear function that the three layers are;
    `difference` is the largest distance between the two at `x`.
    """

    x: tuple[float, ...]
    linear: tuple[float, ...]
    bent: tuple[float, ...]
    slope: float
    intercept: float
    difference: float
    slopes_bent: tuple[float, ...]


@dataclass(frozen=True)
class Softmax:
    """Scores to shares that sum to 1, and the categorical cross entropy of a one-hot target.

    `gradient` is that of the loss with respect to the scores: shares minus target.
    """

    scores: tuple[float, ...]
    exponentials: tuple[float, ...]
    total: float
    shares: tuple[float, ...]
    target: tuple[float, ...]
    loss: float
    gradient: tuple[float, ...]
    sigmoids: tuple[float, ...]


def perceptron() -> Perceptron:
    """Return the published example: 0.53 before the activation, sigmoid(0.53) = 0.629483.

    >>> lesson = perceptron()
    >>> round(lesson.total, 6), round(lesson.outputs["sigmoid"], 6)
    (0.53, 0.629483)
    """
    inputs, weights, bias = (0.5, 0.5, 0.8), (0.1, 0.4, -0.9), 1.0
    products = tuple(x * w for x, w in zip(inputs, weights, strict=True))
    total = sum(products) + bias
    outputs = {
        "sigmoid": float(1 / (1 + np.exp(-total))),
        "relu": max(total, 0.0),
        "tanh": float(np.tanh(total)),
        "silu": float(total / (1 + np.exp(-total))),
    }
    return Perceptron(inputs, weights, bias, products, total, outputs)


def stack(points: int = 161) -> Stack:
    """Return three layers of widths 1, 4, 4, 1, once linear and once with relu between.

    Both are evaluated at `points` inputs from -2 to 2.

    >>> stack().difference < 1e-12
    True
    """
    draw = np.random.default_rng(181)
    widths = ((4, 1, 1.5), (4, 4, 0.5), (1, 4, 0.5))
    weights = [size * draw.normal(size=(rows, columns)) for rows, columns, size in widths]
    biases = [draw.normal(size=size) for size in (4, 4, 1)]
    x = np.linspace(-2.0, 2.0, points)

    def through(relu: bool) -> Array:
        hidden: Array = x[None, :]
        for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            hidden = weight @ hidden + bias[:, None]
            if relu and layer < 2:
                hidden = np.maximum(hidden, 0.0)
        output: Array = hidden[0]
        return output

    first, second, third = weights
    slope = float((third @ second @ first)[0, 0])
    intercept = float((third @ (second @ biases[0] + biases[1]) + biases[2])[0])
    linear, bent = through(relu=False), through(relu=True)
    steps = np.diff(bent) / np.diff(x)
    return Stack(
        x=tuple(x.tolist()),
        linear=tuple(linear.tolist()),
        bent=tuple(bent.tolist()),
        slope=slope,
        intercept=intercept,
        difference=float(np.max(np.abs(linear - (slope * x + intercept)))),
        slopes_bent=_distinct(steps),
    )


def softmax() -> Softmax:
    """Return three scores worked through to the loss.

    >>> lesson = softmax()
    >>> round(sum(lesson.shares), 12), round(sum(lesson.gradient), 12) + 0
    (1.0, 0.0)
    """
    scores = np.array([2.0, 1.0, -0.5])
    target = np.array([1.0, 0.0, 0.0])
    exponentials = np.exp(scores)
    shares = exponentials / exponentials.sum()
    return Softmax(
        scores=tuple(scores.tolist()),
        exponentials=tuple(exponentials.tolist()),
        total=float(exponentials.sum()),
        shares=tuple(shares.tolist()),
        target=tuple(target.tolist()),
        loss=float(-np.log(shares[0])),
        gradient=tuple((shares - target).tolist()),
        sigmoids=tuple((1 / (1 + np.exp(-scores))).tolist()),
    )


def _distinct(steps: Array) -> tuple[float, ...]:
    """Return the slopes that last for several steps, in order, each once in a row."""
    found: list[float] = []
    for before, after in pairwise(steps.tolist()):
        lasting = abs(before - after) < 1e-9
        if lasting and (not found or abs(found[-1] - after) > 1e-6):
            found.append(after)
    return tuple(found)
