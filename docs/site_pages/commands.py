"""Every command with its help, as the program prints it."""

import os
import subprocess
import sys
from pathlib import Path

from site_pages.language import chooser


def pages(language: str) -> dict[str, str]:
    """Return the page; help is translated when the program is imported, so a process is asked."""
    say = chooser(language)
    environment = os.environ | {"ACTLAB_LANG": language, "COLUMNS": "100"}
    script = Path(__file__).with_name("print_help.py")
    done = subprocess.run(  # noqa: S603  it is a file of this folder
        [sys.executable, str(script)],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    title = say("# Command line", "# 명령줄")
    lead = say(
        "What the program prints for `--help`. Every command that prints a result takes `--json`: "
        "standard output then holds one JSON document. The exit codes are 0 fine, 1 the answer is "
        '"no", 2 wrong use or bad input, 3 a fault of actlab itself, 130 interrupted.',
        "각 명령의 `--help` 출력입니다. 결과를 출력하는 명령은 모두 `--json` 옵션을 받으며, 이때 표준 출력에는 JSON 문서 하나만 "
        "나옵니다. 종료 코드는 0 정상, 1 결과가 부정적임(오용 발견 등), 2 잘못된 사용이나 입력, 3 actlab 자체의 오류, "
        "130 중단입니다.",
    )
    return {"reference/command-line": f"{title}\n\n{lead}\n\n{done.stdout}"}
