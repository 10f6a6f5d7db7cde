"""Being asked to end: in order the first time, not again while that is under way, at once later."""

import os
import signal
import sys
from collections.abc import Iterator

import pytest

from actlab import __main__ as entry
from actlab.cli import interrupts
from actlab.cli.interrupts import stop_on_signals


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_time_it_is_an_interrupt_and_then_nothing(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    stop_on_signals()
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), number)
    os.kill(os.getpid(), number)
    assert codes == [], "what was done is being kept"
    monkeypatch.setattr(interrupts, "PATIENCE_SECONDS", 0.0)
    os.kill(os.getpid(), number)
    assert codes == [130], "whoever asks again later means it"


def test_a_hangup_that_is_ignored_stays_so() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    stop_on_signals()
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


@pytest.mark.parametrize(("command", "sets"), [("study", True), ("functions", False)])
def test_signals_count_before_anything_is_imported(
    command: str, sets: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "argv", ["actlab", command, "--help"])
    monkeypatch.setattr(interrupts, "stop_on_signals", interrupted)
    with pytest.raises(SystemExit) as end:
        entry.main()
    assert end.value.code == (130 if sets else 0)
