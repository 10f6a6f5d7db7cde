"""The learning curves that a page draws when a row of the table of trials is clicked."""

import json
import math
from collections.abc import Iterable

from actlab.records import Record


def curves_json(trials: Iterable[Record]) -> str:
    """Return the curves of the trials that have one, by trial number, as JSON.

    Metrics keep five decimals and losses four digits: what a picture of this size shows.
    """
    found = {
        str(record.number): {
            "accuracy": [_rounded(epoch.valid_metric, decimals=5) for epoch in record.curve],
            "train": [_rounded(epoch.train_loss) for epoch in record.curve],
            "valid": [_rounded(epoch.valid_loss) for epoch in record.curve],
        }
        for record in trials
        if record.curve
    }
    return json.dumps(found, separators=(",", ":"), allow_nan=False)


def _rounded(value: float | None, decimals: int | None = None) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return round(value, decimals) if decimals is not None else float(f"{value:.4g}")
