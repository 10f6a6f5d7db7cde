"""The page of a verdict in headless Chromium: its arithmetic is Python's, and it judges CSVs."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import actlab
from actlab.records import Candidate, Comparison
from actlab.verdicts import Question, Scores, compare
from actlab.verdicts.page import rule_inputs, table_data
from tests.chromium import Watched, browser, pytestmark

__all__ = ["browser", "pytestmark"]

FEW, MANY = 60, 500
"""Tables in the default run, and in the slow one."""

CSV = "method,seed,accuracy\n" + "".join(
    f"{name},{seed},{0.9 + 0.01 * (name == 'b') + 0.001 * ((seed * 7 + len(name)) % 5)}\n"
    for name in ("a", "b", "ccc")
    for seed in range(8)
)


@pytest.fixture(scope="module")
def watched(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    path = tmp_path_factory.mktemp("page") / "verdict.html"
    rows = {"m": ["a"] * 4 + ["b"] * 4, "seed": [0, 1, 2, 3] * 2, "acc": [0.9, 0.91, 0.92, 0.9] * 2}
    actlab.verdict(rows, candidate="m").page(path, "en")
    watched = Watched(browser, path, viewport={"width": 390, "height": 800})
    yield watched
    watched.check()


def random_case(generator: np.random.Generator) -> tuple[Scores, Question]:
    candidates, seeds = int(generator.integers(2, 9)), int(generator.integers(2, 14))
    paired = bool(generator.random() < 0.75)
    values = 0.9 + 0.02 * generator.standard_normal((candidates, seeds))
    values += 0.02 * generator.standard_normal((candidates, 1))
    if generator.random() < 0.4:
        values = np.round(values, 2)
    ran = np.ones(values.shape, dtype=np.bool_)
    if generator.random() < 0.4:
        values[generator.random(values.shape) < 0.12] = np.nan
    if generator.random() < 0.3:
        ran = generator.random(values.shape) < 0.85
        ran[:, :2] = True
        values[~ran] = np.nan
    names = tuple(f"c{place}" for place in range(candidates))
    baseline = names[0] if generator.random() < 0.35 and not np.isnan(values[0]).all() else None
    question = Question(
        margin=float(generator.choice([0.0, 0.005, 0.03])),
        higher_is_better=bool(generator.random() < 0.6),
        baseline=baseline,
        resolution=0.01 if generator.random() < 0.2 else None,
    )
    return Scores(names, values, ran, paired=paired), question


def in_browser(page: Any, scores: Scores, question: Question) -> dict[str, Any]:
    asked = {
        "margin": question.margin,
        "higherIsBetter": question.higher_is_better,
        "baseline": question.baseline,
        "resolution": question.resolution,
        "limits": None,
    }
    script = """([table, question, quadrature]) => {
      const found = actlabRule.compare(table, question, quadrature);
      const plain = (value) => (value === Infinity ? 1e308 : value === -Infinity ? -1e308 : value);
      const flat = (row) => Object.fromEntries(Object.entries(row).map(([k, v]) => [k, plain(v)]));
      return { candidates: found.candidates.map(flat),
               pairs: found.pairs.map((p) => ({ ...p, difference: flat(p.difference) })) };
    }"""
    found: dict[str, Any] = page.evaluate(script, [table_data(scores), asked, rule_inputs()])
    return found


def same(found: float | None, expected: float | None, what: str) -> None:
    if expected is None or found is None:
        assert found == expected, what
    elif np.isinf(expected):
        assert found == np.copysign(1e308, expected), what
    else:
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9), what


def check_row(found: dict[str, Any], row: Candidate) -> None:
    assert (found["name"], found["group"], found["n"], found["failures"]) == (
        row.name,
        row.group,
        row.n,
        row.failures,
    )
    for key, value in {
        "mean": row.mean,
        "low": row.low,
        "high": row.high,
        "difference": row.difference,
        "pAdjusted": row.p_adjusted,
        "smallestMargin": row.smallest_margin,
        "failureRateLow": row.failure_rate_low,
    }.items():
        same(found[key], value, f"{row.name} {key}")


def check_pairs(found: list[dict[str, Any]], expected: Comparison) -> None:
    assert len(found) == len(expected.pairs)
    for one, pair in zip(found, expected.pairs, strict=True):
        assert (one["first"], one["second"]) == (pair.first, pair.second)
        same(one["pAdjusted"], pair.p_adjusted, "adjusted")
        same(one["difference"]["p"], pair.difference.p_value, "p")
        same(one["difference"]["low"], pair.difference.low, "low")
        same(one["difference"]["high90"], pair.difference.high_90, "high 90")


@pytest.mark.parametrize("tables", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
def test_the_arithmetic_is_that_of_python_on_random_tables(watched: Watched, tables: int) -> None:
    generator = np.random.default_rng(0)
    groups = set()
    for _table in range(tables):
        scores, question = random_case(generator)
        expected = compare(scores, question)
        found = in_browser(watched.page, scores, question)
        assert len(found["candidates"]) == len(expected.candidates)
        for one, row in zip(found["candidates"], expected.candidates, strict=True):
            check_row(one, row)
            groups.add(row.group)
        check_pairs(found["pairs"], expected)
    assert groups == {"best", "tied", "worse", "unclear", "unreliable"}


@pytest.mark.parametrize("baseline", ["c0", None])
def test_twenty_candidates_are_judged_alike(watched: Watched, baseline: str | None) -> None:
    generator = np.random.default_rng(20)
    values = 0.9 + 0.02 * generator.standard_normal((20, 7)) + np.linspace(0, 0.05, 20)[:, None]
    values[3, 2] = np.nan
    ran = np.ones(values.shape, dtype=np.bool_)
    names = tuple(f"c{place}" for place in range(20))
    for paired in (True, False):
        scores, question = Scores(names, values, ran, paired), Question(0.005, baseline=baseline)
        expected = compare(scores, question)
        found = in_browser(watched.page, scores, question)
        for one, row in zip(found["candidates"], expected.candidates, strict=True):
            check_row(one, row)
        check_pairs(found["pairs"], expected)


def test_another_csv_is_judged_with_any_margin_and_baseline(watched: Watched) -> None:
    page = watched.page
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.locator("#candidates .word").all_inner_texts() == ["best", "equivalent"]
    page.evaluate("([text]) => actlabScores.read(text, 'other.csv')", [CSV])
    assert page.locator("[data-source]").inner_text() == "other.csv"
    page.locator("#margin").fill("0.005")
    assert page.locator("#candidates tbody th").all_inner_texts()[0] == "b"
    assert page.locator("#candidates .word").all_inner_texts() == ["best", "worse", "worse"]
    page.locator("#margin").fill("0.05")
    assert page.locator("#candidates .word").all_inner_texts() == [
        "best",
        "equivalent",
        "equivalent",
    ]
    page.locator("#margin").fill("0.005")
    page.locator("#baseline").select_option("a")
    rows = page.locator("#candidates tbody tr").all_inner_texts()
    assert rows[0].split("\t")[0] == "b"
    assert page.locator("#candidates .word").all_inner_texts()[0] == "best"


def test_a_faulty_csv_is_refused_in_words(watched: Watched) -> None:
    page = watched.page
    page.evaluate("actlabScores.read('a,b\\n1', 'bad.csv')")
    assert page.locator("#fault").inner_text() == "This is no table with a line per run."
    page.evaluate("actlabScores.read('method,seed,score\\nx,0,good\\ny,0,1', 'bad.csv')")
    assert "this is none: good" in page.locator("#fault").inner_text()
    page.evaluate("([text]) => actlabScores.read(text, 'other.csv')", [CSV])
    assert page.locator("#fault").is_hidden()


def test_the_page_is_one_file_in_either_language(tmp_path: Path) -> None:
    found = actlab.verdict({"m": list("aabb"), "seed": [0, 1] * 2, "v": [1.0, 1.1, 2.0, 2.1]},
                           candidate="m", score="v")  # fmt: skip
    for language in ("en", "ko"):
        text = found.page(tmp_path / f"{language}.html", language).read_text()
        assert not re.findall(r'(?:src|href)="(?!data:)', text)
        assert "fetch(" not in text
        assert f'<html lang="{language}">' in text
