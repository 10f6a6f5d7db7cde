"""Messages in English and Korean, through gettext.

`_` translates into the language of the process; a page that is asked for in a language of its own
takes `translation(language).gettext`. A text that is defined once and shown later (a rule's
message) is marked with `N_` where it is defined and translated where it is shown.
"""

import gettext as _gettext
import os
import re
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "ko")

_LOCALE_FOLDER = Path(__file__).parent / "locale"


def process_language() -> str:
    """Return the language of this process: `$ACTLAB_LANG`, else the locale's, else English.

    >>> process_language() in LANGUAGES
    True
    """
    for variable in ("ACTLAB_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(variable, "")
        if value:
            return "ko" if value.lower().startswith("ko") else "en"
    return "en"


@cache
def translation(language: str) -> _gettext.NullTranslations:
    """Return the messages of `language`; English ones are the source texts themselves."""
    kind = _Korean if language == "ko" else None
    return _gettext.translation(
        "actlab", _LOCALE_FOLDER, languages=[language], class_=kind, fallback=True
    )


class KoreanText(str):
    """A Korean message: where it is filled in, particles take the form that the word before asks.

    >>> KoreanText("{name}은(는) {other}와(과) 동등").format(name="relu", other="tanh")
    'relu는 tanh와 동등'
    """

    __slots__ = ()

    def format(self, *values: object, **named: object) -> str:
        """Fill in the message, then choose its particles."""
        return with_particles(super().format(*values, **named))


class _Korean(_gettext.GNUTranslations):
    """The Korean messages, each of which chooses its particles when it is filled in."""

    def gettext(self, message: str) -> str:
        return KoreanText(super().gettext(message))

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return KoreanText(super().ngettext(msgid1, msgid2, n))


_PARTICLES = {
    "은(는)": ("은", "는"),
    "이(가)": ("이", "가"),
    "을(를)": ("을", "를"),
    "와(과)": ("과", "와"),
    "과(와)": ("과", "와"),
    "(으)로": ("으로", "로"),
    "(이)": ("이", ""),
}
"""Each particle as it is written in a message: its form after a consonant, and after a vowel."""

_HEDGE = re.compile("|".join(re.escape(hedge) for hedge in _PARTICLES))
_ASIDE = re.compile(r"(?:\s*\([^()]*\)|[\s'\"`”’»\]])+$")
_ENDS_IN_CONSONANT = re.compile(
    r"(?:[mn]|l|ng|[aiou]ne|ine|[aou]le|ile|[aio]me|out|(?<![aeiou])[aeiou](?:p|t|k|ck))$"
)
_SPELT_CONSONANTS = "lmnr"
"""Letters whose own name ends in a consonant, as in an abbreviation that is spelt out."""
_DIGITS_WITH_CONSONANT = "013678"


def with_particles(text: str) -> str:
    """Replace particles such as 은(는) by the one that the sound before them asks for.

    >>> with_particles("sigmoid을(를) 2(으)로, softsign이(가) 7(으)로, 값은(는) 97.8 %와(과)")
    'sigmoid를 2로, softsign이 7로, 값은 97.8 %와'
    """

    def chosen(found: re.Match[str]) -> str:
        after_consonant, after_vowel = _PARTICLES[found.group()]
        sound = last_sound(text[: found.start()])
        if found.group() == "(으)로" and sound == "ㄹ":
            return after_vowel
        return after_consonant if sound else after_vowel

    return _HEDGE.sub(chosen, text)


def last_sound(text: str) -> str:
    """Return how a text ends when it is read in Korean: "" for a vowel, "ㄹ", or "C" for others.

    A word in parentheses at the end is passed over, as in speech. Latin words are read by their
    spelling, abbreviations in capitals letter by letter.

    >>> [last_sound(word) for word in ("모델", "함수", "silu", "prelu (conv)", "softsign", "BCE")]
    ['ㄹ', '', '', '', 'C', '']
    """
    word = _ASIDE.sub("", text) or text
    last = word[-1:]
    if "가" <= last <= "힣":
        final = (ord(last) - ord("가")) % 28
        return "" if final == 0 else "ㄹ" if final == 8 else "C"
    if last.isdigit():
        if last not in _DIGITS_WITH_CONSONANT:
            return ""
        return "ㄹ" if last in "178" else "C"
    tail = re.search(r"[A-Za-z]+$", word)
    if tail is None:
        return ""
    latin = tail.group()
    if latin.isupper():
        if latin[-1].lower() not in _SPELT_CONSONANTS:
            return ""
        return "ㄹ" if latin[-1] in "LR" else "C"
    if not _ENDS_IN_CONSONANT.search(latin.lower()):
        return ""
    return "ㄹ" if latin.lower().endswith(("l", "le")) else "C"


def _(message: str) -> str:
    """Translate `message` into the language of this process."""
    return translation(process_language()).gettext(message)


def ngettext(singular: str, plural: str, count: int) -> str:
    """Translate into the language of this process, in the form that `count` asks for."""
    return translation(process_language()).ngettext(singular, plural, count)


def N_(message: str) -> str:  # noqa: N802  gettext's own name for this marker
    """Mark `message` for extraction and return it unchanged."""
    return message
