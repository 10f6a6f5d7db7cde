"""Mutation testing: would the tests notice a small mistake in the code they are for?

Recipe: every place of a folder where an operator, a comparison, a constant, a condition or a
returned value can be another one is a mutant; a seeded sample of them is made, one at a time. At
first the tests of the folder are run once as they are, and it is noted which of them comes to which
line. Then a forked copy of this process, in which everything is imported that does not depend on
the folder, imports the mutated module and runs the tests that come to its line, the quickest first,
until one fails; where none does, all tests of the folder. A mutant that no test notices survives;
one that takes ten times as long as the tests counts as killed. The share that is killed has
Wilson's 95 % interval. Lines go to build/mutants.jsonl; an interrupted run goes on.

    python benchmarks/mutants.py [--sample 400] [--seed 1] [--folder NAME] [--minutes M] [--page]
"""

import argparse
import ast
import contextlib
import copy
import importlib.abc
import importlib.util
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

from reliability_page import processor, write_between

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "build" / "mutants.jsonl"
FOLDERS = {
    "stats": ("tests/stats",),
    "verdicts": ("tests/verdicts", "tests/stats"),
    "activations/facts": (
        "tests/activations/facts",
        "tests/golden/test_golden.py::test_a_command_says_what_it_said[functions]",
    ),
    "checker/analysis": (
        "tests/checker/analysis",
        "tests/checker/rules",
        "tests/checker/test_cases.py",
        "tests/checker/test_pairs_of_head_and_loss.py",
    ),
}
PRELOADED = ("numpy", "scipy.stats", "torch", "mpmath", "pandas", "pytest")
LONGER, START_SECONDS = 10.0, 20.0
"""How many times what the tests need without a mutant, and what pytest itself may take."""

PASSED, NOT_RUN = 0, (4, 5)
"""Exit codes of pytest; a test that it does not find is none that noticed something."""

FIRST_SECONDS = 10.0
"""Tests of a line are run first that take so long together."""

_COMPARISONS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_OPERATORS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
    ast.Mod: ast.Mult, ast.FloorDiv: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip


class Mutator(ast.NodeTransformer):
    """Changes the place of number `target`; without one it counts the places."""

    def __init__(self, target: int = -1) -> None:
        self.target, self.count, self.what = target, 0, ""
        self.lines = range(0)

    def visit(self, node: ast.AST) -> Any:
        """Visit a node, but for annotations, docstrings and assertions."""
        if isinstance(node, ast.AnnAssign | ast.arg | ast.FunctionDef | ast.AsyncFunctionDef):
            node = self._without_annotations(node)
        if isinstance(node, ast.Assert | ast.Raise):
            return node
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return node
        node = self.generic_visit(node)
        for other in _others(node):
            if self.count == self.target:
                self.what = f"line {node.lineno}: {ast.unparse(node)} -> {ast.unparse(other)}"
                self.lines = range(node.lineno, node.end_lineno + 1)
                self.count += 1
                return ast.copy_location(other, node)
            self.count += 1
        return node

    def _without_annotations(self, node: Any) -> Any:
        changed = copy.copy(node)
        for part in ("annotation", "returns"):
            if hasattr(changed, part) and not isinstance(node, ast.AnnAssign):
                setattr(changed, part, None)
        return changed


def _others(node: Any) -> Iterator[Any]:
    """Yield what could stand in the place of a node."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARISONS:
        changed = copy.deepcopy(node)
        changed.ops[0] = _COMPARISONS[type(node.ops[0])]()
        yield changed
    elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        changed = copy.deepcopy(node)
        changed.op = _OPERATORS[type(node.op)]()
        yield changed
    elif isinstance(node, ast.BoolOp):
        changed = copy.deepcopy(node)
        changed.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield changed
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield copy.deepcopy(node.operand)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield ast.Constant(node.value + 1)
    elif isinstance(node, ast.IfExp):
        yield copy.deepcopy(node.orelse)
    elif isinstance(node, ast.Return) and node.value is not None:
        is_none = isinstance(node.value, ast.Constant) and node.value.value is None
        yield from () if is_none else (ast.Return(ast.Constant(None)),)


class MutatedModule(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds one module of actlab as its mutant."""

    def __init__(self, path: Path, code: Any) -> None:
        parts = path.relative_to(ROOT / "src").with_suffix("").parts
        self._is_package = parts[-1] == "__init__"
        self._name = ".".join(parts[:-1] if self._is_package else parts)
        self._path, self._code = path, code

    def find_spec(self, name: str, *_rest: Any) -> ModuleSpec | None:
        """Return where the mutant is, None for every other module."""
        if name != self._name:
            return None
        places = [str(self._path.parent)] if self._is_package else None
        return importlib.util.spec_from_file_location(
            name, self._path, loader=self, submodule_search_locations=places
        )

    def exec_module(self, module: Any) -> None:
        """Run the mutant in the place of the module."""
        exec(self._code, module.__dict__)

    def pytest_load_initial_conftests(self) -> None:
        """Come before pytest's own finder, which takes the modules of every plugin's package."""
        sys.meta_path.insert(0, self)


def places(folder: str) -> list[tuple[Path, int]]:
    """Return every mutant of a folder: a file and the number of the place in it."""
    found = []
    for path in sorted((ROOT / "src/actlab" / folder).rglob("*.py")):
        counting = Mutator()
        counting.visit(ast.parse(path.read_text()))
        found += [(path, number) for number in range(counting.count)]
    return found


@dataclass(frozen=True)
class Survey:
    """Which tests of a folder come to a line of a file, and how many seconds each test takes."""

    tests: dict[str, dict[int, list[str]]]
    seconds: dict[str, float]

    def first_tests(self, path: Path, lines: range) -> tuple[str, ...]:
        """Return tests that come to some lines of a file, the quickest first."""
        known = self.tests.get(str(path), {})
        found = sorted({test for line in lines for test in known.get(line, ())}, key=self._seconds)
        chosen: list[str] = []
        for test in found:
            chosen.append(test)
            if sum(map(self._seconds, chosen)) > FIRST_SECONDS:
                break
        return tuple(chosen)

    def _seconds(self, test: str) -> float:
        return self.seconds.get(test, 0.0)


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
        lines = {
            file: {
                line: [test for test in tests if test]
                for line, tests in data.contexts_by_lineno(file).items()
            }
            for file in data.measured_files()
        }
        self._kept.write_text(json.dumps({"tests": lines, "seconds": self._seconds}))


def survey_of(folder: str) -> Survey:
    """Run the tests of a folder as they are; ends this process where they do not pass."""
    with tempfile.TemporaryDirectory() as place:
        kept = Path(place) / "survey.json"
        if exit_code_of(FOLDERS[folder], 3000.0, lambda: Surveyor(folder, kept)) != 0:
            sys.exit(f"the tests of {folder} do not pass as they are")
        found = json.loads(kept.read_text())
    tests = {
        file: {int(line): tests for line, tests in lines.items()}
        for file, lines in found["tests"].items()
    }
    return Survey(tests, found["seconds"])


def killed(
    path: Path, number: int, tests: Sequence[str], survey: Survey, limit: float
) -> tuple[bool, str]:
    """Return whether a test notices a mutant, and what the mutant is."""
    mutator = Mutator(number)
    tree = ast.fix_missing_locations(mutator.visit(ast.parse(path.read_text())))
    mutant = MutatedModule(path, compile(tree, str(path), "exec"))
    first = survey.first_tests(path, mutator.lines)
    code: int | None = PASSED
    if first:
        code = exit_code_of(first, LONGER * FIRST_SECONDS + START_SECONDS, lambda: mutant)
    if code in (PASSED, *NOT_RUN):
        code = exit_code_of(tests, limit, lambda: mutant)
    return code != PASSED, mutator.what + (" (took too long)" if code is None else "")


def exit_code_of(tests: Sequence[str], limit: float, plugin: Callable[[], Any]) -> int | None:
    """Return pytest's exit code on some tests in a copy of this process, None after the limit."""
    pid = os.fork()
    if pid == 0:
        code = 1
        with contextlib.suppress(BaseException):
            code = _run(tests, plugin())
        os._exit(code)
    until = time.monotonic() + limit
    while time.monotonic() < until:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return None


def _run(tests: Sequence[str], plugin: Any) -> int:
    import pytest

    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    os.chdir(ROOT)
    options = ["-n0", "-x", "-q", "-p", "no:cacheprovider", "--no-header", "-m", "not slow"]
    return int(pytest.main([*options, *tests], [plugin]))


def reaches(folder: str) -> bool:
    """Return whether a module of a folder that cannot be imported fails the tests."""
    path = max((ROOT / "src/actlab" / folder).glob("[a-z]*.py"), key=lambda one: one.stat().st_size)
    broken = compile("raise ImportError", str(path), "exec")
    return exit_code_of(tests_of(path, folder), 1000.0, lambda: MutatedModule(path, broken)) != 0


def tests_of(path: Path, folder: str) -> tuple[str, ...]:
    """Return the tests of a module's own name, if there are any, and then those of its folder."""
    own = [
        str(found)
        for root in FOLDERS[folder]
        for found in Path(ROOT / root.partition("::")[0]).rglob(f"test_{path.stem}.py")
    ]
    return (*own, *(str(ROOT / root) for root in FOLDERS[folder]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", choices=[*FOLDERS], default=None)
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no mutant after these")
    parser.add_argument("--page", action="store_true", help="write docs/reliability.md")
    given = parser.parse_args()
    until = time.monotonic() + 60 * given.minutes
    RESULTS.parent.mkdir(exist_ok=True)
    kept = RESULTS.read_text().splitlines() if RESULTS.exists() else []
    rows = [row for row in map(json.loads, kept) if row["seed"] == given.seed]
    for name in PRELOADED:
        importlib.import_module(name)
    for folder in FOLDERS if given.folder is None else [given.folder]:
        everything = places(folder)
        sample = random.Random(f"{given.seed} {folder}").sample(
            everything, min(given.sample, len(everything))
        )
        begun = time.monotonic()
        survey = survey_of(folder)
        limit = LONGER * (time.monotonic() - begun)
        if not reaches(folder):
            sys.exit(f"the mutants of {folder} do not reach the tests")
        for path, number in sample:
            which = f"{path.relative_to(ROOT / 'src/actlab')} {number}"
            if any(row["which"] == which for row in rows):
                continue
            if time.monotonic() > until:
                break
            begun = time.monotonic()
            is_killed, what = killed(path, number, tests_of(path, folder), survey, limit)
            row = {"seed": given.seed, "folder": folder, "of": len(everything), "which": which}
            row |= {"killed": is_killed, "what": what, "seconds": time.monotonic() - begun}
            rows.append(row)
            with RESULTS.open("a") as stream:
                stream.write(json.dumps(row) + "\n")
            if not is_killed:
                print(f"survives: {which}: {what}", flush=True)
    print(table(rows))
    if given.page:
        command = f"`python benchmarks/mutants.py --seed {given.seed} --page`"
        first = f"{command}, {processor()}, {time.strftime('%Y-%m-%d')}."
        write_between("mutants", f"{first}\n\n{table(rows)}")


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the mutants killed by folder as a table in Markdown."""
    from scipy.stats import binomtest

    lines = ["| folder | mutants | sampled | killed | 95 % interval |", "|---|--:|--:|--:|--:|"]
    for folder in dict.fromkeys(row["folder"] for row in rows):
        same = [row for row in rows if row["folder"] == folder]
        hits = sum(row["killed"] for row in same)
        interval = binomtest(hits, len(same)).proportion_ci(method="wilson")
        share = f"{hits} ({100 * hits / len(same):.1f} %)"
        bounds = f"{100 * interval.low:.1f} to {100 * interval.high:.1f} %"
        lines.append(f"| `{folder}` | {same[0]['of']} | {len(same)} | {share} | {bounds} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
