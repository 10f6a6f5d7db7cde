"""Bad input at the edges where files and texts are read: damaged, half, huge, or made of noise.

Recipe: each edge has a few good inputs, which are cut, repeated, mixed with each other and with
noise, and have bytes or tokens exchanged; one in ten is noise alone. Formulas, queries, tables and
plans are also made from a grammar (hypothesis): right in form, wrong in meaning. Whatever comes in,
an edge may answer or raise ActlabError within 5 seconds and within 1 GB; anything else is a crash,
a hang or a swelling. Whole commands get such inputs, too: each in a forked copy of this process,
with 5 seconds of processor time and a watch over what it opens for writing; some in an interpreter
of their own. The figures go into docs/reliability.md; with --page an interrupted run goes on.

    python benchmarks/fuzz.py [--inputs 8000] [--commands 500] [--seed 1] [--edge NAME]
                               [--kind edge|command] [--page] [--minutes M]
"""

import argparse
import contextlib
import io
import json
import random
import resource
import sys
import tempfile
import time
import traceback
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

import fuzz_commands
from actlab.errors import ActlabError
from fuzz_commands import written_files
from fuzz_grammars import drawn
from reliability_page import processor, write_between

TOKENS = (
    *(b"", b"\x00", b"\n", b"\r\n", b"nan", b"inf", b"-1", b"1e999", b"9" * 30, b"[", b"]", b"{"),
    *(b"}", b'"', b"'", b"=", b",", b":", b"/", b"..", b"../../x", b"\xff\xfe", b"\xef\xbb\xbf"),
    *(b"null", b"true", b"\xed\xa0\x80", "\u0661".encode(), b"%00", b"?", b"#", b"x" * 5000),
    *(b"(" * 300, b"**"),
)
NETWORK = b"""from torch import nn
class Net(nn.Sequential):
    layers = 1
def net():
    return nn.Sequential(nn.Flatten(), nn.LazyLinear(8), nn.ReLU(), nn.Linear(8, 10))
"""
NOTEBOOK = json.dumps(
    {
        "cells": [
            {"cell_type": "markdown", "metadata": {}, "source": ["# A network"]},
            {"cell_type": "code", "metadata": {}, "source": ["%matplotlib inline\n", "x = 1"]},
            {"cell_type": "code", "metadata": {}, "source": "!ls\nprint(x)", "outputs": []},
        ],
        "metadata": {"kernelspec": {"name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
).encode()
RESULTS = Path(__file__).resolve().parent.parent / "build" / "fuzz.jsonl"
PARTS = {"edge": 10, "command": 50}
"""Inputs come in so many parts, so that little is lost where a run is interrupted."""
SECONDS = 5.0
MEGABYTES = 1000.0

Edge = Callable[[bytes, Path], object]


def text_of(content: bytes) -> str:
    """Return the bytes as a command line would hand them over: what is no UTF-8 as surrogates."""
    return content.decode("utf-8", "surrogateescape")


def plan(content: bytes, place: Path) -> object:
    from actlab.studies.plan.file import read_plan, write_plan

    path = place / "plan.toml"
    path.write_bytes(content)
    return write_plan(read_plan(str(path), {}))


def run_folder(content: bytes, place: Path) -> object:
    """Read every file of a run folder; the first byte says which of them is the damaged one."""
    from actlab.studies.plan.file import read_plan, write_plan
    from actlab.studies.run_folder import RunFolder
    from actlab.studies.summary import summary

    folder = RunFolder(place)
    for path in place.iterdir():
        path.unlink()
    folder.plan_path.write_text(write_plan(read_plan("digits", {})))
    paths = (
        folder.records_path,
        folder.environment_path,
        folder.final_path,
        folder.findings_path,
        folder.confirmation_path,
        folder.replicate_finals_path,
        folder.plan_path,
    )
    paths[content[0] % len(paths) if content else 0].write_bytes(content[1:])
    opened = RunFolder.open(place)
    return summary(opened), opened.findings(), opened.confirmation(), opened.replicate_finals()


def table_of_trials(content: bytes, place: Path) -> object:
    from actlab.studies.search.import_trials import trials_of_csv

    path = place / "trials.csv"
    path.write_bytes(content)
    return trials_of_csv(path)


def scores(content: bytes, place: Path) -> object:
    from actlab.verdicts.tables import read_table

    path = place / ("scores.csv" if len(content) % 2 else "scores.jsonl")
    path.write_bytes(content)
    return read_table(path)


def storage(content: bytes, _place: Path) -> object:
    from actlab.studies.search.import_trials import trials_of_storage

    address = text_of(content)
    if "://" in address and not address.startswith("sqlite"):
        from actlab.studies.search.import_trials import storage_url

        return storage_url(address)  # read, not connected to: there is nobody there
    return trials_of_storage(address, "study")


def idx(content: bytes, place: Path) -> object:
    from actlab.data.idx import parse_idx

    return parse_idx(content, place / "x")


def arrays(content: bytes, place: Path) -> object:
    from actlab.data.arrays import read_arrays

    path = place / "own.npz"
    path.write_bytes(content)
    return read_arrays(path)


def formula(content: bytes, _place: Path) -> object:
    from actlab.activations.formula.parser import parse_tree

    return parse_tree(text_of(content))


def query(content: bytes, _place: Path) -> object:
    from actlab import functions

    return functions(where=text_of(content))


def address(content: bytes, _place: Path) -> object:
    from actlab.studies.interface.user_inputs import absolute_address

    return absolute_address(text_of(content))


def target(content: bytes, place: Path) -> object:
    """Load a target of `actlab check`; the file it may name is there."""
    from actlab.addresses import load

    (place / "net.py").write_bytes(NETWORK)
    with contextlib.chdir(place):
        return load(text_of(content))


def notebook(content: bytes, place: Path) -> object:
    from actlab.capture.program import UserProgram

    path = place / "train.ipynb"
    path.write_bytes(content)
    return UserProgram(str(path)).started()


def executor(content: bytes, _place: Path) -> object:
    from actlab.studies.executors.engines import executor_factory

    return executor_factory(text_of(content))


def ledger(content: bytes, place: Path) -> object:
    from actlab.cli.gate_ledger import Asked, opened
    from actlab.verdicts.gate import GatePlan

    path = place / "ledger.jsonl"
    path.write_bytes(content)
    plan = GatePlan(4, 0.0, higher_is_better=True)
    with opened(path, Asked("a {seed}", "b {seed}", plan)) as book:
        return book.number


def good_inputs(place: Path) -> dict[str, tuple[Edge, tuple[bytes, ...]]]:
    """Return the edges, each with inputs that it takes."""
    from actlab.records import Epoch
    from actlab.studies.plan.file import PRESETS, read_plan, write_plan

    plans = tuple(write_plan(read_plan(name, {})).encode() for name in PRESETS)
    path = place / "good.npz"
    np.savez(path, x=np.zeros((200, 1, 8, 8), np.uint8), y=np.arange(200) % 10)
    epoch = repr(vars(Epoch(0.5, 0.4, 0.3, 1.0))).replace("'", '"').replace("None", "null")
    record = (
        b'{"identity":"a","number":0,"setting":{"conv_activation":"relu","fc_activation":"tanh",'
        b'"learning_rate":0.001},"replicate":null,"seeds":{"split":1,"weights":1,"order":1},'
        b'"protocol":{"name":"corrected","head":"logits"},"precision":"fp32","fingerprint":"f",'
        b'"outcome":"completed","reason":null,"valid_accuracy":0.9,"epochs":1,"best_epoch":1,'
        b'"curve":[' + epoch.encode() + b'],"seconds":1.0,"code_version":"0"}\n'
    )
    header = bytes([0, 0, 8, 3]) + b"".join(n.to_bytes(4, "big") for n in (2, 4, 4))
    table = b"number,conv_activation,fc_activation,learning_rate,value\n0,relu,tanh,0.01,0.9\n"
    return {
        "plans": (plan, plans),
        "run folders": (
            run_folder,
            (b"\x00" + record * 2, b"\x04" + b'{"seeds": 3}', b"\x06" + plans[0]),
        ),
        "tables of trials": (table_of_trials, (table, table * 3)),
        "score tables": (
            scores,
            (
                b"candidate,seed,score\na,1,0.5\nb,1,0.6\n",
                b'{"candidate":"a","seed":1,"score":0.5}\n',
            ),
        ),
        "storage addresses": (
            storage,
            (
                b"sqlite:///study.db",
                b"postgresql://me:pw@host:5432/db",
                b"study.db",
                b"mysql://h/d?x=1",
            ),
        ),
        "IDX files": (idx, (header + bytes(32),)),
        "npz files": (arrays, (path.read_bytes(),)),
        "formulas": (
            formula,
            (b"x*tanh(log(1+exp(x)))", b"where(x>0, x, a*(exp(x)-1))", b"max(0,x)**2"),
        ),
        "queries": (
            query,
            (b"smooth and not monotonic and lipschitz <= 1.1", b"bounded or kinks == 1"),
        ),
        "addresses of code": (address, (b"file.py:build", b"pkg.module:Net")),
        "check targets": (target, (b"net.py:net", b"net.py", b"json:dumps", b"net.py:Net.layers")),
        "notebooks": (notebook, (NOTEBOOK,)),
        "executor addresses": (
            executor,
            (b"dask://127.0.0.1:8786", b"ray://auto", b"ray://127.0.0.1:10001", b"local"),
        ),
        "ledgers of a gate": (
            ledger,
            (
                (
                    b'{"base":{"command":"a {seed}"},"candidate":{},"plan":{},"number":1}\n'
                    b'{"number":1,"seed":0,"score":0.5,"failure":"","timed_out":null}\n'
                ),
            ),
        ),
    }


def mutated(chance: random.Random, good: tuple[bytes, ...]) -> bytes:
    """Return an input that was good."""
    if chance.random() < 0.1:
        return chance.randbytes(chance.choice([0, 1, 10, 300]))
    content = bytearray(chance.choice(good))
    for _change in range(chance.choice([1, 1, 2, 5, 20])):
        place = chance.randint(0, len(content))
        how = chance.randrange(6)
        if how == 0:
            content[place : place + chance.randint(1, 20)] = b""
        elif how == 1:
            content[place:place] = chance.choice(TOKENS)
        elif how == 2 and content:
            content[place % len(content)] = chance.randrange(256)
        elif how == 3:
            other = chance.choice(good)
            content[place:] = other[chance.randint(0, len(other)) :]
        elif how == 4:
            content[place:place] = content[max(place - 30, 0) : place] * chance.choice([1, 3, 30])
        else:
            content[place : place + chance.randint(1, 10)] = chance.choice(TOKENS)
    return bytes(content)


def inputs_of(name: str, good: tuple[bytes, ...], count: int, seed: int) -> Iterator[bytes]:
    """Yield so many inputs of an edge: damaged ones, and four in ten from its grammar if any."""
    chance = random.Random(f"{seed} {name}")
    made = drawn(name, 4 * count // 10, seed)
    chance.shuffle(made)
    for place in range(count):
        if place < len(made):
            yield made[place]
        elif name == "npz files" and place % 2:
            yield packed_anew(chance, good[0])
        else:
            yield mutated(chance, good)


def packed_anew(chance: random.Random, archive: bytes) -> bytes:
    """Return an archive in order, of arrays that are not."""
    content = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(archive)) as whole,
        zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as changed,
    ):
        for member in whole.infolist():
            array = whole.read(member)
            if chance.random() < 0.5:
                header = mutated(chance, (array[:128],))
                array = header + array[128:] if chance.random() < 0.7 else mutated(chance, (array,))
            changed.writestr(member.filename, array)
    return content.getvalue()


def fuzz(name: str, edge: Edge, good: bytes, make: Callable[[], Iterator[bytes]]) -> dict[str, Any]:
    """Hand an edge its inputs; return how many crashed, hung or swelled."""
    contents = list(make())
    found = dict.fromkeys(("refused", "crashes", "hangs", "swellings", "outside"), 0)
    kinds: set[str] = set()
    with tempfile.TemporaryDirectory() as folder, written_files() as written:
        place = Path(folder, "edge")
        place.mkdir()
        with contextlib.suppress(ActlabError):
            edge(good, place)  # what is imported on the way is not the input's doing
        written.clear()
        for content in contents:
            begun, before = time.process_time(), peak()
            try:
                edge(content, place)
            except ActlabError:
                found["refused"] += 1
            except Exception as error:  # what is looked for
                found["crashes"] += 1
                last = traceback.extract_tb(error.__traceback__)[-1]
                kind = f"{type(error).__name__} at {last.filename}:{last.lineno}"
                if kind not in kinds:
                    kinds.add(kind)
                    print(f"{name}: {kind}: {error}\n    {content[:300]!r}", flush=True)
            found["hangs"] += time.process_time() - begun > SECONDS
            found["swellings"] += peak() - before > MEGABYTES
            outside = [path for path in written if not path.startswith(folder)]
            if outside:
                print(f"{name}: writes {outside[:3]}\n    {content[:300]!r}", flush=True)
            found["outside"] += bool(outside)
            written.clear()
    return {"inputs": len(contents), **found}


def peak() -> float:
    """Return the most memory that this process has had, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=8_000)
    parser.add_argument("--commands", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--edge", default=None)
    parser.add_argument("--kind", choices=["edge", "command"], default=None)
    parser.add_argument("--minutes", type=float, default=1e9, help="begin nothing after these")
    parser.add_argument("--page", action="store_true", help="write docs/reliability.md")
    given = parser.parse_args()
    until = time.monotonic() + 60 * given.minutes
    asked = f"--inputs {given.inputs} --commands {given.commands} --seed {given.seed}"
    RESULTS.parent.mkdir(exist_ok=True)
    kept = RESULTS.read_text().splitlines() if RESULTS.exists() and given.page else []
    rows = [row for row in map(json.loads, kept) if row["asked"] == asked]
    with tempfile.TemporaryDirectory() as folder:
        edges = good_inputs(Path(folder))
    jobs: list[tuple[str, str, int, Callable[[], dict[str, Any]]]] = []
    for kind, count in (("edge", given.inputs), ("command", given.commands)):
        parts = PARTS[kind]
        for part, (name, (edge, good)) in product(range(parts), edges.items()):
            size = count // parts + (part < count % parts)
            seed = 2 * (given.seed * parts + part) + (kind == "command")
            contents = partial(inputs_of, name, good, size, seed)
            job = partial(fuzz, name, edge, good[0], contents)
            if kind == "command":
                job = partial(fuzz_commands.fuzz, name, contents)
            if size and (kind == "edge" or name in fuzz_commands.COMMANDS):
                jobs.append((name, kind, part, job))
    for name, kind, part, job in jobs:
        if (
            given.edge not in (None, name)
            or given.kind not in (None, kind)
            or any((row["name"], row["kind"], row["part"]) == (name, kind, part) for row in rows)
        ):
            continue
        if time.monotonic() > until:
            break
        begun = cpu_seconds()
        row = {"asked": asked, "name": name, "kind": kind, "part": part, **job()}
        row["cpu_seconds"] = round(cpu_seconds() - begun, 1)
        rows.append(row)
        print(json.dumps(row), flush=True)
        if given.page:
            with RESULTS.open("a") as stream:
                stream.write(json.dumps(row) + "\n")
    if given.page:
        write_page(rows, asked, len(jobs) - len(rows))
    if time.monotonic() > until:
        sys.exit("the rest is left for another time")
    sys.exit(any(row[key] for row in rows for key in ("crashes", "hangs", "swellings", "outside")))


def cpu_seconds() -> float:
    """Return the processor time of this process and of the copies of it that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def write_page(rows: list[dict[str, Any]], asked: str, missing: int) -> None:
    """Write the tables of inputs and of commands into docs/reliability.md."""
    head = "| {} | {} | refused in words | crashes | hangs over 5 s | over 1 GB | writes outside |"
    cpu = sum(row["cpu_seconds"] for row in rows) / 60
    first = (
        f"`python benchmarks/fuzz.py {asked} --page`, {processor()}, {time.strftime('%Y-%m-%d')}; "
        f"{cpu:.0f} minutes of processor time."
    )
    if missing:
        first += f" {missing} of {missing + len(rows)} parts have not been run."
    lines = [first]
    keys = ("inputs", "refused", "crashes", "hangs", "swellings", "outside")
    for kind, title in (("edge", "input"), ("command", "whole commands")):
        same = [row for row in rows if row["kind"] == kind]
        lines += ["", head.format(title, "inputs"), "|---|" + "--:|" * 6]
        for name in dict.fromkeys(row["name"] for row in same):
            parts = [row for row in same if row["name"] == name]
            numbers = (str(sum(row[key] for row in parts)) for key in keys)
            lines.append(f"| {name} | " + " | ".join(numbers) + " |")
        total = " | ".join(f"**{sum(row[key] for row in same)}**" for key in keys)
        lines.append(f"| **all** | {total} |")
    write_between("fuzz", "\n".join(lines))


if __name__ == "__main__":
    main()
