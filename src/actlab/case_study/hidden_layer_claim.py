"""Claim 9 of the published study: multi-class with sigmoid + bce does not learn at all.

The published network has a sigmoid hidden layer before that head. So the head is trained behind
other hidden activations, too, and its right counterpart behind all of them: where the same head
learns behind another hidden layer, the head alone is not what stops it. The gradients of the first
epoch say where it stops.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from actlab.case_study.output_evidence import (
    FEWEST_SEEDS,
    PUBLISHED_HIDDEN,
    Figures,
    Runs,
    label,
    learnt_count,
    mean_test,
    missing_reason,
)
from actlab.records import Claim, ClaimOutcome, OutputFigures, OutputLayer
from actlab.text import Formatter

HIDDEN = (PUBLISHED_HIDDEN, "relu", "tanh", "silu")
WRONG = OutputLayer("multiclass", "sigmoid", "bce")
RIGHT = OutputLayer("multiclass", "softmax", "ce")


@dataclass(frozen=True)
class Heads:
    """The wrong head and its right counterpart behind one hidden activation."""

    wrong: Figures
    right: Figures

    @property
    def compared(self) -> bool:
        """Return whether both have completed on enough seeds."""
        return min(len(self.wrong), len(self.right)) >= FEWEST_SEEDS

    @property
    def learns(self) -> bool:
        """Return whether the wrong head learns on every seed."""
        return learnt_count(self.wrong) == len(self.wrong)

    @property
    def fails(self) -> bool:
        """Return whether the wrong head learns on no seed, and the right one on every seed."""
        return learnt_count(self.wrong) == 0 and learnt_count(self.right) == len(self.right)


def multiclass_claim(runs: Runs, words: Formatter) -> Claim:
    """Return claim 9: multi-class with sigmoid + bce does not learn at all."""
    _ = words.translations.gettext
    text = _("Multi-class with sigmoid and binary cross entropy does not learn at all.")
    missing = runs.missing([WRONG, RIGHT])
    if missing:
        return Claim(9, text, "not enough evidence", missing_reason(missing, words))
    tried = {hidden: Heads(runs.of(WRONG, hidden), runs.of(RIGHT, hidden)) for hidden in HIDDEN}
    found = {hidden: heads for hidden, heads in tried.items() if heads.compared}
    outcome, answer = _answer(found, words)
    sentences = [_counts(found, words), answer, _gradients(found, words)]
    return Claim(9, text, outcome, " ".join(sentence for sentence in sentences if sentence))


def _answer(found: Mapping[str, Heads], words: Formatter) -> tuple[ClaimOutcome, str]:
    """Return the outcome, and what it is that does not learn."""
    _ = words.translations.gettext
    published = found[PUBLISHED_HIDDEN]
    others = {hidden: heads for hidden, heads in found.items() if hidden != PUBLISHED_HIDDEN}
    if learnt_count(published.wrong):
        return "not supported", _("The head learns in the published network, too.")
    if not others:
        return "not enough evidence", _(
            "Without another hidden activation, head and hidden layer cannot be told apart."
        )
    if all(heads.fails for heads in found.values()):
        return "supported", _("It is the head: it learns behind none of the hidden layers.")
    learning = [hidden for hidden, heads in others.items() if heads.learns]
    if not learning:
        return "not enough evidence", _("No hidden layer lets the head learn on every seed.")
    standing = [hidden for hidden, heads in found.items() if heads.fails]
    answer = _("It is not the head alone: behind {learning} the same head learns on every seed.")
    sentences = [answer.format(learning=words.names(learning))]
    if standing:
        other = _(
            "Nor is it the hidden layer alone: behind {standing} softmax + ce learns on every seed."
        )
        sentences.append(other.format(standing=words.names(standing)))
    if standing and _on_a_plateau(found, learning, standing):
        sentences.append(_("The two together start on a plateau: the gradients die away."))
    return "not supported", " ".join(sentences)


def _counts(found: Mapping[str, Heads], words: Formatter) -> str:
    _ = words.translations.gettext
    each = _("behind {hidden} {wrong} of {seeds} seeds ({accuracy}; softmax + ce {right})")
    parts = [
        each.format(
            hidden=hidden,
            wrong=learnt_count(heads.wrong),
            seeds=len(heads.wrong),
            accuracy=words.percent(mean_test(heads.wrong)),
            right=words.percent(mean_test(heads.right)),
        )
        for hidden, heads in found.items()
    ]
    return _("{head} learns {counts}.").format(head=label(WRONG), counts=words.names(parts))


def _on_a_plateau(found: Mapping[str, Heads], learning: list[str], standing: list[str]) -> bool:
    """Return whether the first layer's gradient ends a hundred times smaller where it stands."""
    alive = [gradient(found[hidden].wrong, -1) for hidden in learning]
    still = [gradient(found[hidden].wrong, -1) for hidden in standing]
    known = [norm for norm in (*alive, *still) if norm is not None]
    if len(known) < len(alive) + len(still):
        return False
    return max(known[len(alive) :]) < min(known[: len(alive)]) / 100.0


def _gradients(found: Mapping[str, Heads], words: Formatter) -> str:
    """Return the norms at the first layer, first and last recorded; nothing where none were."""
    _ = words.translations.gettext
    parts = [
        (hidden, gradient(heads.wrong, 0), gradient(heads.wrong, -1))
        for hidden, heads in found.items()
    ]
    if any(first is None or last is None for _hidden, first, last in parts):
        return ""
    each = _("{first} then {last} behind {hidden}")
    norms = [
        each.format(first=f"{a:.2g}", last=f"{b:.2g}", hidden=hidden) for hidden, a, b in parts
    ]
    return _(
        "Mean norm of the first layer's gradient, in the first and in the last recorded epoch: "
        "{norms}."
    ).format(norms=words.names(norms))


def gradient(found: Figures, epoch: int) -> float | None:
    """Return the norm of the first layer's gradient in a recorded epoch, mean over the seeds."""
    norms = [_norm(figures, epoch) for figures in found.values()]
    known = [norm for norm in norms if norm is not None]
    return sum(known) / len(known) if known else None


def _norm(figures: OutputFigures, epoch: int) -> float | None:
    if not figures.gradients or not figures.gradients[0].norms:
        return None
    return figures.gradients[0].norms[epoch]
