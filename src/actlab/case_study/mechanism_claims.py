"""The two conjectures of the published study about causes, as far as a correlation can judge them.

4. Sparse activation helps the convolutional layers.
5. In the fully connected layer an activation that is not sparse helps, since it lets more
   information reach the class scores.

Each is read as an order of the candidates: the sparser, the more accurate (4) or the less (5).
*Supported*: the 95 % interval of the rank correlation of sparseness with accuracy lies wholly on
the claimed side of zero. *Not supported*: it lies wholly on the other side. Otherwise there is *not
enough evidence*, which is likely with eight candidates. Sparseness decides, since the share of
exact zeros tells relu from the others and nothing else; its sentence is given in addition.
"""

from collections.abc import Sequence

from actlab.records import Claim, ClaimOutcome, Mechanism
from actlab.studies.confirm.layer_statistics import (
    CLAIM_OF,
    SPARSENESS,
    ZEROS,
    mechanism_sentence,
)
from actlab.text import Formatter


def sparsity_claim(mechanisms: Sequence[Mechanism], words: Formatter) -> Claim:
    """Return claim 4: sparse activation helps the convolutional layers."""
    _ = words.translations.gettext
    text = _("Sparse activation helps the convolutional layers.")
    return _claim(CLAIM_OF["conv"], text, 1, mechanisms, words)


def information_claim(mechanisms: Sequence[Mechanism], words: Formatter) -> Claim:
    """Return claim 5: activation that is not sparse helps the fully connected layer."""
    _ = words.translations.gettext
    text = _(
        "In the fully connected hidden layer, activation that is not sparse helps: more "
        "information reaches the class scores."
    )
    return _claim(CLAIM_OF["fc"], text, -1, mechanisms, words)


def _claim(
    number: int, text: str, direction: int, mechanisms: Sequence[Mechanism], words: Formatter
) -> Claim:
    _ = words.translations.gettext
    found = {one.key: one for one in mechanisms if one.claim == number}
    sparseness, zeros = found.get(SPARSENESS.key), found.get(ZEROS.key)
    if sparseness is None:
        reason = _("No network of the replicates was looked into.")
        return Claim(number, text, "not enough evidence", reason)
    outcome = _outcome(sparseness, direction)
    sentences = [mechanism_sentence(sparseness, words)]
    if zeros is not None:
        sentences.append(mechanism_sentence(zeros, words))
    if outcome != "not enough evidence":
        sentences.append(_("Candidates differ in more than this: a correlation is no cause."))
    return Claim(number, text, outcome, " ".join(sentences))


def _outcome(found: Mechanism, direction: int) -> ClaimOutcome:
    if found.low is None or found.high is None:
        return "not enough evidence"
    ends = sorted((direction * found.low, direction * found.high))
    if ends[0] > 0:
        return "supported"
    return "not supported" if ends[1] < 0 else "not enough evidence"
