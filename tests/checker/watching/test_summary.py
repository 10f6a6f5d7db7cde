"""A summary as text, as HTML, as dictionaries and as a DataFrame."""

import json
import sys
import types
from typing import Any

import pytest
import torch
from torch import nn

import actlab
from actlab.capture.location import Location
from actlab.checker.report import Finding
from actlab.checker.watching.summary import ActivationRow, LayerRow, ModelRow, SlopeRow, Summary

SUMMARY = Summary(
    every=100,
    models=(ModelRow("Net", 1000, 20, 10),),
    activations=(
        ActivationRow("Net", "act (relu)", "hidden", 300, 1, None, 2, 640, 0.5, 1.25),
        ActivationRow("Net", "gate (sigmoid)", "gate", 8, 0, 3, 0, 640, 0.5, 0.25),
    ),
    layers=(LayerRow("Net", "fc <b> (linear)", 0.125, 0.002),),
    slopes=(SlopeRow("Net", "act.weight", 4, 0.25, 0.5, -0.125, 1.0),),
    findings=(
        Finding(
            "ACT501", "dead-units", "error", "all <dead>", Location(module="act"), "p", "w", "f"
        ),
    ),
    unwatched=("Net: the activations inside rnn (lstm), which is one call",),
)


def test_text() -> None:
    text = str(SUMMARY)
    assert text.startswith(
        "Net: 1000 passes with gradients and 20 without, 10 of them sampled (every 100)\n"
    )
    assert "act (relu)      300    1 (< 1 %)             0.500 > 1.250" in text
    assert "gate (sigmoid)  8      gate       3 (38 %)" in text
    assert "act.weight     0.250 > 0.500       -0.125 .. 1.000" in text
    assert "error[ACT501] dead-units: all <dead>" in text
    assert "Could not be watched:\n  Net: the activations inside rnn (lstm)" in text
    assert text.endswith("1 error, 0 warnings, 0 notes")


def test_html_is_escaped() -> None:
    html = SUMMARY._repr_html_()
    assert "fc &lt;b&gt; (linear)" in html
    assert "all &lt;dead&gt;" in html
    assert "<dead>" not in html
    assert html.count("<table>") == 4


def test_dictionaries_go_through_json() -> None:
    told = json.loads(json.dumps(SUMMARY.to_dict()))
    assert told["summary_version"] == 1
    assert told["activations"][0]["dead"] == 1
    assert told["findings"][0]["code"] == "ACT501"


def test_a_data_frame_where_pandas_is(monkeypatch: pytest.MonkeyPatch) -> None:
    fake: Any = types.ModuleType("pandas")
    fake.DataFrame = lambda rows: list(rows)
    monkeypatch.setitem(sys.modules, "pandas", fake)
    assert SUMMARY.to_pandas()[1]["activation"] == "gate (sigmoid)"
    assert SUMMARY.to_pandas("layers") == [
        {"model": "Net", "layer": "fc <b> (linear)", "weight": 0.125, "gradient": 0.002}
    ]


def test_a_watch_shows_itself(capsys: pytest.CaptureFixture[str]) -> None:
    net = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1))
    with actlab.watch(net) as watch:
        net(torch.randn(8, 4)).sum().backward()
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.strip() == str(watch)
    assert "<table>" in watch._repr_html_()
    assert watch.to_dict()["models"][0]["sampled"] == 1
