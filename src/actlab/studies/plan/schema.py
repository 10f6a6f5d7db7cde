"""What a plan file may say: the fields of `actlab.records.Plan`, with bounds and relations.

Keys, types and defaults are those of the frozen values. Here is what a file may not say of them,
and where a file is arranged in another way: `network` is a table with a name, the learning rate one
with `low` and `high`, the head follows from the protocol's name, and a setting of a run of tasks is
one flat table.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    create_model,
    model_validator,
)

from actlab import data, networks
from actlab.errors import ActlabError, DataError, unknown_name
from actlab.i18n import _
from actlab.records import (
    METRICS,
    USUAL_TRAINING,
    BalancedSampler,
    DataPlan,
    Execution,
    FittedSampler,
    Head,
    HyperbandPruner,
    Init,
    MedianPruner,
    NoPruner,
    OutputLayer,
    OutputPlan,
    OutputSetting,
    Plan,
    Protocol,
    ProtocolName,
    SlotCandidates,
    Space,
    SplitSizes,
    TpeSampler,
    TrainingPlan,
)

FUNCTION = "function"
"""The data and the network of a study whose training is one function of the user's own."""

Section = type[BaseModel]
Faults = Callable[[Any], Iterator[str]]
"""Names in a sentence each what does not fit among the values of a section."""


class Table(BaseModel):
    """What every section has in common: no other keys, no other types, no change."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def section(
    value: type[Any],
    bounds: Mapping[str, Any] | None = None,
    *,
    instead: Mapping[str, Any] | None = None,
    faults: Faults | None = None,
) -> Section:
    """Return the section of a file that describes a frozen value.

    Its keys, types and defaults are the value's fields. `bounds` adds a constraint to some;
    `instead` has keys that the file has in place of fields (None: the file has no such key).
    """

    def check(self: Any) -> Any:
        found = list(faults(self)) if faults is not None else []
        if found:
            raise ValueError("; ".join(found))
        return self

    keys = _keys(value, bounds or {}) | dict(instead or {})
    validators: dict[str, Any] = {"check": model_validator(mode="after")(check)}
    entries: dict[str, Any] = {name: entry for name, entry in keys.items() if entry is not None}
    return create_model(value.__name__, __base__=Table, __validators__=validators, **entries)


def _keys(value: type[Any], bounds: Mapping[str, Any]) -> dict[str, Any]:
    """Return type and default of every field of a frozen value."""
    hints = get_type_hints(value)
    return {
        one.name: (
            Annotated[hints[one.name], *bounds[one.name]]
            if one.name in bounds
            else hints[one.name],
            ... if one.default is MISSING else one.default,
        )
        for one in fields(value)
    }


def named(sections: Mapping[str, Section], default: str) -> Any:
    """Return the type of a section whose keys depend on the name in it."""

    def name_of(given: Any) -> str:
        known = given.get("name", default) if isinstance(given, dict) else given.name
        return str(known)

    one, *others = (Annotated[kind, Tag(name)] for name, kind in sections.items())
    union: Any = one
    for other in others:
        union |= other
    return Annotated[union, Discriminator(name_of)]


def _one_of(kind: str, valid: tuple[str, ...], is_other: Callable[[str], bool]) -> AfterValidator:
    """Return the check that a name is one of `valid` or stands for something of the user's."""

    def check(name: str) -> str:
        if name not in valid and name != FUNCTION and not is_other(name):
            raise ValueError(str(unknown_name(kind, name, valid)))
        return name

    return AfterValidator(check)


def _activation(name: str) -> str:
    try:
        networks.check_name(name)
    except ActlabError as error:
        raise ValueError(str(error)) from None
    return name


def _no_repeats(names: tuple[str, ...]) -> tuple[str, ...]:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(_("names {names} more than once").format(names=", ".join(repeated)))
    return names


def _slot_table(given: Any) -> Any:
    """Return a slot's candidates alone as the table that they stand for."""
    return {"candidates": given} if isinstance(given, list | tuple) else given


def _space_faults(given: Any) -> Iterator[str]:
    if not (given.conv_activation or given.fc_activation or given.slots):
        yield _("name candidates for a slot: conv_activation, fc_activation, or one of slots")
    for name in given.slots:
        if name in ("conv", "fc", "learning_rate"):
            message = _("slots must not be called {name}; its candidates are {name}_activation")
            yield message.format(name=name)


@dataclass(frozen=True)
class _Network:
    """The network with the two slots, and what becomes of its weights."""

    name: str
    init: Init | None = None


@dataclass(frozen=True)
class _Range:
    """The range of the learning rate, searched on a logarithmic scale."""

    low: float
    high: float


def _is_at_hand(name: str) -> bool:
    """Return whether shapes and sizes can be told; a file may be gone, its study be shown."""
    if name == FUNCTION:
        return False
    return not data.is_file(name) or data.path_of(name).is_file()


def _data_faults(given: Any) -> Iterator[str]:
    if not _is_at_hand(given.name):
        return
    try:
        pools = data.pool_sizes(given.name)
    except DataError as error:
        yield str(error)
        return
    yield from data.size_faults(given.name, pools, SplitSizes(**given.splits.model_dump()))


def _range_faults(given: Any) -> Iterator[str]:
    if given.low > given.high:
        message = _("low must not be above high; got low = {low} and high = {high}")
        yield message.format(low=given.low, high=given.high)


def _rung_faults(given: Any) -> Iterator[str]:
    if given.min_epochs > given.max_epochs:
        message = _("min_epochs must not be above max_epochs; got {low} and {high}")
        yield message.format(low=given.min_epochs, high=given.max_epochs)


_HEADS = {"mse": ("none", "relu", "sigmoid_transformed"), "bce": ("sigmoid", "softmax")}
_HEADS["ce"] = _HEADS["bce"]


def _setting_faults(given: Any) -> Iterator[str]:
    if (given.loss == "mse") != (given.task == "regression"):
        yield _("the loss mse is for the task regression, and for no other")
    elif (given.target is not None) != (given.task == "regression"):
        yield _("a target that is raw or standardised is for regression only")
    elif given.head not in _HEADS[given.loss]:
        message = _("with the loss {loss} the head must be one of {heads}; got {head}")
        yield message.format(loss=given.loss, heads=", ".join(_HEADS[given.loss]), head=given.head)


def _training_faults(given: Any) -> Iterator[str]:
    errors = ("rmse", "mae", "r2")
    if given.metric in METRICS and (given.metric in errors) != (given.task == "regression"):
        fitting = [one for one in METRICS if (one in errors) == (given.task == "regression")]
        message = _("the metric {metric} does not fit the task {task}; it has {names}")
        yield message.format(metric=given.metric, task=given.task, names=", ".join(fitting))
    elif given.function is None and not (
        given.metric is None or ":" in given.metric or given.metric in METRICS
    ):
        yield str(unknown_name(_("metric"), given.metric, METRICS))
    if given.class_weights != "none" and given.task not in ("multiclass", "binary"):
        yield _("class_weights are for classes; the task is {task}").format(task=given.task)


def _plan_faults(given: Any) -> Iterator[str]:
    tasks, pruner = given.tasks, given.pruner.name
    if tasks is None and given.data.splits.valid_trial == 0:
        yield _("data.splits.valid_trial must be at least 1; got 0")
    if pruner != "none" and (tasks or given.sampler.name != "tpe"):
        yield _(
            "a pruner would give some activations less than the same budget; a balanced "
            'plan and a run of tasks have the pruner "none"'
        )
    if given.replicates == 1 or (tasks is not None and given.replicates):
        yield _(
            "replicates must be 0 (a search alone, or a run of tasks) or at least 2, since one "
            "score has no spread to compare with; got {replicates}"
        ).format(replicates=given.replicates)
    if given.margin >= 1 and given.training.metric is None and given.training.task != "regression":
        yield _("margin must be below 1, a difference of accuracy; got {margin}").format(
            margin=given.margin
        )
    if tasks is None and given.data.targets is not None:
        yield _("data.targets is for a run of tasks only")
    if tasks is not None:
        yield from _task_faults(given)
    own_function = given.training.function is not None
    names = (given.data.name, given.network.name)
    if own_function != (FUNCTION in names) or (own_function and set(names) != {FUNCTION}):
        message = _('a study by training.function has data.name and network.name = "{name}"')
        yield message.format(name=FUNCTION)
        return
    space, by_name = given.space, own_function or networks.is_address(given.network.name)
    if not by_name and not (space.conv_activation and space.fc_activation):
        message = _("space must have candidates for both slots of {network}: conv and fc")
        yield message.format(network=given.network.name)
    if not _is_at_hand(given.data.name):
        return
    images, taken = data.image_shape(given.data.name), networks.input_shape(given.network.name)
    if taken is not None and images != taken:
        message = _(
            "the network {network} takes images of shape {taken}; those of {data} are {images}"
        )
        yield message.format(
            network=given.network.name, taken=taken, data=given.data.name, images=images
        )


def _task_faults(given: Any) -> Iterator[str]:
    trainings = given.tasks.seeds * len(given.tasks.settings)
    if given.trials != trainings:
        message = _("trials must be the settings times the seeds, {trainings}; got {trials}")
        yield message.format(trainings=trainings, trials=given.trials)
    used = {one.fc_activation for one in given.tasks.settings}
    lacking = used - set(given.space.fc_activation)
    if lacking:
        message = _("space.fc_activation must name every hidden activation; it lacks {names}")
        yield message.format(names=", ".join(sorted(lacking)))


_COUNT = [Field(ge=1)]
_COUNT_OF_TRIALS = [Field(ge=1, le=1_000_000)]
_NOT_NEGATIVE = [Field(ge=0, le=1_000_000)]
_RATE = [Field(gt=0, le=10, allow_inf_nan=False)]
_LIST = Field(min_length=1, strict=False)
_NAMES = tuple[Annotated[str, AfterValidator(_activation)], ...]
_ACTIVATIONS = Annotated[_NAMES, _LIST, AfterValidator(_no_repeats)]
_OR_NONE = Annotated[_NAMES, Field(strict=False), AfterValidator(_no_repeats)]
_PAIR = Annotated[tuple[str, str], Field(strict=False)]
_PAIRS = Annotated[tuple[_PAIR, ...], Field(strict=False)]
NAMED_SECTIONS: dict[str, dict[str, Section]] = {
    "sampler": {
        "tpe": section(
            TpeSampler,
            {"startup_trials": _NOT_NEGATIVE, "candidates": _COUNT, "lag": [Field(ge=1, le=1024)]},
        ),
        "balanced": section(BalancedSampler),
        "fitted": section(FittedSampler),
    },
    "pruner": {
        "none": section(NoPruner),
        "median": section(
            MedianPruner,
            {
                "startup_trials": _NOT_NEGATIVE,
                "warmup_epochs": _NOT_NEGATIVE,
                "min_trials": _COUNT_OF_TRIALS,
                "segment_epochs": _COUNT_OF_TRIALS,
            },
        ),
        "hyperband": section(
            HyperbandPruner,
            {
                "min_epochs": _COUNT_OF_TRIALS,
                "max_epochs": _COUNT_OF_TRIALS,
                "reduction_factor": [Field(ge=2, le=1_000)],
                "bootstrap_count": _NOT_NEGATIVE,
                "segment_epochs": _COUNT_OF_TRIALS,
            },
            faults=_rung_faults,
        ),
    },
}
"""Sections whose keys depend on the name in them."""

_SPLITS = section(
    SplitSizes,
    {"train": _COUNT, "valid_epoch": _COUNT, "valid_trial": [Field(ge=0)], "test": _COUNT},
)
_DATA = section(
    DataPlan,
    {"name": [_one_of("data set", data.NAMES, data.is_file)]},
    instead={"splits": (_SPLITS, ...)},
    faults=_data_faults,
)
_NETWORK = section(_Network, {"name": [_one_of("network", networks.NAMES, networks.is_address)]})
_RANGE = section(_Range, {"low": _RATE, "high": _RATE}, faults=_range_faults)
_WEIGHTS = Annotated[
    tuple[Annotated[float, Field(gt=0, allow_inf_nan=False, strict=False)], ...],
    Field(min_length=2, strict=False),
]
_SLOT: Any = section(SlotCandidates, instead={"name": None, "candidates": (_ACTIVATIONS, ...)})
_SPACE = section(
    Space,
    instead={
        "conv_activation": (_OR_NONE, ()),
        "fc_activation": (_OR_NONE, ()),
        "slots": (dict[str, Annotated[_SLOT, BeforeValidator(_slot_table)]], {}),
        "same": (_PAIRS, ()),
        "learning_rate": (_RANGE, ...),
        "learning_rate_low": None,
        "learning_rate_high": None,
    },
    faults=_space_faults,
)
_PROTOCOL = section(
    Protocol,
    {
        "batch_size": [Field(ge=1, le=100_000)],
        "weight_decay": [Field(ge=0, allow_inf_nan=False)],
        "patience": _COUNT,
        "max_epochs": _COUNT,
    },
    instead={"head": None, "name": (ProtocolName, "corrected")},
)
_TRAINING = section(
    TrainingPlan,
    {
        "clip": [Field(gt=0, allow_inf_nan=False)],
        "optimiser": [Field(min_length=1)],
    },
    instead={"class_weights": (Literal["none", "balanced"] | _WEIGHTS, "none")},
    faults=_training_faults,
)
_EXECUTION = section(
    Execution,
    {
        "workers": [Field(ge=1, le=1024)],
        "trial_timeout": [Field(gt=0, allow_inf_nan=False)],
    },
)
_SETTING: Any = section(
    OutputSetting,
    instead=_keys(OutputLayer, {}) | {"output": None, "published": (bool, False)},
    faults=_setting_faults,
)
_TASKS: Any = section(
    OutputPlan,
    {"seeds": [Field(ge=1, le=10_000)]},
    instead={"settings": (Annotated[tuple[_SETTING, ...], _LIST], ...)},
)
PlanFile = section(
    Plan,
    {
        "name": [Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][\w.-]*$")],
        "trials": _COUNT_OF_TRIALS,
        "seed": [Field(ge=0, lt=2**32)],
        "margin": [Field(gt=0, allow_inf_nan=False)],
        "replicates": [Field(ge=0, le=10_000)],
    },
    instead={
        "format_version": (Literal[1], 1),
        "data": (_DATA, ...),
        "network": (_NETWORK, ...),
        "init": None,
        "space": (_SPACE, ...),
        "protocol": (_PROTOCOL, _PROTOCOL()),
        "sampler": (named(NAMED_SECTIONS["sampler"], "tpe"), NAMED_SECTIONS["sampler"]["tpe"]()),
        "pruner": (named(NAMED_SECTIONS["pruner"], "none"), NAMED_SECTIONS["pruner"]["none"]()),
        "training": (_TRAINING, _TRAINING()),
        "execution": (_EXECUTION, _EXECUTION()),
        "tasks": (_TASKS | None, None),
    },
    faults=_plan_faults,
)
"""A whole plan file."""

_SAMPLERS = {"tpe": TpeSampler, "balanced": BalancedSampler, "fitted": FittedSampler}
_PRUNERS = {"none": NoPruner, "median": MedianPruner, "hyperband": HyperbandPruner}


def _counted(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a document with splits given as shares of the pools as numbers of rows."""
    described = given.get("data")
    splits = described.get("splits") if isinstance(described, Mapping) else None
    if not isinstance(described, Mapping) or not isinstance(splits, Mapping):
        return given
    name = described.get("name")
    shares = {key: value for key, value in splits.items() if isinstance(value, float)}
    if not shares or not isinstance(name, str):
        return given
    try:
        training, test = data.pool_sizes(name)
    except ActlabError:
        return given  # the name is told as a fault, with all others
    counts = {
        key: int(value * (test if key == "test" else training) + 1e-9)
        for key, value in shares.items()
        if 0 < value <= 1
    }
    return {**given, "data": {**described, "splits": {**splits, **counts}}}


def plan_of(given: Mapping[str, Any]) -> Plan:
    """Return the plan that a document describes; raises pydantic's ValidationError.

    Splits are numbers of rows, or shares of the pools as numbers with a point (0.6).
    """
    read = PlanFile.model_validate(_counted(given)).model_dump()
    space, tasks = read["space"], read["tasks"]
    rate = space.pop("learning_rate")
    space["slots"] = tuple(SlotCandidates(name, **one) for name, one in space["slots"].items())
    network, init = read["network"]["name"], read["network"]["init"]
    training = TrainingPlan(**read["training"])
    in_network = read["protocol"]["name"] == "published" and training.task == "multiclass"
    head: Head = "softmax" if in_network else "logits"
    return Plan(
        **read
        | {
            "data": DataPlan(**read["data"] | {"splits": SplitSizes(**read["data"]["splits"])}),
            "network": network,
            "init": init or ("keep" if networks.is_address(network) else "reset"),
            "space": Space(**space, learning_rate_low=rate["low"], learning_rate_high=rate["high"]),
            "protocol": Protocol(**read["protocol"], head=head),
            "sampler": _SAMPLERS[read["sampler"]["name"]](**read["sampler"]),
            "pruner": _PRUNERS[read["pruner"]["name"]](**read["pruner"]),
            "training": training,
            "execution": Execution(**read["execution"]),
            "tasks": None if tasks is None else _tasks(tasks),
        }
    )


def _tasks(given: Mapping[str, Any]) -> OutputPlan:
    names = {one.name for one in fields(OutputLayer)}
    settings = tuple(
        OutputSetting(
            OutputLayer(**{name: value for name, value in one.items() if name in names}),
            **{name: value for name, value in one.items() if name not in names},
        )
        for one in given["settings"]
    )
    return OutputPlan(settings, given["seeds"])


def document(plan: Plan) -> dict[str, Any]:
    """Return what a plan file says for `plan`, with nothing left to defaults."""
    plain = asdict(plan)
    space = plain["space"]
    rate = {"low": space.pop("learning_rate_low"), "high": space.pop("learning_rate_high")}
    slots = {one.pop("name"): one for one in space.pop("slots")}
    further = {
        key: value for key, value in {"slots": slots, "same": space.pop("same")}.items() if value
    }
    plain["space"] = space | {"learning_rate": rate} | further
    plain["network"] = {"name": plan.network, "init": plain.pop("init")}
    del plain["protocol"]["head"]
    if plan.training == USUAL_TRAINING:
        del plain["training"]
    if plan.tasks is not None:
        flat = [one.pop("output") | one for one in plain["tasks"]["settings"]]
        plain["tasks"]["settings"] = flat
    found: dict[str, Any] = _without_none(plain)
    return found


def _without_none(value: Any) -> Any:
    """Return a value as TOML can say it: where there is none, there is no key."""
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_none(item) for item in value]
    return value
