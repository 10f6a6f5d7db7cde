"""What an output layer was measured to do: its test figure, what it says, how its layers learn."""

from dataclasses import dataclass
from typing import ClassVar

from actlab.records.output import TargetScale


@dataclass(frozen=True)
class ConfidenceBin:
    """Test answers whose confidence lies in [low, high): their number, mean, and share of right."""

    low: float
    high: float
    count: int
    confidence: float
    right: float


@dataclass(frozen=True)
class PredictedGroup:
    """The predictions for all test images with one true value, in its units.

    Mean, deviation, lowest and highest are of the finite predictions, None where there is none;
    `infinite` counts the others.
    """

    value: float
    count: int
    mean: float | None
    deviation: float | None
    lowest: float | None
    highest: float | None
    infinite: int


@dataclass(frozen=True)
class OutputSummary:
    """What an output layer says of the test images.

    `low` and `high` are its lowest and highest finite outputs (predictions, probabilities or
    shares). Regression: `groups`, by true value. Probability, binary, multi-class: `confusion`,
    rows are true classes, columns predicted ones. All but regression: `confidence`, over ten bins
    of what the layer says of its answer. Multi-label: `labels`, the share of right answers of each.
    """

    low: float | None
    high: float | None
    groups: tuple[PredictedGroup, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    confidence: tuple[ConfidenceBin, ...] = ()
    labels: tuple[float, ...] = ()


@dataclass(frozen=True)
class LayerGradients:
    """Mean Euclidean norm of the gradient of a layer's weights, over the steps of each epoch.

    The first epochs only; None where the norm was not finite.
    """

    layer: str
    norms: tuple[float | None, ...]


@dataclass(frozen=True)
class OutputFigures:
    """What the trained network of an output layer does on the test split, and how it got there.

    `test` is the task's metric on all `test_images`: an accuracy, or a mean squared error in the
    original units, which is infinite where a prediction is.
    """

    # An infinite error is written as a text, since JSON has no number for it.
    __pydantic_config__: ClassVar[dict[str, str]] = {"ser_json_inf_nan": "strings"}

    test: float
    test_images: int
    scale: TargetScale
    summary: OutputSummary
    gradients: tuple[LayerGradients, ...] = ()
