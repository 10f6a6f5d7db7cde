"""The fault drill: studies are killed, starved and damaged, and must be there in the morning.

Recipe: a small study (8 balanced trials on the digits, 2 replicates of the chosen settings) is run
once undisturbed; then again and again with a fault in it, and resumed to its end. After each fault
every record that was on the disk must still be there, unchanged and once; the finished study must
equal the undisturbed one in records, test figures and verdict; no process and no temporary file may
be left; and nobody may be shown a traceback. The results go to build/drill.jsonl, one line per
case, so that a drill that is interrupted goes on; then the table in docs/reliability.md is written
from them. What is injected is in drill_cases.py.

    python benchmarks/drill.py [--kills 100] [--seed 1] [--quick] [--again] [--only TEXT]
                                [--minutes M] [--backwards]
"""

import argparse
import json
import os
import random
import re
import resource
import signal
import sys
import time
from datetime import UTC, datetime
from typing import Any

import actlab.cli.main
import actlab.studies.interface.driving
import actlab.studies.worker  # noqa: F401  the copies of this process have it all
from drill_cases import NETWORKS, OWN_PLAN, Planned, SkippedError, cases, write_tasks_plan
from drill_study import PLAN, ROOT, WORK, Study, results
from reliability_page import processor, write_between

RESULTS = ROOT / "build" / "drill.jsonl"
GIVEN = ("costs.json", "findings.json")
REFERENCES = WORK / "references.json"


def references() -> dict[str, dict[str, Any] | None]:
    """Return what undisturbed studies give, by name; made once."""
    found: dict[str, dict[str, Any] | None] = {"nothing": None}
    if REFERENCES.exists():
        found = json.loads(REFERENCES.read_text())
    for name in ("study", "tasks", "own"):
        if name in found:
            continue
        study = Study(name, OWN_PLAN if name == "own" else PLAN)
        if name == "tasks":
            write_tasks_plan(study)
        if name == "own":
            (study.folder.parent / "flag").touch()
            study.options = ["--network", f"{NETWORKS}:network", "--json"]
        flag = str(study.folder.parent / "flag")
        code = study.ended(study.start(DRILL_FLAG=flag, DRILL_FAULT="exits"))
        if code:
            sys.exit(f"the undisturbed {name} does not end:\n{study.output}")
        found[name] = results(study.folder)
        REFERENCES.write_text(json.dumps(found))
    return found


def run(planned: Planned, seed: int, expected: dict[str, Any] | None) -> dict[str, Any]:
    """Run a case, and return its row; what was said in one that failed is kept beside it."""
    # Most cases get what each study measures and checks once, so that a drill is mostly its faults.
    given = [] if planned.whole else [WORK / "study" / "run" / name for name in GIVEN]
    study = Study("case", planned.plan, given)
    row: dict[str, Any] = {"case": planned.name, "kind": planned.kind, "faults": planned.faults}
    begun = time.monotonic()
    try:
        code = planned.case(study, random.Random(f"{seed} {planned.name}"))
        row |= study.result(code, expected)
    except SkippedError as reason:
        row["skipped"] = str(reason)
    finally:
        study.end_everything()
    row["seconds"] = round(time.monotonic() - begun, 1)
    if row.get("tracebacks") or not row.get("survived", True):
        name = re.sub("[^a-z0-9]+", "_", planned.name.lower())
        (WORK / f"{name}.log").write_text(study.output)
    return row


def table(rows: list[dict[str, Any]]) -> str:
    """Return the results as a table in Markdown."""
    columns: tuple[str, ...] = ("fault", "injected", "cases", "survived", "lost", "doubled")
    columns += ("processes left", "files left", "tracebacks", "hangs")
    lines = ["| " + " | ".join(columns) + " |", "|---|" + "--:|" * (len(columns) - 1)]
    for kind in dict.fromkeys(row["kind"] for row in rows):
        same = [row for row in rows if row["kind"] == kind and "skipped" not in row]
        if same:
            lines.append(f"| {kind} | " + " | ".join(map(str, sums(same))) + " |")
        else:
            reason = next(row["skipped"] for row in rows if row["kind"] == kind)
            lines.append(f"| {kind} | - | not run: {reason} | | | | | | | |")
    run_ones = [row for row in rows if "skipped" not in row]
    lines.append("| **all** | " + " | ".join(f"**{n}**" for n in sums(run_ones)) + " |")
    return "\n".join(lines)


def sums(rows: list[dict[str, Any]]) -> list[int]:
    return [
        sum(row["faults"] for row in rows),
        len(rows),
        sum(row["survived"] for row in rows),
        *(sum(row[column] for row in rows) for column in ("lost", "doubled", "orphans")),
        sum(len(row["left"]) for row in rows),
        *(sum(row[column] for row in rows) for column in ("tracebacks", "hangs")),
    ]


def write_page(rows: list[dict[str, Any]], seed: int, missing: int) -> None:
    """Write the table of the drill into docs/reliability.md."""
    machine = f"{os.cpu_count()} cores, {processor()}"
    minutes = sum(row["seconds"] for row in rows) / 60
    told = (
        f"`make drill` (seed {seed}), {machine}, {datetime.now(UTC):%Y-%m-%d}; {len(rows)} cases, "
        f"{minutes:.0f} minutes."
    )
    if missing:
        told += f" {missing} cases have not been run."
    write_between("drill", f"{told}\n\n{table(rows)}")


def children_seconds() -> float:
    """Return the processor time of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="a few cases, no page")
    parser.add_argument("--again", action="store_true", help="forget the cases that were run")
    parser.add_argument("--only", default="", help="only cases with this in their name, no page")
    parser.add_argument("--backwards", action="store_true", help="begin with the last case")
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no case after these")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    until = time.monotonic() + 60 * given.minutes
    if given.again:
        RESULTS.unlink(missing_ok=True)
        REFERENCES.unlink(missing_ok=True)
    RESULTS.parent.mkdir(exist_ok=True)
    writes = not given.quick and not given.only
    kept = RESULTS.read_text().splitlines() if RESULTS.exists() and writes else []
    done = [json.loads(line) for line in kept]
    planned = [one for one in cases(given.kills) if given.only in one.name]
    planned = [one for one in planned if one.quick or not given.quick]
    expected = references()
    for one in planned[:: -1 if given.backwards else 1]:
        if any(row["case"] == one.name for row in done):
            continue
        if time.monotonic() > until:
            break
        before = children_seconds()
        row = run(one, given.seed, expected[one.like])
        row["cpu_seconds"] = round(children_seconds() - before, 1)
        done.append(row)
        print(json.dumps(row), flush=True)
        if writes:
            with RESULTS.open("a") as stream:
                stream.write(json.dumps(row) + "\n")
    if writes:
        write_page(done, given.seed, len(planned) - len(done))
    if len(done) < len(planned):
        sys.exit("the rest of the cases is left for another time")
    failed = [row for row in done if "skipped" not in row and not row["survived"]]
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
