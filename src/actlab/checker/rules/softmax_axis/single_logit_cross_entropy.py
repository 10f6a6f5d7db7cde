"""ACT202: cross entropy over one class: the constant 0."""

from collections.abc import Iterator

import torch
from torch import nn

from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.rule import Case, Rule, Situation
from actlab.checker.rules._batches import class_batch
from actlab.i18n import _


def _one_column() -> Situation:
    x, _y = class_batch(2)
    net = nn.Sequential(nn.Linear(20, 8), nn.ReLU(), nn.Linear(8, 1))
    return Situation(net, nn.CrossEntropyLoss(), (x, torch.zeros(32, dtype=torch.long)))


def _one_column_of_float_targets() -> Situation:
    x, y = class_batch(2)
    return Situation(nn.Linear(20, 1), nn.CrossEntropyLoss(), (x, y.float()[:, None]))


def _two_columns() -> Situation:
    return Situation(nn.Linear(20, 2), nn.CrossEntropyLoss(), class_batch(2))


class SingleLogitCrossEntropy(Rule):
    """Cross entropy is taken over a single class.

    ## What it does

    Reports `cross_entropy` (or `nll_loss` behind it) whose class dimension has one element.

    ## Why is this bad?

    Softmax of one score is 1, its logarithm 0: the loss is 0 for every prediction, and so is the
    gradient. The loss curve looks perfect, and nothing is learnt.

    ## Example

        model = nn.Linear(20, 1)
        loss = nn.CrossEntropyLoss()(model(x), y.float().unsqueeze(1))

    ## Use instead

        model = nn.Linear(20, 1)
        loss = nn.BCEWithLogitsLoss()(model(x), y.float().unsqueeze(1))

    ## Sources

    - Keras warns of `CategoricalCrossentropy` on a single column:
      https://keras.io/api/losses/probabilistic_losses/
    """

    code = "ACT202"
    name = "single-logit-cross-entropy"
    severity = "error"
    looks_at = "cross entropies"
    faulty = (Case(_one_column, "error"), Case(_one_column_of_float_targets, "error"))
    clean = (Case(_two_columns),)

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each cross entropy over one class."""
        for loss in step.loss_calls:
            if loss.kind != "cross_entropy" or loss.classes != 1 or loss.input.tensor.ndim == 0:
                continue
            yield self.found(
                message=_("cross entropy over a single class is always 0"),
                location=loss.call.location,
                proof=_(
                    "the scores have shape {shape}: softmax of one score is 1, its log 0"
                ).format(shape=tuple(loss.input.shape)),
                why=_("loss and gradient are 0 whatever the model says: nothing is learnt"),
                fix="loss = F.binary_cross_entropy_with_logits(logits, y.float())",
            )
