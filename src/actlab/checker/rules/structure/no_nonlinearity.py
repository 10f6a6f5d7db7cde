"""ACT401: two layers with weights and nothing between them."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from actlab.capture import ops
from actlab.checker.analysis.layers import Pair, pairs
from actlab.checker.analysis.linearity import is_affine_up_to
from actlab.checker.analysis.origins import makers
from actlab.checker.analysis.output_activations import all_heads
from actlab.checker.analysis.step import Subject
from actlab.checker.report import Finding
from actlab.checker.reporting.fixes import output_of
from actlab.checker.rule import Case, Rule, Situation
from actlab.checker.rules._batches import class_batch, image_batch, real_batch
from actlab.checker.rules.structure.linear_bottleneck import exemption
from actlab.i18n import _


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
    confirms: f(a x + (1 - a) y) = a f(x) + (1 - a) f(y). Residual streams, attention projections
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
    faulty = (
        Case(_last_two_layers, "warning"),
        Case(_feed_forward_without_activation, "warning"),
        Case(_whole_net, "error"),
    )
    clean = (Case(_with_activation), Case(_one_layer), Case(_residual_stream))

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Yield a finding for each layer that follows another with nothing in between."""
        last = _last_layers(subject)
        for pair in pairs(subject):
            if exemption(subject, pair) is None:
                yield self._finding(subject, pair, id(pair.after.call) in last)

    def _finding(self, subject: Subject, pair: Pair, last: bool) -> Finding:
        before, after = pair.before[0], pair.after
        whole = last and is_affine_up_to(subject, after.call)
        proof = _("{inputs} -> {hidden} -> {outputs} features, and no bend between: one linear map")
        return self.found(
            severity="error" if whole else "warning",
            message=_("the whole network is one linear map")
            if whole
            else _("{after} follows {before} with no activation in between").format(
                after=_named(after.call.module, after.call.op),
                before=_named(before.call.module, before.call.op),
            ),
            location=after.call.location,
            proof=(
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
            fix=f"x = F.relu({output_of(before.call)})",
        )


def _last_layers(subject: Subject) -> set[int]:
    """Return the calls that the losses read, or that a final softmax or sigmoid reads."""
    found: set[int] = set()
    for call in all_heads(subject):
        found.add(id(call))
        if call.op in ops.NORMALISERS | {"sigmoid"}:
            found |= {id(maker) for maker in makers(call.inputs[0])}
    return found


def _named(module: str | None, otherwise: str) -> str:
    return module or otherwise
