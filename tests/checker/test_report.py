"""What a report says and how: text, HTML, dictionaries, SARIF, places and fixes."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import actlab
from actlab.capture.location import Location
from actlab.checker.captured_step import CheckError
from actlab.checker.report import Finding, Report, Unchecked, merged
from actlab.checker.reporting import html
from actlab.checker.reporting.sarif import document
from actlab.checker.rules import RULES
from actlab.errors import UnknownNameError
from actlab.testing import assert_no_misuse
from tests.checker.casebook import classes
from tests.pages.test_theme import contrast


class Functional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(20, 10)

    def forward(self, x: Tensor) -> Any:
        return F.softmax(self.fc(x), dim=1)  # the functional line


class Contained(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(20, 10),
            nn.Softmax(dim=1),  # the contained line
        )

    def forward(self, x: Tensor) -> Any:
        return self.net(x)


class Silenced(Functional):
    def forward(self, x: Tensor) -> Any:
        return F.softmax(self.fc(x), dim=1)  # actlab: ignore[ACT101]


def report_of(model: nn.Module, **options: Any) -> Report:
    torch.manual_seed(0)
    return actlab.check(model, nn.CrossEntropyLoss(), classes(10, 20), **options)


def line_with(text: str) -> int:
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    return next(n for n, line in enumerate(lines, 1) if text in line and "line_with" not in line)


def test_a_functional_call_is_found_at_its_line_and_mended_there() -> None:
    (found,) = report_of(Functional()).findings
    assert found.location.file == __file__
    assert found.location.line == line_with("# the functional line")
    assert found.fix == "return self.fc(x)"
    assert "1.461" in found.proof
    assert "0.232" in found.proof


def test_a_module_of_a_container_is_found_where_it_was_written() -> None:
    (found,) = report_of(Contained()).findings
    assert found.location.line == line_with("# the contained line")
    assert found.location.module == "net.1"
    assert found.location.called_from is not None
    assert found.location.called_from.line == line_with("return self.net(x)")
    assert found.fix == "model.net[1] = nn.Identity()"


def test_the_text_underlines_the_expression() -> None:
    lines = str(report_of(Functional())).splitlines()
    at = next(n for n, line in enumerate(lines) if "F.softmax(self.fc(x), dim=1)" in line)
    source, carets = lines[at], lines[at + 1]
    start = source.index("F.softmax")
    assert carets[start : start + len("F.softmax(self.fc(x), dim=1)")] == "^" * 28
    assert lines[0].startswith("error[ACT101] double-softmax: ")
    assert lines[-1] == "1 error, 0 warnings, 0 notes"
    assert any(line.startswith("Checked and fine: ACT102") for line in lines)


def test_what_could_not_be_checked_is_said() -> None:
    report = actlab.check_step(lambda: F.relu(torch.ones(1, 3)).softmax(0).sum())
    assert "ACT203" in {item.code for item in report.unchecked}
    assert "Not checked:" in str(report)


def test_a_comment_silences_a_line() -> None:
    report = report_of(Silenced())
    assert report.findings == ()
    assert [found.code for found in report.ignored] == ["ACT101"]
    assert "Silenced by comments: ACT101" in str(report)


@pytest.mark.parametrize("ignore", ["ACT101", ["ACT101"], "ACT101,ACT102"])
def test_a_call_can_leave_rules_out(ignore: Any) -> None:
    report = report_of(Functional(), ignore=ignore)
    assert "ACT101" not in report.codes
    assert "ACT101" not in {item.code for item in report.fine}
    left_out = {item.code for item in report.unchecked if "left out" in item.reason}
    assert left_out == {code for code in ("ACT101", "ACT102") if code in str(ignore)}
    assert "left out by the settings" in str(report)


def test_names_that_do_not_exist_are_refused() -> None:
    with pytest.raises(UnknownNameError, match='no rule "ACT999"'):
        report_of(Functional(), ignore="ACT999")
    with pytest.raises(UnknownNameError, match='Did you mean "multiclass"'):
        report_of(Functional(), task="multi-class")


class Named(nn.Linear):
    def __init__(self) -> None:
        super().__init__(20, 4)

    def forward(self, x: Tensor) -> Any:
        return {"scores": super().forward(x)}


@pytest.mark.parametrize(
    ("arguments", "story"),
    [
        ((nn.Linear(2, 2), F.cross_entropy, torch.ones(2)), "must be a pair"),
        ((3, F.cross_entropy, (torch.ones(2), torch.ones(2))), "model must be callable"),
        ((nn.Linear(2, 2), None, (torch.ones(2), torch.ones(2))), "loss_fn must be callable"),
        (
            (nn.Linear(20, 4), nn.CrossEntropyLoss(), (torch.ones(3, 20), torch.ones(3))),
            "cross_entropy needs class indices of dtype int64.*use y.long()",
        ),
        (
            (nn.Linear(20, 4), nn.CrossEntropyLoss(), (torch.ones(3, 20), torch.tensor([0, 9, 1]))),
            "Class indices must be 0 to 3, but the targets run from 0 to 9",
        ),
        (
            (nn.Linear(9, 4), nn.CrossEntropyLoss(), (torch.ones(3, 20), torch.tensor([0, 1, 2]))),
            "The model raised RuntimeError: mat1 and mat2 shapes cannot be multiplied",
        ),
        (
            (Named(), nn.CrossEntropyLoss(), (torch.ones(3, 20), torch.tensor([0, 1, 2]))),
            r"returned dict.*loss_fn\(out\['scores'\], y\)",
        ),
        (
            (nn.LazyLinear(4), nn.CrossEntropyLoss(), (torch.ones(3, 20), torch.tensor([0, 1, 2]))),
            "run the model once on a batch first",
        ),
    ],
)  # fmt: skip
def test_what_does_not_run_is_one_clear_error(arguments: tuple[Any, ...], story: str) -> None:
    with pytest.raises(CheckError) as caught:
        actlab.check(*arguments)
    assert re.search(story, str(caught.value))
    assert "\n" not in str(caught.value)


def test_a_loss_that_stops_where_a_rule_knows_why_is_a_report() -> None:
    x, y = torch.randn(8, 4), torch.ones(8, 1)
    report = actlab.check(nn.Linear(4, 1), nn.BCELoss(), (x, y))
    assert "ACT105" in report.codes
    assert "should be between 0 and 1" in report.notes[0]


def test_html_is_escaped() -> None:
    found = replace(report_of(Functional()).findings[0], message="<b>&", fix="a < b")
    page = Report(findings=(found,), unchecked=(Unchecked("ACT102", "x", "<i>"),))._repr_html_()
    assert "&lt;b&gt;&amp;" in page
    assert "a &lt; b" in page
    assert "&lt;i&gt;" in page
    assert "<i>" not in page


def test_a_notebook_light_or_dark_gives_the_texts_their_colour() -> None:
    page = report_of(Functional())._repr_html_()
    assert set(re.findall(r"[;\"]color:([^;\"]+)", page)) == {"inherit"}
    assert "<b>ACT101</b></a><br>error</td>" in page


@pytest.mark.parametrize("colour", html._COLOURS.values())
def test_the_bar_of_a_severity_stands_out_on_white_and_on_black(colour: str) -> None:
    for background in ("#ffffff", "#1e1e1e", "#111111"):
        assert contrast(colour, background) > 3


def test_a_report_is_one_line_where_it_shows_itself() -> None:
    found = report_of(Functional())
    assert repr(found).startswith("<Report: found ACT101 error")
    assert len(repr(replace(found, findings=found.findings * 500))) < 1000
    assert repr(replace(found, findings=())).startswith("<Report: found nothing; ")


def test_a_report_is_plain_data() -> None:
    report = report_of(Contained())
    loaded = json.loads(json.dumps(report.to_dict()))
    assert loaded["report_version"] == 1
    assert loaded["findings"][0]["location"]["module"] == "net.1"
    assert loaded["task"] == "multiclass"


def test_sarif_has_what_a_code_host_needs() -> None:
    log = json.loads(json.dumps(document(report_of(Functional()), RULES, "0.1")))
    (run,) = log["runs"]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    (result,) = run["results"]
    assert result["ruleId"] in rules
    assert result["level"] == "error"
    place = result["locations"][0]["physicalLocation"]
    assert place["region"]["startLine"] == line_with("# the functional line")
    assert not place["artifactLocation"]["uri"].startswith("/")


def test_the_same_fault_at_several_places_is_one_finding() -> None:
    def finding(module: str, severity: Any = "warning") -> Finding:
        where = Location("net.py", 3, module)
        return Finding("ACT401", "n", severity, "m", where, "p", "w", "f")

    (one,) = merged([finding("a"), finding("b"), finding("a"), finding("c", "error")])
    assert one.severity == "error"
    assert one.location.module == "c"
    assert [place.module for place in one.others] == ["b"] or len(one.others) == 2


def test_assert_no_misuse() -> None:
    batch = classes(10, 20)
    with pytest.raises(AssertionError, match="ACT101"):
        assert_no_misuse(Functional(), nn.CrossEntropyLoss(), batch)
    report = assert_no_misuse(nn.Linear(20, 10), nn.CrossEntropyLoss(), batch, strict=True)
    assert report.errors == ()


def test_the_published_network_finds_its_own_fault() -> None:
    from actlab.networks.builders import build

    torch.manual_seed(0)
    batch = classes(10, 1, 28, 28, samples=64)
    published = actlab.check(
        build("published_cnn", "relu", "tanh", "softmax"), nn.CrossEntropyLoss(), batch
    )
    corrected = actlab.check(
        build("published_cnn", "relu", "tanh", "logits"), nn.CrossEntropyLoss(), batch
    )
    assert [found.code for found in published.errors] == ["ACT101"]
    assert corrected.of_severity("error", "warning") == ()
