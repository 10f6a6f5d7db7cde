"""A rule that looked at nothing is not checked: in no program does it stand under what is fine."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import actlab
from actlab.checker import api
from actlab.checker.analysis.rule_scope import COUNTS
from actlab.checker.analysis.step import Step
from actlab.checker.captured_step import CheckError, Program, captured
from actlab.checker.engine import run_rules
from actlab.checker.report import Report
from actlab.checker.rule import Situation
from actlab.checker.rules import RULES
from actlab.checker.targets import Targets
from tests.checker.casebook import report_on
from tests.checker.test_cases import FAULTS, RIGHT

OF_LOSSES = ("ACT101", "ACT102", "ACT103", "ACT104", "ACT105", "ACT107", "ACT108",
             "ACT110", "ACT202", "ACT205", "ACT301", "ACT302", "ACT303", "ACT307",
             "ACT506", "ACT507")  # fmt: skip


def test_every_rule_names_what_it_looks_at() -> None:
    assert {rule.looks_at for rule in RULES} <= set(COUNTS)


def test_without_a_known_loss_no_rule_on_losses_is_fine() -> None:
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    report = actlab.check_step(lambda: net(torch.randn(6, 4)).logcumsumexp(0).mean(), model=net)
    assert not {item.code for item in report.fine} & set(OF_LOSSES)
    reasons = {item.code: item.reason for item in report.unchecked}
    assert "no known loss was recognised in this step, which ends in mean" in reasons["ACT101"]


PROGRAMS: tuple[tuple[Callable[[], Situation], str], ...] = (
    *((case.build, case.build.__name__) for case in RIGHT),
    *((partial(case.build, False), case.build.__name__) for case in FAULTS),
    *((partial(case.build, True), case.build.__name__) for case in FAULTS),
    *((case.build, f"{rule.code} {case.name}") for rule in RULES
      for case in (*rule.faulty, *rule.clean)),
)  # fmt: skip


def assert_no_false_comfort(programs: Iterable[tuple[Callable[[], Situation], str]]) -> None:
    """Fail if a rule is called fine that had nothing to look at, in any of some programs."""
    for build, name in programs:
        counted: list[Mapping[str, int]] = []
        later: list[Mapping[str, int]] = []

        def count(
            rules: Any, step: Step, *given: Any, counted: Any = counted, later: Any = later
        ) -> Report:
            report = run_rules(rules, step, *given)
            for one, counts in ((step, counted), (step.evaluation, later)):
                if one is not None:
                    counts.append({kind: number(one) for kind, number in COUNTS.items()})
            return report

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(api, "run_rules", count)
            try:
                report = report_on(build)
            except CheckError:
                continue
        fine = {item.code for item in report.fine}
        empty = set()
        for rule in RULES:
            passes = counted + (later if rule.code.startswith(("ACT1", "ACT2")) else [])
            if not any(counts[rule.looks_at] for counts in passes):
                empty.add(rule.code)
        assert not fine & empty, f"{name}: {sorted(fine & empty)}"
        if not any(counts["losses"] for counts in counted + later):
            assert not fine & set(OF_LOSSES), name


@pytest.mark.parametrize("part", range(3))
def test_in_a_sample_of_the_programs_what_is_fine_was_looked_at(part: int) -> None:
    assert_no_false_comfort(PROGRAMS[part * 11 :: 33])


@pytest.mark.slow
@pytest.mark.parametrize("part", range(8))
def test_in_every_program_what_is_fine_was_looked_at(part: int) -> None:
    assert_no_false_comfort(PROGRAMS[part::8])


def test_a_rule_on_one_kind_of_loss_has_not_looked_at_another() -> None:
    net = nn.Linear(4, 1)
    report = actlab.check(net, nn.MSELoss(), (torch.randn(8, 4), torch.randn(8, 1)))
    fine = {item.code for item in report.fine}
    assert "ACT301" in fine
    assert not fine & {"ACT101", "ACT104", "ACT105", "ACT106", "ACT107"}


def test_counts_are_those_of_the_step() -> None:
    net, x, y = nn.Linear(4, 3), torch.randn(6, 4), torch.arange(6) % 3

    def run(model_done: Callable[[Any], None]) -> Any:
        out = net(x)
        model_done(out)
        return F.cross_entropy(out, y)

    with captured(Program(run, net, (net,), Targets.of(y), inputs=x), None) as step:
        found = {name: COUNTS[name](step) for name in ("losses", "softmax scores", "regressions")}
    assert found == {"losses": 1, "softmax scores": 1, "regressions": 0}


def test_a_rule_on_softmaxes_has_not_looked_at_a_network_without_one() -> None:
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    report = actlab.check(net, nn.MSELoss(), (torch.randn(8, 4), torch.randn(8, 1)))
    fine = {item.code for item in report.fine}
    assert {"ACT404", "ACT508", "ACT510"} <= fine
    absent = {"ACT113", "ACT201", "ACT203", "ACT204", "ACT206", "ACT207", "ACT306", "ACT308",
              "ACT309", "ACT407", "ACT408", "ACT409", "ACT602", "ACT604", "ACT605"}  # fmt: skip
    assert not fine & absent


def test_what_only_the_evaluation_has_was_looked_at_there() -> None:
    net, x, y = nn.Linear(4, 3), torch.randn(6, 4), torch.arange(6) % 3

    def report_on_evaluation(evaluate: Callable[[], Any]) -> Report:
        report: Report = actlab.check_step(lambda: net(x).square().mean(), net, evaluate=evaluate)
        return report

    right = report_on_evaluation(lambda: F.cross_entropy(net(x), y))
    assert {"ACT101", "ACT202"} <= {item.code for item in right.fine}
    wrong = report_on_evaluation(lambda: F.cross_entropy(net(x).softmax(1), y))
    assert "ACT101" in wrong.codes
    assert "ACT101" not in {item.code for item in wrong.fine}
    assert "ACT101" not in {item.code for item in wrong.unchecked}
    without = report_on_evaluation(lambda: net(x))
    assert "ACT101" in {item.code for item in without.unchecked}
