"""Does a verdict agree with itself, and the cheap plan's with the full one's? Simulated studies.

Recipe: the MNIST study that docs/verdict/figures.json keeps (corrected protocol; 128 trainings of
its search, 160 on ten seeds) is what trainings are drawn from. The accuracy of a pair at a rate is
the sum of a common curve and the two activations' own, each a kernel smoothing of the search's
trainings (width 0.5 of the logarithm of the rate); where none learnt, it is chance. The effect of
a replicate's seed and what is left over (every training's own) are drawn from the ten seeds.
Everything else is the program's own: the balanced plan, the choice of settings, stopping, the rule.
The full plan is `balanced` with ten seeds; the cheap one is `quick`. With `--runs`, a folder of
whole studies of the digits that `repeated_studies.py` made, trainings are drawn from these; the
plans then are `digits` and `digits` with the sampler `fitted`.

Printed: for pairs of studies with different plan seeds, how often a candidate has the same group in
both, and how often it is *worse* in one and *best* or *tied* in the other; how many trainings a
study takes; and in studies whose candidates all have one activation's curves, how often one of
them is *worse*.

Every study is kept as soon as it is done; called again it goes on.

    python benchmarks/simulated_studies.py [--studies 200] [--first 61]
        [--runs build/repeated_studies] [--record build/simulated_studies.jsonl] [--quick]
"""

import argparse
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np
from numpy.typing import NDArray

import kept
from actlab.records import Outcome, Plan, Record, Seeds, Setting, SlotName
from actlab.studies.confirm.candidate_settings import CHOOSE_SEEDS, choose, settings_to_choose_from
from actlab.studies.confirm.replication import near_chance
from actlab.studies.confirm.stopping import STOPPING_ALPHA, looks, stopped_candidates
from actlab.studies.confirm.verdict_text import document
from actlab.studies.interface.verdicts import verdict_of
from actlab.studies.plan.file import read_plan
from actlab.studies.run_folder import RunFolder
from actlab.studies.search.balanced import balanced_settings
from actlab.verdicts import Question, clearly_behind, compare, scores_by_seed
from bench import publish

KEPT = Path(__file__).parent.parent / "docs" / "verdict" / "figures.json"
WIDTH = 0.5
SEEDS = 10
LEARNT, CHANCE = 0.8, 0.1
Array = NDArray[np.float64]
SLOTS: tuple[SlotName, ...] = ("conv", "fc")


class Trainings:
    """What the kept study says of every activation, and trainings drawn from it."""

    def __init__(self, studies: Sequence[Mapping[str, Any]]) -> None:
        points = {
            slot: [
                (row["activation"], point["learning_rate"], point["accuracy"] or 0.0)
                for known in studies
                for row in known["rates"]
                if row["slot"] == slot
                for point in row["points"]
            ]
            for slot in SLOTS
        }
        fc_at = {rate: name for name, rate, _accuracy in points["fc"]}
        self._failing = {  # the lowest rate from which no training of an activation succeeded
            name: max(r for c, r, a in points["conv"] if c == name and a > LEARNT)
            for name in {c for c, _r, a in points["conv"] if a <= LEARNT}
        }
        learnt = [(c, fc_at[r], r, a) for c, r, a in points["conv"] if a > LEARNT]
        names = [np.array([one[place] for one in learnt]) for place in range(2)]
        self._places = np.log([one[2] for one in learnt])
        self._rest = np.array([one[3] for one in learnt])
        self._own: dict[tuple[int, str], tuple[Array, Array]] = {}
        levels = [dict.fromkeys(map(str, row), 0.0) for row in names]
        for _round in range(20):  # additive, by turns
            alone = self._rest - np.array(
                [sum(levels[k][one[k]] for k in range(2)) for one in learnt]
            )
            common = np.array([_smooth(self._places, alone, at) for at in self._places])
            for place, row in enumerate(names):
                other = np.array([levels[1 - place][one[1 - place]] for one in learnt])
                left = self._rest - common - other
                for name in levels[place]:
                    levels[place][name] = float(np.median(left[row == name]))
                    self._own[place, name] = self._places[row == name], left[row == name]
        self._alone = alone
        self._known: dict[Setting, float] = {}
        self._seeds, self._left = map(np.concatenate, zip(*map(_spread, studies), strict=True))
        self.noise = float(self._left.std())

    def expected(self, setting: Setting) -> float:
        """Return the accuracy of a setting in the mean over seeds."""
        if setting not in self._known:
            self._known[setting] = self._expected(setting)
        return self._known[setting]

    def _expected(self, setting: Setting) -> float:
        if setting.learning_rate > self._failing.get(setting.conv_activation, math.inf):
            return CHANCE
        at = math.log(setting.learning_rate)
        own = ((0, setting.conv_activation), (1, setting.fc_activation))
        return _smooth(self._places, self._alone, at) + sum(
            _mean_near(*self._own[one], at) for one in own
        )

    def seed_effect(self, generator: np.random.Generator) -> float:
        """Return by how much a seed lifts the trainings of all settings."""
        return float(generator.choice(self._seeds))

    def luck(self, generator: np.random.Generator) -> float:
        """Return what a training has of its own."""
        return float(generator.choice(self._left))


def _spread(known: Mapping[str, Any]) -> tuple[Array, Array]:
    """Return what the seeds of a study do to all trainings, and what is left of each."""
    scores = np.array(
        [row["scores"] for slot in SLOTS for row in known["slots"][slot] if not row["failures"]]
    )
    whole = scores[:, ~np.isnan(scores.astype(np.float64)).any(axis=0)].astype(np.float64)
    seeds = whole.mean(axis=0) - whole.mean()
    left = whole - whole.mean(axis=1, keepdims=True) - seeds
    # Means were taken off: what is left over is a little too small.
    size = math.sqrt(whole.size / ((whole.shape[0] - 1) * (whole.shape[1] - 1)))
    return seeds, left.ravel() * size


class Equal(Trainings):
    """All activations of a slot have the curve of one of them."""

    def __init__(self, studies: Sequence[Mapping[str, Any]], conv: str, fc: str) -> None:
        super().__init__(studies)
        self._pair = conv, fc

    def _expected(self, setting: Setting) -> float:
        return super()._expected(Setting(*self._pair, setting.learning_rate))


def _weights(places: Array, at: float) -> Array:
    found: Array = np.exp(-(((places - at) / WIDTH) ** 2) / 2) + 1e-9
    return found / found.sum()


def _mean_near(places: Array, values: Array, at: float) -> float:
    return float(_weights(places, at) @ values)


def _smooth(places: Array, values: Array, at: float) -> float:
    """Return a local linear fit."""
    weights, away = _weights(places, at), places - at
    centre = weights @ away
    spread = weights @ (away - centre) ** 2
    slope = weights @ ((away - centre) * values) / spread
    return float(weights @ values - slope * centre)


@dataclass(frozen=True)
class Found:
    """What a study found: groups by "slot candidate", trainings, how far its rates are behind."""

    plan: str
    equal: str
    seed: int
    groups: dict[str, str]
    trainings: int
    regret: float


def record_of(plan: Plan, number: int, setting: Setting, accuracy: float, **more: Any) -> Record:
    rows = plan.data.splits.valid_trial
    return Record(
        identity=f"{number}",
        number=number,
        setting=setting,
        replicate=more.get("replicate"),
        seeds=Seeds.of_search(plan.seed),
        protocol=plan.protocol,
        precision="fp32",
        fingerprint="",
        outcome=Outcome.COMPLETED,
        reason=None,
        valid_accuracy=round(min(accuracy, 1.0) * rows) / rows,
        epochs=1,
        best_epoch=1,
        curve=(),
        seconds=0.0,
        code_version="",
        stage=more.get("stage", "search"),
    )


def study(plan: Plan, trainings: Trainings, equal: str = "", label: str = "") -> Found:
    """Search, choose, train again and judge as the program does, with trainings drawn."""
    seeds, resolution = plan.replicates or SEEDS, 1 / plan.data.splits.valid_trial

    def behind(scores: Sequence[Sequence[float]], done: int, planned: int) -> set[int]:
        return clearly_behind(scores, done, planned, alpha=STOPPING_ALPHA, resolution=resolution)

    generator = np.random.default_rng((plan.seed, 7))
    common = trainings.seed_effect(generator)
    records = [
        record_of(plan, n, one, trainings.expected(one) + common + trainings.luck(generator))
        for n, one in enumerate(balanced_settings(plan))
    ]
    for seed in range(CHOOSE_SEEDS):
        common = trainings.seed_effect(generator)
        records += [
            record_of(
                plan,
                len(records) + place,
                one,
                trainings.expected(one) + common + trainings.luck(generator),
                stage="choose",
                replicate=seed,
            )
            for place, one in enumerate(settings_to_choose_from(plan.space, records, plan.sampler))
        ]
    chosen = choose(plan.space, records, CHANCE, plan.sampler)
    settings = list(dict.fromkeys(one for row in chosen.values() for one in row.values() if one))
    effects = [trainings.seed_effect(generator) for _seed in range(seeds)]
    again = [
        record_of(
            plan,
            len(records),
            one,
            trainings.expected(one) + effects[seed] + trainings.luck(generator),
            stage="confirm",
            replicate=seed,
        )
        for seed in range(seeds)
        for one in settings
    ]
    stopped: Mapping[SlotName, Mapping[str, int]] = {slot: {} for slot in SLOTS}
    if plan.sampler.name == "fitted":
        stopped = stopped_candidates(
            chosen, again, seeds, max(looks(seeds), default=0), behind, CHANCE
        )
    trained: set[tuple[Setting, int]] = set()
    groups: dict[str, str] = {}
    for slot in SLOTS:
        rows = {}
        for name, setting in chosen[slot].items():
            until = stopped[slot].get(name, seeds)
            rows[name] = {
                r.replicate: _unless_failed(r.valid_accuracy)
                for r in again
                if r.setting == setting and r.replicate is not None and r.replicate < until
            }
            trained |= {(setting, seed) for seed in range(until) if setting is not None}
        found = compare(scores_by_seed(rows), Question(0.005, resolution=resolution))
        groups |= {f"{slot} {row.name}": row.group for row in found.candidates}
    count = len(records) + len(trained)
    lost = _regret(plan, trainings, chosen)
    return Found(label or plan.name, equal, plan.seed, groups, count, lost)


def _unless_failed(accuracy: float | None) -> float | None:
    return None if accuracy is None or near_chance(accuracy, CHANCE) else accuracy


def _regret(
    plan: Plan, trainings: Trainings, chosen: Mapping[SlotName, Mapping[str, Any]]
) -> float:
    """Return how far the chosen rates are behind the best ones, in the median candidate."""
    rates = np.geomspace(plan.space.learning_rate_low, plan.space.learning_rate_high, 31)
    lost = []
    for row in chosen.values():
        for setting in row.values():
            best = max(
                trainings.expected(replace(setting, learning_rate=float(rate))) for rate in rates
            )
            lost.append(best - trainings.expected(setting))
    return median(lost)


def agreement(first: Sequence[Found], second: Sequence[Found]) -> dict[str, float]:
    """Return how often a candidate is in the same group, and how often the two contradict.

    Over all pairs of a study of the first kind and one of the second with another seed.
    """
    same, against, count = 0, 0, 0
    for one, other in product(first, second):
        if one.seed == other.seed:
            continue
        for key in one.groups.keys() & other.groups.keys():
            groups = {one.groups[key], other.groups[key]}
            same += len(groups) == 1
            against += "worse" in groups and bool(groups & {"best", "tied"})
            count += 1
    return {"same group": same / count, "contradict": against / count}


EQUAL = ("", "relu tanh", "silu relu")
"""Whose curves all candidates have: everyone's own, or those of one pair."""

Plans = Mapping[str, tuple[str, Mapping[str, Any]]]
MNIST: Plans = {"balanced": ("balanced", {}), "quick": ("quick", {})}
DIGITS: Plans = {
    "digits": ("digits", {}),
    "digits, fitted": ("digits", {"sampler": {"name": "fitted"}}),
}
"""The full plan and the cheap one: a preset each, with what is laid over it."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--first", type=int, default=61, help="plan seed; 1 to 60 were chosen on")
    parser.add_argument("--runs", type=Path, help="whole studies of the digits")
    parser.add_argument("--record", type=Path, default=Path("build/simulated_studies.jsonl"))
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    plans = DIGITS if given.runs else MNIST
    known = (
        digits_of(given.runs)
        if given.runs
        else [json.loads(KEPT.read_text())["studies"]["corrected"]["verdict"]]
    )
    made = [one for one in kept.read(given.record, Found) if one.plan in plans]
    done = {(one.plan, one.equal, one.seed) for one in made}
    sources = {
        equal: Equal(known, *equal.split()) if equal else Trainings(known) for equal in EQUAL
    }
    seeds = range(given.first, given.first + (3 if given.quick else given.studies))
    for equal, seed in product(EQUAL, seeds):
        for name, (preset, overrides) in plans.items():
            if (name, equal, seed) not in done:
                plan = replace(read_plan(preset, overrides), seed=seed)
                made.append(study(plan, sources[equal], equal, name))
                kept.append(given.record, made[-1:])
    made = [one for one in made if one.seed in seeds]
    publish("simulated studies", figures_of(made, tuple(plans)))


def digits_of(runs: Path) -> list[dict[str, Any]]:
    """Return what whole studies of the digits found, a document each."""
    folders = [RunFolder.open(path.parent) for path in sorted(runs.glob("*/plan.toml"))]
    found = [verdict_of(folder) for folder in folders]
    return [document(verdict) for verdict in found if verdict is not None]


def figures_of(made: Sequence[Found], plans: tuple[str, ...]) -> dict[str, Any]:
    """Return agreement, costs and false alarms."""
    figures: dict[str, Any] = {}
    real = {name: [one for one in made if (one.plan, one.equal) == (name, "")] for name in plans}
    for name, found in real.items():
        groups = Counter(group for one in found for group in one.groups.values())
        figures |= {
            f"{name}: studies": len(found),
            f"{name}: trainings": fmean(one.trainings for one in found),
            f"{name}: behind the best rate, points": 100 * fmean(one.regret for one in found),
            f"{name}: groups": {key: n / groups.total() for key, n in groups.items()},
            f"{name} with itself": agreement(found, found),
        }
    figures["the cheap plan with the full one"] = agreement(*(real[name] for name in plans))
    for name, equal in product(plans, EQUAL[1:]):
        tables = [
            [group for key, group in one.groups.items() if key.startswith(slot)]
            for one in made
            if (one.plan, one.equal) == (name, equal)
            for slot in SLOTS
        ]
        if tables:
            figures[f"{name}, all as {equal}: false worse, of {len(tables)} tables"] = fmean(
                "worse" in table for table in tables
            )
    return figures


if __name__ == "__main__":
    main()
