"""The tests of mutation testing: which of them comes to a line, and does one notice a mutant?"""

import contextlib
import hashlib
import itertools
import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mutant_places import ROOT, Mutant, Place

LONGER, START_SECONDS = 10.0, 20.0
"""How many times what the tests need without a mutant, and what pytest itself may take."""

TEST_SECONDS = 5.0
"""What any test may take beyond that."""

MEMORY = 16 << 30
"""What a mutant may allocate, in bytes; more is a MemoryError in its test."""

OUTPUT = ROOT / "build" / "mutants.log"
"""Where pytest writes."""

MOST_SECONDS = 20.0
"""What the tests of one mutant may take together where it is not there."""

MOST_UNRELIABLE = 10
"""More tests that fail without a mutant are a fault of the tests, or of this tool."""

MOST_NOTICING = 20
"""Tests that noticed the most mutants of a file are run first, where they come to the line."""

PASSED, NOT_RUN = 0, (4, 5)
"""Exit codes of pytest; a test that it does not find is none that noticed something."""


FAILED, NOT_IN_PLACE, BROKEN = 1, 77, 78
"""Exit codes of a fork; broken is this tool, not the tests."""


@dataclass(frozen=True)
class Survey:
    """Which tests come to a line of a file, and how many seconds each test takes.

    `asked` is what pytest is told to import. A line that runs while a module is imported stands in
    `imported`, too.
    """

    asked: tuple[str, ...]
    tests: dict[str, dict[int, list[str]]]
    imported: dict[str, list[int]]
    seconds: dict[str, float]

    def of_lines(self, path: Path, lines: range) -> tuple[str, ...]:
        """Return the tests that come to some lines of a file: those of the file's own name first,
        the quickest of them before others, then those of the quickest files.
        """
        known = self.tests.get(str(path), {})
        found = self._in_order({test for line in lines for test in known.get(line, ())})
        own = [test for test in found if f"test_{path.stem}.py::" in test]
        return (*sorted(own, key=self.seconds.__getitem__), *(t for t in found if t not in own))

    def of_file(self, path: Path) -> tuple[str, ...]:
        """Return the tests that come to any line of a file, those of the quickest files first."""
        known = self.tests.get(str(path), {})
        return self._in_order({test for tests in known.values() for test in tests})

    def of_all(self) -> tuple[str, ...]:
        """Return the tests that come to any line."""
        files = (tests for lines in self.tests.values() for tests in lines.values())
        return self._in_order({test for tests in files for test in tests})

    def affordable(self, tests: Sequence[str]) -> tuple[str, ...]:
        """Return the first tests, as many as `MOST_SECONDS` are enough for."""
        ends = itertools.accumulate(self.seconds[test] for test in tests)
        return tuple(test for test, end in zip(tests, ends, strict=True) if end <= MOST_SECONDS)

    def run_on_import(self, path: Path, lines: range) -> bool:
        """Return whether a line runs while a module is imported."""
        return not set(lines).isdisjoint(self.imported.get(str(path), ()))

    def limit(self, tests: Sequence[str]) -> float:
        """Return after how many seconds tests hang, each of which has a limit of its own."""
        return START_SECONDS + TEST_SECONDS + LONGER * sum(self.seconds[test] for test in tests)

    def _in_order(self, tests: set[str]) -> tuple[str, ...]:
        """Return tests by their files, so that what a file sets up is set up once."""
        files: dict[str, list[str]] = {}
        for test in self.seconds:
            if test in tests:
                files.setdefault(test.partition("::")[0], []).append(test)

        def mean(file: str) -> float:
            return sum(self.seconds[test] for test in files[file]) / len(files[file])

        return tuple(test for file in sorted(files, key=mean) for test in files[file])


class Surveyor:
    """A plugin of pytest that notes which test comes to which line of a folder."""

    def __init__(self, folder: str, kept: Path) -> None:
        import coverage

        source = [str(ROOT / "src/actlab" / folder)]
        self._coverage = coverage.Coverage(data_file=None, config_file=False, source=source)
        self._kept, self._seconds = kept, {}
        self._coverage.start()

    def pytest_runtest_protocol(self, item: Any) -> None:
        """Put what is run from here on down to a test."""
        self._coverage.switch_context(item.nodeid)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Add up what a test takes, with its fixtures."""
        self._seconds[report.nodeid] = self._seconds.get(report.nodeid, 0.0) + report.duration

    def pytest_sessionfinish(self) -> None:
        """Keep what was noted."""
        self._coverage.stop()
        data = self._coverage.get_data()
        contexts = {file: data.contexts_by_lineno(file) for file in data.measured_files()}
        tests = {
            file: {line: [test for test in found if test] for line, found in lines.items()}
            for file, lines in contexts.items()
        }
        imported = {
            file: [line for line, found in lines.items() if "" in found]
            for file, lines in contexts.items()
        }
        found = {"tests": tests, "imported": imported, "seconds": self._seconds}
        self._kept.write_text(json.dumps(found))


def survey_of(folder: str, tests: Sequence[str]) -> Survey:
    """Run tests as they are, unless they were and nothing changed since.

    Ends this process where they do not pass.
    """
    kept = OUTPUT.with_name(f"survey_{_digest([folder, *tests])}.json")
    if not kept.exists():
        OUTPUT.parent.mkdir(exist_ok=True)
        if exit_code_of(tests, 3000.0, lambda: Surveyor(folder, kept)) != PASSED:
            kept.unlink(missing_ok=True)
            sys.exit(f"the tests of {folder} do not pass as they are, see {OUTPUT}")
    found = json.loads(kept.read_text())
    lines = {
        file: {int(line): tests for line, tests in of_file.items()}
        for file, of_file in found["tests"].items()
    }
    return Survey(tuple(tests), lines, found["imported"], found["seconds"])


def _digest(asked: Sequence[str]) -> str:
    """Return a digest of what is asked and of all code of the package and its tests."""
    digest = hashlib.sha256(" ".join(asked).encode())
    for path in sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]):
        digest.update(f"{path} ".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


@dataclass(frozen=True)
class Outcome:
    """Whether a test noticed a mutant, what the mutant is, how many seconds it took, which test."""

    place: Place
    killed: bool
    what: str
    seconds: float
    test: str = ""


class Session:
    """A plugin of pytest that imports the tests once and runs them for one mutant after another.

    Each mutant is put in its place in a fork of the process; tests that noticed one before are run
    first. What cannot be put there, and what runs while modules are imported and nobody noticed
    here, is left for `after_import`.
    """

    def __init__(
        self,
        mutants: Sequence[Place],
        survey: Survey,
        report: Callable[[Outcome], None],
        left: Path,
    ) -> None:
        self._mutants, self._survey, self._report, self._left = mutants, survey, report, left
        self._noticed: dict[Path, Counter[str]] = defaultdict(Counter)
        self._noticing = left.with_name("noticing")

    def pytest_runtestloop(self, session: Any) -> bool:
        """Run the tests of each mutant instead of all tests."""
        items = {item.nodeid: item for item in session.items}
        without = self._without_a_mutant(session, items)
        if len(without) > MOST_UNRELIABLE:
            os._exit(FAILED)
        left = []
        for place in self._mutants:
            begun = time.monotonic()
            mutant = Mutant(place)
            tests = self._survey.of_lines(place.path, mutant.lines)
            tests = tuple(test for test in tests if test not in without)
            noticed = self._noticed[place.path].most_common(MOST_NOTICING)
            best = [test for test, _count in noticed]
            first = [test for test in best if test in tests]
            tests = self._survey.affordable(
                (*first, *(test for test in tests if test not in first))
            )
            code = self._run(session, items, mutant, tests)
            test = self._noticing.read_text() if code == FAILED else ""
            if code == FAILED:
                self._noticed[place.path][test] += 1
            at_import = self._survey.run_on_import(place.path, mutant.lines)
            if code == NOT_IN_PLACE or (code == PASSED and at_import):
                left.append(place.name)
                continue
            what = mutant.what + (" (took too long)" if code is None else "")
            seconds = time.monotonic() - begun
            self._report(Outcome(place, code != PASSED, what, seconds, test))
        self._left.write_text("\n".join(left))
        return True

    def _without_a_mutant(self, session: Any, items: dict[str, Any]) -> set[str]:
        """Return the tests that fail without a mutant, alone or after the others, in a fork.

        They are left out. What they print is in `OUTPUT`.
        """

        def failing(chosen: Sequence[Any]) -> Callable[[], int]:
            def in_a_fork() -> int:
                failed = []
                for item, following in itertools.pairwise([*chosen, None]):
                    before = session.testsfailed
                    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                    if session.testsfailed > before:
                        failed.append(item.nodeid)
                self._noticing.write_text("\n".join(failed))
                return PASSED

            return in_a_fork

        found: set[str] = set()
        every = self._survey.of_all()
        for tests in (every, *((test,) for test in every)):
            chosen = [items[test] for test in tests]
            if forked(failing(chosen), self._survey.limit(tests)) != PASSED:
                os._exit(FAILED)
            found |= {*self._noticing.read_text().splitlines()}
        with OUTPUT.open("a") as stream:
            stream.write(f"\nleft out, as they fail without a mutant: {sorted(found)}\n")
        return found

    def _run(
        self, session: Any, items: dict[str, Any], mutant: Mutant, tests: Sequence[str]
    ) -> int | None:
        import pytest

        def in_a_fork() -> int:
            if not mutant.put_in_place():
                return NOT_IN_PLACE
            chosen = [items[test] for test in tests]
            for item in chosen:
                seconds = LONGER * self._survey.seconds[item.nodeid] + TEST_SECONDS
                item.add_marker(pytest.mark.timeout(seconds))
            for item, following in itertools.pairwise([*chosen, None]):
                with contextlib.suppress(BaseException):
                    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                    if not session.testsfailed:
                        continue
                self._noticing.write_text(item.nodeid)
                return FAILED
            return PASSED

        return forked(in_a_fork, self._survey.limit(tests))


def in_place(
    mutants: Sequence[Place],
    survey: Survey,
    report: Callable[[Outcome], None],
) -> list[Place]:
    """Try mutants in the functions that are imported; returns those that need a new import.

    Ends this process where many tests fail in a fork without a mutant.
    """
    with tempfile.TemporaryDirectory() as folder:
        left = Path(folder) / "left"
        plugin = Session(mutants, survey, report, left)
        if exit_code_of(survey.asked, 1e9, lambda: plugin) != PASSED:
            sys.exit(
                f"many tests fail in a fork, or in another order, without a mutant, see {OUTPUT}"
            )
        names = left.read_text().splitlines()
    return [mutant for mutant in mutants if mutant.name in names]


def after_import(place: Place, survey: Survey) -> Outcome:
    """Try a mutant that is there while actlab is imported."""
    begun = time.monotonic()
    mutant = Mutant(place)
    code: int | None = PASSED
    for found in (survey.of_lines(place.path, mutant.lines), survey.of_file(place.path)):
        tests = survey.affordable(found)
        if tests and code in (PASSED, *NOT_RUN):
            code = exit_code_of(tests, survey.limit(tests), mutant.to_import)
    what = mutant.what + (" (took too long)" if code is None else "")
    return Outcome(place, code not in (PASSED, *NOT_RUN), what, time.monotonic() - begun)


def exit_code_of(tests: Sequence[str], limit: float, plugin: Callable[[], Any]) -> int | None:
    """Return pytest's exit code on some tests in a fork of this process, None after the limit."""

    def run_tests() -> int:
        import pytest

        output = os.open(OUTPUT, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for descriptor in (1, 2):
            os.dup2(output, descriptor)
        os.chdir(ROOT)
        options = ["-n0", "-x", "-q", "-p", "no:cacheprovider", "--no-header"]
        options += ["-m", "not slow and not browser"]
        return int(pytest.main([*options, *tests], [plugin(), SameExamples()]))

    return forked(run_tests, limit)


class SameExamples:
    """A plugin of pytest that lets Hypothesis draw the same examples each time, however long."""

    def pytest_configure(self) -> None:
        """Load such settings before tests are imported."""
        from hypothesis import settings

        settings.register_profile("mutants", deadline=None, derandomize=True, database=None)
        settings.load_profile("mutants")


def forked(function: Callable[[], int], limit: float) -> int | None:
    """Return what a function returns in a fork of this process, None after a limit in seconds."""
    pid = os.fork()
    if pid == 0:
        code = BROKEN
        try:
            os.setpgid(0, 0)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            code = function()
        except BaseException:
            with OUTPUT.open("a") as stream:
                traceback.print_exc(file=stream)
        finally:
            os._exit(code)
    until = time.monotonic() + limit
    found: int | None = None
    while time.monotonic() < until:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            found = os.waitstatus_to_exitcode(status)
            break
        time.sleep(0.01)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    if found is None:
        os.waitpid(pid, 0)
    if found == BROKEN:
        raise RuntimeError(f"a fork ended by an error of its own, see {OUTPUT}")
    return found
