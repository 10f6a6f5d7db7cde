"""What actlab, autorank, baycomp, AdaStop, SciPy and rliable say of the same ten tables.

Four tables are real: the trainings behind docs/verdict.md, eight activations on ten seeds each. Six
are simulated, so that the truth is known. Each tool is asked as its own documentation does it, at
5 %, and its answer is reduced to whom it puts behind the best mean. A tool that is not installed
is said to be so. The others know no failed run: theirs count at chance.

    pip install autorank baycomp adastop rliable 'pandas<3'   # in an environment of its own
    python benchmarks/side_by_side.py                         # prints a table in Markdown
"""

import importlib
import json
import logging
import warnings
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from importlib.metadata import PackageNotFoundError, version
from io import StringIO
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

import actlab

Table = Mapping[str, NDArray[np.float64]]
ALPHA, MARGIN, CHANCE = 0.05, 0.005, 0.1
FIGURES = Path(__file__).parent.parent / "docs" / "verdict" / "figures.json"
NOT_INSTALLED = "not installed"


def tables() -> dict[str, tuple[str, Table]]:
    """Return the ten tables by name, with what is true of each."""
    studies = json.loads(FIGURES.read_text(encoding="utf-8"))["studies"]
    found: dict[str, tuple[str, Table]] = {}
    for protocol in ("published", "corrected"):
        for slot in ("conv", "fc"):
            rows = studies[protocol]["verdict"]["slots"][slot]
            table = {row["activation"]: row["scores"] for row in rows}
            found[f"MNIST, {slot}, {protocol}"] = (
                "real trainings",
                {name: np.array(scores, dtype=np.float64) for name, scores in table.items()},
            )
    generator = np.random.default_rng(2026)

    def drawn(gaps: Mapping[str, float], seeds: int, own: float, shared: float) -> Table:
        common = generator.normal(0.0, shared, seeds)
        return {
            name: 0.95 - gap + common + generator.normal(0.0, own, seeds)
            for name, gap in gaps.items()
        }

    found["equal"] = (
        "all equal",
        drawn({"a": 0, "b": 0, "c": 0, "d": 0, "e": 0}, 10, 0.004, 0.004),
    )
    found["behind by 1 point"] = (
        "c behind by 1.0",
        drawn({"a": 0, "b": 0, "c": 0.01}, 10, 0.003, 0.003),
    )
    found["seeds matter most"] = (
        "b behind by 0.8, seeds move all by 2",
        drawn({"a": 0, "b": 0.008}, 10, 0.003, 0.02),
    )
    found["certain and small"] = (
        "b behind by 0.2, margin 0.5",
        drawn({"a": 0, "b": 0.002}, 20, 0.0008, 0.003),
    )
    failing = dict(drawn({"a": 0, "b": 0, "c": 0}, 10, 0.003, 0.003))
    failing["c"] = np.where(np.arange(10) % 3 == 0, np.nan, failing["c"])
    found["four runs of ten fail"] = ("c equal where it trains", failing)
    heavy = {name: 0.95 + 0.004 * generator.standard_t(3, 5) for name in "abc"}
    found["five seeds, heavy tails"] = ("all equal", heavy)
    return found


def at_chance(table: Table) -> dict[str, NDArray[np.float64]]:
    return {name: np.where(np.isnan(row), CHANCE, row) for name, row in table.items()}


def behind(names: list[str], *rest: str) -> str:
    """Say who is put behind the best mean, and what else is said."""
    return "; ".join([("behind: " + ", ".join(names)) if names else "nobody behind", *rest])


def ranked(table: Table) -> list[str]:
    return sorted(table, key=lambda name: -float(table[name].mean()))


def by_actlab(table: Table) -> str:
    frame = {name: row.tolist() for name, row in table.items()}
    groups = actlab.verdict(frame, margin=MARGIN, higher_is_better=True).groups
    words = {"tied": "equivalent", "unclear": "inconclusive", "unreliable": "unreliable"}
    rest = {word: [n for n, g in groups.items() if g == code] for code, word in words.items()}
    said = [f"{word}: {', '.join(names)}" for word, names in rest.items() if names]
    return behind([name for name, group in groups.items() if group == "worse"], *said)


def by_scipy(table: Table) -> str:
    """Student's paired t test of the best mean against each other one, as most scripts have it."""
    best, *others = ranked(table)
    p = {name: float(stats.ttest_rel(table[best], table[name]).pvalue) for name in others}
    return behind([name for name in others if p[name] < ALPHA])


def by_autorank(table: Table) -> str:
    autorank = importlib.import_module("autorank")
    result = autorank.autorank(pd.DataFrame(table), alpha=ALPHA, verbose=False)
    first, *others = ranked(table)
    if result.pvalue >= ALPHA:
        return behind([], f"{result.omnibus} p = {result.pvalue:.2g}")
    if result.posthoc is None:
        return behind(others, result.omnibus)
    grouping = importlib.import_module("autorank._util")
    _ranks, order, groups = grouping.get_sorted_rank_groups(result, reverse=False)
    together = [order[low : high + 1] for low, high in groups]
    names = [name for name in others if not any({name, first} <= set(one) for one in together)]
    return behind(names, f"{result.omnibus}, {result.posthoc}")


def by_baycomp(table: Table) -> str:
    """The Bayesian signed-rank test, seeds for data sets: more than 95 % certain."""
    baycomp = importlib.import_module("baycomp")
    best, *others = ranked(table)
    worse, same = [], []
    for name in others:
        np.random.seed(0)
        first, rope, _other = baycomp.two_on_multiple(table[best], table[name], rope=MARGIN)
        worse += [name] if first > 1 - ALPHA else []
        same += [name] if rope > 1 - ALPHA else []
    return behind(worse, *([f"in the rope: {', '.join(same)}"] if same else []))


def by_adastop(table: Table) -> str:
    """Two looks of half the seeds each, five at once where there are five."""
    module = importlib.import_module("adastop")
    names = ranked(table)
    seeds = len(table[names[0]])
    half = 5 if seeds == 5 else seeds // 2
    asked = module.MultipleAgentsComparator(n=half, K=seeds // half, B=10_000, alpha=ALPHA, seed=0)
    for look in range(1, seeds // half + 1):
        asked.partial_compare({name: table[name][: look * half] for name in names}, verbose=False)
        if asked.is_finished:
            break
    pairs = combinations(range(len(names)), 2)
    decisions = {pair: asked.decisions[str(np.array(pair))] for pair in pairs}
    worse = [names[j] for (i, j), said in decisions.items() if i == 0 and said == "larger"]
    return behind(worse)


def by_rliable(table: Table) -> str:
    """The probability of improvement of the best mean, with its bootstrap interval, as advised."""
    library = importlib.import_module("rliable.library")
    metrics = importlib.import_module("rliable.metrics")
    best, *others = ranked(table)
    pairs = {name: (table[best][:, None], table[name][:, None]) for name in others}
    np.random.seed(0)
    _points, intervals = library.get_interval_estimates(
        pairs, metrics.probability_of_improvement, reps=2000
    )
    return behind([name for name in others if float(intervals[name][0].item()) > 0.5])


TOOLS: dict[str, Callable[[Table], str]] = {
    "actlab": by_actlab,
    "scipy": by_scipy,
    "autorank": by_autorank,
    "baycomp": by_baycomp,
    "adastop": by_adastop,
    "rliable": by_rliable,
}


def said(tool: str, table: Table) -> str:
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()):
            warnings.simplefilter("ignore")
            return TOOLS[tool](table if tool == "actlab" else at_chance(table))
    except ImportError as error:
        return f"{NOT_INSTALLED} ({error.name})"
    except Exception as error:  # another tool's fault is an answer, too
        return f"fails: {type(error).__name__}"


def main() -> None:
    logging.disable(logging.WARNING)
    print("| table | truth |", " | ".join(TOOLS), "|")
    print("|---|---|" + "---|" * len(TOOLS))
    for name, (truth, table) in tables().items():
        answers = " | ".join(said(tool, table) for tool in TOOLS)
        print(f"| {name} | {truth} | {answers} |", flush=True)
    versions = []
    for tool in TOOLS:
        try:
            versions.append(f"{tool} {version(tool)}")
        except PackageNotFoundError:
            versions.append(f"{tool} {NOT_INSTALLED if tool != 'actlab' else 'from this tree'}")
    print(f"\n{', '.join(versions)}; NumPy {np.__version__}")


if __name__ == "__main__":
    main()
