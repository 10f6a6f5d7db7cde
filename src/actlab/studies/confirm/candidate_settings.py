"""Which settings are trained again, and which of them stands for a candidate.

A candidate is an activation in a slot. Everything here is computed from records alone, so that
whoever asks, and whenever, gets the same answer.
"""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from actlab.records import Outcome, Record, Setting, SlotName, Space
from actlab.studies.run_folder import RunFolder

SLOTS: tuple[SlotName, ...] = ("conv", "fc")
TO_CHOOSE_FROM = 3
"""At how many learning rates the candidates of a slot are trained again before one is kept."""

CHOOSE_SEEDS = 3
"""On how many seeds."""

ByCandidate = Mapping[SlotName, Mapping[str, Sequence[Setting]]]


def activation_in(slot: SlotName, setting: Setting) -> str:
    """Return the activation that a setting has in a slot.

    >>> activation_in("fc", Setting("relu", "tanh", 0.001))
    'tanh'
    """
    return setting.conv_activation if slot == "conv" else setting.fc_activation


def names_in(slot: SlotName, space: Space) -> tuple[str, ...]:
    """Return the activations that a space has for a slot."""
    return space.conv_activation if slot == "conv" else space.fc_activation


def best_settings(space: Space, records: Iterable[Record]) -> ByCandidate:
    """Return the settings in which the candidates of each slot are tried, the likeliest first.

    All candidates of a slot share them, but for the activation itself: the learning rates at which
    candidates did best in the search (that of the best trial, and where there are more than three
    the lowest and the highest), with the best trial's activation in the other slot. So nobody wins
    or loses by a rate that the search happened to draw for one of them, and candidates that make
    no difference come out the same. None for a candidate without a completed trial. A study whose
    candidates were tried by their own best settings, as was done before, stays with these.
    """
    known = tuple(records)
    completed = [r for r in known if r.stage == "search" and r.outcome is Outcome.COMPLETED]
    ranked = sorted(completed, key=lambda record: (-(record.valid_accuracy or 0.0), record.number))
    shared: ByCandidate = {slot: _shared(slot, names_in(slot, space), ranked) for slot in SLOTS}
    tried = {record.setting for record in known if record.stage == "choose"}
    if tried <= {setting for row in shared.values() for found in row.values() for setting in found}:
        return shared
    return {
        slot: {name: _first_of(slot, name, ranked) for name in names_in(slot, space)}
        for slot in SLOTS
    }


def settings_to_choose_from(space: Space, records: Iterable[Record]) -> tuple[Setting, ...]:
    """Return the settings of the first stage, each once: a candidate with one has no choice."""
    by_candidate = best_settings(space, records)
    groups = [found for slot in SLOTS for found in by_candidate[slot].values() if len(found) > 1]
    return tuple(dict.fromkeys(setting for group in groups for setting in group))


def choose(
    space: Space, records: Iterable[Record], chance: float
) -> dict[SlotName, dict[str, Setting | None]]:
    """Return the setting that stands for every candidate of both slots; None where there is none.

    Of the settings that it was tried in it is the one with the best mean over the seeds of the
    stage "choose", in which a training without an accuracy counts at `chance`; of equal ones, the
    one that comes first in `best_settings`.
    """
    known = tuple(records)
    means = _choose_means(known, chance)
    by_candidate = best_settings(space, known)
    return {
        slot: {name: _best(found, means) for name, found in by_candidate[slot].items()}
        for slot in SLOTS
    }


def chosen_settings(folder: RunFolder) -> dict[SlotName, dict[str, Setting | None]]:
    """Return what `choose` does, for the study in a folder as far as it has come."""
    return choose(folder.plan().space, folder.all_records(), chance_level(folder))


def chance_level(folder: RunFolder) -> float:
    """Return the accuracy of guessing on the study's data: 1 / number of classes."""
    environment = folder.environment()
    classes = len(environment.class_counts["train"]) if environment is not None else 0
    return 1 / classes if classes else 0.0


def _shared(
    slot: SlotName, names: Sequence[str], ranked: Sequence[Record]
) -> dict[str, tuple[Setting, ...]]:
    firsts = {name: _first_of(slot, name, ranked)[:1] for name in names}
    settings = sorted(
        (setting for found in firsts.values() for setting in found),
        key=[record.setting for record in ranked].index,
    )
    rates = list(dict.fromkeys(setting.learning_rate for setting in settings))
    if len(rates) > TO_CHOOSE_FROM:
        best, middle = rates[0], sorted(rates)[len(rates) // 2]
        rates = list(dict.fromkeys((best, min(rates), max(rates), middle)))[:TO_CHOOSE_FROM]
    return {
        name: tuple(_with(slot, name, settings[0], rate) for rate in rates) if found else ()
        for name, found in firsts.items()
    }


def _with(slot: SlotName, name: str, best: Setting, rate: float) -> Setting:
    """Return the best trial's setting with another activation in a slot, and another rate."""
    if slot == "conv":
        return Setting(name, best.fc_activation, rate)
    return Setting(best.conv_activation, name, rate)


def _first_of(slot: SlotName, name: str, ranked: Sequence[Record]) -> tuple[Setting, ...]:
    own = (record.setting for record in ranked if activation_in(slot, record.setting) == name)
    return tuple(dict.fromkeys(own))[:TO_CHOOSE_FROM]


def _choose_means(records: Iterable[Record], chance: float) -> dict[Setting, float]:
    scores: dict[Setting, list[float]] = {}
    for record in records:
        if record.stage == "choose":
            accuracy = record.valid_accuracy
            scores.setdefault(record.setting, []).append(chance if accuracy is None else accuracy)
    return {setting: fmean(found) for setting, found in scores.items()}


def _best(found: Sequence[Setting], means: Mapping[Setting, float]) -> Setting | None:
    # max keeps the first of equals, and the settings come in the order of the search.
    return max(found, key=lambda setting: means.get(setting, 0.0), default=None)
