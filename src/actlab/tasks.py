"""What each task asks of the output layer, after the document's table of output activations."""

from dataclasses import dataclass
from typing import Literal

from actlab.errors import unknown_name
from actlab.i18n import N_
from actlab.records import LossName, TaskName


@dataclass(frozen=True)
class Task:
    """One task; its texts are marked for translation and translated where they are shown.

    `target` says what the target batch holds, `head` is the output activation that fits, `loss`
    the loss behind it. With PyTorch's losses on logits (`cross_entropy`,
    `binary_cross_entropy_with_logits`) the head is part of the loss and the model ends in a plain
    linear layer: `in_torch` is that loss. `prediction` says how an output becomes an answer,
    `why` why the head fits, `pitfalls` what goes wrong with others. `larger_is_better` is the
    direction of `metric`.
    """

    name: TaskName
    target: str
    head: Literal["none", "sigmoid", "softmax"]
    loss: LossName
    metric: Literal["mse", "accuracy"]
    larger_is_better: bool
    in_torch: str
    prediction: str
    why: str
    pitfalls: tuple[str, ...]


TASKS: tuple[Task, ...] = (
    Task(
        name="regression",
        target=N_("real numbers"),
        head="none",
        loss="mse",
        metric="mse",
        larger_is_better=False,
        in_torch="mse_loss",
        prediction=N_("the output, times the deviation plus the mean where it was standardised"),
        why=N_(
            "A real number may be anything, so nothing may bound the output. "
            "ReLU is possible where targets are never negative and not standardised."
        ),
        pitfalls=(
            N_("Raw targets of large size, or far from 0, train badly: standardise them."),
            N_("ReLU cannot predict the lower half of a standardised target."),
            N_("A sigmoid of the target squeezes large values together, for good from 16.7 on."),
        ),
    ),
    Task(
        name="probability",
        target=N_("one number from 0 to 1, such as 0 or 1"),
        head="sigmoid",
        loss="bce",
        metric="accuracy",
        larger_is_better=True,
        in_torch="binary_cross_entropy_with_logits",
        prediction=N_("sigmoid of the output; yes above 0.5"),
        why=N_("A probability lies between 0 and 1, and so does a sigmoid."),
        pitfalls=(N_("Softmax over one output is always 1: nothing is learnt."),),
    ),
    Task(
        name="binary",
        target=N_("one of two classes, two outputs"),
        head="softmax",
        loss="ce",
        metric="accuracy",
        larger_is_better=True,
        in_torch="cross_entropy",
        prediction=N_("the class with the larger output"),
        why=N_("The two classes exclude each other, so their shares must sum to 1."),
        pitfalls=(
            N_("Two sigmoids may say both or neither; as two opposite answers they still learn."),
        ),
    ),
    Task(
        name="multiclass",
        target=N_("one of several classes"),
        head="softmax",
        loss="ce",
        metric="accuracy",
        larger_is_better=True,
        in_torch="cross_entropy",
        prediction=N_("the class with the largest output"),
        why=N_("The classes exclude each other, so their shares must sum to 1."),
        pitfalls=(
            N_("Softmax before a cross entropy that applies its own flattens the loss."),
            N_("Sigmoids treat the classes as independent; most answers then are 'no'."),
        ),
    ),
    Task(
        name="multilabel",
        target=N_("any number of classes at once"),
        head="sigmoid",
        loss="bce",
        metric="accuracy",
        larger_is_better=True,
        in_torch="binary_cross_entropy_with_logits",
        prediction=N_("sigmoid of each output; yes above 0.5"),
        why=N_("Each class is a question of its own, so each has a probability of its own."),
        pitfalls=(N_("Softmax lets the classes compete: two that are both true share 1."),),
    ),
)


def task(name: str) -> Task:
    """Return the task of that name; UnknownNameError where there is none.

    >>> task("multiclass").head
    'softmax'
    """
    for known in TASKS:
        if known.name == name:
            return known
    raise unknown_name("task", name, [known.name for known in TASKS])
