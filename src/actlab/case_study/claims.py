"""The claims of the published study on MNIST, judged by this study's own records.

1. PReLU is the best activation for the convolutional layers.
2. Tanh and sigmoid are the best for the fully connected hidden layer.
3. Learning rates of 0.004 and more do worse.
4. Sparse activations help the convolutional layers (why 1 would hold).
5. Activations that are not sparse help the fully connected layer (why 2 would hold).

"S is best" is read as: every member of S beats everyone outside S. A pair of the two speaks *for*
it where Holm's test rejects and the member is ahead; *against* it where the test rejects and the
outsider is ahead, or where the member's lead is below the margin (the upper end of its 90 %
interval is); otherwise it is *open*. One pair against makes the claim not supported; with none
against and none open it is supported.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from actlab.case_study.mechanism_claims import information_claim, sparsity_claim
from actlab.case_study.rate_claim import learning_rate_claim
from actlab.records import BalancedSampler, Claim, Pair, Plan, Record, SlotVerdict, Verdict
from actlab.text import Formatter
from actlab.verdicts.pairs import ALPHA

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
    balanced = isinstance(plan.sampler, BalancedSampler)
    search = [record for record in records if balanced and record.stage == "search"]
    return (
        _best_claim(
            1,
            _("In the convolutional layers PReLU is the best choice."),
            by_slot.get("conv"),
            ("prelu",),
            margin,
            words,
        ),
        _best_claim(
            2,
            _("In the fully connected hidden layer tanh and sigmoid are the best choices."),
            by_slot.get("fc"),
            ("tanh", "sigmoid"),
            margin,
            words,
        ),
        learning_rate_claim(search, verdict.chance, margin, words),
        sparsity_claim(verdict.mechanisms, words),
        information_claim(verdict.mechanisms, words),
    )


def _best_claim(
    number: int,
    text: str,
    slot: SlotVerdict | None,
    claimed: tuple[str, ...],
    margin: float,
    words: Formatter,
) -> Claim:
    _ = words.translations.gettext
    compared = {c.activation for c in slot.candidates if c.difference is not None} if slot else {}
    missing = sorted(PUBLISHED_ACTIVATIONS - set(compared))
    if slot is None or missing:
        reason = _("Not every candidate has replicates to compare; missing: {names}.")
        return Claim(number, text, "not enough evidence", reason.format(names=words.names(missing)))
    leads = [_lead(pair, claimed) for pair in slot.pairs if _crosses(pair, claimed)]
    against = [lead for lead in leads if lead.kind(margin) == "against"]
    undecided = [lead for lead in leads if lead.kind(margin) == "open"]
    if against:
        worst = min(against, key=lambda lead: lead.difference)
        return Claim(number, text, "not supported", _against(worst, margin, words))
    if undecided:
        reason = _undecided(undecided, len(leads), words)
        return Claim(number, text, "not enough evidence", reason)
    closest = min(leads, key=lambda lead: lead.difference)
    reason = _("The closest of the others is {other}: {difference} points behind {member} ({p}).")
    return Claim(
        number,
        text,
        "supported",
        reason.format(
            other=closest.outsider,
            member=closest.member,
            difference=words.difference(closest.difference),
            p=words.p_value(closest.p_adjusted),
        ),
    )


@dataclass(frozen=True)
class Lead:
    """How far a claimed candidate is ahead of one that is not; 90 % interval's upper end."""

    member: str
    outsider: str
    difference: float
    high_90: float
    p_adjusted: float

    def kind(self, margin: float) -> Literal["for", "against", "open"]:
        """Return what this pair says about the claim."""
        if self.p_adjusted <= ALPHA:
            return "for" if self.difference > 0 else "against"
        return "against" if self.high_90 < margin else "open"


def _crosses(pair: Pair, claimed: tuple[str, ...]) -> bool:
    return (pair.first in claimed) != (pair.second in claimed)


def _lead(pair: Pair, claimed: tuple[str, ...]) -> Lead:
    if pair.first in claimed:
        return Lead(pair.first, pair.second, pair.difference, pair.high_90, pair.p_adjusted)
    return Lead(pair.second, pair.first, -pair.difference, -pair.low_90, pair.p_adjusted)


def _against(lead: Lead, margin: float, words: Formatter) -> str:
    _ = words.translations.gettext
    names = {"member": lead.member, "other": lead.outsider, "p": words.p_value(lead.p_adjusted)}
    if lead.p_adjusted <= ALPHA:
        return _("{other} is better than {member} by {difference} points ({p}).").format(
            **names, difference=words.difference(-lead.difference)
        )
    return _(
        "{member} is not ahead of {other} by as much as {margin} points: the lead is {difference}, "
        "at most {high}."
    ).format(
        **names,
        margin=words.margin(margin),
        difference=words.difference(lead.difference),
        high=words.difference(lead.high_90),
    )


def _undecided(undecided: list[Lead], pairs: int, words: Formatter) -> str:
    _ = words.translations.gettext
    return _(
        "{count} of {pairs} comparisons stay open: {names} may be behind {members} or not."
    ).format(
        count=len(undecided),
        pairs=pairs,
        names=words.names(sorted({lead.outsider for lead in undecided})),
        members=words.names(sorted({lead.member for lead in undecided})),
    )
