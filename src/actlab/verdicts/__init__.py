"""Scores -> groups, each with its reason; no torch, no training, nothing about studies.

    compare(scores_by_seed({"relu": {0: 0.97, 1: 0.98}, "tanh": {0: 0.9, 1: 0.91}}), Question(0.01))

`rule` says who is best, tied, worse, unclear or unreliable, `text` says it in words. What a study
asks of the statistics underneath comes through here too.
"""

from actlab.stats import (
    Interval,
    clearly_behind,
    detectable_difference,
    holm,
    nadeau_bengio_factor,
    paired_difference,
    rank_correlation,
    student_t_interval,
    wilcoxon_p,
)
from actlab.verdicts.rule import ALPHA, TOLERANCE, Question, compare, group_of
from actlab.verdicts.scores import Scores, scores_by_seed

__all__ = [
    "ALPHA",
    "TOLERANCE",
    "Interval",
    "Question",
    "Scores",
    "clearly_behind",
    "compare",
    "detectable_difference",
    "group_of",
    "holm",
    "nadeau_bengio_factor",
    "paired_difference",
    "rank_correlation",
    "scores_by_seed",
    "student_t_interval",
    "wilcoxon_p",
]
