"""A rule that looked at nothing is not checked: in no program does it stand under what is fine."""

import torch
from torch import nn
from torch.nn import functional as F

import actlab
from actlab.checker.analysis.rule_scope import COUNTS
from actlab.checker.captured_step import Program, captured
from actlab.checker.rules import RULES
from actlab.checker.targets import Targets
from tests.checker.casebook import report_on
from tests.checker.test_cases import RIGHT

OF_LOSSES = ("ACT101", "ACT102", "ACT103", "ACT104", "ACT105", "ACT106", "ACT107", "ACT108",
             "ACT110", "ACT111", "ACT202", "ACT205", "ACT301", "ACT302", "ACT303", "ACT306",
             "ACT307", "ACT506", "ACT507")  # fmt: skip


def test_every_rule_names_what_it_looks_at() -> None:
    assert {rule.looks_at for rule in RULES} <= set(COUNTS)


def test_without_a_known_loss_no_rule_on_losses_is_fine() -> None:
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    report = actlab.check_step(lambda: net(torch.randn(6, 4)).logcumsumexp(0).mean(), model=net)
    assert not {item.code for item in report.fine} & set(OF_LOSSES)
    reasons = {item.code: item.reason for item in report.unchecked}
    assert "no known loss was recognised in this step, which ends in mean" in reasons["ACT101"]


def test_of_every_right_program_what_is_fine_was_looked_at() -> None:
    for case in RIGHT[::5]:
        report = report_on(case.build)
        fine = {item.code for item in report.fine}
        wordless = {u.code for u in report.unchecked if "no known loss" in u.reason}
        if "ACT101" in wordless and "ACT104" in wordless:
            assert not fine & set(OF_LOSSES), case.build.__name__


def test_a_rule_on_one_kind_of_loss_has_not_looked_at_another() -> None:
    net = nn.Linear(4, 1)
    report = actlab.check(net, nn.MSELoss(), (torch.randn(8, 4), torch.randn(8, 1)))
    fine = {item.code for item in report.fine}
    assert "ACT301" in fine
    assert not fine & {"ACT101", "ACT104", "ACT105", "ACT106", "ACT107"}


def test_counts_are_those_of_the_step() -> None:
    net, x, y = nn.Linear(4, 3), torch.randn(6, 4), torch.arange(6) % 3

    def run(model_done):
        out = net(x)
        model_done(out)
        return F.cross_entropy(out, y)

    with captured(Program(run, net, (net,), Targets.of(y), inputs=x), None) as step:
        found = {name: COUNTS[name](step) for name in ("losses", "softmax scores", "regressions")}
    assert found == {"losses": 1, "softmax scores": 1, "regressions": 0}
