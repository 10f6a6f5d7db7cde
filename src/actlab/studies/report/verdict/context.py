"""What the verdict's templates read, and the sections of the page that they fill."""

from dataclasses import dataclass
from typing import Any

from actlab.pages.figure import PageFigure
from actlab.pages.words import partner_words, short_name, slot_word
from actlab.records import (
    Candidate,
    Claim,
    ClaimOutcome,
    FittedSampler,
    Group,
    Pair,
    Plan,
    SlotName,
    SlotVerdict,
    Verdict,
)
from actlab.studies.confirm.layer_statistics import mechanism_sentence, property_name
from actlab.studies.confirm.verdict_text import (
    is_of_accuracies,
    methods,
    metric_word,
    slot_notices,
    wording,
)
from actlab.studies.report.inputs import ReportData
from actlab.studies.report.notices import Notice, unequal_budgets
from actlab.studies.report.search import Budget
from actlab.studies.report.settings import chosen_rates, fitted_line
from actlab.studies.report.short_names import data_name
from actlab.studies.report.verdict.groups import GroupLook, group_looks
from actlab.studies.report.verdict.importance import parameter_word
from actlab.studies.report.verdict.paper import latex_tables, markdown_tables
from actlab.studies.report.verdict.plateaus import plateau_texts
from actlab.studies.report.verdict.ranks import decision_sentences
from actlab.text import Formatter, significant
from actlab.verdicts import ALPHA
from actlab.verdicts.text import candidate_sentence, summary


@dataclass(frozen=True)
class ClaimLook:
    """How the outcome of a claim is written and marked."""

    word: str
    sign: str
    role: str


@dataclass(frozen=True)
class LayerRow:
    """A layer of a candidate (None: its whole network) with the means of its properties by key."""

    activation: str
    layer: str | None
    means: dict[str, float]


@dataclass(frozen=True)
class LayerTable:
    """The names of the properties by key, in the order of the columns, and a row per layer."""

    properties: dict[str, str]
    rows: tuple[LayerRow, ...]


@dataclass(frozen=True)
class VerdictPage:
    """The verdict with everything else that its templates show."""

    verdict: Verdict
    judged_claims: tuple[Claim, ...]
    form: Formatter
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
    titles: dict[str, str]
    rates: str

    @property
    def in_points(self) -> bool:
        """Return whether accuracies are compared, whose differences are percentage points."""
        return is_of_accuracies(self.verdict)

    def number(self, value: float | None) -> str:
        """Write a score without its unit, which the heading has."""
        if value is None or self.in_points:
            return self.form.percent_number(value)
        return significant(value, 5)

    def gap(self, difference: float | None) -> str:
        """Write a difference of two scores with its sign, without its unit."""
        if difference is None or self.in_points:
            return self.form.points_number(difference)
        return ("+" if difference > 0 else "") + significant(difference, 3)

    def members(self, slot: SlotVerdict, group: Group) -> tuple[str, ...]:
        """Return the candidates of a slot that are in a group."""
        return tuple(row.name for row in slot.candidates if row.group == group)

    def sentence(self, row: Candidate, slot: SlotVerdict) -> str:
        """Return why a candidate is in its group."""
        return candidate_sentence(row, slot, wording(self.verdict, self.form))

    def property_name(self, key: str) -> str:
        """Return the name of a property of layers."""
        return property_name(key, self.form)

    def partner(self, row: Candidate, slot: SlotVerdict) -> str:
        """Return with what a candidate was trained: the other slots' activations, and the rate."""
        if row.setting is None:
            return ""
        return partner_words(row.setting, slot.slot, self.form)

    def summary(self, slot: SlotVerdict) -> str:
        """Return the answer of a slot."""
        return summary(slot, wording(self.verdict, self.form))

    def pairs(self, slot: SlotVerdict) -> tuple[Pair, ...]:
        """Return the pairs of a slot, the surest difference first."""
        return tuple(
            sorted(slot.pairs, key=lambda pair: (pair.p_adjusted, pair.difference.p_value))
        )

    def without_picture(self, figures: dict[str, PageFigure]) -> tuple[str, ...]:
        """Return the sentences of the mechanisms that had too little to draw."""
        return tuple(
            mechanism_sentence(found, self.form)
            for place, found in enumerate(self.verdict.mechanisms)
            if f"mechanism-{place}" not in figures
        )

    def claims(self) -> tuple[Claim, ...]:
        """Return the claims by number."""
        return tuple(sorted(self.judged_claims, key=lambda claim: claim.number))


def verdict_page(data: ReportData, budgets: tuple[Budget, ...], form: Formatter) -> VerdictPage:
    """Return what the templates read; the data must have a verdict."""
    verdict = data.verdict
    if verdict is None:
        raise ValueError("a page part for a verdict needs a verdict")
    version = data.environment.versions.get("actlab", "")
    return VerdictPage(
        verdict=verdict,
        judged_claims=data.claims,
        form=form,
        looks=group_looks(form),
        outcomes=claim_looks(form),
        notices=verdict_notices(verdict, budgets, form),
        margin=points(verdict.margin),
        step=STEP,
        largest_margin=slider_end(verdict),
        decisions={slot.slot: decision_sentences(slot, form) for slot in verdict.slots},
        plateaus={(c.slot, c.activation): ": ".join(plateau_texts(c, form)) for c in verdict.rates},
        parameters={r.parameter: parameter_word(r.parameter, form) for r in verdict.importance},
        layers={slot.slot: layer_table(slot.slot, verdict, form) for slot in verdict.slots},
        methods=methods_paragraph(data.plan, verdict, version, form)
        if is_of_accuracies(verdict)
        else methods(verdict, form),
        latex=latex_tables(verdict, form),
        markdown=markdown_tables(verdict, form),
        titles=score_titles(verdict, form),
        rates=chosen_rates(data.plan, form),
    )


def score_titles(verdict: Verdict, form: Formatter) -> dict[str, str]:
    """Return the headings of the numbers of a verdict, and what is said of those on test."""
    _ = form.translations.gettext
    if is_of_accuracies(verdict):
        return {
            "mean": _("mean accuracy") + " (%)",
            "difference": _("difference (points)"),
            "equivalent": _("equivalent from (points)"),
            "test": _("test accuracy") + " (%)",
            "pair": _("first minus second (points)"),
            "test_note": _(
                "The verdict uses the validation data of each replicate. The test data were "
                "read once per candidate afterwards and are only shown."
            ),
        }
    metric = metric_word(verdict, form)
    return {
        "mean": _("mean {metric}").format(metric=metric),
        "difference": _("difference (below 0 is worse)"),
        "equivalent": _("equivalent from"),
        "test": _("test {metric}").format(metric=metric),
        "pair": _("first minus second (below 0 is worse)"),
        "test_note": _(
            "The verdict uses the validation rows of each replicate. The test rows were read once "
            "per candidate afterwards and are only shown."
        ),
    }


def verdict_sections(
    data: ReportData, figures: dict[str, PageFigure], form: Formatter
) -> tuple[tuple[str, str], ...]:
    """Return (name, heading) of the sections that have something to show, in their order."""
    _ = form.translations.gettext
    kinds = {name.split("-")[0] for name in figures}
    over_seeds = _("Accuracy over the seeds")
    if data.verdict is not None and not is_of_accuracies(data.verdict):
        metric = metric_word(data.verdict, form)
        over_seeds = _("{metric} over the seeds").format(metric=metric)
    wanted = (
        ("claims", _("The published claims"), bool(data.claims)),
        ("accuracies", over_seeds, True),
        ("differences", _("Differences and ranks"), "differences" in kinds),
        ("plateaus", _("How the learning rate is taken"), "plateaus" in kinds),
        ("importance", _("Importance"), "importance" in kinds),
        (
            "mechanisms",
            _("Mechanisms"),
            data.verdict is not None
            and is_of_accuracies(data.verdict)
            and (bool(data.verdict.mechanisms or data.verdict.probes) or "slopes" in kinds),
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


def verdict_notices(
    verdict: Verdict, budgets: tuple[Budget, ...], form: Formatter
) -> tuple[Notice, ...]:
    """Return the notices that apply: what the verdict had to say, then the search's budgets."""
    _ = form.translations.gettext
    boxes = []
    own = tuple(dict.fromkeys(_slot_notices(verdict, form)))
    if own:
        boxes.append(Notice("caution", _("To know about these numbers"), (), own))
    if any(budget.unequal for budget in budgets):
        boxes.append(_unequal(budgets, form))
    return tuple(boxes)


def _slot_notices(verdict: Verdict, form: Formatter) -> list[str]:
    """Return the notices of the slots, with the slot's name where not all slots have it."""
    _ = form.translations.gettext
    found = []
    texts = [slot_notices(slot, verdict, form) for slot in verdict.slots]
    for slot, own in zip(verdict.slots, texts, strict=True):
        heading = slot_word(slot.slot, form.translations)
        for text in own:
            everywhere = len(texts) > 1 and all(text in others for others in texts)
            found.append(
                text if everywhere else _("{slot}: {notice}").format(slot=heading, notice=text)
            )
    return found


def _unequal(budgets: tuple[Budget, ...], form: Formatter) -> Notice:
    _ = form.translations.gettext
    return Notice(
        "caution",
        _("Unequal budgets in the search"),
        (
            _(
                "A candidate with few trials may be judged at a setting that is not its best. "
                "The preset “balanced” gives every candidate the same."
            ),
        ),
        unequal_budgets(budgets, form),
    )


def methods_paragraph(plan: Plan, verdict: Verdict, version: str, form: Formatter) -> str:
    """Return what was trained, from the plan, then how it was judged, from the verdict.

    `version` is actlab's, empty where it is not known.
    """
    _ = form.translations.gettext
    sentences = [
        _("Activation functions were compared on {data} with the network {network}.").format(
            data=data_name(plan.data.name), network=short_name(plan.network)
        ),
        _candidates(plan, form),
        _protocol(plan, form),
        _("Settings were searched in {trials} trials.").format(trials=form.count(plan.trials)),
        fitted_line(form) if isinstance(plan.sampler, FittedSampler) else "",
        methods(verdict, form),
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
    lists = list(space.by_slot.values())
    if len(lists) == len({"conv", "fc"} & space.by_slot.keys()) == 2 and set(lists[0]) == set(
        lists[1]
    ):
        return _(
            "Candidates for the convolutional and for the fully connected layers: {names}; "
            "learning rates from {low} to {high}."
        ).format(names=", ".join(lists[0]), **rates)
    places = {
        "conv": _("the convolutional layers"),
        "fc": _("the fully connected layers"),
    }
    found = "; ".join(
        _("for {places}: {names}").format(places=places.get(slot, slot), names=", ".join(names))
        for slot, names in space.by_slot.items()
    )
    return _("Candidates {found}; learning rates from {low} to {high}.").format(
        found=found, **rates
    )


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


STEP = 0.01
"""The slider's step, in percentage points."""


def slider_end(verdict: Verdict) -> float:
    """Return the largest margin of the slider in points: 2, or four of the verdict's margins.

    >>> from actlab.records import Conditions
    >>> slider_end(Verdict((), 0.01, 10, Conditions(10, 5000, 3000, 0.1)))
    4.0
    """
    return max(2.0, round(400 * verdict.margin, 2))


def margin_data(verdict: Verdict, form: Formatter) -> dict[str, Any]:
    """Return the candidates' numbers by slot, and the words and signs of the groups.

    Margins are in points, as the slider has them.
    """
    _ = form.translations.gettext
    return {
        "margin": points(verdict.margin),
        "significance": ALPHA,
        "slots": {
            slot.slot: [
                {
                    "fixed": row.group if row.group in ("best", "unreliable") else None,
                    "behind": row.difference is not None and row.difference < 0,
                    "p": row.p_adjusted,
                    "smallest": None if row.smallest_margin is None else 100 * row.smallest_margin,
                    "name": row.name,
                    "n": row.n,
                }
                for row in slot.candidates
            ]
            for slot in verdict.slots
        },
        "groups": {
            group: {"word": look.word, "sign": look.sign}
            for group, look in group_looks(form).items()
        },
        "words": {"points": _("{number} points"), "none": _("none")},
    }


def points(margin: float) -> float:
    """Return a margin in percentage points, without the dust of the multiplication.

    >>> points(0.0055)
    0.55
    """
    return round(100 * margin, 6)


def layer_table(slot: SlotName, verdict: Verdict, form: Formatter) -> LayerTable:
    """Return the table of a slot, without rows where nothing was seen."""
    seen = [row for row in verdict.probes if row.slot == slot]
    means: dict[tuple[str, str | None], dict[str, float]] = {}
    for row in seen:
        means.setdefault((row.activation, row.layer), {})[row.key] = row.mean
    return LayerTable(
        {row.key: property_name(row.key, form) for row in seen},
        tuple(LayerRow(activation, layer, found) for (activation, layer), found in means.items()),
    )
