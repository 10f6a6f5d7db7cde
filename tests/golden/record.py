"""Writes the golden files: `python -m tests.golden.record [FAMILY]...`, all without a name.

`old_run_folder` is no family: it writes the run folder of the version before, and is for that
version only.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")


def record(names: list[str]) -> None:
    """Run the commands of these families and keep what they print."""
    from tests.golden import _cases
    from tests.golden.documents import portable, write
    from tests.golden.test_golden import ARITHMETIC, masks, path_of

    if "old_run_folder" in names:
        _cases.write_old_run()
    for name in names or _cases.FAMILIES:
        if name not in _cases.FAMILIES:
            continue
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made).resolve()
            found = _cases.FAMILIES[name](folder)
            document = portable(found, folder, masks(name))
        if name in _cases.TRAINED:
            document[ARITHMETIC] = _cases.arithmetic()
        path = path_of(name)
        write(path, document)
        seconds = time.monotonic() - began
        print(f"{path}: {path.stat().st_size} bytes, {seconds:.1f} s", flush=True)


if __name__ == "__main__":
    record(sys.argv[1:])
