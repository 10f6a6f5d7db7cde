"""ACT406: many saturating layers in series."""

from collections.abc import Iterator

from torch import nn

from actlab.capture import ops
from actlab.capture.trace import Call
from actlab.checker.analysis.origins import origins
from actlab.checker.analysis.step import Layer, Step, layer_of
from actlab.checker.report import Finding
from actlab.checker.reporting.fixes import replaced
from actlab.checker.rule import Case, Rule, Situation, limits
from actlab.checker.rules._batches import class_batch
from actlab.i18n import _

_PASSED = ops.VIEWS | ops.DROPOUTS | {"avg_pool", "max_pool"}


def _mlp(activation: type[nn.Module], depth: int, norm: bool = False) -> Situation:
    hidden: list[nn.Module] = []
    for number in range(depth):
        hidden += [nn.Linear(20, 20), *([nn.LayerNorm(20)] if norm and number else [])]
        hidden.append(activation())
    return Situation(
        nn.Sequential(*hidden, nn.Linear(20, 5)), nn.CrossEntropyLoss(), class_batch(5)
    )


def _four_sigmoid_layers() -> Situation:
    return _mlp(nn.Sigmoid, 4)


def _eight_tanh_layers() -> Situation:
    return _mlp(nn.Tanh, 8)


def _ten_tanh_layers_with_weights_for_tanh() -> Situation:
    situation = _mlp(nn.Tanh, 10)
    for layer in situation.model:
        if isinstance(layer, nn.Linear):
            nn.init.xavier_normal_(layer.weight, nn.init.calculate_gain("tanh"))
    return situation


def _three_sigmoid_layers() -> Situation:
    return _mlp(nn.Sigmoid, 3)


def _with_norms_between() -> Situation:
    return _mlp(nn.Sigmoid, 6, norm=True)


class DeepSaturatingStack(Rule):
    """Many sigmoid or tanh layers follow each other without norm or skip connection.

    ## What it does

    Counts layers with weights in series whose activation is sigmoid (four are reported) or tanh
    (eight), with nothing but views, dropout and pooling in between. The proof has the ratio of the
    gradient to the weights in the first layer of the chain against the last; a chain of tanh whose
    gradient arrives, since its weights were drawn for tanh, is right.

    ## Why is this bad?

    Sigmoid's slope is at most 1/4: each layer divides the gradient by four or more. After four
    layers less than 1/256 is left, and the first layers hardly move.

    ## Example

        nn.Sequential(*[nn.Sequential(nn.Linear(64, 64), nn.Sigmoid()) for _ in range(6)])

    ## Use instead

        nn.Sequential(*[nn.Sequential(nn.Linear(64, 64), nn.ReLU()) for _ in range(6)])

    ## Sources

    - Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
      networks", AISTATS 2010.
    """

    code = "ACT406"
    name = "deep-saturating-stack"
    severity = "warning"
    looks_at = "hidden activations"
    thresholds = limits(sigmoid_layers=4, tanh_layers=8, tanh_ratio=0.5)
    faulty = (Case(_four_sigmoid_layers, "warning"), Case(_eight_tanh_layers, "warning"))
    clean = (
        Case(_three_sigmoid_layers),
        Case(_with_norms_between),
        Case(_ten_tanh_layers_with_weights_for_tanh),
    )

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each chain that is long enough, where it ends."""
        chains = _chains(step)
        inner = {id(chain[-2]) for chain in chains.values() if len(chain) > 1}
        for chain in chains.values():
            last = chain[-1]
            limit = self.limits["tanh_layers" if last.op == "tanh" else "sigmoid_layers"]
            if len(chain) >= limit and id(last) not in inner and not self._arrives(step, chain):
                yield self._finding(step, chain)

    def _arrives(self, step: Step, chain: tuple[Call, ...]) -> bool:
        """Return whether a gradient gets through a chain of tanh: the weights are scaled for it."""
        ratio = _ratio(step, _layer_before(chain[0]), _layer_before(chain[-1]))
        return chain[-1].op == "tanh" and ratio is not None and ratio > self.limits["tanh_ratio"]

    def _finding(self, step: Step, chain: tuple[Call, ...]) -> Finding:
        last = chain[-1]
        return self.found(
            message=_("{count} {activation} layers in series, without norm or skip").format(
                count=len(chain), activation=last.op
            ),
            location=last.location,
            proof=_measured(step, chain),
            why=_("each layer weakens the gradient; the first ones hardly learn"),
            fix=replaced(last, "nn.ReLU()", "torch.relu({x})"),
        )


def _chains(step: Step) -> dict[int, tuple[Call, ...]]:
    """Return for each sigmoid or tanh behind a layer the chain of such that ends in it."""
    chains: dict[int, tuple[Call, ...]] = {}
    for call in step.trace.calls:
        if call.op not in ("sigmoid", "tanh") or not call.inputs:
            continue
        layer = _layer_before(call)
        if layer is None:
            continue
        ends = origins(layer.data, _PASSED, nudges=False)
        before: tuple[Call, ...] = ()
        if len(ends) == 1 and ends[0].call is not None and ends[0].op == call.op:
            before = chains.get(id(ends[0].call), ())
        chains[id(call)] = (*before, call)
    return chains


def _layer_before(call: Call) -> Layer | None:
    ends = origins(call.inputs[0], ops.VIEWS | ops.DROPOUTS, nudges=False)
    if len(ends) != 1 or ends[0].call is None:
        return None
    return layer_of(ends[0].call)


def _measured(step: Step, chain: tuple[Call, ...]) -> str:
    first, last = _layer_before(chain[0]), _layer_before(chain[-1])
    slope = _("the slope is at most {slope} in each").format(
        slope="1/4" if chain[-1].op == "sigmoid" else "1"
    )
    ratio = _ratio(step, first, last)
    if ratio is None:
        return slope
    return slope + _("; the first layer's gradient is {ratio:.2g} times the last one's").format(
        ratio=ratio
    )


def _ratio(step: Step, first: Layer | None, last: Layer | None) -> float | None:
    sizes = []
    for layer in (first, last):
        name = None if layer is None else step.name_of(layer.weight)
        gradient = None if name is None else step.gradients.get(name)
        if gradient is None or layer is None:
            return None
        size = float(gradient.float().square().mean().sqrt())
        sizes.append(size / (float(layer.weight.detach().float().std()) + 1e-12))
    return sizes[0] / sizes[1] if sizes[1] > 0 else None
