"""Statistics of replicated studies: pure functions on arrays, no torch.

Where anything is random, the caller passes a numpy Generator. Each docstring has the formula, what
it assumes and when it misleads. Numbers that a method cannot work with raise StatisticsError.
"""

from actlab.records import Difference
from actlab.stats.checks import StatisticsError
from actlab.stats.correlation import rank_correlation
from actlab.stats.failures import failure_rate_low, failure_rates_p
from actlab.stats.intervals import Interval, bca_interval, student_t_interval
from actlab.stats.multiplicity import dunnett, holm
from actlab.stats.paired import (
    nadeau_bengio_factor,
    paired_difference,
    permutation_p,
    t_quantile,
    welch_difference,
    wilcoxon_p,
)
from actlab.stats.power import detectable_difference, paired_t_power, seeds_to_separate
from actlab.stats.probability import probability_of_best, probability_of_improvement
from actlab.stats.ranks import RankComparison, friedman_nemenyi
from actlab.stats.sequential import clearly_behind
from actlab.stats.signed_rank import bayesian_signed_rank, signed_rank_difference

__all__ = [
    "Difference",
    "Interval",
    "RankComparison",
    "StatisticsError",
    "bayesian_signed_rank",
    "bca_interval",
    "clearly_behind",
    "detectable_difference",
    "dunnett",
    "failure_rate_low",
    "failure_rates_p",
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
    "signed_rank_difference",
    "student_t_interval",
    "t_quantile",
    "welch_difference",
    "wilcoxon_p",
]
