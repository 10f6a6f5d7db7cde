"""Numbers as text, in the page's language, never better than they are."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from gettext import NullTranslations

from actlab.i18n import process_language, translation

NOT_KNOWN = "–"
"""Shown for a number that does not exist or was not recorded."""

NO_BREAK = "\xa0"
"""The space between a number and its unit on a page, where a line must not end."""


_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What moves a cursor, colours a terminal or turns the direction of writing round."""


def printable(text: str) -> str:
    """Return somebody else's text without what a terminal would obey instead of showing.

    >>> printable("\\x1b[2Jrelu\\tis\\nfine")
    '�[2Jrelu\\tis\\nfine'
    """
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


def significant(value: float, digits: int = 4) -> str:
    """Write a number with so many significant digits and a true minus sign.

    >>> significant(-0.27846), significant(math.inf), significant(1 / 3, 3)
    ('−0.2785', '∞', '0.333')
    """
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.{digits}g}".replace("-", "−")


def decimal(value: float) -> str:
    """Write a number with three decimals, or as many digits as it needs not to read as zero.

    >>> decimal(1.4612), decimal(0.00012), decimal(math.inf)
    ('1.461', '0.00012', 'inf')
    """
    if not math.isfinite(value):
        return str(value)
    return f"{value:.3f}" if abs(value) >= 0.001 or value == 0 else f"{value:.2g}"


def share(part: float, whole: float) -> str:
    """Write a share in whole percent, in the language of the process.

    >>> share(1, 3), share(1, 1000), share(999, 1000), share(0, 5)
    ('33 %', '< 1 %', '> 99 %', '0 %')
    """
    return process_formatter().share(part / whole)


def process_formatter() -> "Formatter":
    """Return the formatter of the language of the process."""
    return Formatter(translation(process_language()))


@dataclass(frozen=True)
class Formatter:
    """Write numbers and lists for one language.

    `space` stands between a number and its unit: `NO_BREAK` on pages.

    >>> form = Formatter(NullTranslations())
    >>> form.percent(0.9794), form.percent(0.99996), form.percent(0.00001), form.percent(1.0)
    ('97.94 %', '99.99 %', '0.01 %', '100.00 %')
    >>> form.duration(3125.0), form.rate(0.001987984615656252), form.count(121994)
    ('52 min 5 s', '0.001988', '121,994')
    """

    translations: NullTranslations
    space: str = " "

    def percent(self, fraction: float | None) -> str:
        """Write a fraction in percent with two decimals.

        Only 1 is shown as 100.00 and only 0 as 0.00: rounding makes no perfect result.
        """
        if fraction is None:
            return NOT_KNOWN
        _ = self.translations.gettext
        return self._spaced(_("{number} %").format(number=self.percent_number(fraction)))

    def percent_number(self, fraction: float | None) -> str:
        """Write a fraction in percent, as `percent`, without the sign.

        The lower end of an interval can be negative.
        """
        if fraction is None:
            return NOT_KNOWN
        shown = 100.0 * fraction
        if 0.0 < fraction < 1.0:
            shown = min(max(shown, 0.01), 99.99)
        return f"{shown:.2f}".replace("-", "−")

    def points(self, difference: float) -> str:
        """Write the size of a difference of two accuracies in percentage points, with the unit.

        A difference that is not zero is never shown as 0.00.
        """
        _ = self.translations.gettext
        return self._spaced(_("{number} points").format(number=self.difference(abs(difference))))

    def difference(self, difference: float) -> str:
        """Write a difference of two accuracies in percentage points: no unit, no plus sign.

        >>> form = Formatter(NullTranslations())
        >>> form.difference(0.0052), form.difference(-0.0031), form.difference(0.00004)
        ('0.52', '−0.31', '0.01')
        """
        size = abs(100.0 * difference)
        shown = f"{max(size, 0.01) if size > 0 else 0.0:.2f}"
        return f"−{shown}" if difference < 0 else shown

    def points_number(self, difference: float | None) -> str:
        """Write a difference of two accuracies in percentage points with its sign, no unit.

        >>> Formatter(NullTranslations()).points_number(0.00314)
        '+0.31'
        """
        if difference is None:
            return NOT_KNOWN
        return ("+" if difference > 0 else "") + self.difference(difference)

    def margin(self, margin: float) -> str:
        """Write a margin in percentage points as it was given, without the unit.

        >>> Formatter(NullTranslations()).margin(0.005)
        '0.5'
        """
        return f"{100 * margin:.6g}"

    def probability(self, p: float | None) -> str:
        """Write a p-value; one that is tiny is shown as a bound, never as zero."""
        if p is None:
            return NOT_KNOWN
        return "< 0.001" if p < 0.001 else f"{p:.3f}"

    def p_value(self, p: float) -> str:
        """Write a p-value with its letter.

        >>> Formatter(NullTranslations()).p_value(0.00004)
        'p < 0.001'
        """
        return f"p {self.probability(p)}" if p < 0.001 else f"p = {self.probability(p)}"

    def share(self, fraction: float | None) -> str:
        """Write a probability or a share in whole percent; only 0 and 1 are shown as such.

        >>> form = Formatter(NullTranslations())
        >>> form.share(0.512), form.share(0.999), form.share(1.0), form.share(0.001)
        ('51 %', '> 99 %', '100 %', '< 1 %')
        """
        if fraction is None:
            return NOT_KNOWN
        _ = self.translations.gettext
        number = f"{100.0 * fraction:.0f}"
        if number == "100" and fraction < 1.0:
            number = f">{self.space}99"
        elif number == "0" and fraction > 0.0:
            number = f"<{self.space}1"
        return self._spaced(_("{number} %").format(number=number))

    def names(self, names: Sequence[str]) -> str:
        """Write a list of names.

        >>> Formatter(NullTranslations()).names(["relu", "tanh", "silu"])
        'relu, tanh and silu'
        """
        if len(names) < 2:
            return "".join(names)
        _ = self.translations.gettext
        return _("{first} and {last}").format(first=", ".join(names[:-1]), last=names[-1])

    def _spaced(self, text: str) -> str:
        return text.replace(" ", self.space)

    def correlation(self, value: float | None) -> str:
        """Write a correlation with two decimals and its sign."""
        if value is None:
            return NOT_KNOWN
        return f"{value:+.2f}".replace("-", "−")

    def rate(self, learning_rate: float) -> str:
        """Write a learning rate with four significant digits."""
        return f"{learning_rate:.4g}"

    def loss(self, loss: float | None) -> str:
        """Write a loss with four decimals, or as many digits as it needs not to read as zero.

        >>> form = Formatter(NullTranslations())
        >>> form.loss(1.46119), form.loss(0.0000231), form.loss(math.inf)
        ('1.4612', '2.3e−05', '∞')
        """
        if loss is None:
            return NOT_KNOWN
        if not math.isfinite(loss) or 0 < abs(loss) < 0.0001:
            return significant(loss, 2)
        return f"{loss:.4f}".replace("-", "−")

    def ratio(self, ratio: float) -> str:
        """Write how many times one is the other, with three significant digits.

        >>> Formatter(NullTranslations()).ratio(1.0351)
        '1.04 ×'
        """
        return self._spaced(f"{significant(ratio, 3)} ×")

    def count(self, number: int) -> str:
        """Write a whole number with separators between thousands."""
        return f"{number:,}"

    def shape(self, sizes: tuple[int, ...]) -> str:
        """Write the shape of a tensor."""
        return " × ".join(str(size) for size in sizes)

    def moment(self, time: datetime | str) -> str:
        """Write a time to the minute, with its zone; a text that is no ISO time stays as it is."""
        if isinstance(time, str):
            try:
                time = datetime.fromisoformat(time)
            except ValueError:
                return str(time)
        zone = time.strftime("%Z")
        return time.strftime("%Y-%m-%d %H:%M") + (f" {zone}" if zone else "")

    def duration(self, seconds: float) -> str:
        """Write a time in its two largest units."""
        _ = self.translations.gettext
        if not math.isfinite(seconds):
            return NOT_KNOWN
        if seconds < 9.95:
            return _("{seconds} s").format(seconds=f"{seconds:.1f}")
        whole = round(seconds)
        if whole < 60:
            return _("{seconds} s").format(seconds=whole)
        minutes, rest = divmod(whole, 60)
        if minutes < 60:
            return _("{minutes} min {seconds} s").format(minutes=minutes, seconds=rest)
        hours, minutes = divmod(minutes, 60)
        return _("{hours} h {minutes} min").format(hours=hours, minutes=minutes)
