"""ACT408: a model's configuration names one activation and its modules run another."""

import math
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.capture import ops
from actlab.capture.frames import is_library
from actlab.capture.trace import Call, Value
from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.rule import Case, NotCheckable, Rule, Situation
from actlab.checker.rules._batches import class_batch
from actlab.i18n import _

_CONFIGS = ("config", "pretrained_cfg", "default_cfg", "cfg", "hparams")
_KEYS = ("hidden_act", "hidden_activation", "activation_function", "act_layer", "act", "activation",
         "dense_act_fn", "feed_forward_act")  # fmt: skip
_TAGS = ("tag", "hf_hub_id", "name_or_path", "_name_or_path", "architecture", "pretrained")

_FAMILY = {
    "gelu": "gelu", "gelu_python": "gelu", "quick_gelu": "quick_gelu", "quickgelu": "quick_gelu",
    "gelu_new": "gelu_tanh", "gelu_tanh": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh",
    "gelu_fast": "gelu_tanh", "gelu_accurate": "gelu_tanh", "gelu_python_tanh": "gelu_tanh",
    "relu": "relu", "silu": "silu", "swish": "silu", "mish": "mish",
    "leaky_relu": "leaky_relu", "elu": "elu", "selu": "selu",
}  # fmt: skip
_COMPARED = frozenset({"gelu", "gelu_tanh", "quick_gelu", "relu", "silu", "mish", "elu", "selu",
                       "leaky_relu"})  # fmt: skip


class _Configured(nn.Module):
    def __init__(self, act: nn.Module, **config: str) -> None:
        super().__init__()
        self.fc1, self.act, self.fc2 = nn.Linear(20, 8), act, nn.Linear(8, 5)
        self.config = SimpleNamespace(**config)

    def forward(self, x: Tensor) -> Any:
        return self.fc2(self.act(self.fc1(x)))


class _QuickGelu(nn.Module):
    def forward(self, x: Tensor) -> Any:
        return x * torch.sigmoid(1.702 * x)


def _gelu_for_quick_gelu() -> Situation:
    net = _Configured(nn.GELU(), hidden_act="quick_gelu")
    return Situation(net, nn.CrossEntropyLoss(), class_batch(5))


def _erf_for_tanh() -> Situation:
    net = _Configured(nn.GELU(), activation_function="gelu_new")
    return Situation(net, nn.CrossEntropyLoss(), class_batch(5))


def _quick_gelu() -> Situation:
    net = _Configured(_QuickGelu(), hidden_act="quick_gelu")
    return Situation(net, nn.CrossEntropyLoss(), class_batch(5))


def _tanh_form() -> Situation:
    net = _Configured(nn.GELU(approximate="tanh"), hidden_act="gelu_pytorch_tanh")
    return Situation(net, nn.CrossEntropyLoss(), class_batch(5))


class PretrainedActivationMismatch(Rule):
    """The configuration of a model names another activation than its modules run.

    ## What it does

    Reads the activation's name from the model's configuration (`config.hidden_act` and the like,
    or a tag with "quickgelu"), recognises the activations that ran, forms of GELU that are written
    out included, and reports if the named one is not among them while another of its kind is. Where
    a library wrote the other one out inside a layer, nobody exchanged it, and it is information.

    ## Why is this bad?

    Weights that were trained with one activation are run with another. GELU and its fast form
    differ by up to 0.02: nothing fails, the accuracy is only somewhat lower, in published tables
    too.

    ## Example

        model.config.hidden_act  # "quick_gelu"
        model.mlp.act  # GELU()

    ## Use instead

        model = open_clip.create_model("ViT-B-32-quickgelu", pretrained="openai")

    ## Sources

    - https://github.com/mlfoundations/open_clip/issues/771
    - https://github.com/huggingface/pytorch-image-models/issues/1754
    """

    code = "ACT408"
    name = "pretrained-activation-mismatch"
    severity = "warning"
    looks_at = "models"
    faulty = (Case(_gelu_for_quick_gelu, "warning"), Case(_erf_for_tanh, "warning"))
    clean = (Case(_quick_gelu), Case(_tanh_form))

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding if the configured activation did not run, and another did."""
        if step.model is None:
            raise NotCheckable(_("no model is known whose configuration could be read"))
        named = _named_activation(step.model)
        if named is None:
            raise NotCheckable(_("the model has no configuration that names an activation"))
        name, wanted = named
        ran = dict(_activations_that_ran(step))
        kinds = {kind: call for kind, call in ran.items() if kind in _COMPARED}
        if wanted in kinds or not kinds:
            return
        other, call = next(iter(kinds.items()))
        yield self.found(
            severity="info" if _is_architecture(call) else None,
            message=_("the configuration names {named}, the model runs {other}").format(
                named=name, other=other
            ),
            location=call.location,
            proof=_("the two differ by up to {gap:.3g} between -5 and 5").format(
                gap=_largest_gap(wanted, other)
            ),
            why=_("weights that were trained with one activation are run with another"),
            fix=f"model.{call.module} = {_MODULES.get(wanted, wanted)}",
        )


_MODULES = {"gelu": "nn.GELU()", "gelu_tanh": "nn.GELU(approximate='tanh')", "relu": "nn.ReLU()",
            "quick_gelu": "QuickGELU()", "silu": "nn.SiLU()"}  # fmt: skip


def _is_architecture(call: Call) -> bool:
    """Return whether a library wrote the activation out inside a layer: it reads no configuration.

    What somebody exchanged is a module of its own.
    """
    if not is_library(call.origin) or not call.scopes:
        return False
    return next(call.scopes[-1].module.parameters(recurse=False), None) is not None


def _named_activation(model: nn.Module) -> tuple[str, str] | None:
    for attribute in _CONFIGS:
        config = getattr(model, attribute, None)
        if config is None:
            continue
        for key in _KEYS:
            name = _entry(config, key)
            if isinstance(name, str) and name.lower() in _FAMILY:
                return name, _FAMILY[name.lower()]
        for key in _TAGS:
            tag = str(_entry(config, key) or "").lower()
            if "quickgelu" in tag or "quick_gelu" in tag:
                return tag, "quick_gelu"
    return None


def _entry(config: Any, key: str) -> Any:
    return config.get(key) if isinstance(config, Mapping) else getattr(config, key, None)


def _activations_that_ran(step: Step) -> Iterator[tuple[str, Call]]:
    for call in step.trace.calls:
        if call.op == "gelu":
            form = call.argument("approximate", 1, "none")
            yield ("gelu_tanh" if form == "tanh" else "gelu"), call
        elif call.op in ops.ELEMENTWISE_ACTIVATIONS and call.op != "sigmoid":
            yield call.op, call
        elif call.op == "mul" and len(call.inputs) == 2:
            kind = _written_form(call)
            if kind is not None:
                yield kind, call


def _written_form(product: Call) -> str | None:
    """Recognise x * sigmoid(a x) and 0.5 x (1 + tanh ...), (1 + erf ...) by what is multiplied."""
    for value, other in (product.inputs, product.inputs[::-1]):
        call = other.call
        if call is None or not call.inputs:
            continue
        if call.op == "sigmoid":
            return _swish_form(value, call.inputs[0])
        inner = call.inputs[0].call if call.op == "add" else None
        if inner is not None and inner.op in ("tanh", "erf"):
            return "gelu_tanh" if inner.op == "tanh" else "gelu"
    return None


def _swish_form(value: Value, argument: Value) -> str | None:
    if argument is value:
        return "silu"
    scaling = argument.call
    if scaling is None or scaling.op != "mul" or scaling.inputs[0] is not value:
        return None
    factor = next((a for a in scaling.args if isinstance(a, float)), None)
    return "quick_gelu" if factor is not None and abs(factor - 1.702) < 0.01 else None


_FORMS: dict[str, Callable[[Tensor], Tensor]] = {
    "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x),
    "silu": F.silu,
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
}


def _largest_gap(first: str, second: str) -> float:
    forms = {**_FORMS, "relu": F.relu, "mish": F.mish, "elu": F.elu, "selu": F.selu}
    if first not in forms or second not in forms:
        return math.nan
    x = torch.linspace(-5, 5, 4001, dtype=torch.float64)
    return float((forms[first](x) - forms[second](x)).abs().max())
