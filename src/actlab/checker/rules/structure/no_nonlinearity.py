"""ACT401 and ACT402: two layers with weights and nothing between them."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from actlab.capture import ops
from actlab.capture.trace import Call, Value
from actlab.checker.analysis.layers import Pair, is_affine_up_to, pairs
from actlab.checker.analysis.logits import compares_samples
from actlab.checker.analysis.origins import HANDED_ON, makers, origins, uses
from actlab.checker.analysis.prediction import output_calls
from actlab.checker.analysis.step import Layer, Step, layer_of
from actlab.checker.report import Finding
from actlab.checker.reporting.fixes import output_of
from actlab.checker.rule import Case, Rule, Situation
from actlab.checker.rules._batches import class_batch, image_batch, real_batch
from actlab.i18n import N_, _

_ATTENTION_STEPS = HANDED_ON | {"mul", "div", "add", "sub", "neg", "layer_norm", "normalize"}
_FEW = 4

_NARROW = N_("a bottleneck: the width in between is smaller than both ends")
_TIED = N_("two layers that share their weights")
_LORA = N_("a low-rank adapter")
_ATTENTION = N_("a projection of an attention")
_DEPTHWISE = N_("a depthwise-separable convolution")
_SHUFFLE = N_("an upsampling by pixel shuffle")
_TWO_NETWORKS = N_("two networks, one called after the other")
_MERGED = N_("several projections that are put side by side")
_EMBEDDING = N_("a linear layer behind an embedding")


def _last_two_layers() -> Situation:
    net = nn.Sequential(
        nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 32), nn.Dropout(0.1), nn.Linear(32, 5)
    )
    return Situation(net, nn.CrossEntropyLoss(), class_batch(5))


def _feed_forward_without_activation() -> Situation:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm, self.head = nn.LayerNorm(20), nn.Linear(20, 3)
            self.fc1, self.fc2 = nn.Linear(20, 40), nn.Linear(40, 20)

        def forward(self, x: torch.Tensor) -> Any:
            return self.head(torch.relu(x + self.fc2(self.fc1(self.norm(x)))))

    return Situation(Block(), nn.CrossEntropyLoss(), class_batch(3))


def _whole_net() -> Situation:
    net = nn.Sequential(nn.Linear(20, 50), nn.Linear(50, 50), nn.Linear(50, 1))
    return Situation(net, nn.MSELoss(), real_batch())


def _leak_as_steep_as_the_rest() -> Situation:
    net = nn.Sequential(
        nn.Linear(20, 64), nn.LeakyReLU(1.0), nn.Linear(64, 32), nn.LeakyReLU(1.0), nn.Linear(32, 5)
    )
    return Situation(net, nn.CrossEntropyLoss(), class_batch(5))


def _projection_of_a_contrast() -> Situation:
    net = nn.Sequential(nn.Linear(20, 32), nn.BatchNorm1d(32), nn.Linear(32, 16))
    x = torch.randn(16, 20)

    def step() -> torch.Tensor:
        first, second = (
            nn.functional.normalize(net(x + noise)) for noise in torch.randn(2, 16, 20)
        )
        return nn.functional.cross_entropy(first @ second.t() / 0.2, torch.arange(16))

    return Situation(step=step)


def _activation_in_a_line_of_its_own() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(20, 64), nn.Linear(64, 5)

        def forward(self, x: torch.Tensor) -> Any:
            x = self.a(x)
            torch.relu(x)
            return self.b(x)

    return Situation(Net(), nn.CrossEntropyLoss(), class_batch(5))


def _with_activation() -> Situation:
    net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 5))
    return Situation(net, nn.CrossEntropyLoss(), class_batch(5))


def _one_layer() -> Situation:
    return Situation(nn.Linear(20, 1), nn.MSELoss(), real_batch())


def _residual_stream() -> Situation:
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem, self.conv1 = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 3, padding=1)
            self.conv2, self.fc = nn.Conv2d(8, 8, 3, padding=1), nn.Linear(8, 4)

        def forward(self, x: torch.Tensor) -> Any:
            x = self.stem(x)
            x = x + self.conv2(torch.relu(self.conv1(x)))
            return self.fc(torch.relu(x).mean(dim=(2, 3)))

    return Situation(Residual(), nn.CrossEntropyLoss(), image_batch(4))


class NoNonlinearity(Rule):
    """Two layers with weights follow each other with no nonlinearity in between.

    ## What it does

    Reports a linear or convolutional layer whose whole input comes from other such layers through
    views, dropout, batch norm, averaging or concatenation alone, where the width in between is no
    bottleneck. It is an error if the whole network is affine, which a run on mixtures of inputs
    confirms: f(a x + (1 - a) y) = a f(x) + (1 - a) f(y). An activation whose result is thrown away,
    as in a line `F.relu(x)`, parts nothing, and is named. Residual streams, attention projections
    and the other deliberate forms are ACT402's.

    ## Why is this bad?

    The product of two matrices is a matrix: both layers together are one linear layer, with more
    weights and a harder optimisation.

    ## Example

        nn.Sequential(nn.Linear(64, 32), nn.Linear(32, 5))

    ## Use instead

        nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 5))

    ## Sources

    - Nikanjam et al., NeuraLint, TOSEM 2021 (missing activation).
    - https://github.com/stanfordnlp/stanza/pull/1610 (identical results after merging).
    """

    code = "ACT401"
    name = "no-nonlinearity"
    severity = "error"
    looks_at = "layers"
    faulty = (
        Case(_last_two_layers, "warning"),
        Case(_feed_forward_without_activation, "warning"),
        Case(_whole_net, "error"),
        Case(_activation_in_a_line_of_its_own, "error"),
        Case(_projection_of_a_contrast, "warning"),
        Case(_leak_as_steep_as_the_rest, "error"),
    )
    clean = (Case(_with_activation), Case(_one_layer), Case(_residual_stream))

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each layer that follows another with nothing in between."""
        last = _last_layers(step)
        for pair in pairs(step):
            if exemption(step, pair) is None:
                yield self._finding(step, pair, id(pair.after.call) in last)

    def _finding(self, step: Step, pair: Pair, last: bool) -> Finding:
        before, after = pair.before[0], pair.after
        unread = pair.discarded[0] if pair.discarded else None
        whole = last and is_affine_up_to(step, after.call)
        proof = _("{inputs} -> {hidden} -> {outputs} features, and no bend between: one linear map")
        return self.found(
            severity="error" if whole else "warning",
            message=_("the whole network is one linear map")
            if whole
            else _("{after} follows {before} with no activation in between").format(
                after=_named(after.call.module, after.call.op),
                before=_named(before.call.module, before.call.op),
            ),
            location=(unread or after.call).location,
            proof=(
                _("the result of {activation} is thrown away; ").format(activation=unread.op)
                if unread is not None
                else ""
            )
            + (
                _("f(a x + (1 - a) y) = a f(x) + (1 - a) f(y) on two random pairs; ")
                if whole
                else ""
            )
            + proof.format(
                inputs=before.inputs,
                hidden=before.outputs,
                outputs=after.outputs,
            ),
            why=_("the two layers together can do no more than one"),
            fix=f"x = F.relu({output_of(before.call)})"
            if unread is None
            else f"x = F.{unread.op}(x)",
        )


def _last_layers(step: Step) -> set[int]:
    """Return the calls that the losses read, or that a final softmax or sigmoid reads."""
    found: set[int] = set()
    for call in output_calls(step):
        found.add(id(call))
        if call.op in ops.NORMALISERS | {"sigmoid"}:
            found |= {id(maker) for maker in makers(call.inputs[0])}
    return found


def _named(module: str | None, otherwise: str) -> str:
    return module or otherwise


def _low_rank() -> Situation:
    net = nn.Sequential(nn.Linear(20, 4), nn.Linear(4, 20), nn.ReLU(), nn.Linear(20, 5))
    return Situation(net, nn.CrossEntropyLoss(), class_batch(5))


def _adapter_of_a_frozen_layer() -> Situation:
    class Adapted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.base = nn.Linear(20, 4).requires_grad_(False)
            self.down, self.up = nn.Linear(20, 8, bias=False), nn.Linear(8, 4, bias=False)

        def forward(self, x: torch.Tensor) -> Any:
            return self.base(x) + 2 * self.up(self.down(x))

    return Situation(Adapted(), nn.CrossEntropyLoss(), class_batch(4))


def _depthwise_separable() -> Situation:
    net = nn.Sequential(
        nn.Conv2d(3, 8, 1), nn.ReLU(), nn.Conv2d(8, 8, 3, groups=8), nn.Conv2d(8, 16, 1),
        nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 4),
    )  # fmt: skip
    return Situation(net, nn.CrossEntropyLoss(), image_batch(4))


def _embedding_then_linear() -> Situation:
    net = nn.Sequential(nn.Embedding(30, 8), nn.Flatten(), nn.Linear(40, 5))
    x = torch.arange(60).reshape(12, 5) % 30
    return Situation(net, nn.CrossEntropyLoss(), (x, torch.arange(12) % 5))


def _narrow_with_activation() -> Situation:
    net = nn.Sequential(nn.Linear(20, 4), nn.ReLU(), nn.Linear(4, 5))
    return Situation(net, nn.CrossEntropyLoss(), class_batch(5))


class LinearBottleneck(Rule):
    """Two layers follow each other with nothing in between, in a form that is usually meant.

    ## What it does

    Reports, as information, what ACT401 would report were it not one of these: a width in between
    that is smaller than input and output (a low-rank factorisation), shared weights, an adapter
    named LoRA or added to a frozen layer, projections of an attention, a depthwise-separable
    convolution, upsampling by pixel shuffle, the seam between two networks that a step calls one
    after the other or of which the second is frozen, or a linear layer behind an embedding.

    ## Why is this bad?

    It need not be. It is listed so that a forgotten activation in such a place can be found.

    ## Example

        nn.Sequential(nn.Linear(512, 16), nn.Linear(16, 512))

    ## Use instead

        nn.Sequential(nn.Linear(512, 16), nn.ReLU(), nn.Linear(16, 512))  # if it was forgotten

    ## Sources

    - Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018.
    - Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022.
    """

    code = "ACT402"
    name = "linear-bottleneck"
    severity = "info"
    looks_at = "layers"
    faulty = (
        Case(_low_rank, "info"),
        Case(_adapter_of_a_frozen_layer, "info"),
        Case(_depthwise_separable, "info"),
        Case(_embedding_then_linear, "info"),
    )
    clean = (Case(_narrow_with_activation),)

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each pair of layers in a deliberate form."""
        for pair in pairs(step):
            reason = exemption(step, pair)
            if reason is not None:
                yield self._finding(pair.after.call, pair.before[0].outputs, _(reason))
        for call in step.trace.calls:
            if call.op == "linear" and _reads_embedding(call):
                yield self._finding(call, call.inputs[0].shape[-1], _(_EMBEDDING))

    def _finding(self, call: Call, hidden: int, reason: str) -> Finding:
        return self.found(
            message=_("two layers with nothing in between: {reason}").format(reason=reason),
            location=call.location,
            proof=_("the width in between is {hidden}").format(hidden=hidden),
            why=_("usually meant; together they are one linear map"),
            fix="x = F.relu(x)",
        )


def exemption(step: Step, pair: Pair) -> str | None:
    """Return why two layers in a row are usually meant, as a message to translate; None if not."""
    after = pair.after
    sources = {id(before.data) for before in pair.before}
    weights = {id(before.weight) for before in pair.before}
    if any(call.op == "cat" for call in pair.passed) and 2 < len(sources) == len(weights):
        return _MERGED
    for before in pair.before:
        if before.outputs < min(before.inputs, after.outputs):
            return _NARROW
        if before.weight is after.weight:
            return _TIED
        if before.depthwise or after.depthwise or _projects_depthwise(before):
            return _DEPTHWISE
        if any("lora" in (layer.call.module or "").lower() for layer in (before, after)):
            return _LORA
        if _adapts_a_layer(step, before, after):
            return _LORA
        if _mixes_values(before.data) or _feeds_attention(step, after.call.output):
            return _ATTENTION
        if _picks_from_a_table(before):
            return _EMBEDDING
        if _feeds_attention(step, before.call.output) or _makes_weights(step, after.call):
            return _ATTENTION
        if _in_another_network(before, after):
            return _TWO_NETWORKS
    if any(call.op in ("pixel_shuffle", "pixel_unshuffle") for call in pair.passed):
        return _SHUFFLE
    return None


def _adapts_a_layer(step: Step, before: Layer, after: Layer) -> bool:
    """Return whether two layers are added to a frozen layer that reads the same input."""
    for call, given in uses(step.trace, after.call.output):
        sums = [(call, given)]
        if call.op in ("mul", "div"):
            sums = list(uses(step.trace, call.output))
        for total, part in sums:
            for other in total.inputs if total.op == "add" else ():
                ends = origins(other, ops.VIEWS | ops.DROPOUTS)
                layer = layer_of(ends[0].call) if len(ends) == 1 and ends[0].call else None
                if other is not part and layer is not None and not layer.weight.requires_grad:
                    return _same_source(layer.data, before.data)
    return False


def _same_source(first: Value, second: Value) -> bool:
    ends = [{id(end.value) for end in origins(v, HANDED_ON)} for v in (first, second)]
    return ends[0] == ends[1]


def _in_another_network(before: Layer, after: Layer) -> bool:
    """Return whether one network follows another: a predictor a projector, a frozen one a maker."""
    if before.weight.requires_grad and not after.weight.requires_grad:
        return True
    first, second = before.call.scopes, after.call.scopes
    return min(len(first), len(second)) > 1 and first[0].module is not second[0].module


def _projects_depthwise(layer: Layer) -> bool:
    """Return whether a layer is the linear projection at the end of an inverted residual."""
    passed = HANDED_ON | ops.ACTIVATIONS | {"batch_norm", "mul", "avg_pool"}
    made = [end.call for end in origins(layer.data, passed)]
    found = [layer_of(call) for call in made if call is not None]
    return any(before is not None and before.depthwise for before in found)


def _reads_embedding(call: Call) -> bool:
    ends = origins(call.inputs[0], ops.VIEWS | ops.DROPOUTS, nudges=False)
    return bool(ends) and all(end.op in ("embedding", "embedding_bag") for end in ends)


def _mixes_values(value: Value) -> bool:
    """Return whether a value is the output of an attention: a product of two live tensors."""
    for end in origins(value, HANDED_ON):
        if end.op in ops.ATTENTION:
            return True
        if end.call is not None and end.op in ops.PRODUCTS and layer_of(end.call) is None:
            return True
    return False


def _picks_from_a_table(layer: Layer) -> bool:
    """Return whether a product mixes the rows of a table: its weights are a softmax, or one-hot."""
    ends = origins(layer.data, HANDED_ON)
    return bool(ends) and all(end.op in ("softmax", "gumbel_softmax", "one_hot") for end in ends)


def _makes_weights(step: Step, product: Call) -> bool:
    """Return whether a product with a learnt query is turned into weights by a softmax."""
    if product.op not in ops.PRODUCTS:
        return False
    pending = [product.output]
    for value in pending:
        for call, __ in uses(step.trace, value):
            if call.op == "softmax":
                return True
            if call.op in _ATTENTION_STEPS and len(pending) < _FEW:
                pending.extend(call.outputs)
    return False


def _feeds_attention(step: Step, value: Value) -> bool:
    """Return whether a value goes into a product with another live tensor: query, key, value."""
    pending, steps = [value], 0
    while pending and steps < 60:
        current = pending.pop()
        for call, _given in uses(step.trace, current):
            steps += 1
            if call.op in ops.ATTENTION:
                return True
            if call.op in ops.PRODUCTS and layer_of(call) is None:
                return not (step.in_loss_code(call) and compares_samples(call.output))
            if call.op in _ATTENTION_STEPS and len(pending) < _FEW:
                pending.extend(call.outputs)
    return False
