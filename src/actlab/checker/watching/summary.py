"""What a training showed, as plain frozen values: tables, findings, and what was not watched."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from actlab.checker.report import Finding

SUMMARY_VERSION = 1
"""Version of a summary's dictionary. History: 1, the first (2026-11)."""


@dataclass(frozen=True)
class ActivationRow:
    """One activation: its units on the last sampled batches, and its spread then and at first.

    `role` is "hidden", "gate", "head" or "other"; only hidden activations are judged. `saturated`
    is None where the function cannot saturate.
    """

    model: str
    activation: str
    role: str
    units: int
    dead: int
    saturated: int | None
    always_on: int
    samples: int
    first_deviation: float
    last_deviation: float


@dataclass(frozen=True)
class LayerRow:
    """One layer with weights: root mean squares of weights and gradient, at the last sampling."""

    model: str
    layer: str
    weight: float
    gradient: float


@dataclass(frozen=True)
class SlopeRow:
    """The slopes that one activation learns: their mean at first, and their mean and range now."""

    model: str
    name: str
    count: int
    first_mean: float
    last_mean: float
    lowest: float
    highest: float


@dataclass(frozen=True)
class ModelRow:
    """One model: its passes with and without gradients, and how many of them were sampled."""

    model: str
    training_passes: int
    inference_passes: int
    sampled: int


@dataclass(frozen=True)
class Summary:
    """What `actlab.watch` saw.

    `findings` are those of the rules, each with the passes that showed it. `unwatched` says what
    could not be watched and why: silence is never approval.
    """

    every: int
    models: tuple[ModelRow, ...]
    activations: tuple[ActivationRow, ...]
    layers: tuple[LayerRow, ...]
    slopes: tuple[SlopeRow, ...]
    findings: tuple[Finding, ...]
    unwatched: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries and lists, ready for JSON."""
        return {"summary_version": SUMMARY_VERSION, **asdict(self)}

    def to_pandas(
        self, table: Literal["activations", "layers", "slopes", "findings"] = "activations"
    ) -> Any:
        """Return one of the tables as a DataFrame; needs pandas."""
        from importlib import import_module

        rows: Iterable[Any] = getattr(self, table)
        return import_module("pandas").DataFrame([asdict(row) for row in rows])

    def __str__(self) -> str:
        from actlab.checker.watching.summary_text import render

        return render(self)

    def _repr_html_(self) -> str:
        from actlab.checker.watching.summary_html import render

        return render(self)
