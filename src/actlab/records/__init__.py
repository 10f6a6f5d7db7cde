"""The values that the layers hand each other: frozen, plain, without torch.

A plan is a study as a value, a trial is one setting trained once, a record is what came out of it.
Accuracies are fractions, times are seconds, a loss that was not a finite number is None.
"""

from actlab.records.environment import Environment, LayerRow, NetworkSummary
from actlab.records.plan import (
    FORMAT_VERSION,
    DataPlan,
    Execution,
    Head,
    Plan,
    Precision,
    Protocol,
    ProtocolName,
    Sampler,
    Space,
    SplitSizes,
)
from actlab.records.record import Epoch, FinalFigure, Outcome, Record, best_record
from actlab.records.trial import Seeds, Setting, Stage, Trial
from actlab.records.verdict import (
    Candidate,
    Claim,
    ClaimOutcome,
    Group,
    Importance,
    Mechanism,
    Pair,
    Ranks,
    RateCurve,
    RatePoint,
    SlotName,
    SlotVerdict,
    Verdict,
)

__all__ = [
    "FORMAT_VERSION",
    "Candidate",
    "Claim",
    "ClaimOutcome",
    "DataPlan",
    "Environment",
    "Epoch",
    "Execution",
    "FinalFigure",
    "Group",
    "Head",
    "Importance",
    "LayerRow",
    "Mechanism",
    "NetworkSummary",
    "Outcome",
    "Pair",
    "Plan",
    "Precision",
    "Protocol",
    "ProtocolName",
    "Ranks",
    "RateCurve",
    "RatePoint",
    "Record",
    "Sampler",
    "Seeds",
    "Setting",
    "SlotName",
    "SlotVerdict",
    "Space",
    "SplitSizes",
    "Stage",
    "Trial",
    "Verdict",
    "best_record",
]
