"""What the section `pruner` of a plan file may say."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from actlab.i18n import _
from actlab.records import HyperbandPruner, MedianPruner, NoPruner, Pruner

_Count = Annotated[int, Field(ge=1, le=1_000_000)]
_FromNone = Annotated[int, Field(ge=0, le=1_000_000)]


class _PrunerSection(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class NoPrunerSection(_PrunerSection):
    """No pruner, and so no options."""

    name: Literal["none"] = "none"

    def pruner(self) -> Pruner:
        """Return the pruner as a value."""
        return NoPruner()


class MedianSection(_PrunerSection):
    """Every option of the median pruner."""

    name: Literal["median"] = "median"
    startup_trials: _FromNone = 5
    warmup_epochs: _FromNone = 3
    min_trials: _Count = 1
    segment_epochs: _Count = 1

    def pruner(self) -> Pruner:
        """Return the pruner as a value."""
        return MedianPruner(**self.model_dump())


class HyperbandSection(_PrunerSection):
    """Every option of the Hyperband pruner."""

    name: Literal["hyperband"] = "hyperband"
    min_epochs: _Count = 2
    max_epochs: _Count = 18
    reduction_factor: Annotated[int, Field(ge=2, le=1_000)] = 3
    bootstrap_count: _FromNone = 0
    segment_epochs: _Count = 1

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_epochs > self.max_epochs:
            message = _("min_epochs must not be above max_epochs; got {low} and {high}")
            raise ValueError(message.format(low=self.min_epochs, high=self.max_epochs))
        return self

    def pruner(self) -> Pruner:
        """Return the pruner as a value."""
        return HyperbandPruner(**self.model_dump())


def _pruner_named(given: Any) -> str:
    """Return the name that chooses the keys of the section; without one there is no pruner."""
    if isinstance(given, dict):
        return str(given.get("name", "none"))
    return str(getattr(given, "name", "none"))


PrunerSection = Annotated[
    Annotated[NoPrunerSection, Tag("none")]
    | Annotated[MedianSection, Tag("median")]
    | Annotated[HyperbandSection, Tag("hyperband")],
    Discriminator(_pruner_named),
]
PRUNER_SECTIONS: dict[str, type[BaseModel]] = {
    "none": NoPrunerSection,
    "median": MedianSection,
    "hyperband": HyperbandSection,
}
