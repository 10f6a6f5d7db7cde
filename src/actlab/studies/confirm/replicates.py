"""Which trainings a confirmation consists of, and which of them have no record yet."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from actlab.records import Confirmation, Record, Setting, SlotName, Stage
from actlab.studies.confirm.candidate_settings import (
    CHOOSE_SEEDS,
    chance_level,
    choose,
    settings_to_choose_from,
)
from actlab.studies.confirm.stopping import Chosen, StoppingRule, looks, never, stopped_candidates
from actlab.studies.run_folder import RunFolder
from actlab.studies.trials import Replicate


class Replicates:
    """The trainings of one confirmation, over the records as they come in."""

    def __init__(self, folder: RunFolder, asked: Confirmation, rule: StoppingRule) -> None:
        plan = folder.plan()
        self._space, self._sampler, self._trials = plan.space, plan.sampler, plan.trials
        self._asked, self._rule = asked, rule if asked.sequential else never
        self._chance = chance_level(folder)
        self._records = list(folder.all_records())
        self._to_choose_from = settings_to_choose_from(self._space, self._records, self._sampler)
        self._chosen: Chosen | None = None

    def add(self, record: Record) -> None:
        """Take a new record."""
        self._records.append(record)
        if record.stage == "choose":
            self._chosen = None

    def rounds(self) -> Iterator[tuple[Stage, tuple[Replicate, ...]]]:
        """Yield what has no record yet, in rounds: each depends on the records of those before.

        Whoever goes on to the next round has added the records of this one.
        """
        yield "choose", self._missing("choose", self._to_choose_from, range(CHOOSE_SEEDS))
        for start, stop in pairwise((0, *looks(self._asked.seeds), self._asked.seeds)):
            yield "confirm", self._missing("confirm", self._running(start), range(start, stop))

    def is_trained(self) -> bool:
        """Return whether every training has its record."""
        return not any(missing for _stage, missing in self.rounds())

    def chosen(self) -> Chosen:
        """Return the setting that stands for each candidate, as the records have it by now."""
        if self._chosen is None:
            self._chosen = choose(self._space, self._records, self._chance, self._sampler)
        return self._chosen

    def chosen_once(self) -> tuple[Setting, ...]:
        """Return the chosen settings, each once, though it may stand for several candidates."""
        rows = (row.values() for row in self.chosen().values())
        return tuple(dict.fromkeys(setting for row in rows for setting in row if setting))

    def stopped(self, seeds_done: int | None = None) -> dict[SlotName, dict[str, int]]:
        """Return who was stopped in each slot and after how many seeds, by now or after some."""
        done = self._seeds_done() if seeds_done is None else seeds_done
        return stopped_candidates(
            self.chosen(), self._records, self._asked.seeds, done, self._rule, self._chance
        )

    def progress(self, stage: Stage) -> tuple[int, int]:
        """Return how many trainings of a stage have a record, and how many it has in all."""
        if stage == "choose":
            wanted = {(setting, r) for setting in self._to_choose_from for r in range(CHOOSE_SEEDS)}
        else:
            wanted = self._wanted()
        done = self._done(stage)
        return len(wanted & done), len(wanted)

    def _wanted(self) -> set[tuple[Setting, int]]:
        stopped, wanted = self.stopped(), set()
        for slot, row in self.chosen().items():
            for name, setting in row.items():
                seeds = stopped[slot].get(name, self._asked.seeds)
                wanted |= {(setting, r) for r in range(seeds)} if setting else set()
        return wanted

    def _running(self, seeds_done: int) -> tuple[Setting, ...]:
        """Return the settings that are still trained after `seeds_done` seeds."""
        stopped = self.stopped(seeds_done)
        found = (
            setting
            for slot, row in self.chosen().items()
            for name, setting in row.items()
            if setting is not None and name not in stopped[slot]
        )
        return tuple(dict.fromkeys(found))

    def _seeds_done(self) -> int:
        """Return after how many seeds the rounds so far have ended."""
        done, ended = self._done("confirm"), 0
        for look in (*looks(self._asked.seeds), self._asked.seeds):
            wanted = {(setting, r) for setting in self._running(ended) for r in range(look)}
            if not wanted <= done:
                break
            ended = look
        return ended

    def _done(self, stage: Stage) -> set[tuple[Setting, int]]:
        return {
            (record.setting, record.replicate)
            for record in self._records
            if record.stage == stage and record.replicate is not None
        }

    def _missing(
        self, stage: Stage, settings: Sequence[Setting], seeds: range
    ) -> tuple[Replicate, ...]:
        places = self._to_choose_from if stage == "choose" else self.chosen_once()
        first = self._trials
        if stage == "confirm":
            first += CHOOSE_SEEDS * len(self._to_choose_from)
        done = self._done(stage)
        return tuple(
            Replicate(first + seed * len(places) + places.index(setting), setting, stage, seed)
            for seed in seeds
            for setting in settings
            if (setting, seed) not in done
        )


def stopped_early(folder: RunFolder, rule: StoppingRule) -> dict[SlotName, frozenset[str]]:
    """Return the candidates of each slot that were stopped early because they were behind."""
    asked = folder.confirmation()
    if asked is None:
        return {}
    stopped = Replicates(folder, asked, rule).stopped()
    return {slot: frozenset(found) for slot, found in stopped.items()}
