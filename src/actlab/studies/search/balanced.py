"""The balanced plan: pairs of activations, learning rates in strata, the same budget for all.

A plan of k rates per pair has k blocks, one per k-th part of the logarithmic range; a block holds
every pair once. Let C and F be the numbers of activations of the two slots and n = 0 ... CF - 1
the rank of a trial's learning rate in its block. Rank n belongs to the pair (n mod C,
(n + n // lcm(C, F)) mod F): every pair comes once, C ranks in a row hold each conv activation
once, F in a row each FC activation once. So the trials of a conv activation lie one in each of kF
strata of the range, those of an FC activation one in each of kC: for C = F, a Latin square.

With one slot it is the same with C = 1. With more than two, not every combination is tried: the
trials are ordered by rate, one in each of as many equal parts of the range as there are trials, and
in each slot every run of as many trials as it has candidates holds each of them once.
"""

import math
from collections.abc import Iterator

import numpy as np

from actlab.records import Plan, Setting, SlotName, Space
from actlab.studies.trials import derived_seed


def balanced_settings(plan: Plan) -> tuple[Setting, ...]:
    """Return the settings of all trials of a balanced plan, in the order of their numbers.

    They come in shuffled rounds of lcm(C, F) trials, each of which holds every activation of a slot
    equally often. Within a round any C trials in a row hold each conv activation once, any F each
    FC activation: whatever the number of trials, the budgets within a slot differ by at most one.

    >>> from actlab.studies.plan.file import read_plan
    >>> settings = balanced_settings(read_plan("balanced", {}))
    >>> len(settings), len({setting.conv_activation for setting in settings[:8]})
    (128, 8)
    """
    generator = np.random.default_rng(derived_seed(plan.seed, "balanced"))
    if len(plan.space.by_slot) > _CROSSED:
        return _uncrossed(plan.space, plan.trials, generator)
    (conv_slot, convs), (fc_slot, fcs) = _two_slots(plan.space)
    space, passes = plan.space, math.ceil(plan.trials / _pairs(plan.space))
    blocks = [_block(space, block, passes, generator) for block in range(passes)]
    settings = []
    # Where a pair's rates go is drawn per pair, so that no pass is a pass of low rates.
    turns = {pair: generator.permutation(passes) for pair in blocks[0]}
    for turn in range(passes):
        for conv, fc in _rounds(space, generator):
            rate = blocks[turns[conv, fc][turn]][conv, fc]
            found = {conv_slot: convs[conv], fc_slot: fcs[fc]}
            activations = {slot: name for slot, name in found.items() if slot}
            settings.append(Setting.of(activations, rate))
    return tuple(settings[: plan.trials])


_CROSSED = 2
"""In up to so many slots every combination of candidates is tried."""


def _two_slots(space: Space) -> list[tuple[SlotName, tuple[str, ...]]]:
    """Return the slots with their candidates; where there is one alone, a first one of no name."""
    found = list(space.by_slot.items())
    return found if len(found) == _CROSSED else [("", ("",)), *found]


def _uncrossed(space: Space, trials: int, generator: np.random.Generator) -> tuple[Setting, ...]:
    low, high = math.log(space.learning_rate_low), math.log(space.learning_rate_high)
    shares = (np.arange(trials) + generator.random(trials)) / trials
    rates = np.exp(low + (high - low) * shares)
    columns = {}
    for slot, names in space.by_slot.items():
        turns = [generator.permutation(len(names)) for _turn in range(-(-trials // len(names)))]
        columns[slot] = [names[place] for place in np.concatenate(turns)[:trials]]
    return tuple(
        Setting.of({slot: column[rank] for slot, column in columns.items()}, float(rates[rank]))
        for rank in generator.permutation(trials)
    )


def _pairs(space: Space) -> int:
    (_first, convs), (_second, fcs) = _two_slots(space)
    return len(convs) * len(fcs)


def _block(
    space: Space, block: int, blocks: int, generator: np.random.Generator
) -> dict[tuple[int, int], float]:
    """Return the learning rate of every pair in one block, drawn inside both of its strata."""
    convs, fcs = (len(names) for _slot, names in _two_slots(space))
    low, high = math.log(space.learning_rate_low), math.log(space.learning_rate_high)
    rates = {}
    for rank, pair in enumerate(_crossed(convs, fcs, generator)):
        of_conv, of_fc = rank // convs, rank // fcs
        first = max(of_conv / fcs, of_fc / convs)
        last = min((of_conv + 1) / fcs, (of_fc + 1) / convs)
        share = (block + generator.uniform(first, last)) / blocks
        rate = math.exp(low + (high - low) * share)
        rates[pair] = min(max(rate, space.learning_rate_low), space.learning_rate_high)
    return rates


def _rounds(space: Space, generator: np.random.Generator) -> Iterator[tuple[int, int]]:
    """Yield every pair once, in rounds of lcm(C, F), shuffled within and among them.

    A round of as many trials as each slot has activations holds each once, in any order. A longer
    one is only turned: its neighbours differ in both slots, whatever their first.
    """
    convs, fcs = (len(names) for _slot, names in _two_slots(space))
    size = math.lcm(convs, fcs)
    pairs = _crossed(convs, fcs, generator)
    for round_ in generator.permutation(len(pairs) // size):
        shuffled = generator.permutation(size)
        turned = (np.arange(size) + shuffled[0]) % size
        for place in shuffled if convs == fcs else turned:
            yield pairs[round_ * size + place]


def _crossed(convs: int, fcs: int, generator: np.random.Generator) -> list[tuple[int, int]]:
    """Return every pair once; see the module's text for what neighbours have in common."""
    conv_names, fc_names = generator.permutation(convs), generator.permutation(fcs)
    period = math.lcm(convs, fcs)
    return [
        (int(conv_names[rank % convs]), int(fc_names[(rank + rank // period) % fcs]))
        for rank in range(convs * fcs)
    ]
