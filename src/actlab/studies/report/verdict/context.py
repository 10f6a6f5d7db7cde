"""What the verdict's templates read, and the sections of the page that they fill."""

from dataclasses import dataclass

from actlab.pages.figure import PageFigure
from actlab.records import Claim, ClaimOutcome, Group, Pair, SlotVerdict, Verdict
from actlab.studies.report.data.budgets import Budget
from actlab.studies.report.inputs import ReportData
from actlab.studies.report.notices import Notice
from actlab.studies.report.verdict.disagreements import decision_sentences
from actlab.studies.report.verdict.groups import GroupLook, group_looks
from actlab.studies.report.verdict.importance import parameter_word
from actlab.studies.report.verdict.layers import LayerTable, layer_table
from actlab.studies.report.verdict.margin import STEP, points, slider_end
from actlab.studies.report.verdict.methods import methods_paragraph
from actlab.studies.report.verdict.notices import verdict_notices
from actlab.studies.report.verdict.paper import latex_tables, markdown_tables
from actlab.studies.report.verdict.plateaus import plateau_texts
from actlab.text import Formatter


@dataclass(frozen=True)
class ClaimLook:
    """How the outcome of a claim is written and marked."""

    word: str
    sign: str
    role: str


@dataclass(frozen=True)
class VerdictPage:
    """The verdict with everything that its templates show beside the figures."""

    verdict: Verdict
    looks: dict[Group, GroupLook]
    outcomes: dict[ClaimOutcome, ClaimLook]
    notices: tuple[Notice, ...]
    margin: float
    step: float
    largest_margin: float
    decisions: dict[str, tuple[str, ...]]
    plateaus: dict[tuple[str, str], str]
    parameters: dict[str, str]
    layers: dict[str, LayerTable]
    methods: str
    latex: str
    markdown: str

    def members(self, slot: SlotVerdict, group: Group) -> tuple[str, ...]:
        """Return the candidates of a slot that are in a group."""
        return tuple(row.activation for row in slot.candidates if row.group == group)

    def pairs(self, slot: SlotVerdict) -> tuple[Pair, ...]:
        """Return the pairs of a slot, the surest difference first."""
        return tuple(sorted(slot.pairs, key=lambda pair: (pair.p_adjusted, pair.p_value)))

    def without_picture(self, figures: dict[str, PageFigure]) -> tuple[str, ...]:
        """Return the sentences of the mechanisms that had too little to draw."""
        return tuple(
            found.sentence
            for place, found in enumerate(self.verdict.mechanisms)
            if f"mechanism-{place}" not in figures
        )

    def claims(self) -> tuple[Claim, ...]:
        """Return the claims by number."""
        return tuple(sorted(self.verdict.claims, key=lambda claim: claim.number))


def verdict_page(data: ReportData, budgets: tuple[Budget, ...], form: Formatter) -> VerdictPage:
    """Return what the templates read; the data must have a verdict."""
    verdict = data.verdict
    if verdict is None:
        raise ValueError("a page part for a verdict needs a verdict")
    version = data.environment.versions.get("actlab", "")
    return VerdictPage(
        verdict=verdict,
        looks=group_looks(form),
        outcomes=claim_looks(form),
        notices=verdict_notices(verdict, budgets, form),
        margin=points(verdict.margin),
        step=STEP,
        largest_margin=slider_end(verdict),
        decisions={slot.slot: decision_sentences(slot, form) for slot in verdict.slots},
        plateaus={(c.slot, c.activation): ": ".join(plateau_texts(c, form)) for c in verdict.rates},
        parameters={r.parameter: parameter_word(r.parameter, form) for r in verdict.importance},
        layers={slot.slot: layer_table(slot.slot, verdict) for slot in verdict.slots},
        methods=methods_paragraph(data.plan, verdict, version, form),
        latex=latex_tables(verdict, form),
        markdown=markdown_tables(verdict, form),
    )


def verdict_sections(
    verdict: Verdict, figures: dict[str, PageFigure], form: Formatter
) -> tuple[tuple[str, str], ...]:
    """Return (name, heading) of the sections that have something to show, in their order."""
    _ = form.translations.gettext
    kinds = {name.split("-")[0] for name in figures}
    wanted = (
        ("claims", _("The published claims"), bool(verdict.claims)),
        ("accuracies", _("Accuracy over the seeds"), True),
        ("differences", _("Differences and ranks"), "differences" in kinds),
        ("plateaus", _("How the learning rate is taken"), "plateaus" in kinds),
        ("importance", _("Importance"), "importance" in kinds),
        (
            "mechanisms",
            _("Mechanisms"),
            bool(verdict.mechanisms or verdict.probes) or "slopes" in kinds,
        ),
        ("paper", _("For a paper"), True),
    )
    return tuple((name, title) for name, title, shown in wanted if shown)


def claim_looks(form: Formatter) -> dict[ClaimOutcome, ClaimLook]:
    """Return how each outcome of a claim is shown."""
    _ = form.translations.gettext
    return {
        "supported": ClaimLook(_("supported"), "✓", "good"),
        "not supported": ClaimLook(_("not supported"), "✗", "trouble"),
        "not enough evidence": ClaimLook(_("not enough evidence"), "?", "caution"),
    }
