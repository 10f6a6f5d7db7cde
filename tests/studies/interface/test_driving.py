"""What the driving process has loaded when the first task goes to a worker."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import json, os, sys
from pathlib import Path
{imports}

class Looking:
    def __init__(self, *_sizes): pass
    def submit(self, *_task, **_named):
        late = ("torch", "scipy.stats", "sklearn", "plotly", "pandas", "optuna", "sqlalchemy")
        print(json.dumps([name for name in late if name in sys.modules]), flush=True)
        os._exit(0)

{begin}
"""
COMMAND_LINE = PROGRAM.format(
    imports="""
import actlab.cli.study.run
from actlab.cli.study.finish import finish
from actlab.studies.plan.file import read_plan
from actlab.studies.run_folder import RunFolder
""",
    begin="""
folder = RunFolder.create(Path(sys.argv[1]), read_plan("digits", {}))
finish(folder, Looking, "en", as_json=False)
""",
)
PYTHON = PROGRAM.format(
    imports="import actlab, actlab.studies.interface.interface as interface",
    begin="""
interface.executor_factory = lambda _name: Looking
actlab.study("digits", out=sys.argv[1])
""",
)


@pytest.mark.parametrize("program", [COMMAND_LINE, PYTHON], ids=["command line", "python"])
def test_the_first_worker_does_not_wait_for_what_judges_and_draws(
    tmp_path: Path, program: str
) -> None:
    command = [sys.executable, "-c", program, str(tmp_path / "run")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout.splitlines()[-1]) == []
