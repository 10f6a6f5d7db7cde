"""Pictures of functions: three kinds of file, with what is marked named in them."""

import json
import math
from gettext import NullTranslations
from pathlib import Path

import numpy as np
import pytest

from actlab.activations.drawing import DrawnFunction, Line, kink_text, vertical_limits
from actlab.activations.drawing.as_html import figure
from actlab.activations.drawing.as_image import hangul_font, static
from actlab.activations.drawing.picture import write_plot
from actlab.activations.facts.kinks import Break
from actlab.errors import ActlabError


class Korean(NullTranslations):
    """Stands for the Korean messages: every word in Hangul."""

    def gettext(self, message: str) -> str:
        return "최솟값 {x} {y}" if message.startswith("minimum") else message


@pytest.fixture
def silu_and_relu() -> list[DrawnFunction]:
    x = np.linspace(-5, 5, 101)
    gate = 1 / (1 + np.exp(-x))
    silu = Line(x.tolist(), (x * gate).tolist(), (gate * (1 + x * (1 - gate))).tolist())
    relu = Line([-5.0, 0.0, 0.0, 5.0], [0.0, 0.0, 0.0, 5.0], [0.0, math.nan, 1.0, 1.0])
    return [
        DrawnFunction(
            "silu",
            (silu,),
            minimum=(-1.278, -0.278),
            range_low=-0.2784645,
            range_high=math.inf,
            low_attained=True,
        ),
        DrawnFunction(
            "relu",
            (relu,),
            kinks=(Break(0.0, (0.0, 0.0), (0.0, 1.0), 0.0),),
            range_low=0.0,
            range_high=math.inf,
            low_attained=True,
        ),
    ]


@pytest.mark.parametrize(
    ("suffix", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".html", b"<!doctype html>")]
)
def test_each_kind_of_file_is_written_whole(
    suffix: str, start: bytes, silu_and_relu: list[DrawnFunction], tmp_path: Path
) -> None:
    path = write_plot(tmp_path / f"plot{suffix}", silu_and_relu, NullTranslations())
    assert path.read_bytes().startswith(start)
    assert [file.name for file in tmp_path.iterdir()] == [f"plot{suffix}"]


def test_the_html_page_asks_for_nothing(silu_and_relu: list[DrawnFunction], tmp_path: Path) -> None:
    path = write_plot(tmp_path / "plot.html", silu_and_relu, NullTranslations())
    page = path.read_text()
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
    assert "default-src 'none'" in page


def test_kink_minimum_and_range_are_marked_in_both_panels(
    silu_and_relu: list[DrawnFunction],
) -> None:
    drawn = figure(silu_and_relu, NullTranslations())
    names = [trace["name"] for trace in drawn["data"] if trace.get("showlegend", True)]
    assert "silu: minimum (−1.278, −0.278)" in names
    assert "silu: range [−0.2785, ∞)" in names
    assert "relu: kink at x = 0" in names
    kinks = [trace for trace in drawn["data"] if "kink" in trace["name"]]
    assert [trace["y"] for trace in kinks] == [[0.0, 0.0], [0.0, 1.0]]
    assert json.dumps(drawn["layout"])


def test_a_picture_is_the_same_each_time(silu_and_relu: list[DrawnFunction]) -> None:
    first, second = (static(silu_and_relu, NullTranslations(), "svg") for _round in range(2))
    assert first == second


@pytest.mark.parametrize("font", [True, False])
def test_korean_words_are_drawn_only_with_a_font_that_has_them(
    font: bool, silu_and_relu: list[DrawnFunction], monkeypatch: pytest.MonkeyPatch
) -> None:
    if font and hangul_font() is None:
        pytest.skip("no font with Korean letters on this machine")
    if not font:
        monkeypatch.setattr("actlab.activations.drawing.as_image.hangul_font", lambda: None)
    # A glyph that no font has is a warning of matplotlib's, and warnings are errors here.
    assert static(silu_and_relu, Korean(), "png")


def test_another_suffix_is_refused_with_the_nearest(
    silu_and_relu: list[DrawnFunction], tmp_path: Path
) -> None:
    with pytest.raises(ActlabError, match=r'not in ".pgn". Did you mean ".png"'):
        write_plot(tmp_path / "plot.pgn", silu_and_relu, NullTranslations())
    with pytest.raises(ActlabError, match="cannot be written"):
        write_plot(tmp_path / "missing" / "plot.svg", silu_and_relu, NullTranslations())


def test_a_jump_is_named_a_jump() -> None:
    drawn = DrawnFunction("step", (), kinks=(Break(0.0, (0.0, 0.0), (1.0, 0.0), 0.0),))
    assert kink_text(drawn, NullTranslations()) == "jump at x = 0"


def test_steep_functions_do_not_flatten_the_others() -> None:
    steep = DrawnFunction("exp", (Line([0.0, 9.0], [1.0, 8103.0], [1.0, 8103.0]),))
    assert vertical_limits([steep], slope=False)[1] < 10
