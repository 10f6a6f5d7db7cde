"""`actlab.study`: a whole study from Python, by the engine of the command line."""

import html
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actlab.errors import ActlabError, AddressError, RunFolderError
from actlab.i18n import _, process_language
from actlab.networks import is_address
from actlab.records import (
    Confirmation,
    Execution,
    FinalFigure,
    Init,
    Plan,
    Record,
    Verdict,
    best_record,
)
from actlab.studies.confirm.confirmation import check_seeds, obstacle
from actlab.studies.executors.engines import executor_factory, with_network_by_value
from actlab.studies.executors.in_process import InThisProcess
from actlab.studies.executors.local import LocalProcesses
from actlab.studies.executors.session import ExecutorFactory, network_changed
from actlab.studies.interface.driving import bring_to_its_end
from actlab.studies.interface.progress import StudyProgress
from actlab.studies.interface.user_inputs import (
    UserData,
    data_overrides,
    find_model,
    without_missing_kinds,
)
from actlab.studies.plan.file import read_plan, revised
from actlab.studies.run_folder import RunFolder
from actlab.studies.summary import final_of_best
from actlab.text import process_formatter

if TYPE_CHECKING:
    from actlab.studies.interface.study_verdict import StudyVerdict

_COMMAND = "actlab.study(...)"


class Study:
    """A study in its run folder; everything it says is read from there.

    It shows itself as a table in a notebook. A study of a network of the user's goes on to
    train only where `model` names it.
    """

    def __init__(
        self,
        path: Path | str,
        make_executor: ExecutorFactory = LocalProcesses,
        *,
        model: Any = None,
    ) -> None:
        self._folder = RunFolder.open(Path(path))
        self._make_executor = make_executor
        self._named = None if model is None else find_model(model).name

    @property
    def path(self) -> Path:
        """The run folder."""
        return self._folder.path

    @property
    def plan(self) -> Plan:
        """What was planned, nothing left to defaults."""
        return self._folder.plan()

    @property
    def records(self) -> tuple[Record, ...]:
        """The records of the search, in the order of their numbers, failures too."""
        return self._folder.records()

    @property
    def best(self) -> Record | None:
        """The record with the highest accuracy on valid_trial; None where none completed."""
        return best_record(self.records)

    @property
    def final(self) -> FinalFigure | None:
        """The test accuracy of the best trial's model; None before it was read."""
        return final_of_best(self._folder, self.records)

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What the checker found in the study's own network and loss."""
        return self._folder.findings() or []

    def confirm(self, seeds: int = 10, *, sequential: bool = False) -> "StudyVerdict":
        """Train the best settings of every candidate again, on `seeds` new seeds, and judge them.

        Raises ActlabError for fewer than two seeds, or a search that is not finished.
        """
        from actlab.studies.interface.study_verdict import shown

        reason = obstacle(self._folder)
        if reason is not None:
            raise ActlabError(reason)
        check_seeds(seeds)
        verdict = self._finish(Confirmation(seeds, sequential))
        assert verdict is not None, "a confirmation ends in a verdict"
        return shown(verdict)

    def verdict(self) -> "StudyVerdict | None":
        """Return what the replicates support; None before the study was confirmed."""
        from actlab.studies.interface.study_verdict import shown
        from actlab.studies.interface.verdicts import verdict_of

        verdict = verdict_of(self._folder)
        return None if verdict is None else shown(verdict)

    def report(self, path: Path | str | None = None, language: str | None = None) -> Path:
        """Write the page and return its path; without `path`, report.html in the run folder."""
        from actlab.studies.interface.pages import write_page

        target = Path(path) if path is not None else self._folder.report_path
        write_page(self._folder, target, language or process_language())
        return target

    def network(self) -> Any:
        """Return the network of the best trial with its weights, on the CPU and in eval mode.

        A network of the user's is built again by its own code, and comes as their own class unless
        the protocol puts a softmax behind it. Raises RunFolderError where no trial has completed.
        """
        from actlab.studies.export import trained_network

        check_code_is_named(self.plan, self._named)
        return trained_network(self._folder)[0]

    def export(self, path: Path | str, *, onnx: bool = True) -> Any:
        """Write the network of the best trial into a folder, to take home.

        The folder gets its weights (`model.pt`), `model.onnx`, `changes.diff` with the lines of the
        user's source to edit, and a model card with the verdict (`README.md`). ONNX needs
        `actlab[onnx]`, and its outputs are compared with the module's. Returns an `Export` with the
        paths, the network and the changes.

        Raises RunFolderError where no trial has completed, MissingExtraError where the packages of
        that extra are missing.
        """
        from actlab.studies.export import export

        check_code_is_named(self.plan, self._named)
        return export(self._folder, Path(path), onnx=onnx)

    def to_pandas(self) -> Any:
        """Return the trials as a DataFrame, one row each; needs pandas."""
        return import_module("pandas").DataFrame([_row(record) for record in self.records])

    def run(self) -> None:
        """Go on to the planned end, and write the page; nothing is trained twice."""
        self._finish()

    def _finish(self, confirmation: Confirmation | None = None) -> Verdict | None:
        check_code_is_named(self.plan, self._named)
        with StudyProgress(self._folder) as progress, self._generator_kept():
            return bring_to_its_end(
                self._folder,
                _COMMAND,
                progress,
                self._make_executor,
                language=process_language(),
                confirmation=confirmation,
            )

    def _generator_kept(self) -> AbstractContextManager[None]:
        """Return what keeps torch's generator as it is where trials train in this process."""
        if self._make_executor is not InThisProcess:
            return nullcontext()
        import torch

        return torch.random.fork_rng(devices=[])

    def __repr__(self) -> str:
        best = self.best
        reached = (
            f"best {process_formatter().percent(best.valid_accuracy)}"
            if best
            else "no trial completed"
        )
        return f"<Study {self.path}: {len(self.records)} of {self.plan.trials} trials, {reached}>"

    def _repr_html_(self) -> str:
        # What draws is loaded only where a notebook asks for it.
        from actlab.studies.interface.notebook import framed, trials_table

        table = trials_table(self.records, process_formatter())
        return framed(f"<p>{html.escape(repr(self))}</p>{table}")


def open_study(path: Path | str, *, model: Any = None) -> Study:
    """Return the study in a run folder, without training; `actlab.open`.

    `model` names the study's own network where it is to go on to train: no code is run because a
    file names it. Raises RunFolderError where there is no study.
    """
    return Study(path, model=model)


def study(
    plan: str | Path | Plan = "digits",
    *,
    model: Any = None,
    data: UserData | None = None,
    target: str | None = None,
    init: Init | None = None,
    conv: Sequence[str] | None = None,
    fc: Sequence[str] | None = None,
    out: Path | str | None = None,
    overrides: Mapping[str, Any] | None = None,
    executor: str | Executor = "local",
) -> Study:
    """Run a study to its report: which activation for which slot, at which learning rate?

    `plan` is a preset, a plan file or a `Plan`. `model` puts a network of your own in its place: a
    callable without arguments that makes one (or its address, or a network to copy), that gives
    class scores; its activations are found by running it, and its weights are kept unless `init`
    says `gain` or `reset`. `data` puts your own data in its place: (x, y), (x, y, x_test, y_test),
    the path of an .npz file with these arrays, or that of a table with its `target` column. `conv`
    and `fc` are the activations to compare. `overrides` maps dotted keys of the plan ("trials",
    "protocol.patience") to values. `out` is the run folder; one that holds this plan's study
    already is gone on with. `executor` is what runs the trials: "local", the address of a cluster
    ("dask://HOST:PORT", "ray://HOST:PORT", "ray://auto") or an executor with the interface of
    `concurrent.futures`.

    The network is checked for misuse first. Trials train side by side, one per core, in processes;
    a model that these cannot import (a script's or notebook's function, a lambda) trains in this
    one, and is sent to the workers of a cluster by value.

    Raises PlanError for a plan that cannot be run, with every fault in it; EngineError for an
    engine that cannot be reached or whose workers are not what they must be; DataError,
    NetworkError and AddressError for data or a model that do not fit.

        study = actlab.study("digits", overrides={"trials": 24})
        study.best.setting
        study.confirm(seeds=10).slots[0].summary
    """
    path = Path(out) if out is not None else _new_path()
    make_executor = executor_factory(executor)
    laid_over: dict[str, Any] = {}
    if model is not None:
        found = find_model(model)
        laid_over["network.name"] = found.name
        if found.factory is not None and executor == "local":
            make_executor = InThisProcess
        elif found.factory is not None:
            make_executor = with_network_by_value(make_executor, found.name, found.factory)
    if data is not None:
        laid_over |= data_overrides(data, path, target)
    for slot, names in (("conv", conv), ("fc", fc)):
        if names is not None:
            laid_over[f"space.{slot}_activation"] = list(names)
    if init is not None:
        laid_over["network.init"] = init
    elif model is not None and isinstance(plan, Plan) and not is_address(plan.network):
        laid_over["network.init"] = "keep"  # not what fitted the network that the plan was for
    laid_over |= overrides or {}
    named = [kind for kind in ("conv", "fc") if f"space.{kind}_activation" in laid_over]
    asked = _read(plan, laid_over)
    name = laid_over.get("network.name", plan.network if isinstance(plan, Plan) else None)
    check_code_is_named(asked, name)
    read = without_missing_kinds(asked, named)
    begun = Study(_folder(path, read), make_executor)
    _check_network(begun)
    begun._named = name
    begun.run()
    return begun


def check_code_is_named(plan: Plan, name: str | None) -> None:
    """Raise AddressError for a plan whose network is code that the caller does not name."""
    if is_address(plan.network) and name != plan.network:
        message = _(
            "The plan trains a network of its own, {address}. No code is run because a file names "
            "it: if you trust it, name it as model="
        )
        raise AddressError(message.format(address=plan.network))


def _check_network(begun: Study) -> None:
    """Raise RunFolderError where the study in a folder began with another network of that name."""
    environment = RunFolder.open(begun.path).environment()
    if environment is None or environment.network_hash is None:
        return
    from actlab.networks import network_hash

    found = network_hash(begun.plan.network)
    if found != environment.network_hash:
        raise RunFolderError(network_changed(environment.network_hash, found))


def _read(plan: str | Path | Plan, overrides: Mapping[str, Any]) -> Plan:
    return revised(plan, overrides) if isinstance(plan, Plan) else read_plan(str(plan), overrides)


def _new_path() -> Path:
    return Path("runs", f"study-{datetime.now().astimezone():%Y%m%d-%H%M%S}")


def _folder(path: Path, plan: Plan) -> Path:
    """Return the run folder of `plan`, made unless it is there already."""
    if not RunFolder(path).plan_path.exists():
        return RunFolder.create(path, plan).path
    kept = RunFolder.open(path).plan()
    if kept != _settled_as(kept.execution, plan):
        message = _("{path} holds a study with another plan. Choose another folder with out=.")
        raise RunFolderError(message.format(path=path))
    return path


def _settled_as(kept: Execution, plan: Plan) -> Plan:
    """Return the plan with what it leaves open settled as it was when the study began."""
    asked = plan.execution
    device = kept.device if asked.device == "auto" else asked.device
    precision = kept.precision if asked.precision == "auto" else asked.precision
    return replace(plan, execution=replace(asked, device=device, precision=precision))


def _row(record: Record) -> dict[str, Any]:
    return {
        "number": record.number,
        **vars(record.setting),
        "outcome": record.outcome.value,
        "valid_accuracy": record.valid_accuracy,
        "epochs": record.epochs,
        "seconds": record.seconds,
    }
