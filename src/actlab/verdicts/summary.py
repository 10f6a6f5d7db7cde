"""The answer for one slot in plain words."""

from collections.abc import Sequence

from actlab.records import Candidate, Group
from actlab.text import Formatter
from actlab.verdicts import sentences


def summary(candidates: Sequence[Candidate], n: int, margin: float, words: Formatter) -> str:
    """Return who is best or tied, the cheapest of those, who is unclear or worse, and what next."""
    best = next((c for c in candidates if c.group == "best"), None)
    if best is None:
        return _nothing(candidates, words)
    groups = {group: _names(candidates, group) for group in ("tied", "unclear", "worse")}
    lines = [_lead(best, candidates, groups["tied"], n, margin, words)]
    if groups["unclear"]:
        lines.append(_unclear(best.activation, groups["unclear"], n, words))
    if groups["worse"]:
        lines.append(_worse(best.activation, groups["worse"], words))
    lines += _next_step(best.activation, candidates, words)
    return " ".join(lines)


def _names(candidates: Sequence[Candidate], group: Group | str) -> list[str]:
    return [c.activation for c in candidates if c.group == group and c.n > 0]


def _lead(
    best: Candidate,
    candidates: Sequence[Candidate],
    tied: list[str],
    n: int,
    margin: float,
    words: Formatter,
) -> str:
    _ = words.translations.gettext
    if not tied:
        return _("{name} has the largest mean, {mean} with {n} seeds.").format(
            name=best.activation, mean=words.percent(best.mean or 0.0), n=n
        )
    together = [c for c in candidates if c.group in ("best", "tied")]
    told = _(
        "These {count} cannot be told apart at {margin} points with {n} seeds: {names}{cheapest}."
    )
    return told.format(
        count=len(together),
        margin=words.margin(margin),
        n=n,
        names=words.names([c.activation for c in together]),
        cheapest=_cheapest(together, words),
    )


def _cheapest(together: Sequence[Candidate], words: Formatter) -> str:
    _ = words.translations.gettext
    priced = [(c.cost, c.activation) for c in together if c.cost is not None]
    if not priced:
        return ""
    cost, name = min(priced)
    return _("; the cheapest is {name} (cost {cost})").format(name=name, cost=f"{cost:.1f}")


def _unclear(best: str, names: list[str], n: int, words: Formatter) -> str:
    ngettext = words.translations.ngettext
    return ngettext(
        "{names} is unclear: {n} seeds neither separate it from {best} nor show a tie.",
        "{names} are unclear: {n} seeds neither separate them from {best} nor show a tie.",
        len(names),
    ).format(names=words.names(names), n=n, best=best)


def _worse(best: str, names: list[str], words: Formatter) -> str:
    ngettext = words.translations.ngettext
    return ngettext(
        "{names} is worse than {best}.",
        "{names} are worse than {best}.",
        len(names),
    ).format(names=words.names(names), best=best)


def _next_step(best: str, candidates: Sequence[Candidate], words: Formatter) -> list[str]:
    """Name the open comparison that the fewest more seeds would decide."""
    open_ones = [(c.more_seeds, c.activation) for c in candidates if c.more_seeds]
    if not open_ones:
        return []
    seeds, name = min(open_ones)
    return [sentences.more_seeds(name, best, seeds, words)]


def _nothing(candidates: Sequence[Candidate], words: Formatter) -> str:
    _ = words.translations.gettext
    trained = [c for c in candidates if c.n > 0]
    if not trained and any(c.diverged for c in candidates):
        return _(
            "Nothing can be said: every replicate of every candidate failed. "
            "The reasons are in the table of all trials."
        )
    if not trained:
        return _("Nothing can be said: no candidate has a finished replicate.")
    if len(trained) == 1:
        return _(
            "Nothing can be said: {name} is the only candidate with replicates, and there is "
            "nothing to compare it with."
        ).format(name=trained[0].activation)
    return _(
        "Nothing can be said: the candidates share fewer than two seeds, and one run each cannot "
        "tell them apart. Train more with: actlab study confirm DIR --seeds 10"
    )
