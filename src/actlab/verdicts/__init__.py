"""Scores -> groups, each with its reason; no torch, no training, nothing about studies.

    compare(scores_by_seed({"relu": {0: 0.97, 1: 0.98}, "tanh": {0: 0.9, 1: 0.91}}), Question(0.01))

`rule` says who is best, tied, worse, unclear or unreliable, `text` says it in words.
"""

from actlab.verdicts.rule import ALPHA, TOLERANCE, Question, compare, group_of
from actlab.verdicts.scores import Scores, scores_by_seed

__all__ = [
    "ALPHA",
    "TOLERANCE",
    "Question",
    "Scores",
    "compare",
    "group_of",
    "scores_by_seed",
]
