"""Claim 7 of the published study: a regression needs a standardised target."""

from collections.abc import Sequence

from actlab.case_study.output_evidence import Figures, Runs, interval, missing_reason
from actlab.records import Claim, ClaimOutcome, OutputFigures, OutputLayer
from actlab.text import Formatter
from actlab.verdicts import Interval

HALF = 0.5
_ROUNDING = 1e-6


def regression_claim(runs: Runs, words: Formatter) -> Claim:
    """Return claim 7: a regression needs a standardised target, and ReLU covers half of it."""
    _ = words.translations.gettext
    text = _("Regression needs a standardised target, of which a ReLU output covers only half.")
    raw, right, relu = (
        OutputLayer("regression", "none", "mse", "raw"),
        OutputLayer("regression", "none", "mse", "standardised"),
        OutputLayer("regression", "relu", "mse", "standardised"),
    )
    missing = runs.missing([raw, right, relu])
    if missing:
        return Claim(7, text, "not enough evidence", missing_reason(missing, words))
    found = {layer: runs.of(layer) for layer in (raw, right, relu)}
    shares = {layer: interval([unexplained(f) for f in own.values()])
              for layer, own in found.items()}  # fmt: skip
    lost = interval(_more_unexplained(found[relu], found[right]))
    below = sum(below_the_mean(figures) for figures in found[relu].values()) / len(found[relu])
    covered = all(_starts_at_the_mean(figures) for figures in found[relu].values())
    reason = _(
        "Of the target's variance {raw} is left unexplained with the raw target and {right} with "
        "the standardised one. With ReLU it is {relu}; its lowest prediction is {lowest}, the "
        "training mean {mean}, and {below} of the test targets lie below that."
    ).format(
        raw=words.percent(shares[raw].estimate),
        right=words.percent(shares[right].estimate),
        relu=words.percent(shares[relu].estimate),
        lowest=_numbers([figures.summary.low for figures in found[relu].values()]),
        mean=_numbers([figures.scale.mean for figures in found[relu].values()]),
        below=words.percent(below),
    )
    return Claim(7, text, _outcome(shares[raw], shares[right], lost, covered), reason)


def unexplained(figures: OutputFigures) -> float:
    """Return the mean squared error over the variance of the test targets: 1 for their mean."""
    groups = figures.summary.groups
    count = sum(group.count for group in groups)
    mean = sum(group.value * group.count for group in groups) / count
    return figures.test / (sum(g.count * (g.value - mean) ** 2 for g in groups) / count)


def below_the_mean(figures: OutputFigures) -> float:
    """Return the share of test targets below the mean of the training targets."""
    groups = figures.summary.groups
    below = sum(group.count for group in groups if group.value < figures.scale.mean)
    return below / sum(group.count for group in groups)


def _more_unexplained(first: Figures, second: Figures) -> list[float]:
    shared = sorted(set(first) & set(second))
    return [unexplained(first[seed]) - unexplained(second[seed]) for seed in shared]


def _starts_at_the_mean(figures: OutputFigures) -> bool:
    low, mean = figures.summary.low, figures.scale.mean
    return low is not None and low >= mean - _ROUNDING * (1.0 + abs(mean))


def _outcome(raw: Interval, right: Interval, lost: Interval, covered: bool) -> ClaimOutcome:
    if not covered or raw.high < HALF or right.low > HALF or lost.high < 0:
        return "not supported"
    if raw.low > HALF and right.high < HALF and lost.low > 0:
        return "supported"
    return "not enough evidence"


def _numbers(values: Sequence[float | None]) -> str:
    """Return the different values, four digits each."""
    return ", ".join(dict.fromkeys("–" if value is None else f"{value:.4g}" for value in values))
