"""Numbers as text, in the page's language, never better than they are."""

import math
from dataclasses import dataclass
from datetime import datetime
from gettext import NullTranslations

NOT_KNOWN = "–"
"""Shown for a number that does not exist or was not recorded."""


@dataclass(frozen=True)
class Formatter:
    """Write numbers for one language.

    >>> form = Formatter(NullTranslations())
    >>> form.percent(0.9794), form.percent(0.99996), form.percent(0.00001), form.percent(1.0)
    ('97.94\\xa0%', '99.99\\xa0%', '0.01\\xa0%', '100.00\\xa0%')
    >>> form.duration(3125.0), form.rate(0.001987984615656252), form.count(121994)
    ('52 min 5 s', '0.001988', '121,994')
    """

    translations: NullTranslations

    def percent(self, fraction: float | None) -> str:
        """Write a fraction in percent with two decimals.

        Only 1 is shown as 100.00 and only 0 as 0.00: rounding makes no perfect result.
        """
        if fraction is None:
            return NOT_KNOWN
        _ = self.translations.gettext
        return _("{number} %").format(number=self.percent_number(fraction)).replace(" ", "\xa0")

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
        """Write the size of a difference of two accuracies in percentage points.

        A difference that is not zero is never shown as 0.00.
        """
        _ = self.translations.gettext
        size = abs(100.0 * difference)
        shown = f"{max(size, 0.01) if size > 0 else 0.0:.2f}"
        return _("{number} points").format(number=shown).replace(" ", "\xa0")

    def points_number(self, difference: float | None) -> str:
        """Write a difference of two accuracies in percentage points with its sign, no unit.

        >>> Formatter(NullTranslations()).points_number(-0.00314)
        '−0.31'
        """
        if difference is None:
            return NOT_KNOWN
        shown = f"{abs(100.0 * difference):.2f}"
        if difference and shown == "0.00":
            shown = "0.01"
        return ("−" if difference < 0 else "+" if difference > 0 else "") + shown

    def probability(self, p: float | None) -> str:
        """Write a p-value; one that is tiny is shown as a bound, never as zero."""
        if p is None:
            return NOT_KNOWN
        return "< 0.001" if p < 0.001 else f"{p:.3f}"

    def share(self, fraction: float | None) -> str:
        """Write a probability or a share in whole percent; only 0 and 1 are shown as such.

        >>> form = Formatter(NullTranslations())
        >>> form.share(0.512), form.share(0.999), form.share(1.0), form.share(0.001)
        ('51\xa0%', '> 99\xa0%', '100\xa0%', '< 1\xa0%')
        """
        if fraction is None:
            return NOT_KNOWN
        _ = self.translations.gettext
        number = f"{100.0 * fraction:.0f}"
        if number == "100" and fraction < 1.0:
            number = "> 99"
        elif number == "0" and fraction > 0.0:
            number = "< 1"
        return _("{number} %").format(number=number).replace(" %", "\xa0%")

    def correlation(self, value: float | None) -> str:
        """Write a correlation with two decimals and its sign."""
        if value is None:
            return NOT_KNOWN
        return f"{value:+.2f}".replace("-", "−")

    def rate(self, learning_rate: float) -> str:
        """Write a learning rate with four significant digits."""
        return f"{learning_rate:.4g}"

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
