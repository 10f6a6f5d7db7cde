"""`actlab study run --dry-run`: what a study would cost, and what it could show."""

import math
from dataclasses import asdict, dataclass

from actlab.cli.output import print_json
from actlab.i18n import _
from actlab.records import Plan
from actlab.studies.estimate import Estimate, estimate
from actlab.studies.executors.session import ExecutorFactory
from actlab.studies.trials import rows_overlap
from actlab.text import process_formatter
from actlab.verdicts import detectable_difference

ASSUMED_ACCURACY = 0.97
POWER = 0.8


@dataclass(frozen=True)
class Sensitivity:
    """The smallest difference of two candidates that some seeds show with a chance of 80 %.

    `spread` is the standard deviation of paired differences that this assumes: what scoring two
    networks of 97 % accuracy on the evaluation rows gives by itself. `comparisons` are all pairs
    of the larger slot.
    """

    seeds: int
    spread: float
    comparisons: int
    smallest_difference: float


def sensitivity(plan: Plan, seeds: int) -> Sensitivity:
    """Return what a confirmation of the plan on `seeds` seeds can show.

    >>> from actlab.studies.plan.file import read_plan
    >>> plan = read_plan("balanced", {})
    >>> few, many = (sensitivity(plan, seeds).smallest_difference for seeds in (4, 10))
    >>> few > many > 0.003
    True
    """
    splits, space = plan.data.splits, plan.space
    spread = math.sqrt(2 * ASSUMED_ACCURACY * (1 - ASSUMED_ACCURACY) / splits.valid_trial)
    pairs = math.comb(max(map(len, space.by_slot.values())), 2)
    reuse = splits.valid_trial / splits.train if rows_overlap(plan, None) else 0.0
    return Sensitivity(
        seeds=seeds,
        spread=spread,
        comparisons=pairs,
        smallest_difference=detectable_difference(
            seeds, spread, max(pairs, 1), power=POWER, reuse=reuse
        ),
    )


def show_estimate(
    plan: Plan, make_executor: ExecutorFactory, confirm_seeds: int | None, *, as_json: bool
) -> None:
    """Time an epoch, print trainings, minutes and disk; with a confirmation what it can show."""
    executor = make_executor(1, plan.execution.trial_timeout)
    try:
        cost = estimate(plan, executor, confirm_seeds)
    finally:
        executor.shutdown(cancel_futures=True)
    shows = sensitivity(plan, confirm_seeds) if confirm_seeds is not None else None
    if as_json:
        print_json(asdict(cost) | {"confirmation": asdict(shows) if shows else None})
        return
    for line in _cost_lines(cost):
        print(line)
    if shows is not None:
        print(_sensitivity_line(shows, plan))


def _cost_lines(cost: Estimate) -> list[str]:
    trainings = _("trainings: {count}, {workers} at a time")
    lines = [trainings.format(count=cost.trainings, workers=cost.workers)]
    if cost.confirmation_trainings:
        again = _("of these at most {count} again, to choose and to confirm")
        lines.append(again.format(count=cost.confirmation_trainings))
    minutes = _(
        "minutes: about {minutes} "
        "({seconds} s an epoch, measured now; about {epochs} epochs a training)"
    )
    lines.append(
        minutes.format(
            minutes=f"{cost.minutes:.1f}",
            seconds=f"{cost.seconds_per_epoch:.2f}",
            epochs=cost.epochs_per_training,
        )
    )
    lines.append(_("disk: about {megabytes} MB").format(megabytes=f"{cost.disk_megabytes:.1f}"))
    return lines


def _sensitivity_line(shows: Sensitivity, plan: Plan) -> str:
    form = process_formatter()
    return _(
        "smallest difference that {seeds} seeds show (chance {power} %, all {comparisons} pairs of "
        "a slot compared): {difference} points, if differences spread by {spread} points from seed "
        "to seed, as scoring {accuracy} % on {rows} rows does by itself"
    ).format(
        seeds=shows.seeds,
        power=form.margin(POWER),
        comparisons=shows.comparisons,
        difference=form.difference(shows.smallest_difference),
        spread=form.difference(shows.spread),
        accuracy=form.margin(ASSUMED_ACCURACY),
        rows=plan.data.splits.valid_trial,
    )
