"""Bad input at the edges where files and texts are read: damaged, half, huge, or made of noise.

Recipe: each edge has a few good inputs, which are cut, repeated, mixed with each other and with
noise, and have bytes or tokens exchanged; one in ten is noise alone. Whatever comes in, an edge may
answer or raise ActlabError within 5 seconds and within 1 GB; anything else is a crash, a hang or a
swelling. The figures go into docs/reliability.md.

    python benchmarks/fuzz.py [--inputs 10000] [--seed 1] [--edge NAME] [--page]
"""

import argparse
import contextlib
import random
import resource
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import numpy as np

from actlab.errors import ActlabError
from drill import processor, write_between

TOKENS = (
    *(b"", b"\x00", b"\n", b"\r\n", b"nan", b"inf", b"-1", b"1e999", b"9" * 30, b"[", b"]", b"{"),
    *(b"}", b'"', b"'", b"=", b",", b":", b"/", b"..", b"../../x", b"\xff\xfe", b"\xef\xbb\xbf"),
    *(b"null", b"true", b"\xed\xa0\x80", "\u0661".encode(), b"%00", b"?", b"#", b"x" * 5000),
    *(b"(" * 300, b"**"),
)
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


def fuzz(name: str, edge: Edge, good: tuple[bytes, ...], inputs: int, seed: int) -> dict[str, int]:
    """Hand an edge its inputs; return how many crashed, hung or swelled."""
    chance = random.Random(f"{seed} {name}")
    found = {"inputs": inputs, "refused": 0, "crashes": 0, "hangs": 0, "swellings": 0}
    kinds: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        with contextlib.suppress(ActlabError):
            edge(good[0], Path(folder))  # what is imported on the way is not the input's doing
        for _number in range(inputs):
            content = mutated(chance, good)
            begun, before = time.monotonic(), peak()
            try:
                edge(content, Path(folder))
            except ActlabError:
                found["refused"] += 1
            except Exception as error:  # what is looked for
                found["crashes"] += 1
                last = traceback.extract_tb(error.__traceback__)[-1]
                kind = f"{type(error).__name__} at {last.filename}:{last.lineno}"
                if kind not in kinds:
                    kinds.add(kind)
                    print(f"{name}: {kind}: {error}\n    {content[:300]!r}", flush=True)
            found["hangs"] += time.monotonic() - begun > SECONDS
            found["swellings"] += peak() - before > MEGABYTES
    return found


def peak() -> float:
    """Return the most memory that this process has had, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--edge", default=None)
    parser.add_argument("--page", action="store_true", help="write docs/reliability.md")
    given = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        edges = good_inputs(Path(folder))
    for name, (edge, good) in edges.items():
        if given.edge in (None, name):
            found = fuzz(name, edge, good, given.inputs, given.seed)
            rows.append(f"| {name} | " + " | ".join(map(str, found.values())) + " |")
            print(rows[-1], flush=True)
    if given.page:
        head = "| input | inputs | refused in words | crashes | hangs over 5 s | over 1 GB |"
        command = f"`python benchmarks/fuzz.py --inputs {given.inputs} --seed {given.seed} --page`"
        told = f"{command}, {processor()}, {time.strftime('%Y-%m-%d')}."
        write_between("fuzz", "\n".join([told, "", head, "|---|" + "--:|" * 5, *rows]))


if __name__ == "__main__":
    main()
