"""How much of the variance of accuracy each parameter of the setting explains."""

from actlab.pages.figure import PageFigure, axis, frame, plain
from actlab.pages.theme import LIGHT
from actlab.pages.words import slot_word
from actlab.records import Verdict
from actlab.studies.confirm.verdict_text import is_of_accuracies, metric_word
from actlab.text import Formatter


def importance_figure(verdict: Verdict, form: Formatter) -> PageFigure | None:
    """Draw a bar per parameter and method; None where no importance is known."""
    _ = form.translations.gettext
    rows = [r for r in verdict.importance if r.ped_anova is not None or r.fanova is not None]
    if not rows:
        return None
    rows = sorted(rows, key=lambda row: -max(row.ped_anova or 0.0, row.fanova or 0.0))
    names = [parameter_word(row.parameter, form) for row in rows]
    figure = frame(
        barmode="group",
        bargap=0.35,
        xaxis=axis(_("share of the importance"), tickformat=".0%", rangemode="tozero"),
        yaxis=axis("", autorange="reversed", tickfont={"color": LIGHT["ink"]}, showgrid=False),
        showlegend=True,
    )
    methods = (
        ("PED-ANOVA", "series0", [row.ped_anova for row in rows]),
        ("fANOVA", "series1", [row.fanova for row in rows]),
    )
    for method, role, shares in methods:
        figure.add_bar(
            orientation="h",
            x=shares,
            y=[plain(name) for name in names],
            name=method,
            marker={"color": LIGHT[role]},
            hovertemplate="%{y}, " + method + ": <b>%{x:.1%}</b><extra></extra>",
        )
    return PageFigure(
        name="importance",
        title=_("What moves the accuracy")
        if is_of_accuracies(verdict)
        else _("What moves {metric}").format(metric=metric_word(verdict, form)),
        caption=_(
            "PED-ANOVA asks what tells the better trials from all of them, fANOVA what explains "
            "the variance over all trials; they answer different questions and may differ."
        ),
        description=_("Bars: importance of each parameter by two methods, as in the table."),
        figure=figure,
        height=105 + 48 * len(rows),
        minimum_width=320,
    )


def parameter_word(parameter: str, form: Formatter) -> str:
    """Return a parameter's name for people; another name stays as it is."""
    _ = form.translations.gettext
    if parameter == "learning_rate":
        return _("learning rate")
    return slot_word(parameter.removesuffix("_activation"), form.translations)
