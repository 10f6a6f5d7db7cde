"""One sentence per candidate, with the numbers that its group rests on."""

from actlab.text import Formatter
from actlab.verdicts.replication import Scores
from actlab.verdicts.rule import Gap


def of_best(name: str, mean: float, n: int, words: Formatter) -> str:
    """Say who has the largest mean."""
    ngettext = words.translations.ngettext
    return ngettext(
        "{name} has the largest mean: {mean} over {n} seed.",
        "{name} has the largest mean: {mean} over {n} seeds.",
        n,
    ).format(name=name, mean=words.percent(mean), n=n)


def of_worse(name: str, best: str, found: Gap, words: Formatter) -> str:
    """Say that the difference is real, and how large."""
    _ = words.translations.gettext
    return _(
        "{name} is worse than {best} by {difference} points "
        "(95 % interval {low} to {high}; {p} after Holm)."
    ).format(
        name=name,
        best=best,
        difference=words.difference(found.difference),
        low=words.difference(found.low),
        high=words.difference(found.high),
        p=words.p_value(found.p_adjusted),
    )


def of_tied(name: str, best: str, found: Gap, margin: float, words: Formatter) -> str:
    """Say how little the candidate can be behind, and from which margin on that is a tie."""
    _ = words.translations.gettext
    return _(
        "{name} is tied with {best}: {difference} points behind, at most {smallest}; "
        "a tie at every margin above that, so at {margin} points."
    ).format(
        name=name,
        best=best,
        difference=words.difference(found.difference),
        smallest=words.difference(found.smallest_margin),
        margin=words.margin(margin),
    )


def of_unclear(name: str, best: str, found: Gap, margin: float, words: Formatter) -> str:
    """Say that the data neither separate nor tie the two."""
    _ = words.translations.gettext
    return _(
        "{name} is neither worse than {best} nor tied with it: {difference} points behind, "
        "possibly {smallest}, which is not below the margin of {margin} ({p} after Holm)."
    ).format(
        name=name,
        best=best,
        difference=words.difference(found.difference),
        smallest=words.difference(found.smallest_margin),
        margin=words.margin(margin),
        p=words.p_value(found.p_adjusted),
    )


def more_seeds(name: str, best: str, seeds: int, words: Formatter) -> str:
    """Say how many more seeds would separate two candidates."""
    ngettext = words.translations.ngettext
    return ngettext(
        "{seeds} more seed would separate {name} from {best}.",
        "{seeds} more seeds would separate {name} from {best}.",
        seeds,
    ).format(seeds=seeds, name=name, best=best)


def of_not_comparable(scores: Scores, words: Formatter) -> str:
    """Say why a candidate has no difference: no setting, no replicate, or too few of them."""
    _, ngettext = words.translations.gettext, words.translations.ngettext
    name = scores.activation
    if scores.setting is None:
        text = _("{name} was not trained again: none of its trials in the search completed.")
        return text.format(name=name)
    n = len(scores.by_replicate)
    if n == 0:
        return _("{name} has no finished replicate yet.").format(name=name)
    if scores.diverged == n:
        return _("{name} failed in every replicate ({n}).").format(name=name, n=n)
    return ngettext(
        "{name} has {n} seed; there is nothing that it can be compared with.",
        "{name} has {n} seeds; there is nothing that it can be compared with.",
        n,
    ).format(name=name, n=n)
