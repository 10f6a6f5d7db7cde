"""How long `import actlab`, `actlab --help` and `actlab study show` take, as whole processes."""

import argparse
import subprocess
import sys
import time

from bench import publish, spread

RUNS = 9
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import actlab": ["-c", "import actlab"],
    "actlab --help": ["-m", "actlab", "--help"],
    "actlab study run --help": ["-m", "actlab", "study", "run", "--help"],
}


def seconds(arguments: list[str]) -> float:
    """Return the wall time of one process."""
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    """Take the commands in turn, several rounds, after one to warm up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    runs = 1 if parser.parse_args().quick else RUNS
    rounds = [
        {name: seconds(command) for name, command in COMMANDS.items()} for _ in range(runs + 1)
    ]
    publish(
        f"whole processes, seconds, {runs} rounds in turn after a warm-up",
        {name: spread([one[name] for one in rounds[1:]]) for name in COMMANDS},
    )


if __name__ == "__main__":
    main()
