"""What the author of the published studies reports: 120 trials, and one run per output layer."""

from dataclasses import dataclass
from importlib import resources

from actlab.i18n import N_
from actlab.records import OutputLayer
from actlab.records.unreplicated import TrialTable
from actlab.studies.search.import_trials import rows_of
from actlab.studies.tasks.settings import PUBLISHED

PUBLISHED_STUDY = "published"
"""The name of the author's 120 trials, which come with the package."""

PUBLISHED_SOURCE = N_("the published study")


def published_trials() -> TrialTable:
    """Return the 120 trials that the author of the published study printed.

    >>> table = published_trials()
    >>> len(table.rows), table.rows[102].value
    (120, 0.9794)
    """
    text = resources.files("actlab.case_study").joinpath("published_trials.csv").read_text("utf-8")
    return TrialTable(PUBLISHED_SOURCE, rows_of(text, "published_trials.csv"), is_accuracy=True)


def is_published(table: TrialTable) -> bool:
    """Return whether a table is the one of the published study."""
    return table.source == PUBLISHED_SOURCE


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
