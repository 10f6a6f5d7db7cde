"""The author's whole search on this machine, with his loop: what `time_to_best.py` is held against.

Recipe: 120 trials one after the other, asked by the published sampler, each trained by
`reference_loop.py` in this process with torch's default threads. A line per trial is kept in a
file, so that hours of it can be interrupted; called again it goes on. Seconds are those of the
trainings, summed up; start-up and the scoring at the end of each are left out.

    python benchmarks/reference_study.py [--trials 120] [--record build/reference_study.jsonl]
        [--quick]
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import optuna

import kept
from actlab.records import Setting
from actlab.studies.plan.file import read_plan
from actlab.studies.search.sampling import distributions, setting_of, strategy
from bench import publish
from reference_loop import train

RECORD = Path("build/reference_study.jsonl")
SEED = 1


@dataclass(frozen=True)
class Line:
    """One trial: its setting, the valid (trial) accuracy and the seconds that it took."""

    conv_activation: str
    fc_activation: str
    learning_rate: float
    valid_trial: float
    epochs: int
    seconds: float


def epochs_to(lines: list[Line], accuracy: float) -> int:
    """Return the epochs of all trials up to the first that reached an accuracy; of all if none."""
    spent = 0
    for line in lines:
        spent += line.epochs
        if line.valid_trial >= accuracy:
            break
    return spent


def go_on(path: Path, trials: int, seed: int, directory: str, epochs: int | None) -> list[Line]:
    """Train what is missing; every trial is kept as soon as it is done."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    plan = read_plan("published", {"seed": seed})
    space, asking = distributions(plan.space), strategy(plan)
    study = optuna.create_study(direction="maximize")
    lines = kept.read(path, Line)
    for line in lines:
        parameters = {name: getattr(line, name) for name in space}
        study.add_trial(
            optuna.trial.create_trial(
                params=parameters, distributions=space, value=line.valid_trial
            )
        )
    while len(lines) < trials:
        study.sampler = asking.sampler(len(lines))
        trial = study.ask(space)
        found = trained(setting_of(trial.params), seed, directory, epochs)
        study.tell(trial, found.valid_trial)
        lines.append(found)
        kept.append(path, [found])
    return lines


def trained(setting: Setting, seed: int, directory: str, epochs: int | None) -> Line:
    """Train one setting the author's way."""
    outcome = train(setting, seed, directory, epochs)
    score = outcome.valid_trial
    return Line(
        **vars(setting),
        valid_trial=max(outcome.valid_epoch) if score is None else score,
        epochs=outcome.epochs,
        seconds=outcome.seconds,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", default="../shared/mnist")
    parser.add_argument("--trials", type=int, default=120)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--record", type=Path, default=RECORD)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    if given.quick:
        path, trials, epochs = given.record.with_suffix(".quick.jsonl"), 1, 1
        path.unlink(missing_ok=True)
    else:
        path, trials, epochs = given.record, given.trials, None
    lines = go_on(path, trials, given.seed, given.data_dir, epochs)
    best = max(line.valid_trial for line in lines)
    epochs, seconds = sum(line.epochs for line in lines), sum(line.seconds for line in lines)
    publish(
        f"the author's search, {len(lines)} trials",
        {
            "best valid (trial) accuracy": best,
            "epochs": epochs,
            "epochs to the best minus 0.1 points": epochs_to(lines, best - 0.001),
            "seconds": seconds,
            "seconds per epoch": seconds / epochs,
            "record": str(path),
        },
    )


if __name__ == "__main__":
    main()
