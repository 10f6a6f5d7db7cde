"""Studies on clusters, for tests: run in this process or by the command, and read back."""

import json
import subprocess
import sys
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

from actlab.records import BalancedSampler, Plan
from actlab.studies.executors.engines import executor_factory
from actlab.studies.run_folder import RunFolder
from actlab.studies.search.search import run_search
from tests.studies.conftest import make_tiny_plan
from tests.studies.inline import Silent

COMMAND = [sys.executable, "-m", "actlab", "study"]

NETWORK = """
from torch import nn

def build():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 24), nn.ReLU(), nn.Linear(24, 10))
"""


def values(folder: RunFolder) -> list[dict[str, Any]]:
    """Return the records without times, by number."""
    rows = [json.loads(line) for line in folder.records_path.read_text().splitlines()]
    for row in rows:
        row.pop("seconds")
        for epoch in row["curve"]:
            epoch.pop("seconds")
    return sorted(rows, key=lambda row: (row["stage"], int(row["number"])))


def lines(folder: RunFolder) -> int:
    """Return how many records there are."""
    path = folder.records_path
    return path.read_bytes().count(b"\n") if path.exists() else 0


def run(path: Path, plan: Plan, engine: str | Executor) -> RunFolder:
    """Run a search in this process."""
    folder = RunFolder.create(path, plan)
    with folder.locked():
        run_search(folder, "", Silent(), executor_factory(engine))
    return folder


def resume(folder: RunFolder, engine: str, log: Path) -> "subprocess.Popen[bytes]":
    """Bring a study to its end by the command."""
    network = folder.plan().network
    named = ["--network", network] if ":" in network else []
    return subprocess.Popen(
        [*COMMAND, "resume", str(folder.path), "--executor", engine, *named],
        stdout=subprocess.DEVNULL,
        stderr=log.open("ab"),
    )


def planned_study(
    folder: Path, *, own: bool, trials: int, replicates: int, network: str = NETWORK
) -> Plan:
    """Return a planned study of the digits: what an adaptive one asks depends on order of arrival.

    It is one of a network of the user's, or of the preset's.
    """
    tiny = make_tiny_plan()
    protocol = replace(tiny.protocol, max_epochs=12, patience=12)
    plan = replace(
        tiny, trials=trials, replicates=replicates, protocol=protocol, sampler=BalancedSampler()
    )
    if not own:
        return plan
    (folder / "net.py").write_text(network)
    space = replace(plan.space, conv_activation=(), fc_activation=("relu", "tanh", "silu"))
    return replace(plan, network=f"{folder}/net.py:build", space=space, init="keep")
