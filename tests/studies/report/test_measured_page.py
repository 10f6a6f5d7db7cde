"""The page of a study by another metric than accuracy: as much as the usual one, in its unit."""

import re
from dataclasses import replace

import pytest

from actlab.i18n import translation
from actlab.studies.report import render
from actlab.studies.report.first_screen import first_screen
from actlab.text import Formatter

from .studies import measured_study
from .test_page import page_data, text_of


@pytest.fixture(scope="module", params=["mae", "auc"])
def metric(request: pytest.FixtureRequest) -> str:
    """An error, and a score of which more is better."""
    return str(request.param)


def test_no_number_is_a_percentage_and_no_word_speaks_of_accuracy(metric: str) -> None:
    for data in (measured_study(metric), replace(measured_study(metric), verdict=None)):
        text = text_of(render(data)).lower()
        assert "accurac" not in text
        markup = re.sub(r"<(script|style).*?</\1>", "", render(data), flags=re.DOTALL)
        assert "accuracy" not in markup.lower()
        assert "points" not in text
        shares = set(re.findall(r"[\d.]+ ?\\?%", text)) - {"95 %", "90 %", "5 %", r"95 \%", r"5 \%"}
        if metric == "mae":  # the other has classes, with their shares
            assert shares == set()
        assert metric in text


def test_tabs_pictures_and_curves_are_there_as_on_any_page(metric: str) -> None:
    data = measured_study(metric)
    page = render(data)
    found = page_data(page)
    shown = set(found["figures"])
    assert {"history", "scatter-learning_rate-conv", "scatter-learning_rate-fc", "pairs"} <= shown
    assert {"intervals-conv", "differences-conv"} <= shown
    for tab in ("answer", "evidence", "search", "trials", "methods", "reproduce"):
        assert f'id="tab-{tab}"' in page
    assert 'id="plot-parallel"' in page
    assert 'id="trial-curves"' in page
    score = found["parallel"]["axes"][-1]
    assert (score["title"], score["kind"]) == (metric, "number")
    assert score["worst"] == ("high" if metric == "mae" else "low")


def test_the_best_is_the_one_that_the_metric_says(metric: str) -> None:
    data = replace(measured_study(metric), verdict=None)
    screen = first_screen(data, None, Formatter(translation("en")))
    assert screen.headline.startswith("Not decided yet: by one run, conv mish · FC hardswish has")
    (conv, fc) = screen.panels
    assert [row.name for row in conv.rows] == ["mish", "snake", "gelu"]
    assert conv.rows[-1].value == "no result"
    assert conv.unit == fc.unit == metric
    assert conv.rows[0].value == ("1.002" if metric == "mae" else "0.9666")


def test_the_margin_lies_on_the_worse_side_of_the_best(metric: str) -> None:
    data = measured_study(metric)
    screen = first_screen(data, None, Formatter(translation("en")))
    (conv,) = screen.panels
    margin = "0.05" if metric == "mae" else "0.005"
    assert conv.headline == f"mish, snake: equivalent within {margin}. worse: 1"
    figure = page_data(render(data))["figures"]["differences-conv"]
    assert figure["layout"]["shapes"][0]["x0"] == -float(margin)
    dots = figure["data"][0]["x"]
    assert all(value < 0 for value in dots), "below 0 is worse, whatever the direction"
    band = str(conv.rows[0].lane)
    mark = float(band.split('<circle cx="')[1].split("%")[0])
    left = float(band.split('class="band"')[1].split('x="')[1].split("%")[0])
    assert (left == pytest.approx(mark, abs=0.1)) == (metric == "mae")
