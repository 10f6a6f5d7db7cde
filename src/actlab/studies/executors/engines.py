"""Which engine runs the trials of a study."""

from actlab.errors import EngineError
from actlab.i18n import _
from actlab.studies.executors.local import LocalProcesses
from actlab.studies.executors.session import ExecutorFactory


def executor_factory(name: str) -> ExecutorFactory:
    """Return what makes the executor called `name`; raises EngineError where there is none."""
    if name == "local":
        return LocalProcesses
    message = _(
        'The engine "{name}" is not available: this actlab runs trials in processes of this '
        "machine. Leave --executor out, or give: local."
    )
    raise EngineError(message.format(name=name))
