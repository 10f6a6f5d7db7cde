"""ACT102: log-probabilities where cross entropy expects scores: harmless, and done twice."""

from collections.abc import Iterator

from torch import nn

from actlab.checker.analysis.prediction import prediction_of
from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.reporting.fixes import without
from actlab.checker.rule import Case, Rule, Situation
from actlab.checker.rules._batches import class_batch
from actlab.i18n import _


def _log_softmax_head() -> Situation:
    net = nn.Sequential(nn.Linear(20, 10), nn.LogSoftmax(dim=1))
    return Situation(net, nn.CrossEntropyLoss(), class_batch(10))


def _nll_loss() -> Situation:
    net = nn.Sequential(nn.Linear(20, 10), nn.LogSoftmax(dim=1))
    return Situation(net, nn.NLLLoss(), class_batch(10))


class LogSoftmaxThenCrossEntropy(Rule):
    """Cross entropy is given log-probabilities.

    ## What it does

    Reports a `log_softmax` whose output reaches `cross_entropy`.

    ## Why is this bad?

    It is not wrong: log-softmax of log-probabilities is the same log-probabilities. It is work
    done twice, and the next reader wonders which of the two was meant.

    ## Example

        loss = F.cross_entropy(F.log_softmax(model(x), dim=1), y)

    ## Use instead

        loss = F.cross_entropy(model(x), y)
        loss = F.nll_loss(F.log_softmax(model(x), dim=1), y)  # the same

    ## Sources

    - PyTorch, `torch.nn.CrossEntropyLoss`: "equivalent to applying LogSoftmax on an input,
      followed by NLLLoss".
    """

    code = "ACT102"
    name = "log-softmax-then-cross-entropy"
    severity = "info"
    looks_at = "softmax scores"
    faulty = (Case(_log_softmax_head, "info"),)
    clean = (Case(_nll_loss),)

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each cross entropy on log-probabilities."""
        for loss in step.loss_calls:
            if loss.kind != "cross_entropy" or loss.custom or loss.classes < 2:
                continue
            prediction = prediction_of(step, loss.input, loss.class_dim)
            if prediction is None or prediction.kind != "log_simplex" or prediction.maker is None:
                continue
            yield self.found(
                message=_("cross entropy is given log-probabilities: log-softmax is applied twice"),
                location=prediction.maker.location,
                proof=_("log-softmax changes nothing that is already log-probabilities"),
                why=_("correct, but computed twice"),
                fix=without(prediction.maker),
            )
