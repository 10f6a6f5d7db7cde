"""optuna-dashboard, the server itself, shows a study's learning curves from `study.db`."""

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

import actlab
from actlab.studies.interface.interface import Study
from tests.chromium import browser, pytestmark

pytest.importorskip("optuna_dashboard")
__all__ = ["browser"]

pytestmark = [*pytestmark, pytest.mark.slow]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A real search of four trials, each of three epochs."""
    overrides = {
        "trials": 4, "replicates": 0, "protocol.max_epochs": 3, "execution.precision": "fp32",
        "execution.workers": 1, "execution.device": "cpu",
    }  # fmt: skip
    place = tmp_path_factory.mktemp("dashboard") / "run"
    names = {"conv": ["relu"], "fc": ["tanh", "elu"]}
    found: Study = actlab.study("digits", out=place, overrides=overrides, **names)
    return found


@pytest.fixture(scope="module")
def origin(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The dashboard on this machine, which is given a copy of the study's file."""
    copied = shutil.copy(study.path / "study.db", tmp_path_factory.mktemp("copied"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["--host", "127.0.0.1", "--port", str(port), "--quiet"]
    start = "from optuna_dashboard._cli import main; main()"
    server = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", start, f"sqlite:///{copied}", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        for _attempt in range(300):
            assert server.poll() is None, "the dashboard has ended"
            try:
                ask(f"{address}/api/meta")
                break
            except OSError:
                time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait(20)


def ask(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=20) as answer:
        return json.load(answer)


def test_its_answers_have_the_metric_the_curves_and_the_attributes(
    study: Study, origin: str
) -> None:
    (summary,) = ask(f"{origin}/api/studies")["study_summaries"]
    assert (summary["study_name"], summary["directions"]) == ("digits", ["maximize"])
    shown = ask(f"{origin}/api/studies/{summary['study_id']}?after=0")
    assert shown["objective_names"] == ["valid_accuracy"]
    assert shown["has_intermediate_values"] is True
    trials = {trial["number"]: trial for trial in shown["trials"]}
    assert sorted(trials) == [record.number for record in study.records]
    for record in study.records:
        trial = trials[record.number]
        curve = {point["step"]: point["value"] for point in trial["intermediate_values"]}
        assert curve == {n: e.valid_accuracy for n, e in enumerate(record.curve, start=1)}
        assert trial["values"] == [record.valid_accuracy]
        attributes = {found["key"]: found["value"] for found in trial["user_attrs"]}
        assert (attributes["identity"], attributes["precision"]) == (record.identity, "fp32")


def test_its_page_draws_a_curve_for_each_trial(study: Study, origin: str, browser: Any) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 1600})
    page.goto(f"{origin}/dashboard/studies/1")
    page.wait_for_function(
        "n => document.getElementById('graph-intermediate-values')?.data?.length === n",
        arg=len(study.records),
        timeout=20_000,
    )
    drawn = page.evaluate(
        "document.getElementById('graph-intermediate-values').data.map((trace) => [...trace.y])"
    )
    curves = [[epoch.valid_accuracy for epoch in record.curve] for record in study.records]
    assert sorted(drawn) == sorted(curves)
    page.close()
