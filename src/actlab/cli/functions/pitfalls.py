"""What to watch for with a function: sentences that follow from its facts, and known confusions."""

from collections.abc import Mapping
from gettext import NullTranslations
from typing import Any

from actlab.i18n import N_

_CONVENTIONS = {
    "gelu": N_("jax.nn.gelu is the tanh form by default; torch and Keras use the exact one."),
    "gelu_tanh": N_(
        "This is what jax.nn.gelu gives by default; torch and Keras use the exact form."
    ),
    "leaky_relu": N_(
        "The slope differs: 0.01 in torch and JAX, 0.2 or 0.3 in Keras. Write it out."
    ),
    "hardsigmoid": N_("Elsewhere the name also means (x + 1) / 2 or 0.2 x + 0.5, clipped."),
    "prelu": N_(
        "torch starts one shared slope at 0.25; Keras starts one slope per element at 0. "
        "Weight decay pulls the slope towards relu."
    ),
    "softplus": N_("torch returns x itself above 20; the difference is below 2e-9."),
    "eswish": N_("E-swish also names exp(-x) sigmoid(x) elsewhere."),
    "tanhexp": N_("TeLU (2024) is this function; x tanh(elu(x)) also goes by that name."),
    "rrelu_eval": N_("In training the slope is drawn at random for each element."),
    "selu": N_("Self-normalising only with weights of variance 1 / fan-in and alpha dropout."),
    "sine": N_("SIREN networks use omega = 30 in the first layer and a start of their own."),
}
"""What the same name means elsewhere, and what a function's paper asks for."""


def pitfalls(facts: Mapping[str, Any], translations: NullTranslations) -> tuple[str, ...]:
    """Return the sentences for one scalar function, from the keys of `functions show --json`."""
    _ = translations.gettext
    found = [*_of_gradient(facts, translations), *_of_output(facts, translations)]
    if facts["name"] in _CONVENTIONS:
        found.append(_(_CONVENTIONS[facts["name"]]))
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
        factor = f"{1 / steepest**10:,.0f}"
        found.append(message.format(steepest=f"{steepest:.4g}", factor=factor))
    if left == 0 and right == 0 and share == 0:
        found.append(_("It saturates at both ends: large inputs pass almost no gradient."))
    if share is not None and share >= 0.05:
        message = _(
            "For {share} of standard normal inputs the gradient is exactly 0; a unit that sees "
            "only such inputs stops learning."
        )
        found.append(message.format(share=f"{100 * share:.3g} %"))
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
        found.append(message.format(mean=f"{mean:.3f}"))
    if facts["monotonic"] == "non_monotonic":
        found.append(_("Not monotonic: pooling first and activating after gives something else."))
    if facts["learnable"]:
        found.append(_("It learns: its facts hold for the parameters shown and move with them."))
    return found
