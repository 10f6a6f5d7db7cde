"""What the author of the published output-layer study reports: one run per setting on MNIST."""

from dataclasses import dataclass

from actlab.records import OutputLayer
from actlab.studies.tasks.settings import PUBLISHED


@dataclass(frozen=True)
class PublishedResult:
    """A best validation figure and its test figure: accuracies, or errors in original units."""

    valid: float
    test: float


_FIGURES = (
    (1.8027, 1.7830),
    (0.0722, 0.0586),
    (1.8027, 1.7827),
    (0.6230, 0.6272),
    (0.9663, 0.9729),
    (0.4987, 0.4931),
    (0.4987, 0.4931),
    (0.9657, 0.9723),
    (0.9710, 0.9767),
    (0.9657, 0.9669),
    (0.9710, 0.9731),
    (0.1053, 0.1135),
    (0.9697, 0.9742),
    (0.9820, 0.9872),
    (0.7678, 0.7722),
    (0.7898, 0.7949),
)

PUBLISHED_RESULTS: dict[OutputLayer, PublishedResult] = {
    layer: PublishedResult(*figures) for layer, figures in zip(PUBLISHED, _FIGURES, strict=True)
}
"""The results by output layer, in the order of the published table."""
