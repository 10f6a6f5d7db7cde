"""Statistics of replicated studies: pure functions on arrays, no torch.

Where anything is random, the caller passes a numpy Generator. Each docstring has the formula, what
it assumes and when it misleads. Numbers that a method cannot work with raise StatisticsError.
"""

from actlab.stats.checks import StatisticsError
from actlab.stats.correlation import rank_correlation
from actlab.stats.equivalence import Equivalence, equivalence, upper_bound
from actlab.stats.intervals import Interval, bca_interval, student_t_interval
from actlab.stats.multiplicity import holm
from actlab.stats.paired import (
    PairedDifference,
    nadeau_bengio_factor,
    paired_difference,
    permutation_p,
    wilcoxon_p,
)
from actlab.stats.power import detectable_difference, paired_t_power, seeds_to_separate
from actlab.stats.probability import probability_of_best, probability_of_improvement
from actlab.stats.ranks import RankComparison, friedman_nemenyi
from actlab.stats.sequential import clearly_behind

__all__ = [
    "Equivalence",
    "Interval",
    "PairedDifference",
    "RankComparison",
    "StatisticsError",
    "bca_interval",
    "clearly_behind",
    "detectable_difference",
    "equivalence",
    "friedman_nemenyi",
    "holm",
    "nadeau_bengio_factor",
    "paired_difference",
    "paired_t_power",
    "permutation_p",
    "probability_of_best",
    "probability_of_improvement",
    "rank_correlation",
    "seeds_to_separate",
    "student_t_interval",
    "upper_bound",
    "wilcoxon_p",
]
