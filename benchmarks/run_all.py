"""Run every benchmark, one after the other."""

import subprocess
import sys
from pathlib import Path

HELPERS = {"bench.py", "run_all.py"}


def main() -> int:
    """Run them; the exit code is that of the first one that failed."""
    folder = Path(__file__).parent
    codes = []
    for script in sorted(folder.glob("*.py")):
        if script.name not in HELPERS:
            print(f"== {script.name}", flush=True)
            codes.append(subprocess.run([sys.executable, str(script)], check=False).returncode)
    return next((code for code in codes if code), 0)


if __name__ == "__main__":
    sys.exit(main())
