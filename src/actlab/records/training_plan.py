"""How a study trains beyond its protocol: task, loss, metric, optimiser, the user's own parts."""

from dataclasses import dataclass
from typing import Literal

StudyTask = Literal["multiclass", "binary", "multilabel", "regression"]
"""What the target of a study is: one of several classes, one of two, several yes or no, numbers."""


TASKS_OF_STUDIES: tuple[StudyTask, ...] = ("multiclass", "binary", "multilabel", "regression")


@dataclass(frozen=True)
class StudyMetric:
    """What candidates are compared by: its name, its direction, and what it is at best.

    `perfect` is None where nothing bounds it. An accuracy alone is shown in percent.
    """

    name: str = "accuracy"
    higher_is_better: bool = True
    perfect: float | None = 1.0

    @property
    def in_percent(self) -> bool:
        """Return whether it is an accuracy, a fraction that is shown in percent."""
        return self.name == "accuracy"

    def better(self, found: float, best: float) -> bool:
        """Return whether a value is strictly better than another.

        >>> StudyMetric().better(0.9, 0.9), StudyMetric("mae", False, 0.0).better(2.0, 3.0)
        (False, True)
        """
        return found > best if self.higher_is_better else found < best

    def oriented(self, value: float) -> float:
        """Return a value such that the higher is the better."""
        return value if self.higher_is_better else -value


METRICS: dict[str, StudyMetric] = {
    "accuracy": StudyMetric(),
    "macro_f1": StudyMetric("macro_f1"),
    "balanced_accuracy": StudyMetric("balanced_accuracy"),
    "auc": StudyMetric("auc"),
    "rmse": StudyMetric("rmse", higher_is_better=False, perfect=0.0),
    "mae": StudyMetric("mae", higher_is_better=False, perfect=0.0),
    "r2": StudyMetric("r2"),
}
"""The metrics that are known by name."""


@dataclass(frozen=True)
class TrainingPlan:
    """What a study trains for and with; each part by name, or the user's own by its address.

    `loss` is called with outputs and targets and gives their mean, `metric` with all outputs and
    all targets; without them the task's own (cross entropy and accuracy; mean squared error and
    its root). The loss of a regression sees targets standardised by the training rows.
    `lower_is_better` is the direction of a metric of the user's own. `optimiser` is a name of
    torch.optim or is called with groups of parameters and the rate, `schedule` with the optimiser
    (it is stepped after each epoch), `augmentation` with a batch of inputs. `clip` bounds the norm
    of the gradients. Weight decay leaves activation parameters alone unless `decay_activations`
    (None: as the published protocol does, which spares nothing). With `function` the whole training
    is the user's own: it is called with setting and seed.
    """

    task: StudyTask = "multiclass"
    loss: str | None = None
    metric: str | None = None
    lower_is_better: bool | None = None
    optimiser: str = "adamw"
    schedule: str | None = None
    augmentation: str | None = None
    class_weights: Literal["none", "balanced"] | tuple[float, ...] = "none"
    clip: float | None = None
    decay_activations: bool | None = None
    function: str | None = None

    @property
    def measured(self) -> StudyMetric:
        """Return the metric that candidates are compared by.

        >>> TrainingPlan().measured.name, TrainingPlan(task="regression").measured.name
        ('accuracy', 'rmse')
        """
        name = self.metric or ("rmse" if self.task == "regression" else "accuracy")
        if self.function is not None:
            name = self.metric or "score"
        if name in METRICS and self.lower_is_better is None:
            return METRICS[name]
        label = name.rpartition(":")[2].rpartition(".")[2]
        return StudyMetric(label, not self.lower_is_better, None)

    @property
    def code(self) -> tuple[str, ...]:
        """Return the addresses of the user's own parts."""
        parts = (self.loss, self.metric, self.optimiser, self.schedule, self.augmentation)
        return tuple(part for part in (*parts, self.function) if part is not None and ":" in part)


USUAL_TRAINING = TrainingPlan()
"""Classes told apart by cross entropy, compared by accuracy."""
