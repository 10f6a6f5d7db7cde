"""What the section `tasks` of a plan file may say: which output layers, on how many seeds."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from actlab.i18n import _
from actlab.records import OutputLayer, OutputPlan, OutputSetting

_HEADS = {"mse": ("none", "relu", "sigmoid_transformed"), "bce": ("sigmoid", "softmax")}
_HEADS["ce"] = _HEADS["bce"]


class SettingSection(BaseModel):
    """One output layer behind one hidden activation, under one protocol."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    task: Literal["regression", "probability", "binary", "multiclass", "multilabel"]
    head: Literal["none", "relu", "sigmoid", "softmax", "sigmoid_transformed"]
    loss: Literal["mse", "bce", "ce"]
    target: Literal["raw", "standardised"] | None = None
    protocol: Literal["published", "corrected"]
    fc_activation: str
    published: bool = False

    @model_validator(mode="after")
    def _can_be_trained(self) -> Self:
        if (self.loss == "mse") != (self.task == "regression"):
            raise ValueError(_("the loss mse is for the task regression, and for no other"))
        if (self.target is not None) != (self.task == "regression"):
            raise ValueError(_("a target that is raw or standardised is for regression only"))
        if self.head not in _HEADS[self.loss]:
            message = _("with the loss {loss} the head must be one of {heads}; got {head}")
            heads = ", ".join(_HEADS[self.loss])
            raise ValueError(message.format(loss=self.loss, heads=heads, head=self.head))
        return self

    def setting(self) -> OutputSetting:
        """Return the setting as a value."""
        layer = OutputLayer(self.task, self.head, self.loss, self.target)
        return OutputSetting(layer, self.protocol, self.fc_activation, self.published)


class TasksSection(BaseModel):
    """A run of tasks: settings, each trained on the same seeds."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    seeds: Annotated[int, Field(ge=1, le=10_000)]
    settings: Annotated[tuple[SettingSection, ...], Field(min_length=1, strict=False)]

    def plan(self) -> OutputPlan:
        """Return what is to be trained as a value."""
        return OutputPlan(tuple(section.setting() for section in self.settings), self.seeds)

    def faults(self, trials: int, fc_activations: tuple[str, ...]) -> list[str]:
        """Return a sentence for each way in which the rest of the plan does not fit."""
        faults = []
        trainings = self.seeds * len(self.settings)
        if trials != trainings:
            message = _("trials must be the settings times the seeds, {trainings}; got {trials}")
            faults.append(message.format(trainings=trainings, trials=trials))
        foreign = {section.fc_activation for section in self.settings} - set(fc_activations)
        if foreign:
            message = _("space.fc_activation must name every hidden activation; it lacks {names}")
            faults.append(message.format(names=", ".join(sorted(foreign))))
        return faults


def tasks_document(tasks: OutputPlan) -> dict[str, Any]:
    """Return what a plan file says for a run of tasks: the way back from `TasksSection.plan`."""
    return {
        "seeds": tasks.seeds,
        "settings": [
            {
                **{key: value for key, value in vars(one.output).items() if value is not None},
                "protocol": one.protocol,
                "fc_activation": one.fc_activation,
                "published": one.published,
            }
            for one in tasks.settings
        ],
    }
