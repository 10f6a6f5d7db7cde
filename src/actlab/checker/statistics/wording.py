"""Numbers as findings print them."""


def percent(part: int, whole: int) -> str:
    """Return a share in whole percent; 0 % and 100 % are printed only where they are exact.

    >>> percent(1, 1000), percent(999, 1000), percent(1, 3), percent(0, 5)
    ('<1 %', '>99 %', '33 %', '0 %')
    """
    share = 100.0 * part / whole
    if part > 0 and share < 1.0:
        return "<1 %"
    if part < whole and share > 99.0:
        return ">99 %"
    return f"{share:.0f} %"
