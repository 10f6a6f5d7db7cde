"""One trial of a population, from its network as it was drawn to what came out."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import Tensor, nn

from actlab.training.examples import TrainingData
from actlab.training.fused.layers import fusable
from actlab.training.fused.stacking import Layout
from actlab.training.loop import Recipe, Training, conclude
from actlab.training.objective import CLASSIFICATION
from actlab.training.progress import Progress


@dataclass
class Member:
    """A trial, how far it is, and in the end what came out of it."""

    model: nn.Module
    data: TrainingData
    recipe: Recipe
    progress: Progress = field(default_factory=Progress)
    training: Training | None = None

    @property
    def ended(self) -> bool:
        """Return whether no further epoch is to be trained."""
        return self.progress.ended(self.recipe.protocol)

    def begin(self) -> None:
        """Forget what an earlier try came to."""
        self.progress = Progress()
        self.look()

    def look(self, layout: Layout | None = None, row: Tensor | None = None) -> None:
        """Note the learnable parameters of the activations, where a probe asks for them.

        Those of a row of weights, in place of the model's own, are looked at in a copy.
        """
        probe = self.recipe.probe
        if probe is None:
            return
        if layout is None or row is None:
            self.progress.learnt.append(probe.learnt(self.model))
            return
        own = {name: value.clone() for name, value in self.model.state_dict().items()}
        self.model.load_state_dict(layout.state_dict(row, self.model))
        self.progress.learnt.append(probe.learnt(self.model))
        self.model.load_state_dict(own)

    def conclude(self, layout: Layout, best: Tensor, metric: float) -> None:
        """Keep what came out, given the weights of the best epoch and their metric."""
        if self.progress.best_epoch is not None:
            self.progress.best_weights = layout.state_dict(best, self.model)
            self.model.load_state_dict(self.progress.best_weights)
        found = None if self.progress.diverged else metric
        self.training = conclude(self.model, self.data, self.recipe, self.progress, found)


def check(members: Sequence[Member]) -> None:
    """Raise ValueError where these cannot be trained in lock-step."""
    for member in members:
        if not fusable(member.model):
            raise ValueError(
                "the networks of a population must be plain sequences of layers that can be fused; "
                f"got {member.model}"
            )
        if member.recipe.objective != CLASSIFICATION:
            raise ValueError("a population is trained by cross entropy on classes")
    if len({len(list(member.model.children())) for member in members}) > 1:
        raise ValueError("the networks of a population must have the same number of layers")
    shared = {
        (recipe.protocol.batch_size, recipe.arithmetic)
        for recipe in (member.recipe for member in members)
    }
    if len(shared) > 1:
        raise ValueError("the trials of a population must share batch size and arithmetic")
