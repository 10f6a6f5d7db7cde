"""How often a study calls a candidate worse that is not: 200 small studies in which none can be.

Recipe: three networks for the digits in which the candidates cannot differ. `zero`: the output of
the slot is multiplied by zero. `same`: whatever the slot holds, the network computes the same
function of what comes before it. `drawn`: as `same`, with dropout whose masks are drawn anew for
every candidate, so that equal candidates have scores that differ by luck alone. Each is studied
under the presets `digits` (its 5 replicates) and `balanced` (10), with 8 and with 24 trials, four
candidates, rates from 0.001 to 0.1 (the best is inside), another plan seed each time; in this
process. Of three studies of `drawn` one is made of `zero` and of `same`. Every study is kept as
soon as it is done; called again it goes on. With `--network` only one of them is studied, with
`--replicates` on so many seeds (then with another `--record`).

    python benchmarks/null_controls.py [--studies 30] [--record build/null_controls.jsonl] [--quick]
        [--network NAME] [--replicates N]
"""

import argparse
import itertools
import logging
import tempfile
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

import kept
from actlab.addresses import offer
from actlab.records import Confirmation, Plan
from actlab.studies.confirm.confirmation import ask_for, confirm
from actlab.studies.executors.in_process import InThisProcess
from actlab.studies.interface.progress import StudyProgress
from actlab.studies.interface.verdicts import verdict_of
from actlab.studies.plan.file import read_plan
from actlab.studies.run_folder import RunFolder
from actlab.studies.search.search import run_search
from bench import publish

RECORD = Path("build/null_controls.jsonl")
CANDIDATES = ("relu", "tanh", "silu", "sigmoid")
PRESETS = {"digits": 5, "balanced": 10}
TRIALS = (8, 24)
EPOCHS = 4
EVERY = 3
SPLITS = {"train": 300, "valid_epoch": 100, "valid_trial": 300, "test": 397}
"""Half of the rows, so that replicates are drawn from the half that no search saw."""


class Zero(nn.Module):
    """What comes out of the slot is multiplied by zero."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.activation = nn.Linear(64, 32), nn.ReLU()
        self.second, self.last = nn.Linear(32, 10), nn.Linear(64, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Return the scores of a linear network."""
        rows = images.flatten(1)
        hidden = self.activation(self.first(rows))
        scores: Tensor = self.last(rows) + 0.0 * self.second(hidden)
        return scores


class Same(nn.Module):
    """Whatever the slot holds, a GELU is computed; `rate` is that of a dropout behind it."""

    def __init__(self, rate: float = 0.0) -> None:
        super().__init__()
        self.first, self.activation = nn.Linear(64, 32), nn.ReLU()
        self.dropout, self.last = nn.Dropout(rate), nn.Linear(32, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Return the scores of a network with GELU."""
        before = self.first(images.flatten(1))
        hidden = before * 0.5 * (1.0 + torch.erf(before / 2**0.5)) + 0.0 * self.activation(before)
        if self.training:  # another place in the stream of random numbers for every candidate
            torch.rand(1 + zlib.crc32(type(self.activation).__name__.encode()) % 97)
        scores: Tensor = self.last(self.dropout(hidden))
        return scores


def drawn() -> nn.Module:
    return Same(rate=0.3)


NETWORKS: dict[str, Callable[[], nn.Module]] = {"zero": Zero, "same": Same, "drawn": drawn}


@dataclass(frozen=True)
class Cell:
    """Which control, under which preset, with how many trials."""

    network: str
    preset: str
    trials: int


CELLS = [Cell(*one) for one in itertools.product(NETWORKS, PRESETS, TRIALS)]


@dataclass(frozen=True)
class Line:
    """A study: the group of every candidate, the rates that were chosen, seeds said to separate."""

    network: str
    preset: str
    trials: int
    seed: int
    groups: dict[str, str]
    rates: dict[str, float]
    means: dict[str, float]
    more_seeds: dict[str, int]
    seconds: float

    @property
    def cell(self) -> Cell:
        """The cell that it belongs to."""
        return Cell(self.network, self.preset, self.trials)


def plan_of(cell: Cell, seed: int, replicates: int) -> Plan:
    name = f"here:{cell.network}"
    offer(name, NETWORKS[cell.network])
    overrides = {
        "network": {"name": name},
        "data": {"name": "digits", "splits": SPLITS},
        "trials": cell.trials,
        "seed": seed,
        "replicates": replicates,
        "protocol.max_epochs": EPOCHS,
        "space.conv_activation": ["relu"],
        "space.learning_rate": {"low": 0.001, "high": 0.1},
        "space.fc_activation": list(CANDIDATES),
        "execution": {"device": "cpu", "precision": "fp32"},
    }
    return read_plan(cell.preset, overrides)


def study(cell: Cell, seed: int, replicates: int | None = None) -> Line:
    """Search, train again and judge, without a page."""
    started = time.process_time()
    plan = plan_of(cell, seed, replicates or PRESETS[cell.preset])
    with tempfile.TemporaryDirectory() as place, StudyProgress() as progress:
        folder = RunFolder.create(Path(place) / "run", plan)
        ask_for(folder, Confirmation(plan.replicates))
        run_search(folder, "", progress, InThisProcess)
        confirm(folder, "", progress, InThisProcess)
        verdict = verdict_of(folder)
    assert verdict is not None
    rows = next(slot for slot in verdict.slots if slot.slot == "fc").candidates
    return Line(
        **vars(cell),
        seed=seed,
        groups={row.name: row.group for row in rows},
        rates={row.name: row.setting.learning_rate for row in rows if row.setting},
        means={row.name: row.mean for row in rows if row.mean is not None},
        more_seeds={row.name: row.more_seeds for row in rows if row.more_seeds},
        seconds=time.process_time() - started,
    )


def figures_of(lines: list[Line]) -> dict[str, object]:
    """Return per cell how often somebody is worse or tied, or more seeds are advised."""
    found: dict[str, object] = {}
    for name, part in [
        *((f"{c.network}, {c.preset}, {c.trials} trials", c) for c in CELLS),
        ("all", None),
    ]:
        own = [line for line in lines if part in (None, line.cell)]
        if own:
            others = [group for line in own for group in line.groups.values() if group != "best"]
            found[name] = {
                "studies": len(own),
                "false worse": sum("worse" in line.groups.values() for line in own),
                "tied of others": others.count("tied") / max(len(others), 1),
                "more seeds advised": sum(bool(line.more_seeds) for line in own),
                "seconds": sum(line.seconds for line in own) / len(own),
            }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=30, help="of each cell of `drawn`")
    parser.add_argument("--record", type=Path, default=RECORD)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--network", choices=list(NETWORKS), default=None)
    parser.add_argument("--replicates", type=int, default=None)
    given = parser.parse_args()
    logging.getLogger("actlab").setLevel(logging.ERROR)
    torch.set_num_threads(1)
    lines = kept.read(given.record, Line)
    done = {(line.cell, line.seed) for line in lines}
    for seed in range(1, 2 if given.quick else given.studies + 1):
        for cell in CELLS[: 1 if given.quick else None]:
            turn = seed % EVERY == 1 or cell.network == "drawn"
            if given.network not in (None, cell.network):
                continue
            if turn and (cell, seed) not in done:
                lines.append(study(cell, seed, given.replicates))
                kept.append(given.record, lines[-1:])
    publish("studies of candidates that cannot differ", figures_of(lines))


if __name__ == "__main__":
    main()
