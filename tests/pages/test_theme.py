import itertools
import re

import numpy as np
import pytest
from numpy.typing import NDArray

from actlab.pages.theme import DARK, LIGHT, SERIES, colour_names, marks, style_variables

# What people without one kind of cone see, as matrices on linear RGB, of severity 1.0: Machado,
# Oliveira and Fernandes, "A physiologically-based model for simulation of color vision deficiency",
# IEEE TVCG 15 (2009).
SIGHTS = {
    "full": np.eye(3),
    "protan": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deutan": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritan": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])


def linear(colour: str) -> NDArray[np.float64]:
    values = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast(first: str, second: str) -> float:
    """The contrast ratio of WCAG 2.2."""
    light, dark = sorted(
        (float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (first, second)), reverse=True
    )
    return (light + 0.05) / (dark + 0.05)


def perceived(colour: str, sight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Oklab coordinates (B. Ottosson, 2020) of a colour as a sight has it."""
    cones = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    lab = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    seen = np.clip(sight @ linear(colour), 0, 1)
    return np.asarray(lab @ np.cbrt(cones @ seen), dtype=np.float64)


def test_a_light_colour_has_one_name_so_that_it_has_one_dark_colour() -> None:
    assert LIGHT.keys() == DARK.keys()
    assert len(set(LIGHT.values())) == len(LIGHT)
    assert colour_names()[LIGHT["ink"]] == "ink"


@THEMES
def test_text_and_marks_stand_out(theme: dict[str, str]) -> None:
    for role in ("ink", "muted", "accent", "good", "caution", "trouble"):
        assert contrast(theme[role], theme["surface"]) >= 4.5, role
    for role in ("ink", "muted", "accent"):
        assert contrast(theme[role], theme["page"]) >= 4.5, role
    for role in SERIES:
        assert contrast(theme[role], theme["surface"]) >= 3.0, role
    for step in range(5):
        assert contrast(theme["ink"], theme[f"heat{step}"]) >= 4.5, step


@THEMES
@pytest.mark.parametrize("sight", SIGHTS)
def test_series_colours_stay_apart_under_colour_blindness(
    theme: dict[str, str], sight: str
) -> None:
    seen = {role: perceived(theme[role], SIGHTS[sight]) for role in SERIES}
    closest = min(
        float(np.linalg.norm(seen[one] - seen[two])) for one, two in itertools.combinations(seen, 2)
    )
    # About 0.02 is the smallest step that people notice in Oklab; a mark is small, so four of them.
    assert closest >= 0.08


def test_seventy_two_activations_have_different_marks() -> None:
    found = marks(f"name{index}" for index in range(72))
    assert len(set(found.values())) == 72


def test_a_name_keeps_its_mark_whatever_comes_after_it() -> None:
    assert marks(["a", "b"])["b"] == marks(["a", "b", "a", "c"])["b"]


def test_both_themes_are_in_the_style_sheet() -> None:
    text = style_variables()
    for theme in (LIGHT, DARK):
        for role, colour in theme.items():
            assert re.search(rf"--{role}: {colour};", text)
