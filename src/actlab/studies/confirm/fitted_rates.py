"""The learning rate of every candidate from one fit to the whole search, without further trainings.

Each activation has its own response curve, drawn toward the curve that all have in common. With x
the logarithm of the learning rate from 0 (the lowest of the space) to 1 (the highest), a trial of
the pair (c, f) has the accuracy

    common(x) + a_c + b_c x + q_c x^2 + a_f + b_f x + q_f x^2 + noise,

and with any other number of slots the sum over these,

with a cubic in common and normal priors of mean 0 on the rest: wide on the levels a, narrow on the
shapes b and q, so that whatever sets candidates apart by no more than luck is trained at the rate
that suits all. An activation whose trials contradict that (it fails at rates that are good for the
others) gets wide priors on its shape, too, where these make the trials e^10 times as likely. Trials
far off weigh little: the noise is Student's with 4 degrees of freedom.

Source: Robinson (1991), That BLUP is a good thing, Statistical Science 6, 15-32; Lange, Little and
Taylor (1989), Robust statistical modeling using the t distribution, JASA 84, 881-896.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import median

import numpy as np
from numpy.typing import NDArray

from actlab.records import Setting, SlotName, Space

Array = NDArray[np.float64]
Trials = tuple[tuple[Setting, float | None], ...]
"""What was tried and which accuracy it reached, None where there is none."""

NEAR = 0.03
"""How far below the best of its activation an accuracy counts; further down all are alike."""

LEVEL, NARROW, WIDE = 0.1, 0.001, 0.03
"""Standard deviations of the levels, and of the shapes of most candidates and of those apart."""

APART = 10.0
"""How much the logarithm of the evidence must gain for a candidate to have a shape of its own."""

FAR, NEXT = 0.1, 3
"""How far below its best trial a candidate failed, and how many trials next to a rate tell that."""

MOST_PARTNERS = 256
"""Beyond so many combinations of partners each slot has the one of the highest level."""

NOISES = (0.002, 0.004, 0.008, 0.016)
DEGREES, ROUNDS, RATES = 4.0, 4, 61


@dataclass(frozen=True)
class Curves:
    """The fitted response of every combination of candidates, at rates all over the range."""

    design: "_Design"
    coefficients: Array
    rates: Array
    trials: Trials

    def best_of(self, slot: SlotName) -> Mapping[str, Setting]:
        """Return the setting of every candidate of a slot, all with the same partners.

        The partners are the activations of the other slots that go furthest, in the mean over the
        candidates at the rate that is best for each. A candidate whose own trials next to that
        rate fell far below its best one is trained at the rate of that best one.
        """
        names = self.design.names[slot]
        partners = self._partners(slot)
        found = np.array([[self._curve({slot: n} | one) for one in partners] for n in names])
        partner = int(found.max(axis=2).mean(axis=0).argmax())
        rates = self.rates[found[:, partner].argmax(axis=1)]
        chosen = {}
        for name, fitted in zip(names, rates, strict=True):
            rate = self._where_it_trains(slot, name, float(fitted))
            activations = {slot: name} | partners[partner]
            ordered = {one: activations[one] for one in self.design.names}
            chosen[name] = Setting.of(ordered, rate)
        return chosen

    def _curve(self, activations: Mapping[SlotName, str]) -> Array:
        powers = self.design.powers(np.log(self.rates))
        curve: Array = powers @ self.coefficients[:4]
        for slot in self.design.names:
            place = self.design.place(slot, activations[slot])
            curve = curve + powers[:, :3] @ self.coefficients[place : place + 3]
        return curve

    def _partners(self, slot: SlotName) -> list[dict[SlotName, str]]:
        """Return what may stand in the other slots: all combinations, of many slots the best."""
        others = {one: names for one, names in self.design.names.items() if one != slot}
        if math.prod(map(len, others.values())) <= MOST_PARTNERS:
            rows = itertools.product(*others.values())
            return [dict(zip(others, row, strict=True)) for row in rows]
        highest = {
            one: max(names, key=lambda name: self.coefficients[self.design.place(one, name)])
            for one, names in others.items()
        }
        return [highest]

    def _where_it_trains(self, slot: SlotName, name: str, rate: float) -> float:
        own = [
            (setting.learning_rate, accuracy or 0.0)
            for setting, accuracy in self.trials
            if setting.activations.get(slot) == name
        ]
        best = max(own, key=lambda one: one[1])
        near = sorted(own, key=lambda one: abs(math.log(one[0] / rate)))[:NEXT]
        return best[0] if median(one[1] for one in near) < best[1] - FAR else rate


@lru_cache(maxsize=8)
def fitted_curves(space: Space, trials: Trials) -> Curves:
    """Return the response curves of the activations that have a completed trial in a search.

    A trial without an accuracy counts as the worst that there is.
    """
    done = [setting.activations for setting, accuracy in trials if accuracy is not None]
    names = {
        slot: _having(candidates, [one[slot] for one in done if slot in one])
        for slot, candidates in space.by_slot.items()
    }
    kept = [
        (setting, accuracy or 0.0)
        for setting, accuracy in trials
        if all(setting.activations.get(slot) in known for slot, known in names.items())
    ]
    low, high = math.log(space.learning_rate_low), math.log(space.learning_rate_high)
    design = _Design(names, low, high)
    rows = np.stack([design.row(setting) for setting, _accuracy in kept])
    coefficients = _fit(rows, _near_the_best(kept), design)
    rates = np.exp(np.linspace(design.low, design.high, RATES))
    return Curves(design, coefficients, rates, trials)


def _having(names: Sequence[str], seen: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name in seen)


@dataclass(frozen=True)
class _Design:
    """What the coefficients stand for: 4 of the common curve, then 3 for every activation."""

    names: Mapping[SlotName, tuple[str, ...]]
    low: float
    high: float

    @property
    def count(self) -> int:
        return sum(map(len, self.names.values()))

    def place(self, slot: SlotName, name: str) -> int:
        """Return where the coefficients of an activation begin."""
        before = 0
        for one, names in self.names.items():
            if one == slot:
                return 4 + 3 * (before + names.index(name))
            before += len(names)
        raise ValueError(f"there is no slot {slot}")

    def row(self, setting: Setting) -> Array:
        found = np.zeros(4 + 3 * self.count)
        activations = setting.activations
        found[:4] = self.powers(np.array([math.log(setting.learning_rate)]))[0]
        for slot in self.names:
            place = self.place(slot, activations[slot])
            found[place : place + 3] = found[:3]
        return found

    def powers(self, logarithms: Array) -> Array:
        """Return 1, x, x^2 and x^3 at the logarithms of learning rates; x is 0 in their middle."""
        width = self.high - self.low
        x = (logarithms - self.low) / width - 0.5 if width else np.zeros(len(logarithms))
        return np.stack([np.ones(len(x)), x, x**2, x**3], axis=1)

    def deviations(self, shapes: Sequence[float]) -> Array:
        """Return the standard deviation of every coefficient's prior, given those of the shapes."""
        own = [value for shape in shapes for value in (LEVEL, shape, 2.0 * shape)]
        return np.array([1.0, 1.0, 1.0, 1.0, *own])


def _near_the_best(trials: Sequence[tuple[Setting, float]]) -> Array:
    """Return the accuracies, none further than `NEAR` below the best of any of its activations."""
    best: dict[tuple[SlotName, str], float] = {}
    for setting, accuracy in trials:
        for side in setting.activations.items():
            best[side] = max(best.get(side, 0.0), accuracy)
    return np.array(
        [
            max(accuracy, min(best[side] for side in setting.activations.items()) - NEAR)
            for setting, accuracy in trials
        ]
    )


def _fit(rows: Array, values: Array, design: _Design) -> Array:
    """Return the coefficients that are likeliest after the trials."""
    centre = float(np.median(values))
    values = values - centre
    prior, noise = _priors(rows, values, design)
    weights: Array = np.ones(len(values))
    coefficients: Array = np.zeros(rows.shape[1])
    for _round in range(ROUNDS):
        precision = (rows.T * weights) @ rows / noise**2 + np.diag(prior**-2.0)
        target = rows.T @ (weights * values) / noise**2
        coefficients = np.asarray(np.linalg.solve(precision, target), dtype=np.float64)
        errors = (values - rows @ coefficients) / noise
        weights = (DEGREES + 1.0) / (DEGREES + errors**2)
    coefficients[0] += centre
    return coefficients


def _priors(rows: Array, values: Array, design: _Design) -> tuple[Array, float]:
    """Return the priors' standard deviations and that of the noise."""

    def evidence(shapes: Sequence[float]) -> tuple[float, float]:
        prior = design.deviations(shapes)
        return max((_evidence(rows, values, prior, noise), noise) for noise in NOISES)

    shapes = [NARROW] * design.count
    while True:
        so_far, noise = evidence(shapes)
        gains = {
            place: evidence([*shapes[:place], WIDE, *shapes[place + 1 :]])[0] - so_far
            for place, shape in enumerate(shapes)
            if shape == NARROW
        }
        best = max(gains, key=lambda place: gains[place], default=None)
        if best is None or gains[best] < APART:
            return design.deviations(shapes), noise
        shapes[best] = WIDE


def _evidence(rows: Array, values: Array, prior: Array, noise: float) -> float:
    """Return the logarithm of the density of the values, but for a constant."""
    covariance = (rows * prior**2) @ rows.T + noise**2 * np.eye(len(values))
    factor = np.linalg.cholesky(covariance)
    white = np.linalg.solve(factor, values)
    return float(-0.5 * white @ white - np.log(np.diag(factor)).sum())
