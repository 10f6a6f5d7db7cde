"""Small real studies: embedded data, tiny splits, one or two epochs."""

from dataclasses import replace
from pathlib import Path

import pytest

from actlab.records import Execution, Plan, SplitSizes, TpeSampler
from actlab.studies.plan.file import read_plan
from actlab.studies.run_folder import RunFolder


def make_tiny_plan() -> Plan:
    """Return a plan of six trials on the digits, each a fraction of a second."""
    plan = read_plan("digits", {"trials": 6, "seed": 7})
    return replace(
        plan,
        data=replace(plan.data, splits=SplitSizes(64, 32, 32, 32)),
        protocol=replace(plan.protocol, patience=1, max_epochs=2),
        sampler=TpeSampler(start="each_candidate"),
        replicates=0,
        execution=Execution(device="cpu", precision="fp32", workers=2, trial_timeout=60.0),
    )


@pytest.fixture
def tiny_plan() -> Plan:
    """The plan of the studies that tests run."""
    return make_tiny_plan()


@pytest.fixture
def folder(tmp_path: Path, tiny_plan: Plan) -> RunFolder:
    """A run folder that nothing has run in yet."""
    return RunFolder.create(tmp_path / "run", tiny_plan)
