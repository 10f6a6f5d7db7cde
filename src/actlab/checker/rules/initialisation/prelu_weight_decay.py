"""ACT604: weight decay on the slopes of a PReLU."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from actlab.capture.location import Location
from actlab.capture.trace import Call, Value
from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.rule import Case, NotCheckable, Rule, Situation
from actlab.i18n import _


def _default_adamw() -> Situation:
    net = nn.Sequential(nn.Linear(20, 16), nn.PReLU(), nn.Linear(16, 5))
    return Situation(
        net,
        nn.CrossEntropyLoss(),
        (torch.randn(64, 20), torch.arange(64) % 5),
        optimizer=torch.optim.AdamW(net.parameters()),
    )


def _functional_slopes() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden, self.out = nn.Linear(20, 16), nn.Linear(16, 5)
            self.slopes = nn.Parameter(torch.full((16,), 0.25))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            scores: torch.Tensor = self.out(nn.functional.prelu(self.hidden(x), self.slopes))
            return scores

    net = Net()
    return Situation(
        net,
        nn.CrossEntropyLoss(),
        (torch.randn(64, 20), torch.arange(64) % 5),
        optimizer=torch.optim.SGD(net.parameters(), lr=0.1, weight_decay=5e-4),
    )


def _slopes_in_a_group_without() -> Situation:
    hidden, slopes, out = nn.Linear(20, 16), nn.PReLU(), nn.Linear(16, 5)
    net = nn.Sequential(hidden, slopes, out)
    groups: list[dict[str, Any]] = [
        {"params": [*hidden.parameters(), *out.parameters()]},
        {"params": slopes.parameters(), "weight_decay": 0.0},
    ]
    return Situation(
        net,
        nn.CrossEntropyLoss(),
        (torch.randn(64, 20), torch.arange(64) % 5),
        optimizer=torch.optim.AdamW(groups),
    )


def _no_slopes_to_learn() -> Situation:
    net = nn.Sequential(nn.Linear(20, 16), nn.LeakyReLU(), nn.Linear(16, 5))
    return Situation(
        net,
        nn.CrossEntropyLoss(),
        (torch.randn(64, 20), torch.arange(64) % 5),
        optimizer=torch.optim.AdamW(net.parameters()),
    )


class PreluWeightDecay(Rule):
    """Weight decay pulls the slopes of a PReLU to zero.

    ## What it does

    Looks up the slopes of every PReLU in the optimiser's groups, and reports those in a group with
    a weight decay above zero. AdamW decays by 0.01 unless it is told otherwise. Without an
    optimiser the rule cannot be checked.

    ## Why is this bad?

    Weight decay moves the slopes to 0, and a PReLU with slope 0 is a ReLU: the extra parameters are
    learnt against a force that undoes them.

    ## Example

        optimizer = torch.optim.AdamW(net.parameters())

    ## Use instead

        optimizer = torch.optim.AdamW(
            [{"params": weights}, {"params": slopes, "weight_decay": 0.0}]
        )

    ## Sources

    - He et al., "Delving Deep into Rectifiers", ICCV 2015, section 2.1: "we do not use weight decay
      when updating a_i"; https://github.com/BVLC/caffe/pull/1940.
    """

    code = "ACT604"
    name = "prelu-weight-decay"
    severity = "warning"
    looks_at = "learnt slopes"
    faulty = (Case(_default_adamw, "warning"), Case(_functional_slopes, "warning"))
    clean = (Case(_slopes_in_a_group_without), Case(_no_slopes_to_learn))

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each PReLU whose slopes are decayed."""
        slopes = list(_slopes(step))
        if not slopes:
            return
        if step.optimizer is None:
            raise NotCheckable(_("no optimizer was given, and there are PReLU slopes to decay"))
        decays = _decays(step.optimizer)
        for name, tensor, call in slopes:
            decay = decays.get(id(tensor), 0.0)
            if decay > 0.0:
                yield self._finding(name, decay, call)

    def _finding(self, name: str, decay: float, call: Call) -> Finding:
        place: Location = call.location
        return self.found(
            message=_("weight decay pulls the slopes of a PReLU to zero"),
            location=place,
            proof=_("{name} is in a group with weight_decay = {decay}").format(
                name=name, decay=f"{decay:g}"
            ),
            why=_("a PReLU with slope 0 is a ReLU; its slopes are learnt against the decay"),
            fix='{"params": slopes, "weight_decay": 0.0}',
        )


def _slopes(step: Step) -> Iterator[tuple[str, Tensor, Call]]:
    names = {id(parameter): name for name, parameter in step.parameters.items()}
    seen: set[int] = set()
    for call in step.trace.calls:
        weight = call.argument("weight", 1) if call.op == "prelu" else None
        if not isinstance(weight, Value) or id(weight.tensor) in seen:
            continue
        if id(weight.tensor) in names and weight.tensor.requires_grad:
            seen.add(id(weight.tensor))
            yield names[id(weight.tensor)], weight.tensor, call


def _decays(optimizer: Any) -> Mapping[int, float]:
    found: dict[int, float] = {}
    for group in getattr(optimizer, "param_groups", ()):
        decay = group.get("weight_decay", 0.0)
        for parameter in group["params"]:
            found[id(parameter)] = float(decay or 0.0)
    return found
