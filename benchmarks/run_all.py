"""Run every benchmark, one after the other; with --quick each in its smallest form.

The quick forms show that the benchmarks work; their figures mean nothing.
"""

import argparse
import inspect
import subprocess
import sys
from pathlib import Path

HELPERS = {"bench.py", "kept.py", "ours.py", "run_all.py", "settings.py"}


def main() -> int:
    """Run them; the exit code is that of the first one that failed."""
    parser = argparse.ArgumentParser(description=inspect.getdoc(sys.modules[__name__]))
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    folder = Path(__file__).parent
    codes = []
    for script in sorted(folder.glob("*.py")):
        if script.name not in HELPERS:
            print(f"== {script.name}", flush=True)
            command = [sys.executable, str(script), *(["--quick"] if given.quick else [])]
            codes.append(subprocess.run(command, check=False).returncode)
    return next((code for code in codes if code), 0)


if __name__ == "__main__":
    sys.exit(main())
