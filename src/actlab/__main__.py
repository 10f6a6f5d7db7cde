"""The command `actlab`, also as `python -m actlab`: signals first, then what it takes to answer."""

import sys

ENDED_IN_ORDER = ("study", "tasks", "gate")
"""Commands that keep what they have done when they are asked to end."""


def main() -> None:
    """Run the command line and exit with the code that it promises."""
    try:
        if sys.argv[1:2] and sys.argv[1] in ENDED_IN_ORDER:
            from actlab.cli.interrupts import stop_on_signals

            stop_on_signals()
        from actlab.cli.main import main as run
    except KeyboardInterrupt:  # before anything began
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
