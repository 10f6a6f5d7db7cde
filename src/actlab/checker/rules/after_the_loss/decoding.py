"""ACT703, ACT704 and ACT705: decisions off the class axis, and normalised twice or otherwise."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.capture import ops
from actlab.capture.trace import Call
from actlab.checker.analysis import tensor_tests
from actlab.checker.analysis.logits import compares_samples, softmax_dim
from actlab.checker.analysis.losses import LossCall
from actlab.checker.analysis.origins import HANDED_ON, Origin, axis_before, origins
from actlab.checker.analysis.prediction import prediction_of
from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.reporting.fixes import without
from actlab.checker.rule import Case, Rule, Situation
from actlab.checker.rules._batches import class_batch, label_batch
from actlab.checker.rules.after_the_loss.thresholds_and_metrics import losses_of, passes
from actlab.i18n import _

_DECIDING = ("argmax", "max", "topk")
_NORMALISED = HANDED_ON | {"softmax", "log_softmax", "sigmoid"}
_OF_LABELS = ("bce_logits", "multilabel_soft_margin_loss")
_READS_PROBABILITIES = frozenset({"log", "softmax", "log_softmax", "multinomial", "kl_div"})


def _classified(predict: Callable[[Tensor], object], head: nn.Module) -> Situation:
    net = nn.Sequential(nn.Linear(20, 8), nn.ReLU(), nn.Linear(8, 5), head)
    x, y = class_batch(5)
    loss = F.cross_entropy if isinstance(head, nn.Identity) else _nll

    def evaluate() -> object:
        with torch.no_grad():
            return predict(net(x))

    return Situation(step=lambda: loss(net(x), y), model=net, evaluate=evaluate)


def _nll(p: Tensor, y: Tensor) -> Tensor:
    return F.nll_loss(torch.log(p + 1e-8), y)


def _best_sample_for_best_class() -> Situation:
    return _classified(lambda scores: scores.argmax(0), nn.Identity())


def _best_of_the_whole_batch() -> Situation:
    return _classified(lambda scores: scores.argmax(), nn.Identity())


def _best_class() -> Situation:
    return _classified(lambda scores: scores.softmax(1).argmax(-1), nn.Identity())


def _softmax_of_a_softmax() -> Situation:
    return _classified(lambda p: F.softmax(p, dim=1), nn.Softmax(dim=1))


def _temperature_behind_softmax() -> Situation:
    return _classified(lambda z: torch.multinomial(F.softmax(z, 1) / 0.7, 1), nn.Identity())


def _probabilities_of_logits() -> Situation:
    return _classified(lambda scores: F.softmax(scores / 0.7, dim=1), nn.Identity())


def _probabilities_as_they_are() -> Situation:
    return _classified(lambda p: p.max(1), nn.Softmax(dim=1))


class ArgmaxOffClassAxis(Rule):
    """A decision is taken along another axis than the loss counts classes along.

    ## What it does
    Follows argmax, max and topk back to the layer whose output the loss reads, and compares the two
    axes there. Where the loss reads both axes, as in a contrast of two sides, both are right.

    ## Why is this bad?
    The answer is which sample fits a class best, not which class fits a sample. Where the numbers
    of samples and classes agree, nothing fails: the accuracy is that of chance.

    ## Example
    ```python
    predicted = net(x).argmax(0)
    ```

    ## Use instead
    ```python
    predicted = net(x).argmax(1)
    ```

    ## Sources
    - PyTorch, `torch.nn.CrossEntropyLoss`: classes are in dimension 1.
    """

    code = "ACT703"
    name = "argmax-off-class-axis"
    severity = "error"
    looks_at = "decisions"
    faulty = (
        Case(_best_sample_for_best_class, "error"),
        Case(_best_of_the_whole_batch, "error"),
    )
    clean = (Case(_best_class), Case(_probabilities_as_they_are))

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each decision along another axis."""
        for one in passes(step):
            for call in one.trace.calls:
                if call.op not in _DECIDING or len(call.inputs) != 1:
                    continue
                given = call.inputs[0]
                if given.tensor.ndim >= 2 and one.is_live(given) and not compares_samples(given):
                    yield from self._judge(step, call)

    def _judge(self, step: Step, call: Call) -> Iterator[Finding]:
        given = call.inputs[0]
        place = 2 if call.op == "topk" else 1
        dim = call.argument("dim", place, -1 if call.op == "topk" else None)
        if dim is None and call.op != "argmax":
            return  # the largest number of all is no decision
        for end in origins(given, _NORMALISED):
            wanted = {
                axis_before(loss.class_dim, other.passed)
                for loss, other in losses_of(step, end)
                if loss.kind in ("cross_entropy", "nll_loss", "likelihood")
                and other.value.tensor.ndim == end.value.tensor.ndim
            }
            if not wanted or None in wanted:
                continue
            axis = None
            if isinstance(dim, int):
                axis = axis_before(dim % given.tensor.ndim, end.passed)
                if axis is None or axis in wanted:
                    continue
            yield self.found(
                message=_("{op} runs over dimension {axis}, the classes are in {right}").format(
                    op=call.op, axis=axis, right=", ".join(str(w) for w in wanted)
                )
                if axis is not None
                else _("{op} without a dimension runs over the whole batch").format(op=call.op),
                location=call.location,
                proof=_("the loss counts {classes} classes along dimension {right}").format(
                    classes=end.value.shape[min(w for w in wanted if w is not None)],
                    right=", ".join(str(w) for w in wanted),
                ),
                why=_("samples are compared with each other, not classes of one sample"),
                fix="predicted = scores.argmax(dim=1)",
            )
            return


def _reads_probabilities(call: Call) -> bool:
    """Return whether a call takes rows for probabilities; a distribution normalises them first."""
    made_here = call.origin.replace("\\", "/").endswith("distributions/categorical.py")
    return call.op in _READS_PROBABILITIES or (call.op == "div" and made_here)


class ProbabilitiesTwice(Rule):
    """Softmax or a temperature is applied to what are probabilities already, after the loss.

    ## What it does
    Reports, in the evaluation, softmax or sigmoid on what the model has normalised; and anywhere a
    temperature that divides probabilities in place of scores, before they are read as such.

    ## Why is this bad?
    The second softmax flattens the first: with ten classes none gets more than 0.23, so thresholds,
    calibration and averages of several models are off, while argmax hides it. Probabilities divided
    by a temperature sum to its inverse, and keep their ratios.

    ## Example
    ```python
    p = F.softmax(net(x), dim=1)  # net ends in nn.Softmax
    ```

    ## Use instead
    ```python
    p = net(x)
    ```

    ## Sources
    - skorch-dev/skorch#519: https://github.com/skorch-dev/skorch/issues/519
    - Guo et al. 2017, On calibration of modern neural networks: z / T before the softmax.
    """

    code = "ACT704"
    name = "probabilities-twice"
    severity = "warning"
    looks_at = "evaluations"
    faulty = (
        Case(_softmax_of_a_softmax, "warning"),
        Case(_temperature_behind_softmax, "warning"),
    )
    clean = (Case(_probabilities_of_logits), Case(_probabilities_as_they_are))

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each softmax on probabilities, and each temperature behind one."""
        one = step.evaluation
        for call in one.trace.calls if one is not None else ():
            if call.op not in ("softmax", "sigmoid") or not call.inputs or one is None:
                continue
            given = call.inputs[0]
            if given.tensor.ndim == 0 or not one.is_live(given) or not one.in_loss_code(call):
                continue
            dim = softmax_dim(call) if call.op == "softmax" else given.tensor.ndim - 1
            found = prediction_of(one, given, dim)
            if found is not None and found.kind in ("simplex", "unit") and found.by_origin:
                yield self.found(
                    message=_("{activation} is applied to what is already in [0, 1]").format(
                        activation=call.op
                    ),
                    location=call.location,
                    proof=_("its input reaches {range}").format(range=one.range_of(given)),
                    why=_("the probabilities are flattened; only their order is left"),
                    fix=without(call),
                )
        for each in passes(step):
            yield from self._temperatures(each)

    def _temperatures(self, one: Step) -> Iterator[Finding]:
        for call in one.trace.calls:
            if call.op not in ("div", "mul") or len(call.inputs) != 1 or not one.in_loss_code(call):
                continue
            ends = origins(call.inputs[0], ops.VIEWS, nudges=False)
            number = call.argument("other", 1)
            if not ends or any(end.op != "softmax" for end in ends) or number in (1, 1.0, None):
                continue
            readers = [u for u in one.trace.users_of(call.output) if _reads_probabilities(u)]
            if readers:
                yield self.found(
                    message=_("a temperature divides probabilities, not scores"),
                    location=call.location,
                    proof=_("{op} reads rows that sum to another number than 1").format(
                        op="Categorical" if readers[0].op == "div" else readers[0].op
                    ),
                    why=_("the ratios of the probabilities stay as they were"),
                    fix="p = F.softmax(scores / temperature, dim=-1)",
                )


def _tagged(predict: Callable[[Tensor], object]) -> Situation:
    net = nn.Sequential(nn.Linear(20, 8), nn.ReLU(), nn.Linear(8, 5))
    x, y = label_batch(5)

    def evaluate() -> object:
        with torch.no_grad():
            return predict(net(x))

    return Situation(
        step=lambda: F.binary_cross_entropy_with_logits(net(x), y), model=net, evaluate=evaluate
    )


def _softmax_of_tags() -> Situation:
    return _tagged(lambda scores: scores.softmax(1) > 0.5)


def _sigmoid_of_tags() -> Situation:
    return _tagged(lambda scores: scores.sigmoid() > 0.5)


def _sigmoid_of_classes() -> Situation:
    return _classified(lambda scores: scores.sigmoid() > 0.5, nn.Identity())


def _sigmoid_of_one_of_two_classes() -> Situation:
    net = nn.Linear(20, 2)
    x, y = class_batch(2)

    def evaluate() -> object:
        with torch.no_grad():
            return torch.sigmoid(net(x)[:, 1]) > 0.5

    return Situation(step=lambda: F.cross_entropy(net(x), y), model=net, evaluate=evaluate)


def _sigmoid_of_the_difference_of_two_classes() -> Situation:
    net = nn.Linear(20, 2)
    x, y = class_batch(2)

    def evaluate() -> object:
        with torch.no_grad():
            scores = net(x)
            return torch.sigmoid(scores[:, 1] - scores[:, 0]) > 0.5

    return Situation(step=lambda: F.cross_entropy(net(x), y), model=net, evaluate=evaluate)


class OtherNormaliser(Rule):
    """The evaluation turns scores into probabilities by another function than the loss.

    ## What it does
    Reports, in the evaluation, softmax over scores that the loss reads one by one, through a
    sigmoid, where samples have none or several labels; and sigmoid on scores that the loss reads
    through a softmax.

    ## Why is this bad?
    Softmax makes labels compete that were trained to be independent: of two right ones at most one
    is above 0.5. The sigmoid of a class score has no meaning, since softmax leaves a common shift
    of all scores open. Metrics that depend on the numbers are wrong, and models are chosen by them.

    ## Example
    ```python
    loss = F.binary_cross_entropy_with_logits(net(x), tags)
    p = F.softmax(net(x), dim=1)
    ```

    ## Use instead
    ```python
    loss = F.binary_cross_entropy_with_logits(net(x), tags)
    p = torch.sigmoid(net(x))
    ```

    ## Sources
    - Spijkervet/CLMR#3: https://github.com/Spijkervet/CLMR/issues/3
    - torchgeo/torchgeo, pull request 791: https://github.com/torchgeo/torchgeo/pull/791
    """

    code = "ACT705"
    name = "other-normaliser"
    severity = "warning"
    looks_at = "evaluations"
    faulty = (
        Case(_softmax_of_tags, "warning"),
        Case(_sigmoid_of_classes, "warning"),
        Case(_sigmoid_of_one_of_two_classes, "warning"),
    )
    clean = (
        Case(_sigmoid_of_tags),
        Case(_probabilities_of_logits),
        Case(_sigmoid_of_the_difference_of_two_classes),
    )

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each softmax of labels, and each sigmoid of classes."""
        one = step.evaluation
        for call in one.trace.calls if one is not None else ():
            if call.op not in ("softmax", "sigmoid") or not call.inputs or one is None:
                continue
            if not one.in_loss_code(call) or not one.is_live(call.inputs[0]):
                continue
            for end in origins(call.inputs[0]):
                pairs = list(losses_of(step, end))
                if any(call.op in [c.op for c in other.passed] for __, other in pairs):
                    continue  # a part of the layer is trained through this very function
                read = [loss for loss, other in pairs if not _normalised(other)]
                if read and all(_is_trained_otherwise(loss, call, end) for loss in read):
                    yield self._finding(call, read[0])
                    return

    def _finding(self, call: Call, loss: LossCall) -> Finding:
        other = "sigmoid" if call.op == "softmax" else "softmax"
        return self.found(
            message=_("{found} is applied to scores that were trained through {other}").format(
                found=call.op, other=other
            ),
            location=call.location,
            proof=_(
                "the loss is {loss}, and its targets have none or several labels in a row"
            ).format(loss=loss.call.op)
            if call.op == "softmax"
            else _("the loss is {loss} over {classes} classes").format(
                loss=loss.call.op, classes=loss.classes
            ),
            why=_("thresholds and metrics read numbers that the loss never saw"),
            fix="p = torch.sigmoid(scores)"
            if call.op == "softmax"
            else f"p = F.softmax(scores, dim={loss.class_dim})",
        )


def _normalised(end: Origin) -> bool:
    return any(call.op in ("softmax", "log_softmax", "sigmoid") for call in end.passed)


def _is_trained_otherwise(loss: LossCall, call: Call, end: Origin) -> bool:
    one_of_them = call.op == "sigmoid" and end.value.shape[-1:] == (loss.classes,)
    if loss.classes not in call.inputs[0].shape and not one_of_them:
        return False  # another part of what the layer made
    if call.op == "sigmoid":
        return loss.kind == "cross_entropy" and loss.classes > 1
    labels = loss.target.tensor if loss.target is not None and loss.target.intact else None
    return loss.kind in _OF_LABELS and labels is not None and tensor_tests.is_multi_hot(labels)
