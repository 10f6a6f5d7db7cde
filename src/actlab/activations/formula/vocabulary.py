"""The words of the formula language: its functions, their other spellings, its constants."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Word:
    """A function of the language: the least and the greatest number of arguments it takes."""

    name: str
    least: int = 1
    greatest: int = 1


WORDS: dict[str, Word] = {
    word.name: word
    for word in (
        Word("abs"),
        Word("sign"),
        Word("sqrt"),
        Word("exp"),
        Word("expm1"),
        Word("log"),
        Word("log1p"),
        Word("erf"),
        Word("sin"),
        Word("cos"),
        Word("tan"),
        Word("atan"),
        Word("sinh"),
        Word("cosh"),
        Word("tanh"),
        Word("asinh"),
        Word("sigmoid"),
        Word("softplus"),
        Word("relu"),
        Word("clip", 3, 3),
        Word("max", 2, 8),
        Word("min", 2, 8),
        Word("where", 3, 3),
    )
}

SPELLINGS: dict[str, str] = {
    "absolute": "abs",
    "arctan": "atan",
    "arcsinh": "asinh",
    "clamp": "clip",
    "expit": "sigmoid",
    "ln": "log",
    "logistic": "sigmoid",
    "maximum": "max",
    "minimum": "min",
}
"""Other names of the same functions, as NumPy, SciPy, torch or a paper spells them."""

CONSTANTS: dict[str, Literal["pi", "e"]] = {"pi": "pi", "e": "e"}

INPUT = "x"
