"""Trainings all over the published space, kept for `simulated_search.py`; needs a GPU.

Recipe: every pair of activations at 16 learning rates, one drawn from each of 16 equal parts of the
logarithmic range, in mixed order; on the split, weights and order of `reference_study.py`, in
populations of 128. Every population is kept in a file as soon as it is done; called again it goes
on.

    python benchmarks/grid.py [--rates 16] [--precision bf16] [--record build/grid.jsonl] [--quick]
"""

import argparse
import itertools
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

import kept
import ours
import reference_study
from actlab.records import Record, Setting, Space
from actlab.studies import worker
from bench import publish

RECORD = Path("build/grid.jsonl")
SIZE = 128
SEED = 7


@dataclass(frozen=True)
class Trained:
    """A setting, its accuracy on valid (trial), and that on valid (epoch) after every epoch."""

    conv_activation: str
    fc_activation: str
    learning_rate: float
    valid_trial: float | None
    valid_epoch: list[float]


def grid(space: Space, rates: int) -> list[Setting]:
    """Return every pair at `rates` learning rates, in mixed order."""
    generator = np.random.default_rng(SEED)
    low, high = np.log(space.learning_rate_low), np.log(space.learning_rate_high)
    found = []
    for conv, fc in itertools.product(space.conv_activation, space.fc_activation):
        places = (np.arange(rates) + generator.random(rates)) / rates
        found += [Setting(conv, fc, float(np.exp(low + (high - low) * at))) for at in places]
    return [found[place] for place in generator.permutation(len(found))]


def line_of(record: Record) -> Trained:
    curve = [epoch.valid_metric for epoch in record.curve]
    return Trained(**vars(record.setting), valid_trial=record.valid_accuracy, valid_epoch=curve)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", default="../shared/mnist")
    parser.add_argument("--rates", type=int, default=16)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="bf16")
    parser.add_argument("--record", type=Path, default=RECORD)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    if not torch.cuda.is_available():
        print("No GPU is here; on a processor the grid would take hours.")
        return
    worker.initialise()
    plan = ours.published_plan(str(Path(given.data_dir).resolve()), given.precision, "cuda")
    environment = ours.prepare(plan)
    chosen = grid(plan.space, given.rates)[: 2 if given.quick else None]
    trained = kept.read(given.record, Trained)
    for start in range(len(trained), len(chosen), SIZE):
        trials = [
            ours.trial_of(plan, environment, setting, reference_study.SEED)
            for setting in chosen[start : start + SIZE]
        ]
        made = worker.train_many(trials, ours.in_lockstep)
        trained += [line_of(record) for _state, record in made]
        kept.append(given.record, trained[start:])
    best = max(trained, key=lambda line: line.valid_trial or 0.0)
    publish(
        "trainings all over the published space", {"trainings": len(trained), "best": asdict(best)}
    )


if __name__ == "__main__":
    main()
