"""Korean as it is read: particles by sound, the terms of the glossary, one register."""

import re
import tomllib
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

import actlab
from actlab.i18n import KoreanText, last_sound, translation, with_particles

LOCALE = Path(actlab.__file__).parent / "locale"
GLOSSARY = tomllib.loads((LOCALE / "glossary.toml").read_text(encoding="utf-8"))["term"]
HEDGE = r"은\(는\)|이\(가\)|을\(를\)|[와과]\([와과]\)|\(으\)로"

VOWEL = " ".join(
    (
        "relu leaky_relu prelu elu selu celu gelu silu mish swish hardswish tanh hardtanh",
        "sigmoid logsigmoid softmax softplus identity linear snake heaviside threshold erf",
        "bipolar relu2 crelu conv test kaiming_he %",
    )
).split()
CONSONANT = " ".join(
    (
        "softsign sine gaussian sin tanhexp_train step clip maxout dropout logit rational",
        "relu6 leaky_relu_0.1 leaky_relu_0.01 bf16 모델이름",
    )
).split()


def texts() -> list[str]:
    with (LOCALE / "ko" / "LC_MESSAGES" / "actlab.po").open("rb") as stream:
        catalogue = read_po(stream, locale="ko")
    found = [m.string for m in catalogue if m.id]
    return [part for text in found for part in ([text] if isinstance(text, str) else text)]


@pytest.mark.parametrize("word", VOWEL)
def test_a_word_that_ends_in_a_vowel(word: str) -> None:
    assert (
        with_particles(f"{word}은(는) {word}와(과) {word}(으)로") == f"{word}는 {word}와 {word}로"
    )


@pytest.mark.parametrize("word", CONSONANT)
def test_a_word_that_ends_in_a_consonant(word: str) -> None:
    assert with_particles(f"{word}은(는) {word}을(를)") == f"{word}은 {word}을"
    assert last_sound(word)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("trial 8(으)로", "trial 8로"),
        ("trial 3(으)로", "trial 3으로"),
        ("모델(으)로", "모델로"),
        ("'relu'을(를)", "'relu'를"),
        ("relu (conv)이(가)", "relu (conv)가"),
        ("97.98 %이(가)", "97.98 %가"),
        ("MSE와(과) URL(으)로", "MSE와 URL로"),
        ("은(는)", "는"),
    ],
)
def test_particles_follow_numbers_quotes_parentheses_and_abbreviations(
    text: str, read: str
) -> None:
    assert with_particles(text) == read


def test_every_message_chooses_when_it_is_filled_in() -> None:
    message = translation("ko").gettext("{names} is equivalent to {best}.")
    assert isinstance(message, KoreanText)
    filled = message.format(names="relu", best="leaky_relu_0.1")
    assert not re.search(HEDGE, filled)
    assert filled.startswith("relu는 leaky_relu_0.1과")


def test_a_hedge_stands_after_a_value_only() -> None:
    assert [text for text in texts() if re.search(rf"[^}}\)'\"`%\]](?:{HEDGE})", text)] == []


@pytest.mark.parametrize("term", GLOSSARY, ids=lambda term: str(term["english"]))
def test_the_catalogue_keeps_to_the_glossary(term: dict[str, list[str]]) -> None:
    used = [text for text in texts() if any(form in text for form in term["avoid"])]
    assert used == []
