"""The plan and the environment as labelled rows, so that a reader can repeat the study."""

import math
from dataclasses import dataclass

from actlab.pages.words import slot_word
from actlab.records import USUAL_TRAINING, Environment, FittedSampler, Plan, TpeSampler
from actlab.studies.confirm.candidate_settings import CHOOSE_SEEDS, TO_CHOOSE_FROM
from actlab.studies.coverage import init_line
from actlab.text import NOT_KNOWN, Formatter


@dataclass(frozen=True)
class Group:
    """Rows of a label and a value, under a heading."""

    title: str
    rows: tuple[tuple[str, str], ...]


def plan_groups(plan: Plan, form: Formatter) -> tuple[Group, ...]:
    """Return the plan, every setting of it."""
    _ = form.translations.gettext
    space, run = plan.space, plan.execution
    splits = plan.data.splits
    rates = _("{low} to {high}, log-uniform").format(
        low=form.rate(space.learning_rate_low), high=form.rate(space.learning_rate_high)
    )
    return (
        Group(
            _("Study"),
            (
                (_("name"), plan.name),
                (_("trials planned"), form.count(plan.trials)),
                (_("seed"), str(plan.seed)),
                (_("network"), plan.network),
            ),
        ),
        Group(
            _("Space"),
            (
                *(
                    (slot_word(slot, form.translations), ", ".join(names))
                    for slot, names in space.by_slot.items()
                ),
                (_("learning rate"), rates),
                (_("weights"), init_line(plan.init, form)),
            ),
        ),
        Group(
            _("Data"),
            (
                (_("data set"), plan.data.name),
                (_("folder"), plan.data.directory or NOT_KNOWN),
                (_("train"), form.count(splits.train)),
                (_("valid (epoch)"), form.count(splits.valid_epoch)),
                (_("valid (trial)"), form.count(splits.valid_trial)),
                (_("test"), form.count(splits.test)),
            ),
        ),
        *(() if plan.training.function else (_protocol_group(plan, form),)),
        *_training_groups(plan, form),
        _sampler_group(plan, form),
        Group(
            _("Execution"),
            (
                (_("device asked for"), run.device),
                (_("precision asked for"), run.precision),
                (_("trials at a time"), str(run.workers or _("as many as cores"))),
                (_("time limit of a trial"), form.duration(run.trial_timeout)),
            ),
        ),
    )


def _protocol_group(plan: Plan, form: Formatter) -> Group:
    _ = form.translations.gettext
    protocol = plan.protocol
    heads = {
        "softmax": _("softmax in the network, then cross entropy, which applies it again"),
        "logits": _usual_loss(plan, form),
    }
    epochs, measured = protocol.max_epochs, plan.training.measured
    stopping = _("after {patience} epochs without a better valid (epoch) accuracy")
    if not measured.in_percent:
        stopping = _("after {patience} epochs without a better {metric} on valid (epoch)")
    return Group(
        _("Protocol"),
        (
            (_("name"), protocol.name),
            (_("output and loss"), heads[protocol.head]),
            (_("optimiser"), _("AdamW, weight decay {decay}").format(decay=protocol.weight_decay)),
            (_("batch size"), str(protocol.batch_size)),
            (
                _("early stopping"),
                stopping.format(patience=protocol.patience, metric=measured.name),
            ),
            (_("most epochs"), _("no limit") if epochs is None else str(epochs)),
        ),
    )


def _usual_loss(plan: Plan, form: Formatter) -> str:
    _ = form.translations.gettext
    given = plan.training.loss or plan.training.function
    if given is not None:
        return _("no output activation, {loss}").format(loss=given)
    return {
        "regression": _("no output activation, squared error of the standardised target"),
        "multilabel": _("no output activation, binary cross entropy on the scores"),
    }.get(plan.training.task, _("no output activation, cross entropy on the scores"))


def _training_groups(plan: Plan, form: Formatter) -> tuple[Group, ...]:
    """Return what a study trains for, and with, where that is not the usual."""
    _ = form.translations.gettext
    part = plan.training
    if part == USUAL_TRAINING:
        return ()
    weights = part.class_weights
    rows = (
        (_("task"), part.task if part.function is None else NOT_KNOWN),
        (_("function"), part.function),
        (_("loss"), part.loss),
        (_("metric"), part.measured.name),
        (_("better"), _("higher") if part.measured.higher_is_better else _("lower")),
        (_("optimiser"), part.optimiser if part.optimiser != "adamw" else None),
        (_("schedule"), part.schedule),
        (_("augmentation"), part.augmentation),
        (
            _("class weights"),
            None if weights == "none" else weights if isinstance(weights, str) else str(weights),
        ),
        (_("largest gradient norm"), None if part.clip is None else f"{part.clip:g}"),
        (_("activation parameters decay"), _("yes") if part.decay_activations else None),
    )
    known = tuple((label, value) for label, value in rows if value is not None)
    return (Group(_("Training"), known),)


def _sampler_group(plan: Plan, form: Formatter) -> Group:
    _ = form.translations.gettext
    sampler = plan.sampler
    if not isinstance(sampler, TpeSampler):
        rates = plan.trials / math.prod(map(len, plan.space.by_slot.values()))
        rows = [
            (_("algorithm"), _("balanced: every pair of activations equally often")),
            (_("learning rates per pair"), f"{rates:g}"),
        ]
        if isinstance(sampler, FittedSampler):
            rows.append((_("learning rates of the replicates"), fitted_line(form)))
        return Group(_("Sampler"), tuple(rows))
    return Group(
        _("Sampler"),
        (
            (_("algorithm"), sampler.name.upper()),
            (_("start-up trials"), str(sampler.startup_trials)),
            (_("start"), sampler.start),
            (_("candidates per proposal"), str(sampler.candidates)),
            (_("multivariate"), _yes(sampler.multivariate, form)),
            (_("constant liar"), _yes(sampler.constant_liar, form)),
        ),
    )


def fitted_line(form: Formatter) -> str:
    """Say at which learning rates, and for how long, a `FittedSampler` has candidates trained."""
    _ = form.translations.gettext
    return _(
        "Each candidate is trained again at the learning rate at which its response curve, fitted "
        "to all trials of the search, is highest, and on no more seeds once it is clearly behind."
    )


def chosen_rates(plan: Plan, form: Formatter) -> str:
    """Return how the learning rate was chosen at which a candidate is trained again."""
    if isinstance(plan.sampler, FittedSampler):
        return fitted_line(form)
    _ = form.translations.gettext
    return _(
        "The candidates of a slot share up to {rates} learning rates that did best in the search; "
        "each is trained at all of them with {seeds} further seeds and keeps the best."
    ).format(rates=TO_CHOOSE_FROM, seeds=CHOOSE_SEEDS)


def environment_groups(
    environment: Environment, evaluation_order: str, form: Formatter
) -> tuple[Group, ...]:
    """Return where and how the study ran."""
    _ = form.translations.gettext
    rows = [
        (_("started"), form.moment(environment.started)),
        (_("device"), environment.device),
        (_("precision"), environment.precision),
    ]
    if evaluation_order:
        rows.append((_("order of evaluation"), evaluation_order))
    rows.append((_("data fingerprint"), environment.fingerprint))
    machine = tuple((key, str(value)) for key, value in environment.machine.items())
    groups = [Group(_("Run"), tuple(rows)), Group(_("Machine"), machine)]
    groups.append(Group(_("Versions"), tuple(environment.versions.items())))
    return tuple(group for group in groups if group.rows)


def _yes(value: bool, form: Formatter) -> str:
    _ = form.translations.gettext
    return _("yes") if value else _("no")
