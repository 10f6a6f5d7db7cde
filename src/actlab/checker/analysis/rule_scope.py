"""What a rule looks at, and how much of it a step has: with none of it, a rule is not checked."""

from collections.abc import Callable, Mapping

from actlab.capture import ops
from actlab.capture.outside import decisions
from actlab.capture.trace import Call
from actlab.checker.analysis.logits import logits_of
from actlab.checker.analysis.losses import REGRESSION, of_binomial
from actlab.checker.analysis.mixtures import mixtures
from actlab.checker.analysis.step import Step
from actlab.i18n import _


def _losses(*kinds: str) -> Callable[[Step], int]:
    return lambda step: sum(loss.kind in kinds for loss in step.loss_calls)


def _scores(normaliser: str) -> Callable[[Step], int]:
    return lambda step: sum(scores.normaliser == normaliser for scores in logits_of(step))


def _calls(*names: str) -> Callable[[Step], int]:
    return lambda step: sum(call.op in names for call in step.trace.calls)


_DECIDING = ("gt", "ge", "lt", "le", "round", "argmax", "max", "topk")


_DRAWING = ("randn", "randn_like", "normal", "standard_normal")


def _is_of_distribution(call: Call) -> bool:
    return "torch/distributions/" in call.origin.replace("\\", "/")


def _passes(step: Step) -> tuple[Step, ...]:
    return (step,) if step.evaluation is None else (step, step.evaluation)


COUNTS: Mapping[str, Callable[[Step], int]] = {
    "calls": lambda step: len(step.trace.calls),
    "losses": lambda step: len(step.loss_calls),
    "scores": lambda step: sum(1 for _scores in logits_of(step)),
    "softmax scores": _scores("softmax"),
    "sigmoid scores": _scores("sigmoid"),
    "binary cross entropies": _losses("bce"),
    "overlaps": _losses("overlap"),
    "likelihoods": lambda step: (
        _losses("nll_loss", "ctc_loss", "likelihood")(step) + sum(1 for _found in mixtures(step))
    ),
    "divergences": _losses("kl_div"),
    "distributions": lambda step: (
        _losses("categorical_logits", "categorical_probs")(step) + _calls("gumbel_softmax")(step)
        + sum(of_binomial(call) for call in step.trace.calls)
    ),
    "positive parameters": lambda step: (
        _losses("gaussian_nll_loss", "poisson_nll_loss")(step)
        + sum(call.op in ("broadcast_tensors", "lgamma") and _is_of_distribution(call)
              for call in step.trace.calls)
    ),
    "spreads": lambda step: (
        _losses("poisson_nll_loss", "gaussian_nll_loss")(step) + _calls(*_DRAWING)(step)
        + sum(_is_of_distribution(call) for call in step.trace.calls)
    ),
    "log-probabilities": lambda step: (
        _calls("log_softmax", "logsigmoid", "logsumexp", "log")(step)
        + sum(_is_of_distribution(call) for call in step.trace.calls)
    ),
    "softmaxes": _calls(*ops.NORMALISERS),
    "attentions": _calls("softmax", *ops.ATTENTION),
    "activations": lambda step: len(step.activations),
    "recurrences": lambda step: (
        _calls(*ops.RECURRENT)(step) + min(_calls("sigmoid")(step), _calls("mul")(step))
    ),
    "derivatives": lambda step: sum(
        call.op == "autograd_grad" and len(call.args) + len(call.kwargs) > 1
        for call in (*step.trace.calls, *((step.trace.failed,) if step.trace.failed else ()))
    ),
    "selus": lambda step: sum(run.name == "selu" for run in step.activations),
    "learnt slopes": _calls("prelu"),
    "models": lambda step: int(step.model is not None),
    "cross entropies": _losses("cross_entropy"),
    "class losses": _losses("cross_entropy", "nll_loss"),
    "regressions": _losses(*REGRESSION),
    "targets": _losses(*REGRESSION, "bce", "bce_logits"),
    "rectifiers": _calls(*ops.RECTIFIERS, "clamp", "abs", "maximum"),
    "critics": lambda step: int(
        step.loss is not None
        and ((step.task_given and step.task in ("critic", "ranking"))
             or _losses("margin_ranking_loss")(step) > 0
             or not (step.loss_calls or step.targets.tensors or step.task_given))
    ),
    "metrics": lambda step: (
        sum("/torchmetrics/" in call.origin for one in _passes(step) for call in one.trace.calls)
        + (_losses(*REGRESSION)(step.evaluation) if step.evaluation is not None else 0)
    ),
    "decisions": lambda step: sum(
        call.op in _DECIDING and one.is_live(call.inputs[0])
        for one in _passes(step)
        for call in one.trace.calls
        if call.inputs
    )
    + sum(1 for one in _passes(step) for call in one.trace.left for _made in decisions(call)),
    "evaluations": lambda step: int(step.evaluation is not None),
    "predictions": lambda step: sum(step.is_live(loss.input) for loss in step.loss_calls),
    "layers": lambda step: len(step.layers) + _calls(*ops.PRODUCTS)(step),
    "hidden activations": lambda step: sum(
        run.name in ops.ELEMENTWISE_ACTIVATIONS for run in step.activations
    ),
}  # fmt: skip
"""For each kind of thing, how many of them a step has."""

_WITHOUT_LOSS = frozenset({"calls", "layers", "hidden activations", "rectifiers", "critics",
                           "metrics", "decisions", "evaluations", "positive parameters", "spreads",
                           "log-probabilities", "softmaxes", "attentions", "activations", "selus",
                           "recurrences", "derivatives", "learnt slopes", "models"})  # fmt: skip
_OF_LOSSES = frozenset(COUNTS) - _WITHOUT_LOSS


def nothing_to_check(step: Step, looks_at: str) -> str | None:
    """Return why a rule without a finding has looked at nothing; None where it has not."""
    if COUNTS[looks_at](step):
        return None
    if looks_at in _OF_LOSSES and not step.loss_calls:
        value = step.trace.value_of(step.loss) if step.loss is not None else None
        if value is None or value.call is None:
            return _("no known loss was recognised in this step")
        return _("no known loss was recognised in this step, which ends in {op}").format(
            op=value.call.op
        )
    return _("there is nothing of the kind in this step")
