"""Two studies to draw: the author's 120 published trials, and a small one in which much fails."""

import csv
import math
from dataclasses import replace
from datetime import UTC, datetime
from importlib import resources

from actlab.records import (
    Candidate,
    Conditions,
    DataPlan,
    Environment,
    Epoch,
    FinalFigure,
    Group,
    LayerRow,
    Metric,
    NetworkSummary,
    Outcome,
    Plan,
    Protocol,
    Record,
    Seeds,
    Setting,
    SlotVerdict,
    Space,
    SplitSizes,
    TrainingPlan,
    Verdict,
)
from actlab.studies.report import FindingText, ReportData

WRITTEN = datetime(2026, 11, 23, 18, 21, tzinfo=UTC)
PUBLISHED_NAMES = (
    *("sigmoid", "relu", "leaky_relu_0.01", "leaky_relu_0.1", "prelu", "elu", "tanh"),
    "silu",
)
PUBLISHED = Protocol("published", "softmax")


def record(
    number: int,
    conv: str,
    fc: str,
    rate: float,
    accuracy: float | None,
    *,
    outcome: Outcome = Outcome.COMPLETED,
    reason: str | None = None,
    curve: tuple[Epoch, ...] = (),
    seconds: float = math.nan,
    replicate: int | None = None,
    protocol: Protocol = PUBLISHED,
) -> Record:
    """A record with only what its test is about; times and epochs not recorded unless given."""
    best = max(range(len(curve)), key=lambda i: curve[i].valid_metric) + 1 if curve else None
    return Record(
        identity=f"identity-{number}-{replicate}",
        number=number,
        setting=Setting(conv, fc, rate),
        replicate=replicate,
        seeds=Seeds.of_search(1),
        protocol=protocol,
        precision="fp32",
        fingerprint="sha256:0f3a",
        outcome=outcome,
        reason=reason,
        valid_accuracy=accuracy,
        epochs=len(curve),
        best_epoch=best,
        curve=curve,
        seconds=seconds,
        code_version="0.1.0",
    )


def published_rows() -> list[dict[str, str]]:
    """The rows of the author's file: settings and accuracies; no curves, times or epochs."""
    table = resources.files("actlab.case_study").joinpath("published_trials.csv")
    with table.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def published_study() -> ReportData:
    """The study as published, with what its author printed and nothing made up."""
    trials = tuple(
        record(
            int(row["number"]),
            row["conv_activation"],
            row["fc_activation"],
            float(row["learning_rate"]),
            float(row["valid_trial_accuracy"]),
        )
        for row in published_rows()
    )
    layers = (
        LayerRow("conv1", "Conv2d", (32, 32, 28, 28), 320, 8_028_160),
        LayerRow("conv2", "Conv2d", (32, 64, 12, 12), 18_496, 85_229_568),
        LayerRow("conv3", "Conv2d", (32, 64, 4, 4), 36_928, 18_907_136),
        LayerRow("fc1", "Linear", (32, 64), 65_600, 2_099_200),
        LayerRow("fc2", "Linear", (32, 10), 650, 20_800),
    )
    plan = Plan(
        name="published",
        data=DataPlan("mnist", SplitSizes(3000, 2000, 5000, 10_000)),
        network="published_cnn",
        space=Space(PUBLISHED_NAMES, PUBLISHED_NAMES, 0.0005, 0.01),
        protocol=PUBLISHED,
        trials=120,
        seed=20250301,
    )
    environment = Environment(
        versions={"optuna": "4"},
        machine={"gpu": "hosted"},
        fingerprint="sha256:0f3a",
        class_counts={"test": (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009)},
        network=NetworkSummary(layers, 121_994, 114_284_864, 32),
        precision="fp32",
        device="cuda",
        command="actlab study run published --data-dir ../shared/mnist --trials 120 --seed 1",
        started="2025-03-01 13:22:41",
    )
    final = FinalFigure(102, "identity-102-None", 0.9802, 10_000)
    return ReportData(plan, environment, trials, final, WRITTEN)


def curve(length: int, top: float, *, lost_at: int | None = None) -> tuple[Epoch, ...]:
    """A learning curve that rises to `top`; from epoch `lost_at` on its losses are not finite."""
    return tuple(
        Epoch(
            train_loss=None if lost_at and index >= lost_at else 0.9**index,
            valid_loss=None if lost_at and index >= lost_at else 0.92**index + 0.05,
            valid_accuracy=top * (1 - 0.6 ** (min(index, length - 4) + 1)),
            seconds=0.8,
        )
        for index in range(length)
    )


def small_study() -> ReportData:
    """An unfinished study of other names on other data, with each outcome and with mark-up."""
    conv, fc = ("mish", "snake", "gelu"), ("mish", "hardswish", "<b>odd & name</b>")
    corrected = Protocol("corrected", "logits", patience=3, max_epochs=40)
    rows = (
        (0, "mish", "mish", 0.001, 0.9555, Outcome.COMPLETED, None, 12, None),
        (1, "snake", "mish", 0.2, None, Outcome.DIVERGED, "The loss was not finite.", 2, 1),
        (2, "mish", "hardswish", 0.004, 0.9666, Outcome.COMPLETED, None, 14, None),
        (3, "snake", "hardswish", 0.002, 0.9472, Outcome.COMPLETED, None, 9, None),
        (4, "gelu", fc[2], 0.003, None, Outcome.FAILED, "The worker was killed.", 0, None),
        (5, "mish", "hardswish", 0.005, 0.9666, Outcome.COMPLETED, None, 8, None),
        (7, "snake", fc[2], 0.05, None, Outcome.PRUNED, "Behind the median.", 3, None),
    )
    trials = tuple(
        record(
            number, first, second, rate, score, outcome=outcome, reason=reason,
            curve=curve(epochs, score or 0.3, lost_at=lost), seconds=1.9 * epochs,
            protocol=corrected,
        )
        for number, first, second, rate, score, outcome, reason, epochs, lost in rows
    )  # fmt: skip
    replicate = record(2, "mish", "hardswish", 0.004, 0.99, replicate=1, protocol=corrected)
    plan = Plan(
        name="small",
        data=DataPlan("digits", SplitSizes(800, 300, 360, 337)),
        network="small_cnn",
        space=Space(conv, fc, 0.0001, 0.5),
        protocol=corrected,
        trials=10,
        seed=7,
    )
    environment = Environment(
        versions={"python": "3.11.2", "torch": "2.13.0", "actlab": "0.1.0"},
        machine={"cpu": "x86_64, 2 cores", "memory_gib": 8},
        fingerprint="sha256:77ab",
        class_counts={
            "test": (33, 34, 33, 34, 34, 33, 34, 34, 34, 34),
            "train": (79, 81, 79, 82, 80, 81, 81, 80, 77, 80),
            "valid_epoch": (30, 31, 29, 30, 30, 30, 30, 30, 30, 30),
            "valid_trial": (36, 36, 36, 37, 36, 36, 36, 35, 36, 36),
        },
        network=NetworkSummary(
            (LayerRow("conv", "Conv2d", (32, 8, 8, 8), 80, 163_840),), 80, 1, 32
        ),
        precision="fp32",
        device="cpu",
        command="actlab study run small.toml --seed 7 --out 'runs/<small>'",
        started="2026-11-23T18:00:00+00:00",
    )
    return ReportData(
        plan,
        environment,
        (replicate, *reversed(trials)),
        FinalFigure(2, "identity-2-None", 327 / 337, 337),
        WRITTEN,
        evaluation_order="Two trials at a time.",
        findings=(
            FindingText("ACT101", "error", "Softmax comes before cross entropy.", "network, head"),
            FindingText("ACT300", "info", "A slot holds a function of unknown cost."),
        ),
        verdict=_small_verdict(),
    )


def measured_study(metric: str = "mae") -> ReportData:
    """The small study by another metric than accuracy, each accuracy replaced by its value."""
    data = small_study()
    error = metric == "mae"
    score = {
        name: (1.0 - name) * 30.0 if error else name for name in (0.9555, 0.9666, 0.9472, 0.99)
    }
    records = tuple(
        replace(
            found,
            valid_accuracy=None,
            valid_score=None if found.valid_accuracy is None else score[found.valid_accuracy],
            lower_is_better=error,
            curve=tuple(
                replace(
                    epoch,
                    valid_accuracy=None,
                    valid_score=30.0 - 28.0 * (epoch.valid_accuracy or 0.0)
                    if error
                    else epoch.valid_accuracy,
                )
                for epoch in found.curve
            ),
        )
        for found in data.records
    )
    training = TrainingPlan(task="regression" if error else "binary", metric=metric)
    verdict = _measured_verdict(metric, error)
    final = FinalFigure(2, "identity-2-None", None, 337, test_score=1.25 if error else 0.97)
    environment = replace(data.environment, class_counts={}) if error else data.environment
    return replace(
        data,
        plan=replace(data.plan, training=training),
        environment=environment,
        records=records,
        final=final,
        verdict=verdict,
    )


def _measured_verdict(metric: str, error: bool) -> Verdict:
    """Three candidates on three seeds: the second equivalent to the first, the third worse."""
    means, margin = ((1.2, 1.22, 2.9), 0.05) if error else ((0.98, 0.978, 0.9), 0.005)
    step = 0.01 if error else 0.001
    rows = []
    for place, (name, mean) in enumerate(zip(("mish", "snake", "gelu"), means, strict=True)):
        behind = -abs(mean - means[0])
        groups: tuple[Group, ...] = ("best", "tied", "worse")
        row = Candidate(
            name,
            groups[place],
            setting=Setting(name, "hardswish", 0.004),
            scores=(mean - step, mean, mean + step),
            mean=mean,
            low=mean - 2 * step,
            high=mean + 2 * step,
            test_accuracy=mean,
        )
        if place:
            row = replace(
                row,
                difference=behind,
                difference_low=behind - step,
                difference_high=behind + step,
                p_adjusted=0.4 if place == 1 else 0.0004,
                smallest_margin=-behind + step,
            )
        rows.append(row)
    slot = SlotVerdict(slot="conv", candidates=tuple(rows), pairs=(), ranks=None, seeds=3)
    compared = Metric(metric, not error, margin)
    return Verdict((slot,), margin, 3, Conditions(9, 360, 800, 0.1), metric=compared)


def _small_verdict() -> Verdict:
    best = Candidate("mish", "best", scores=(0.965, 0.968), mean=0.9666)
    best = replace(best, low=0.96, high=0.973)
    tied = replace(
        best,
        name="snake",
        group="tied",
        scores=(0.964, 0.966),
        mean=0.9651,
        difference=-0.0015,
        difference_low=-0.003,
        difference_high=0.0,
        p_adjusted=0.06,
        smallest_margin=0.0031,
    )
    none = Candidate("gelu", "unclear")
    slot = SlotVerdict(slot="conv", candidates=(best, tied, none), pairs=(), ranks=None, seeds=2)
    return Verdict((slot,), 0.005, 2, Conditions(4, 5000, 3000, 0.1))
