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

__all__ = [
    "FORMAT_VERSION",
    "DataPlan",
    "Environment",
    "Epoch",
    "Execution",
    "FinalFigure",
    "Head",
    "LayerRow",
    "NetworkSummary",
    "Outcome",
    "Plan",
    "Precision",
    "Protocol",
    "ProtocolName",
    "Record",
    "Sampler",
    "Seeds",
    "Setting",
    "Space",
    "SplitSizes",
    "Stage",
    "Trial",
    "best_record",
]
