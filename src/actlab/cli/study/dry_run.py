"""`actlab study run --dry-run`: what a study would cost."""

from actlab.cli.output import print_json
from actlab.i18n import _
from actlab.records import Plan
from actlab.studies.estimate import estimate
from actlab.studies.session import ExecutorFactory


def show_estimate(plan: Plan, make_executor: ExecutorFactory, *, as_json: bool) -> None:
    """Time an epoch, print trainings, minutes and disk."""
    executor = make_executor(1, plan.execution.trial_timeout)
    try:
        cost = estimate(plan, executor)
    finally:
        executor.shutdown(cancel_futures=True)
    if as_json:
        print_json(vars(cost))
        return
    trainings = _("trainings: {count}, {workers} at a time")
    print(trainings.format(count=cost.trainings, workers=cost.workers))
    minutes = _(
        "minutes: about {minutes} "
        "({seconds} s an epoch, measured now; about {epochs} epochs a training)"
    )
    print(
        minutes.format(
            minutes=f"{cost.minutes:.1f}",
            seconds=f"{cost.seconds_per_epoch:.2f}",
            epochs=cost.epochs_per_training,
        )
    )
    print(_("disk: about {megabytes} MB").format(megabytes=f"{cost.disk_megabytes:.1f}"))
