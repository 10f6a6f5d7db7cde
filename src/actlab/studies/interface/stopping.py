"""The rule by which a sequential confirmation stops candidates, from `actlab.stats`."""

from collections.abc import Sequence

from actlab.stats import clearly_behind, nadeau_bengio_factor
from actlab.studies.confirm.stopping import StoppingRule
from actlab.studies.run_folder import RunFolder
from actlab.studies.trials import rows_overlap

STOPPING_ALPHA = 0.01
"""What stopping may err in. The verdict errs in up to 0.05 of its own; with a hundredth for
stopping the two together stay at about that (tests/stats/test_sequential.py)."""


def stopping_rule(folder: RunFolder) -> StoppingRule:
    """Return what says who is clearly behind in a slot, for replicates of this study.

    An image is the finest difference that an accuracy can show. Replicates that share rows are
    compared with Nadeau and Bengio's correction.
    """
    plan = folder.plan()
    splits = plan.data.splits
    corrected = rows_overlap(plan, folder.environment())

    def rule(scores: Sequence[Sequence[float]], looks_done: int, looks_planned: int) -> set[int]:
        factor = nadeau_bengio_factor(len(scores), splits.train, splits.valid_trial)
        return clearly_behind(
            scores,
            looks_done,
            looks_planned,
            alpha=STOPPING_ALPHA,
            variance_factor=factor if corrected else None,
            resolution=1 / splits.valid_trial,
        )

    return rule
