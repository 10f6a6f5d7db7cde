"""What a plan file may say: types, bounds and the relations between its values."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from actlab import activations, data, networks
from actlab.errors import DataError, UnknownNameError, unknown_name
from actlab.i18n import _
from actlab.records import (
    BalancedSampler,
    DataPlan,
    Execution,
    Plan,
    Protocol,
    Sampler,
    Space,
    SplitSizes,
    TpeSampler,
)
from actlab.studies.plan.pruner_schema import PRUNER_SECTIONS, NoPrunerSection, PrunerSection
from actlab.studies.plan.task_schema import TasksSection, tasks_document


def _one_of(kind: str, valid: tuple[str, ...], is_other: Callable[[str], bool]) -> AfterValidator:
    """Return the check that a name is one of `valid` or stands for something of the user's own."""

    def check(name: str) -> str:
        if name not in valid and not is_other(name):
            raise ValueError(str(unknown_name(kind, name, valid)))
        return name

    return AfterValidator(check)


def _activation(name: str) -> str:
    try:
        function = activations.get(name)
    except UnknownNameError as error:
        raise ValueError(str(error)) from None
    if function.kind != "scalar":
        message = _("{name} does not map each value on its own, so a slot cannot take it")
        raise ValueError(message.format(name=name))
    return name


def _no_repeats(names: tuple[str, ...]) -> tuple[str, ...]:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(_("names {names} more than once").format(names=", ".join(repeated)))
    return names


Count = Annotated[int, Field(ge=1)]
PositiveRate = Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)]
Activations = Annotated[
    tuple[Annotated[str, AfterValidator(_activation)], ...],
    Field(min_length=1, strict=False),
    AfterValidator(_no_repeats),
]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SplitsSection(_Section):
    """Images per split; a run of tasks reports on valid_epoch and needs no valid_trial."""

    train: Count
    valid_epoch: Count
    valid_trial: Annotated[int, Field(ge=0)]
    test: Count


class DataSection(_Section):
    """The data set and how it is split."""

    name: Annotated[str, _one_of("data set", data.NAMES, data.is_file)]
    splits: SplitsSection
    directory: str | None = None
    targets: str | None = None

    @property
    def is_at_hand(self) -> bool:
        """Return whether shapes and sizes can be told; a file may be gone, its study be shown."""
        return not data.is_file(self.name) or Path(self.name).is_file()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not self.is_at_hand:
            return self
        try:
            pools = data.pool_sizes(self.name)
        except DataError as error:
            raise ValueError(str(error)) from None
        faults = data.size_faults(self.name, pools, SplitSizes(**self.splits.model_dump()))
        if faults:
            raise ValueError("; ".join(faults))
        return self


class NetworkSection(_Section):
    """The network with the two slots."""

    name: Annotated[str, _one_of("network", networks.NAMES, networks.is_address)]


class LearningRateSection(_Section):
    """The range of the learning rate, searched on a logarithmic scale."""

    low: PositiveRate
    high: PositiveRate

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise ValueError(
                _("low must not be above high; got low = {low} and high = {high}").format(
                    low=self.low, high=self.high
                )
            )
        return self


class SpaceSection(_Section):
    """What the study chooses from."""

    conv_activation: Activations
    fc_activation: Activations
    learning_rate: LearningRateSection


class ProtocolSection(_Section):
    """How one network is trained; the name fixes head and loss."""

    name: Literal["published", "corrected"] = "corrected"
    batch_size: Annotated[int, Field(ge=1, le=100_000)] = 32
    weight_decay: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.01
    patience: Count = 5
    max_epochs: Count | None = None


class TpeSection(_Section):
    """Every option of the tree-structured Parzen estimator."""

    name: Literal["tpe"] = "tpe"
    startup_trials: Annotated[int, Field(ge=0)] = 10
    candidates: Count = 24
    multivariate: bool = False
    constant_liar: bool = False
    start: Literal["random", "each_candidate"] = "random"

    def sampler(self) -> Sampler:
        """Return the sampler as a value."""
        return TpeSampler(**self.model_dump())


class BalancedSection(_Section):
    """The balanced plan, which has no options."""

    name: Literal["balanced"] = "balanced"

    def sampler(self) -> Sampler:
        """Return the sampler as a value."""
        return BalancedSampler()


def _sampler_named(given: Any) -> str:
    """Return the name that chooses the keys of the section; without one it is the default's."""
    if isinstance(given, dict):
        return str(given.get("name", "tpe"))
    return str(getattr(given, "name", "tpe"))


SamplerSection = Annotated[
    Annotated[TpeSection, Tag("tpe")] | Annotated[BalancedSection, Tag("balanced")],
    Discriminator(_sampler_named),
]
NAMED_SECTIONS: dict[str, dict[str, type[BaseModel]]] = {
    "sampler": {"tpe": TpeSection, "balanced": BalancedSection},
    "pruner": PRUNER_SECTIONS,
}
"""Sections whose keys depend on the name in them."""


class ExecutionSection(_Section):
    """Where and how trials run."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    workers: Annotated[int, Field(ge=1, le=1024)] | None = None
    trial_timeout: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 3600.0


class PlanFile(_Section):
    """A whole plan file."""

    format_version: Literal[1] = 1
    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][\w.-]*$")]
    trials: Annotated[int, Field(ge=1, le=1_000_000)]
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    margin: Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)] = 0.005
    data: DataSection
    network: NetworkSection
    space: SpaceSection
    protocol: ProtocolSection = ProtocolSection()
    sampler: SamplerSection = TpeSection()
    pruner: PrunerSection = NoPrunerSection()
    execution: ExecutionSection = ExecutionSection()
    tasks: TasksSection | None = None

    @model_validator(mode="after")
    def _search_or_tasks(self) -> Self:
        if self.tasks is None and self.data.splits.valid_trial == 0:
            raise ValueError(_("data.splits.valid_trial must be at least 1; got 0"))
        if self.pruner.name != "none" and (self.tasks or self.sampler.name == "balanced"):
            raise ValueError(
                _(
                    "a pruner would give some activations less than the same budget; a balanced "
                    'plan and a run of tasks have the pruner "none"'
                )
            )
        if self.tasks is None and self.data.targets is not None:
            raise ValueError(_("data.targets is for a run of tasks only"))
        if self.tasks is not None:
            faults = self.tasks.faults(self.trials, self.space.fc_activation)
            if faults:
                raise ValueError("; ".join(faults))
        return self

    @model_validator(mode="after")
    def _network_takes_the_images(self) -> Self:
        if not self.data.is_at_hand:
            return self
        images, taken = data.image_shape(self.data.name), networks.input_shape(self.network.name)
        if taken is not None and images != taken:
            message = _(
                "the network {network} takes images of shape {taken}; those of {data} are {images}"
            )
            raise ValueError(
                message.format(
                    network=self.network.name, taken=taken, data=self.data.name, images=images
                )
            )
        return self

    def plan(self) -> Plan:
        """Return the plan as the value that the other layers know."""
        return Plan(
            name=self.name,
            data=DataPlan(
                name=self.data.name,
                splits=SplitSizes(**self.data.splits.model_dump()),
                directory=self.data.directory,
                targets=self.data.targets,
            ),
            network=self.network.name,
            space=Space(
                conv_activation=self.space.conv_activation,
                fc_activation=self.space.fc_activation,
                learning_rate_low=self.space.learning_rate.low,
                learning_rate_high=self.space.learning_rate.high,
            ),
            protocol=Protocol(
                head="softmax" if self.protocol.name == "published" else "logits",
                **self.protocol.model_dump(),
            ),
            trials=self.trials,
            seed=self.seed,
            sampler=self.sampler.sampler(),
            pruner=self.pruner.pruner(),
            execution=Execution(**self.execution.model_dump()),
            margin=self.margin,
            tasks=self.tasks.plan() if self.tasks else None,
        )


def document(plan: Plan) -> dict[str, object]:
    """Return what a plan file says for `plan`: the way back from `PlanFile.plan`."""
    return {
        "format_version": plan.format_version,
        "name": plan.name,
        "trials": plan.trials,
        "seed": plan.seed,
        "margin": plan.margin,
        "data": {
            "name": plan.data.name,
            "splits": vars(plan.data.splits),
            "directory": plan.data.directory,
            "targets": plan.data.targets,
        },
        "network": {"name": plan.network},
        "space": {
            "conv_activation": list(plan.space.conv_activation),
            "fc_activation": list(plan.space.fc_activation),
            "learning_rate": {
                "low": plan.space.learning_rate_low,
                "high": plan.space.learning_rate_high,
            },
        },
        "protocol": {key: value for key, value in vars(plan.protocol).items() if key != "head"},
        "sampler": vars(plan.sampler),
        "pruner": vars(plan.pruner),
        "execution": vars(plan.execution),
        "tasks": tasks_document(plan.tasks) if plan.tasks else None,
    }
