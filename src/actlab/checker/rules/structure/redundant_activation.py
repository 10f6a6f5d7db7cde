"""ACT403: an activation that changes nothing, because another has been there."""

from collections.abc import Iterator

from torch import nn

from actlab.checker.analysis.stacked import stacks
from actlab.checker.analysis.step import Subject
from actlab.checker.report import Finding
from actlab.checker.reporting.fixes import without
from actlab.checker.rule import Case, Rule, Situation
from actlab.checker.rules._batches import class_batch
from actlab.i18n import _


def _relu_twice() -> Situation:
    net = nn.Sequential(nn.Linear(20, 8), nn.ReLU(), nn.ReLU(), nn.Linear(8, 5))
    return Situation(net, nn.CrossEntropyLoss(), class_batch(5))


def _relu_behind_leaky_relu() -> Situation:
    net = nn.Sequential(nn.Linear(20, 8), nn.LeakyReLU(), nn.ReLU(), nn.Linear(8, 5))
    return Situation(net, nn.CrossEntropyLoss(), class_batch(5))


def _relu_once() -> Situation:
    net = nn.Sequential(nn.Linear(20, 8), nn.ReLU(), nn.Linear(8, 5))
    return Situation(net, nn.CrossEntropyLoss(), class_batch(5))


class RedundantActivation(Rule):
    """An activation is applied twice, and the second time changes nothing.

    ## What it does

    Reports two activations in a row of which one has no effect: ReLU behind ReLU, log-softmax
    behind log-softmax, ReLU behind LeakyReLU.

    ## Why is this bad?

    It is harmless, and usually shows that a layer applies an activation which its caller did not
    expect. With another activation the same slip is ACT404.

    ## Example

        nn.Sequential(nn.Linear(20, 8), nn.ReLU(), nn.ReLU())

    ## Use instead

        nn.Sequential(nn.Linear(20, 8), nn.ReLU())

    ## Sources

    - Nikanjam et al., NeuraLint, TOSEM 2021 (redundant activation).
    """

    code = "ACT403"
    name = "redundant-activation"
    severity = "info"
    faulty = (Case(_relu_twice, "info"), Case(_relu_behind_leaky_relu, "info"))
    clean = (Case(_relu_once),)

    def check(self, subject: Subject) -> Iterator[Finding]:
        """Yield a finding for each activation without effect."""
        for stack in stacks(subject):
            if stack.redundant:
                yield self.found(
                    message=_("{second} behind {first} changes nothing").format(
                        first=stack.first.op, second=stack.second.op
                    ),
                    location=stack.second.location,
                    proof=_("{second}({first}(x)) equals one of the two alone").format(
                        first=stack.first.op, second=stack.second.op
                    ),
                    why=_("harmless; often a sign that a layer applies its own activation"),
                    fix=without(stack.second),
                )
