"""The values that the layers hand each other: frozen, plain, without torch.

A plan is a study as a value, a trial is one setting trained once, a record is what came out of it.
Accuracies are fractions, times are seconds, a loss that was not a finite number is None.
"""

from actlab.records.confirmation import Confirmation
from actlab.records.environment import Environment, LayerRow, NetworkSummary
from actlab.records.figures import (
    ConfidenceBin,
    LayerGradients,
    OutputFigures,
    OutputSummary,
    PredictedGroup,
)
from actlab.records.json_form import jsonable
from actlab.records.output import (
    LossName,
    OutputHead,
    OutputLayer,
    OutputPlan,
    OutputSetting,
    TargetForm,
    TargetScale,
    TaskName,
)
from actlab.records.plan import (
    FORMAT_VERSION,
    POPULATION,
    BalancedSampler,
    DataPlan,
    Execution,
    Plan,
    Precision,
    Sampler,
    Space,
    SplitSizes,
    TpeSampler,
)
from actlab.records.probes import LayerProbe, LearntParameter, Probes
from actlab.records.protocol import Head, Protocol, ProtocolName
from actlab.records.pruner import HyperbandPruner, MedianPruner, NoPruner, Pruner
from actlab.records.record import Epoch, FinalFigure, Outcome, Record, best_record, failed_record
from actlab.records.trial import Seeds, Setting, Stage, Trial
from actlab.records.verdict import (
    Candidate,
    Claim,
    ClaimOutcome,
    Group,
    Importance,
    Mechanism,
    Pair,
    ProbeRow,
    Ranks,
    RateBin,
    RateCurve,
    RatePoint,
    SlotName,
    SlotVerdict,
    Verdict,
)

__all__ = [
    "FORMAT_VERSION",
    "POPULATION",
    "BalancedSampler",
    "Candidate",
    "Claim",
    "ClaimOutcome",
    "ConfidenceBin",
    "Confirmation",
    "DataPlan",
    "Environment",
    "Epoch",
    "Execution",
    "FinalFigure",
    "Group",
    "Head",
    "HyperbandPruner",
    "Importance",
    "LayerGradients",
    "LayerProbe",
    "LayerRow",
    "LearntParameter",
    "LossName",
    "Mechanism",
    "MedianPruner",
    "NetworkSummary",
    "NoPruner",
    "Outcome",
    "OutputFigures",
    "OutputHead",
    "OutputLayer",
    "OutputPlan",
    "OutputSetting",
    "OutputSummary",
    "Pair",
    "Plan",
    "Precision",
    "PredictedGroup",
    "ProbeRow",
    "Probes",
    "Protocol",
    "ProtocolName",
    "Pruner",
    "Ranks",
    "RateBin",
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
    "TargetForm",
    "TargetScale",
    "TaskName",
    "TpeSampler",
    "Trial",
    "Verdict",
    "best_record",
    "failed_record",
    "jsonable",
]
