"""What the rules said during a training: each fault once, with the passes at which it was seen."""

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace

from actlab.capture.location import Location
from actlab.checker.report import SEVERITIES, Finding
from actlab.checker.rules.training.activation_drift import ActivationDrift
from actlab.checker.rules.training.dead_units import DeadUnits, SaturatedUnits
from actlab.checker.rules.training.no_better_than_constant import (
    AnswerMeasure,
    NoBetterThanConstant,
)
from actlab.checker.rules.training.not_finite import Flaw, NotFinite
from actlab.checker.rules.training.vanishing_gradient import ExplodingGradient, VanishingGradient
from actlab.checker.settings import Settings
from actlab.checker.statistics.units import drift_of
from actlab.checker.watching.history import PassMeasures
from actlab.i18n import _

RULES = (
    DeadUnits,
    SaturatedUnits,
    VanishingGradient,
    ExplodingGradient,
    ActivationDrift,
    NotFinite,
    NoBetterThanConstant,
)
"""The rules that watching applies, of those that `actlab.check` has."""


class MisuseWarning(UserWarning):
    """A threshold of the checker was crossed during a training."""


@dataclass
class SeenFinding:
    """A fault: the worst finding, and the first and the last sampled pass that showed it."""

    finding: Finding
    first: int
    last: int


class DeduplicatedFindings:
    """The faults of one model, by code and place."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._seen: dict[tuple[str, str], SeenFinding] = {}
        limits = settings.limits
        self._dead = DeadUnits(limits.get(DeadUnits.code, {}))
        self._saturated = SaturatedUnits(limits.get(SaturatedUnits.code, {}))
        self._vanishing = VanishingGradient(limits.get(VanishingGradient.code, {}))
        self._exploding = ExplodingGradient(limits.get(ExplodingGradient.code, {}))
        self._drift = ActivationDrift(limits.get(ActivationDrift.code, {}))
        self._not_finite = NotFinite(limits.get(NotFinite.code, {}))
        self._constant = NoBetterThanConstant(limits.get(NoBetterThanConstant.code, {}))
        self._answers: AnswerMeasure | None = None

    def add(self, measures: PassMeasures) -> None:
        """Judge one sampled pass; warn of what is new, or worse than it was."""
        for place, finding in self._judged(measures):
            if self._is_wanted(finding.code):
                severity = self._settings.severity.get(finding.code, finding.severity)
                self._note(place, replace(finding, severity=severity), measures)

    def findings(self, passes: int) -> tuple[Finding, ...]:
        """Return every fault that was seen, the worst first, with the passes that showed it."""
        found = [_dated(seen, passes) for seen in self._seen.values()]
        return tuple(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity)))

    def _judged(self, measures: PassMeasures) -> Iterator[tuple[str, Finding]]:
        for flaw in _flaws(measures):
            yield flaw.what, self._not_finite.judge(flaw)
        if measures.flawed:
            return  # behind a NaN nothing else means anything
        for measure in measures.activations:
            for finding in (*self._dead.judge([measure]), *self._saturated.judge([measure])):
                yield measure.label, finding
        drift = drift_of(measures.activations, measures.stabilised)
        if drift is not None:
            yield from (
                ("", finding) for finding in self._drift.judge(drift, trained=measures.number > 1)
            )
        for way in measures.gradients:
            stabilised = measures.stabilised
            vanishing = self._vanishing.judge(way, drift, stabilised=stabilised)
            exploding = self._exploding.judge(way, drift)
            yield from ((way.layers[-1].label, found) for found in (*vanishing, *exploding))
        yield from (("", found) for found in self._constant_answers(measures))

    def _constant_answers(self, measures: PassMeasures) -> Iterator[Finding]:
        """Yield a finding where this pass and the one sampled before gave a constant."""
        before, self._answers = self._answers, measures.answers
        if before is None or measures.answers is None or measures.last is None:
            return
        if any(True for _found in self._constant.judge(before, measures.number, measures.last)):
            yield from self._constant.judge(measures.answers, measures.number, measures.last)

    def _is_wanted(self, code: str) -> bool:
        select = self._settings.select
        return code not in self._settings.ignore and (select is None or code in select)

    def _note(self, place: str, finding: Finding, measures: PassMeasures) -> None:
        known = self._seen.get((finding.code, place))
        if known is None:
            located = measures.located(finding)
            self._seen[finding.code, place] = SeenFinding(located, measures.number, measures.number)
            _warn(located, measures.number)
            return
        known.last = measures.number
        rank, before = (SEVERITIES.index(f.severity) for f in (finding, known.finding))
        if rank <= before:
            known.finding = measures.located(finding)
        if rank < before:
            _warn(known.finding, measures.number)


def _flaws(measures: PassMeasures) -> Iterator[Flaw]:
    if measures.flawed is not None:
        place, location = measures.flawed
        what = _("the output of {place}").format(place=place)
        yield Flaw(what, location, _("it is the first of this pass that is not"))
    elif measures.flawed_gradient is not None:
        name = measures.flawed_gradient
        what = _("the gradient of {name}").format(name=name)
        module = Location(module=name.rpartition(".")[0] or None)
        yield Flaw(what, module, _("the outputs of all layers are finite, its gradient is not"))


def _dated(seen: SeenFinding, passes: int) -> Finding:
    if seen.first == seen.last:
        when = _("at pass {first} of {passes}")
    else:
        when = _("from pass {first} to pass {last} of {passes}")
    text = when.format(first=seen.first, last=seen.last, passes=passes)
    return replace(seen.finding, proof=f"{seen.finding.proof} ({text})")


def _warn(finding: Finding, number: int) -> None:
    """Issue a Python warning on the user's line; never an exception, whatever filters say."""
    if finding.severity == "info":
        return
    text = _("{code} at pass {number}: {message}; {proof}").format(
        code=finding.code, number=number, message=finding.message, proof=finding.proof
    )
    place = finding.location
    with contextlib.suppress(MisuseWarning):
        warnings.warn_explicit(text, MisuseWarning, place.file or "<actlab.watch>", place.line or 1)
