"""Choosing the passes that are recorded, and the time that this takes."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, Self


class Stopwatch:
    """The time that watching took so far: a context manager that may be entered again inside.

    >>> watch = Stopwatch()
    >>> with watch, watch:
    ...     pass
    >>> 0.0 < watch.seconds < 1.0
    True
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._depth = 0
        self._started = 0.0

    def __enter__(self) -> Self:
        if self._depth == 0:
            self._started = time.perf_counter()
        self._depth += 1
        return self

    def __exit__(self, *details: object) -> None:
        self._depth -= 1
        if self._depth == 0:
            self.seconds += time.perf_counter() - self._started


class Sampler(Protocol):
    """Decides which passes are recorded."""

    def is_due(self, number: int, burden: Callable[[], float]) -> bool:
        """Return whether the pass of this number (from 1) is recorded.

        `burden` tells which share of the time so far went into watching.
        """


@dataclass(frozen=True)
class EveryNth:
    """The first pass, and every `every`-th after it."""

    every: int

    def is_due(self, number: int, burden: Callable[[], float]) -> bool:  # noqa: ARG002  the interface's
        """Return whether the pass of this number (from 1) is recorded."""
        return (number - 1) % self.every == 0


@dataclass
class Sparing:
    """As `EveryNth`, but a pass is passed over while watching took more than `limit` of the time.

    So networks whose steps take less than a millisecond are not slowed down either. `passed_over`
    counts the passes that were due and left out.
    """

    every: int
    limit: float
    passed_over: int = 0

    def is_due(self, number: int, burden: Callable[[], float]) -> bool:
        """Return whether the pass of this number (from 1) is recorded."""
        if (number - 1) % self.every:
            return False
        if number > 1 and burden() > self.limit:
            self.passed_over += 1
            return False
        return True


@dataclass
class OnRequest:
    """The next pass after each request: for trainers that count steps themselves."""

    wanted: bool = False

    def is_due(self, number: int, burden: Callable[[], float]) -> bool:  # noqa: ARG002  the interface's
        """Return whether a pass was asked for since the last one that was recorded."""
        due, self.wanted = self.wanted, False
        return due
