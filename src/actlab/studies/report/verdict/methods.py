"""A paragraph for the methods part of a paper."""

from actlab.records import Plan, Verdict
from actlab.text import Formatter


def methods_paragraph(plan: Plan, verdict: Verdict, version: str, form: Formatter) -> str:
    """Return what was trained, from the plan, then how it was judged, from the verdict.

    `version` is actlab's, empty where it is not known.
    """
    _ = form.translations.gettext
    sentences = [
        _("Activation functions were compared on {data} with the network {network}.").format(
            data=plan.data.name, network=plan.network
        ),
        _candidates(plan, form),
        _protocol(plan, form),
        _("Settings were searched in {trials} trials.").format(trials=form.count(plan.trials)),
        verdict.methods,
        _("Computed with actlab {version}.").format(version=version) if version else "",
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _candidates(plan: Plan, form: Formatter) -> str:
    _ = form.translations.gettext
    space = plan.space
    rates = {
        "low": form.rate(space.learning_rate_low),
        "high": form.rate(space.learning_rate_high),
    }
    if set(space.conv_activation) == set(space.fc_activation):
        return _(
            "Candidates for the convolutional and for the fully connected layers: {names}; "
            "learning rates from {low} to {high}."
        ).format(names=", ".join(space.conv_activation), **rates)
    return _(
        "Candidates for the convolutional layers: {conv}; for the fully connected layers: {fc}; "
        "learning rates from {low} to {high}."
    ).format(conv=", ".join(space.conv_activation), fc=", ".join(space.fc_activation), **rates)


def _protocol(plan: Plan, form: Formatter) -> str:
    _ = form.translations.gettext
    protocol = plan.protocol
    heads = {
        "softmax": _("The network ended in softmax, followed by cross entropy (softmax twice)."),
        "logits": _("The loss was cross entropy on the network's logits."),
    }
    optimiser = _(
        "Optimiser: AdamW, weight decay {decay}, batch size {batch}; training stopped after "
        "{patience} epochs without a better validation accuracy."
    ).format(decay=protocol.weight_decay, batch=protocol.batch_size, patience=protocol.patience)
    return f"{heads[protocol.head]} {optimiser}"
