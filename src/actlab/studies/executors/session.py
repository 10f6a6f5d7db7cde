"""What every driver of a run folder needs: workers while it runs, and the environment."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from actlab.errors import RunFolderError
from actlab.i18n import _
from actlab.records import Environment, NetworkHash, Plan
from actlab.studies import worker
from actlab.studies.executors.cluster import ClusterExecutor
from actlab.studies.executors.dispatch import persist
from actlab.studies.run_folder import RunFolder

ExecutorFactory = Callable[[int, float], Executor]
"""Makes an executor from a number of workers and the seconds that a task may take."""


@contextmanager
def running(executor: Executor) -> Iterator[Executor]:
    """End the executor with the body: after its tasks, or at once where the body raises."""
    try:
        yield executor
    except BaseException:  # also Ctrl-C; what was raised passes on to who tells it
        executor.shutdown(cancel_futures=True)
        raise
    executor.shutdown()


def settled(plan: Plan, found: Environment) -> Plan:
    """Return a plan with what it leaves open settled: device, precision, the margin of an error.

    A margin that nobody chose is, for an error, half a percent of what the best constant has.
    """
    execution = replace(plan.execution, device=found.device, precision=found.precision)
    margin = plan.margin
    if plan.training.measured.perfect == 0.0 and found.baseline and margin == Plan.margin:
        margin *= abs(found.baseline)
    return replace(plan, execution=execution, margin=margin)


def network_changed(old: NetworkHash, new: NetworkHash | None) -> str:
    """Return the sentence that says in what a network differs from the study's."""
    named = {
        "structure": _("its modules"),
        "shapes": _("the shapes of its weights"),
        "source": _("its source"),
    }
    changed = [words for key, words in named.items() if getattr(old, key) != getattr(new, key, "")]
    message = _(
        "The network has changed since the study began: {changed}. Go on with the network as it "
        "was, or start a new study in another folder."
    )
    return message.format(changed=", ".join(changed))


def established_environment(
    folder: RunFolder,
    command: str,
    executor: Executor,
    meanwhile: Callable[[], None] | None = None,
) -> Environment:
    """Return where the study runs, written when it began.

    Device and precision are settled then, and stand in the plan from then on. A worker finds them;
    `meanwhile` is done here, once it has begun.

    Raises ActlabError where data or device are not there, RunFolderError where the data or the
    network have changed since, EngineError where the workers of an engine are not what they must
    be.
    """
    known = folder.environment()
    planned_on = {record.fingerprint for record in folder.all_records()}
    if known is not None:
        planned_on.add(known.fingerprint)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    plan = folder.plan()
    if isinstance(executor, ClusterExecutor):
        executor.check(plan, min(planned_on, default=None))
    found = persist(executor, worker.prepare, plan, command, started, meanwhile=meanwhile)
    other = planned_on - {found.fingerprint}
    if other:
        message = _(
            "The data has changed since the study began: its fingerprint was {old}, now it is "
            "{new}. Resume with the same data, or start a new study."
        )
        raise RunFolderError(message.format(old=min(other), new=found.fingerprint))
    if known is None:
        folder.replace_plan(settled(plan, found))
        folder.write_environment(found)
        return found
    if known.network_hash is not None and known.network_hash != found.network_hash:
        raise RunFolderError(network_changed(known.network_hash, found.network_hash))
    return known
