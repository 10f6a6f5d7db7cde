"""Records -> comparisons -> groups and claims, each with its reason; no torch, no training.

    verdict = judge(plan, Replication(records, chosen, chance=0.1, train_rows=3000, ...))

`judge` is pure arithmetic on the records of replicates: `rule` says who is best, tied, worse or
unclear, `pairs` compares, `rates` draws the learning-rate curves of a balanced search, `document`
makes the plain document of it all.
"""

from actlab.verdicts.document import document
from actlab.verdicts.judge import DEFAULT_MARGIN, Beside, judge
from actlab.verdicts.protocol_change import Across, Change, across
from actlab.verdicts.replication import Chosen, Replication

__all__ = [
    "DEFAULT_MARGIN",
    "Across",
    "Beside",
    "Change",
    "Chosen",
    "Replication",
    "across",
    "document",
    "judge",
]
