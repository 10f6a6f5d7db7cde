"""`actlab.study`: a whole study from Python, by the engine of the command line."""

import html
import sys
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actlab.data.tables import Reading
from actlab.errors import ActlabError, EngineError, RunFolderError
from actlab.i18n import _, process_language
from actlab.networks import is_address, is_code
from actlab.pages.words import in_metric
from actlab.records import (
    Confirmation,
    Execution,
    FinalFigure,
    Init,
    Plan,
    Record,
    StudyTask,
    Verdict,
    best_record,
)
from actlab.studies.confirm.confirmation import check_seeds, obstacle
from actlab.studies.coverage import same_line
from actlab.studies.executors.engines import executor_factory, with_network_by_value
from actlab.studies.executors.in_process import InThisProcess
from actlab.studies.executors.local import LocalProcesses
from actlab.studies.executors.session import ExecutorFactory, network_changed
from actlab.studies.interface.driving import bring_to_its_end
from actlab.studies.interface.progress import StudyProgress
from actlab.studies.interface.user_inputs import (
    PARTS,
    UserData,
    absolute,
    candidate_names,
    find_model,
    function_overrides,
    located,
    part_name,
    user_data,
    with_its_slots,
)
from actlab.studies.plan.code import check_code_is_named, code_of
from actlab.studies.plan.file import read_plan, revised
from actlab.studies.run_folder import RunFolder
from actlab.studies.summary import final_of_best
from actlab.text import process_formatter

if TYPE_CHECKING:
    from actlab.studies.interface.study_verdict import StudyVerdict

_COMMAND = "actlab.study(...)"

Candidates = Sequence[Any]
"""Activations to compare: names, formulas, addresses, classes, modules, functions of a tensor."""


class Study:
    """A study in its run folder; everything it says is read from there.

    It shows itself as a table in a notebook. A study of a network of the user's goes on to train
    only where `model` names it, and `code` the files or addresses of other code in its plan.
    """

    def __init__(
        self,
        path: Path | str,
        make_executor: ExecutorFactory = LocalProcesses,
        *,
        model: Any = None,
        code: Collection[str] = (),
    ) -> None:
        self._folder = RunFolder.open(Path(path))
        self._make_executor = make_executor
        if "IPython" in sys.modules:  # what draws is loaded only in a notebook
            from actlab.studies.interface.notebook import show_records

            show_records()
        named = [] if model is None else [find_model(model).name]
        self._named = frozenset((*named, *code))

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

        check_code_is_named(self.plan, self._named, _advice)
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

        check_code_is_named(self.plan, self._named, _advice)
        return export(self._folder, Path(path), onnx=onnx)

    def to_pandas(self) -> Any:
        """Return the trials as a DataFrame, one row each; needs pandas."""
        return import_module("pandas").DataFrame([_row(record) for record in self.records])

    def run(self) -> None:
        """Go on to the planned end, and write the page; nothing is trained twice."""
        self._finish()

    def _finish(self, confirmation: Confirmation | None = None) -> Verdict | None:
        check_code_is_named(self.plan, self._named, _advice)
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
        best, measured = self.best, self.plan.training.measured
        reached = "no trial completed"
        if best is not None and best.valid_metric is not None:
            shown = in_metric(best.valid_metric, measured)
            reached = f"best {shown}" if measured.in_percent else f"best {measured.name} {shown}"
        return f"<Study {self.path}: {len(self.records)} of {self.plan.trials} trials, {reached}>"

    def _repr_html_(self) -> str:
        # What draws is loaded only where a notebook asks for it.
        from actlab.studies.interface.notebook import framed, trials_table

        table = trials_table(self.records, process_formatter())
        return framed(f"<p>{html.escape(repr(self))}</p>{table}")


def open_study(path: Path | str, *, model: Any = None, code: Collection[str] = ()) -> Study:
    """Return the study in a run folder, without training; `actlab.open`.

    `model` names the study's own network where it is to go on to train, `code` the files or
    addresses of other code in its plan: no code is run because a file names it. Raises
    RunFolderError where there is no study.
    """
    return Study(path, model=model, code=code)


def study(
    plan: str | Path | Plan = "digits",
    *,
    model: Any = None,
    data: UserData | None = None,
    target: str | None = None,
    init: Init | None = None,
    conv: Candidates | None = None,
    fc: Candidates | None = None,
    slots: Mapping[str, Candidates] | None = None,
    code: Collection[str] = (),
    task: StudyTask | None = None,
    loss: Any = None,
    metric: Any = None,
    lower_is_better: bool | None = None,
    optimiser: Any = None,
    schedule: Any = None,
    augmentation: Any = None,
    class_weights: str | Sequence[float] | None = None,
    clip: float | None = None,
    train: Any = None,
    encode: bool = False,
    fill: str | None = None,
    scale: bool = False,
    group: Any = None,
    time: Any = None,
    split: Any = None,
    size: int | None = None,
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
    and `fc` are the activations to compare: names, with parameters (`leaky_relu(0.2)`), formulas,
    gated units (`swiglu`), classes, modules or functions of your own, or their addresses; `slots`
    has those of further places, by path, pattern (`encoder.*.act`) or kind (`gate`). `code` names
    files whose code a plan from a file may run.

    Data may also be a DataFrame with its `target`, a folder of images, a dataset with numbered
    items, a DataLoader or a dataset of Hugging Face. `encode` turns categories into columns of 0
    and 1, `fill` says what stands for missing numbers (`median`, `mean`), `scale` standardises the
    inputs, with the numbers of the training rows; rows of one `group` stay in one split, in the
    order of `time` the earlier rows are for training, `split` says where each row goes; pictures
    are made `size` pixels wide and high.

    `task` is suggested by the target unless it is given. `loss`, `metric` (with `lower_is_better`),
    `optimiser`, `schedule` and `augmentation` are names, addresses or objects, see
    `actlab.records.TrainingPlan`; `class_weights` are "balanced" or a weight per class, `clip`
    bounds the norm of the gradients. With `train` the whole training is a function of your own:
    `train(setting, seed)` returns a score; the setting has `.activations` (names by slot),
    `.module(slot)` and `.learning_rate`. It needs neither model nor data.

    `overrides` maps dotted keys of the plan ("trials",
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
        study.confirm(seeds=10).slots[0].best
    """
    path = Path(out) if out is not None else _new_path()
    laid_over: dict[str, Any] = {}
    named = set(code)
    travels, factory, network = True, None, ""
    if model is not None:
        found = find_model(model)
        laid_over["network.name"] = found.name
        named.add(found.name)
        factory, network = found.factory, found.name
    chosen_task: str | None = task
    if data is not None:
        reading = Reading(target, task, encode, fill, scale, group, time, split, size)
        found_data = user_data(data, path, reading, network or None)
        laid_over |= found_data.overrides
        chosen_task = found_data.task
    trained = {
        "task": chosen_task,
        "loss": loss,
        "metric": metric,
        "lower_is_better": lower_is_better,
        "optimiser": optimiser,
        "schedule": schedule,
        "augmentation": augmentation,
        "class_weights": class_weights,
        "clip": clip,
        "function": train,
    }
    for key, given in trained.items():
        if given is None:
            continue
        value: Any = given
        if key in PARTS:
            value, by_address = part_name(given)
            travels = travels and by_address
            named.add(value)
        laid_over[f"training.{key}"] = value
    if train is not None:
        laid_over |= function_overrides(conv, fc)
    usual = {f"space.{kind}_activation": given for kind, given in (("conv", conv), ("fc", fc))}
    lists = {key: given for key, given in usual.items() if given is not None}
    for key, given in lists.items():
        laid_over[key], by_address = candidate_names(given)
        travels = travels and by_address
    for slot, given in (slots or {}).items():
        names, by_address = candidate_names(given)
        laid_over.setdefault("space.slots", {})[slot] = names
        travels = travels and by_address
    make_executor = executor_factory(executor)
    if executor == "local" and (factory is not None or not travels):
        make_executor = InThisProcess
    elif not travels:
        raise EngineError(
            _(
                "Workers elsewhere must be able to import candidates and the parts of a training: "
                "put them into a file of their own and give its address, FILE.py:NAME."
            )
        )
    elif factory is not None:
        make_executor = with_network_by_value(make_executor, network, factory)
    if init is not None:
        laid_over["network.init"] = init
    elif model is not None and isinstance(plan, Plan) and not is_address(plan.network):
        laid_over["network.init"] = "keep"  # not what fitted the network that the plan was for
    laid_over |= overrides or {}
    asked = located(_read(plan, laid_over))
    if isinstance(plan, Plan):
        named |= set(code_of(asked))  # the caller made it
    given_here = [laid_over.get(key, []) for key in usual] + list(
        laid_over.get("space.slots", {}).values()
    )
    named |= {absolute(name) for names in given_here for name in names if is_code(name)}
    check_code_is_named(asked, named, _advice)
    read = with_its_slots(
        asked, [key.split(".")[1].split("_")[0] for key in usual if key in laid_over]
    )
    for left, kept in read.space.same:
        print(same_line(left, kept, process_formatter()), file=sys.stderr)
    begun = Study(_folder(path, read), make_executor, code=named)
    _check_network(begun)
    begun.run()
    return begun


def _advice(address: str, file: str) -> str:
    """Return how to name code of a plan."""
    return _("name it as model={address!r}, or its file as code=[{file!r}]").format(
        address=address, file=file
    )


def _check_network(begun: Study) -> None:
    """Raise RunFolderError where the study in a folder began with another network of that name."""
    environment = RunFolder.open(begun.path).environment()
    if environment is None or environment.network_hash is None:
        return
    from actlab.networks import network_hash

    found = network_hash(begun.plan.network, code_of(begun.plan))
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
    if kept != _settled_as(kept.execution, kept.margin, plan):
        message = _("{path} holds a study with another plan. Choose another folder with out=.")
        raise RunFolderError(message.format(path=path))
    return path


def _settled_as(kept: Execution, margin: float, plan: Plan) -> Plan:
    """Return the plan with what it leaves open settled as it was when the study began."""
    asked = plan.execution
    device = kept.device if asked.device == "auto" else asked.device
    precision = kept.precision if asked.precision == "auto" else asked.precision
    settled = replace(plan, execution=replace(asked, device=device, precision=precision))
    return replace(settled, margin=margin) if plan.margin == Plan.margin else settled


def _row(record: Record) -> dict[str, Any]:
    return {
        "number": record.number,
        **record.setting.parameters,
        "outcome": record.outcome.value,
        **_figure(record),
        "epochs": record.epochs,
        "seconds": record.seconds,
    }


def _figure(record: Record) -> dict[str, float | None]:
    """Return what a trial came to under the name that its record gives it."""
    if record.valid_score is not None or record.lower_is_better:
        return {"valid_score": record.valid_score}
    return {"valid_accuracy": record.valid_accuracy}
