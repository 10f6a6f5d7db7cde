"""Write docs/images/check.svg: what `actlab check` prints of the model in docs/start/check.md.

    python docs/generate_check_picture.py [--check]

`--check` only says whether the picture is current.
"""

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

DOCS = Path(__file__).parent
PICTURE = DOCS / "images" / "check.svg"
COMMAND = "actlab check mymodel.py:Net --loss cross_entropy --input-shape 1,28,28"
FRAME = """<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>text {{ font: 20px monospace; white-space: pre }} {styles}</style>
<rect width="100%" height="100%" rx="8" fill="#0c0c0c"/>
<defs>{lines}</defs><g transform="translate(12, 12)">{backgrounds}{matrix}</g>
</svg>
"""


def printed() -> str:
    """Return what the command prints, without what was checked and fine."""
    page = (DOCS / "start" / "check.md").read_text(encoding="utf-8")
    source = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert source is not None
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "mymodel.py").write_text(source[1], encoding="utf-8")
        done = subprocess.run(  # noqa: S603  it is actlab's own command
            [sys.executable, "-m", *COMMAND.split()],
            cwd=folder,
            env=os.environ | {"ACTLAB_LANG": "en"},
            check=False,
            capture_output=True,
            text=True,
        )
    assert done.returncode == 1, done.stderr
    return done.stdout.partition("\n\n")[0]


def picture() -> str:
    """Return the picture as SVG, which asks for no font of another's."""
    console = Console(record=True, width=108, file=io.StringIO(), force_terminal=True)
    console.print(Text(f"$ {COMMAND}", style="bold"))
    for line in printed().splitlines():
        error = line.startswith("error")
        style = "bold red" if error else "red" if set(line.strip(" |")) == {"^"} else ""
        console.print(Text(line, style=style, overflow="fold"))
    return console.export_svg(theme=MONOKAI, code_format=FRAME, unique_id="check")


def main() -> int:
    """Write the picture, or say whether it is current."""
    found = picture()
    if "--check" in sys.argv[1:]:
        return int(not PICTURE.is_file() or PICTURE.read_text(encoding="utf-8") != found)
    PICTURE.write_text(found, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
