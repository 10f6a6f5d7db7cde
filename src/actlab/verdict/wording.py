"""Numbers and lists inside the sentences of a verdict, in one language."""

from collections.abc import Sequence
from gettext import NullTranslations


class Wording:
    """Write numbers for one language.

    >>> words = Wording(NullTranslations())
    >>> words.points(0.0052), words.percent(0.9794), words.p_value(0.00004)
    ('0.52', '97.94 %', 'p < 0.001')
    >>> words.names(["relu", "tanh", "silu"])
    'relu, tanh and silu'
    """

    def __init__(self, translations: NullTranslations) -> None:
        self.translations = translations

    def percent(self, fraction: float) -> str:
        """Write an accuracy in percent."""
        _ = self.translations.gettext
        return _("{number} %").format(number=f"{100 * fraction:.2f}")

    def points(self, difference: float) -> str:
        """Write a difference of accuracies in percentage points, without the word."""
        return f"{100 * difference:.2f}".replace("-", "−")

    def margin(self, margin: float) -> str:
        """Write a margin in percentage points as it was given, without the word.

        >>> Wording(NullTranslations()).margin(0.005)
        '0.5'
        """
        return f"{100 * margin:.6g}"

    def p_value(self, p: float) -> str:
        """Write a p-value; a tiny one as a bound, never as zero."""
        return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"

    def names(self, names: Sequence[str]) -> str:
        """Write a list of names."""
        if len(names) < 2:
            return "".join(names)
        _ = self.translations.gettext
        return _("{first} and {last}").format(first=", ".join(names[:-1]), last=names[-1])
