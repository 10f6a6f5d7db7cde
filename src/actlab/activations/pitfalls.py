"""What to watch for with a function: the catalogue's sentences, and those that its facts give."""

import math
from collections.abc import Mapping, Sequence
from gettext import NullTranslations
from typing import Any

from actlab.text import Formatter, decimal, significant


def pitfalls(
    own: Sequence[str], facts: Mapping[str, Any], translations: NullTranslations
) -> tuple[str, ...]:
    """Return the sentences for one function, in the language of `translations`.

    `own` are those of the catalogue; `facts` has the keys of `functions show --json`.
    """
    found = [translations.gettext(sentence) for sentence in own]
    if facts["mean_under_N01"] is not None:
        found += [*_of_gradient(facts, translations), *_of_output(facts, translations)]
    return tuple(found)


def _of_gradient(facts: Mapping[str, Any], translations: NullTranslations) -> list[str]:
    _ = translations.gettext
    found = []
    steepest, share = facts["max_abs_grad"], facts["zero_grad_fraction_N01"]
    left, right = facts["grad_lim_minus_inf"], facts["grad_lim_plus_inf"]
    if facts["smoothness"] == "discontinuous":
        found.append(_("It jumps, and the gradient does not see the jump."))
    if steepest is not None and 0 < steepest < 0.9:
        message = _(
            "The gradient is at most {steepest}: through 10 layers it shrinks by {factor} or more, "
            "unless the weights make up for it."
        )
        if steepest < 0.01:  # a power of it may be no number any more
            factor = f"10^{round(-10 * math.log10(steepest))}"
        else:
            factor = Formatter(translations).count(round(1 / steepest**10))
        found.append(message.format(steepest=significant(steepest), factor=factor))
    if left == 0 and right == 0 and share == 0:
        found.append(_("It saturates at both ends: large inputs pass almost no gradient."))
    if share is not None and share >= 0.05:
        message = _(
            "For {share} of standard normal inputs the gradient is exactly 0; a unit that sees "
            "only such inputs stops learning."
        )
        found.append(message.format(share=Formatter(translations).percent(share)))
    if any(end is not None and abs(end) == float("inf") for end in (left, right)):
        found.append(_("The slope grows without bound: one large input can blow up a step."))
    elif steepest is not None and steepest == float("inf"):
        found.append(_("The slope has no bound."))
    return found


def _of_output(facts: Mapping[str, Any], translations: NullTranslations) -> list[str]:
    _ = translations.gettext
    found = []
    mean, second = facts["mean_under_N01"], facts["second_moment_N01"]
    if mean is not None and second and abs(mean) > 0.3 * second**0.5:
        message = _("Not zero-centred: the mean output for a standard normal input is {mean}.")
        found.append(message.format(mean=decimal(mean)))
    if facts["monotonic"] == "non_monotonic":
        found.append(_("Pooling before it is not pooling after it: it is not monotonic."))
    if facts["learnable"]:
        found.append(_("It learns: its facts hold for the parameters shown and move with them."))
    return found
