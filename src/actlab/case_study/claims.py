"""The claims of the published study on MNIST, judged by this study's own records.

1. PReLU is the best activation for the convolutional layers.
2. Tanh and sigmoid are the best for the fully connected hidden layer.
3. Learning rates of 0.004 and more do worse.
4. Sparse activations help the convolutional layers (why 1 would hold).
5. Activations that are not sparse help the fully connected layer (why 2 would hold).

"S is best" is read as: every member of S beats everyone outside S. A pair of the two speaks
*against* it where the member's lead is below the margin (the upper end of its 90 % interval is), or
where Holm's test rejects and the outsider is ahead; *for* it where the test rejects and the member
is ahead; otherwise it is *open*. One pair against makes the claim not supported; with none against
and none open it is supported. An outsider that does not train reliably is beaten; a member that
does not makes the claim not supported.
"""

from collections.abc import Callable, Sequence
from typing import Literal

from actlab.case_study.mechanism_claims import information_claim, sparsity_claim
from actlab.case_study.rate_claim import learning_rate_claim
from actlab.records import Claim, Pair, Plan, Record, SlotVerdict, Verdict
from actlab.text import Formatter
from actlab.verdicts import ALPHA

PUBLISHED_ACTIVATIONS = frozenset(
    ("sigmoid", "relu", "leaky_relu_0.01", "leaky_relu_0.1", "prelu", "elu", "tanh", "silu")
)
PUBLISHED_RATES = (0.0005, 0.01)


def is_published_space(plan: Plan) -> bool:
    """Return whether a plan asks what the published study asked: data, network and choices."""
    space = plan.space
    return (
        plan.data.name == "mnist"
        and plan.network == "published_cnn"
        and set(space.conv_activation) == PUBLISHED_ACTIVATIONS
        and set(space.fc_activation) == PUBLISHED_ACTIVATIONS
        and (space.learning_rate_low, space.learning_rate_high) == PUBLISHED_RATES
    )


def claims(
    plan: Plan, records: Sequence[Record], verdict: Verdict, words: Formatter
) -> tuple[Claim, ...]:
    """Return the judged claims; none for another space, network or data set.

    `records` are those of the study, its search among them.
    """
    if not is_published_space(plan):
        return ()
    _ = words.translations.gettext
    margin = verdict.margin
    by_slot = {found.slot: found for found in verdict.slots}
    balanced = plan.is_balanced
    search = [record for record in records if balanced and record.stage == "search"]
    return (
        best_claim(
            1,
            _("In the convolutional layers PReLU is the best choice."),
            by_slot.get("conv"),
            ("prelu",),
            margin,
            words,
        ),
        best_claim(
            2,
            _("In the fully connected hidden layer tanh and sigmoid are the best choices."),
            by_slot.get("fc"),
            ("tanh", "sigmoid"),
            margin,
            words,
        ),
        learning_rate_claim(search, verdict.conditions.chance, margin, words),
        sparsity_claim(verdict.mechanisms, words),
        information_claim(verdict.mechanisms, words),
    )


def best_claim(
    number: int,
    text: str,
    slot: SlotVerdict | None,
    claimed: tuple[str, ...],
    margin: float,
    words: Formatter,
) -> Claim:
    """Return the claim that `claimed` are the best of a slot, by the pairs of its verdict."""
    _ = words.translations.gettext
    compared = (
        {c.name for c in slot.candidates if c.difference is not None or c.group == "unreliable"}
        if slot
        else set()
    )
    missing = sorted(PUBLISHED_ACTIVATIONS - compared)
    if slot is None or missing:
        reason = _("Not every candidate has replicates to compare; missing: {names}.")
        return Claim(number, text, "not enough evidence", reason.format(names=words.names(missing)))
    unreliable = [c.name for c in slot.candidates if c.group == "unreliable"]
    if any(name in claimed for name in unreliable):
        names = words.names([name for name in unreliable if name in claimed])
        reason = _("Not every training with {names} gets anywhere: that is unreliable.")
        return Claim(number, text, "not supported", reason.format(names=names))
    leads = [lead for lead in map(_of_member(claimed), slot.pairs) if lead is not None]
    against = [lead for lead in leads if _kind(lead, margin) == "against"]
    undecided = [lead for lead in leads if _kind(lead, margin) == "open"]
    if against:
        worst = min(against, key=lambda lead: lead.difference.mean)
        return Claim(number, text, "not supported", _against(worst, margin, words))
    if undecided:
        reason = _undecided(undecided, len(leads), words)
        return Claim(number, text, "not enough evidence", reason)
    if not leads:
        reason = _("None of the others trains reliably.")
        return Claim(number, text, "supported", reason)
    closest = min(leads, key=lambda lead: lead.difference.mean)
    reason = _("The closest of the others is {other}: {difference} points behind {member} ({p}).")
    return Claim(
        number,
        text,
        "supported",
        reason.format(
            other=closest.second,
            member=closest.first,
            difference=words.difference(closest.difference.mean),
            p=words.p_value(closest.p_adjusted),
        ),
    )


def _of_member(claimed: tuple[str, ...]) -> Callable[[Pair], Pair | None]:
    """Return what turns a pair so that its first is claimed; None for a pair of two or none."""

    def turned(pair: Pair) -> Pair | None:
        if (pair.first in claimed) == (pair.second in claimed):
            return None
        return pair.seen_from(pair.first if pair.first in claimed else pair.second)

    return turned


def _kind(lead: Pair, margin: float) -> Literal["for", "against", "open"]:
    """Return what the lead of a claimed candidate over another says about the claim."""
    if lead.difference.high_90 < margin:
        return "against"
    if lead.p_adjusted > ALPHA:
        return "open"
    return "for" if lead.difference.mean > 0 else "against"


def _against(lead: Pair, margin: float, words: Formatter) -> str:
    _ = words.translations.gettext
    found = lead.difference
    names = {"member": lead.first, "other": lead.second, "p": words.p_value(lead.p_adjusted)}
    if lead.p_adjusted <= ALPHA and found.mean < 0:
        return _("{other} is better than {member} by {difference} points ({p}).").format(
            **names, difference=words.difference(-found.mean)
        )
    return _(
        "{member} is not ahead of {other} by as much as {margin} points: the lead is {difference}, "
        "at most {high}."
    ).format(
        **names,
        margin=words.margin(margin),
        difference=words.difference(found.mean),
        high=words.difference(found.high_90),
    )


def _undecided(undecided: list[Pair], pairs: int, words: Formatter) -> str:
    _ = words.translations.gettext
    return _(
        "{count} of {pairs} comparisons stay open: {names} may be behind {members} or not."
    ).format(
        count=len(undecided),
        pairs=pairs,
        names=words.names(sorted({lead.second for lead in undecided})),
        members=words.names(sorted({lead.first for lead in undecided})),
    )
