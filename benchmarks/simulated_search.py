"""How many epochs a search takes to an accuracy, over many sampler seeds, without training.

Recipe: the searches ask Optuna as ours do, by the published plan's sampler and a pruner, with two
trainings under way at a time. A training is one that `grid.py` kept for the same pair, drawn with
weights that fall with the distance of its logarithmic learning rate (a normal curve of width 0.2),
and normal noise of 0.04 points on every accuracy, so that the same training is not met twice. What
is to be reached is what `time_to_best.py` asks for; a search that is not there after 120 trials
counts as endless. Populations are asked for all at once, as on a GPU, with the constant liar.

    python benchmarks/simulated_search.py [--searches 100] [--epochs 300] [--grid build/grid.jsonl]
        [--record build/reference_study.jsonl] [--quick]
"""

import argparse
import heapq
import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from statistics import median

import numpy as np
import optuna
from numpy.typing import NDArray

import grid
import kept
import reference_study
from actlab.records import NoPruner, Plan, Setting
from actlab.studies.plan.file import read_plan
from actlab.studies.search.pruning import optuna_pruner
from actlab.studies.search.sampling import Planned, distributions, setting_of, strategy
from bench import publish
from time_to_best import SLACK

WIDTH, NOISE = 0.2, 0.0004
AT_ONCE = 2
PRUNERS = ("none", "median", "hyperband")
POPULATIONS = (8, 16, 32, 60)
FLOOR = 0.1
"""The accuracy of a training that diverged, or of an epoch in which it did: chance."""


class Trainings:
    """The trainings of a grid, from which others like them are drawn."""

    def __init__(self, lines: list[grid.Trained]) -> None:
        self._by_pair: Mapping[tuple[str, str], list[grid.Trained]] = defaultdict(list)
        for line in lines:
            self._by_pair[line.conv_activation, line.fc_activation].append(line)

    def draw(
        self, setting: Setting, generator: np.random.Generator
    ) -> tuple[float, NDArray[np.float64]]:
        """Return the accuracy on valid (trial) of a training, and those on valid (epoch)."""
        lines = self._by_pair[setting.conv_activation, setting.fc_activation]
        places = np.log([line.learning_rate for line in lines])
        weights = np.exp(-(((places - math.log(setting.learning_rate)) / WIDTH) ** 2) / 2) + 1e-12
        line = lines[generator.choice(len(lines), p=weights / weights.sum())]
        curve = np.array(line.valid_epoch) + generator.normal(0, NOISE, len(line.valid_epoch))
        final = FLOOR if line.valid_trial is None else line.valid_trial
        return final + float(generator.normal(0, NOISE)), curve


@dataclass(frozen=True)
class Found:
    """What a search took: trials that ended, epochs; and whether it got there."""

    trials: int
    epochs: int
    reached: bool


class Simulation:
    """One search, asked and told as a study's ledger does it, but in memory alone."""

    def __init__(self, plan: Plan, trainings: Trainings) -> None:
        self._plan, self._trainings = plan, trainings
        self._strategy, self._space = strategy(plan), distributions(plan.space)
        pruner = optuna_pruner(plan.pruner)
        # Hyperband deals its brackets by the study's name.
        self._study = optuna.create_study(
            study_name=f"simulated {plan.seed}", direction="maximize", pruner=pruner
        )
        self._seen = optuna.create_study(direction="maximize")
        self._generator = np.random.default_rng(plan.seed)

    def run(self, accuracy: float) -> Found:
        """Search until the accuracy is reached, or to the end of the plan."""
        ties, trials, epochs = count(), 0, 0
        under_way = [(1, next(ties), *self._start(number), 1) for number in range(AT_ONCE)]
        asked = len(under_way)
        while under_way:
            now, _tie, live, final, curve, epoch = heapq.heappop(under_way)
            epochs += 1
            live.report(float(curve[epoch - 1]), epoch)
            if epoch < len(curve) and not self._gives_up(live):
                heapq.heappush(under_way, (now + 1, next(ties), live, final, curve, epoch + 1))
                continue
            trials += 1
            if epoch == len(curve):
                self._study.tell(live.number, final)
                if final >= accuracy:
                    return Found(trials, epochs, reached=True)
            else:
                self._study.tell(live.number, state=optuna.trial.TrialState.PRUNED)
            worth = final if epoch == len(curve) else float(curve[:epoch].max())
            self._seen.tell(live.number, worth)
            if asked < self._plan.trials:
                heapq.heappush(under_way, (now + 1, next(ties), *self._start(asked), 1))
                asked += 1
        return Found(trials, epochs, reached=False)

    def run_together(self, accuracy: float, size: int) -> Found:
        """Search by populations of a size, each trained to its end before the next is asked."""
        trials, epochs = 0, 0
        while trials < self._plan.trials:
            numbers = range(trials, min(trials + size, self._plan.trials))
            population = [self._start(number) for number in numbers]
            for live, final, curve in population:
                trials, epochs = trials + 1, epochs + len(curve)
                self._seen.tell(live.number, final)
                if final >= accuracy:
                    return Found(trials, epochs, reached=True)
        return Found(trials, epochs, reached=False)

    def _start(self, number: int) -> tuple[optuna.Trial, float, NDArray[np.float64]]:
        self._seen.sampler = self._strategy.sampler(number)
        setting = setting_of(self._seen.ask(self._space).params)
        self._study.sampler = Planned(setting)
        return self._study.ask(self._space), *self._trainings.draw(setting, self._generator)

    def _gives_up(self, live: optuna.Trial) -> bool:
        return not isinstance(self._plan.pruner, NoPruner) and live.should_prune()


def summary(found: list[Found], epochs: int) -> dict[str, float]:
    taken = [one.epochs if one.reached else math.inf for one in found]
    return {
        "reached": sum(one.reached for one in found) / len(found),
        "median epochs": median(taken),
        f"within {epochs} epochs": sum(one <= epochs for one in taken) / len(taken),
        "epochs per trial": sum(one.epochs for one in found) / sum(one.trials for one in found),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--searches", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--grid", type=Path, default=grid.RECORD)
    parser.add_argument("--record", type=Path, default=reference_study.RECORD)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    lines = kept.read(given.grid, grid.Trained)
    recorded = kept.read(given.record, reference_study.Line)
    if not lines or not recorded:
        print("Nothing is kept; run benchmarks/grid.py and benchmarks/reference_study.py first.")
        return
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    trainings, accuracy = Trainings(lines), max(line.valid_trial for line in recorded) - SLACK
    figures: dict[str, object] = {"trainings kept": len(lines), "accuracy to reach": accuracy}
    for pruner in PRUNERS:
        plan = read_plan("published", {"pruner": {"name": pruner}})
        seeds = range(1, 3 if given.quick else given.searches + 1)
        found = [Simulation(replace(plan, seed=seed), trainings).run(accuracy) for seed in seeds]
        figures[f"pruner {pruner}"] = summary(found, given.epochs)
    for size in POPULATIONS:
        plan = read_plan("published", {"sampler": {"name": "tpe", "constant_liar": True}})
        seeds = range(1, 3 if given.quick else given.searches + 1)
        found = [
            Simulation(replace(plan, seed=seed), trainings).run_together(accuracy, size)
            for seed in seeds
        ]
        figures[f"populations of {size}"] = summary(found, given.epochs)
    publish("simulated searches, two trainings at a time", figures)


if __name__ == "__main__":
    main()
