"""What a check says of programs that are not ours, run as they are with `actlab check SCRIPT`.

Recipe: a checkout of github.com/pytorch/examples, with the MNIST files in its folder `data`, and
checkouts of github.com/karpathy/minGPT, karpathy/nanoGPT, Lightning-AI/litgpt and skorch-dev/skorch
beside it, and minGPT in PYTHONPATH. nanoGPT and chargpt train on random letters, in the files that
they read. Each program of the list is run in its own folder up to its first backward passes;
programs that need a download or several machines are not in the list. What the file has already is
not run again.

    python benchmarks/check_programs.py FOLDER FILE.jsonl
    python benchmarks/check_programs.py table FILE.jsonl
"""

import argparse
import json
import resource
import subprocess
import sys
from pathlib import Path

LIMIT = 600

PROGRAMS: tuple[tuple[str, str], ...] = (
    ("examples/regression", "main.py"),
    ("examples/mnist", "main.py --no-accel --dry-run"),
    ("examples/mnist_rnn", "main.py --dry-run"),
    ("examples/mnist_forward_forward", "--steps 2 main.py --no_accel --epochs 1 --train_size 512"),
    ("examples/siamese_network", "main.py --no-accel --dry-run"),
    ("examples/vae", "main.py --no-accel --epochs 1"),
    ("examples/dcgan", "--steps 3 main.py --dataset fake --dry-run --workers 0 --batchSize 8"),
    ("examples/imagenet", "main.py --dummy --no-accel -a resnet18 -b 4 -j 0 --epochs 1"),
    ("examples/imagenet", "main.py --dummy --no-accel -a vit_b_16 -b 2 -j 0 --epochs 1"),
    ("examples/time_sequence_prediction", "train.py --steps 1"),
    ("examples/word_language_model", "main.py --epochs 1 --dry-run"),
    ("examples/word_language_model", "main.py --epochs 1 --dry-run --model Transformer"),
    ("examples/word_language_model", "main.py --epochs 1 --dry-run --model RNN_RELU"),
    ("examples/super_resolution", "main.py --upscale_factor 3 --nEpochs 1"),
    ("examples/reinforcement_learning", "reinforce.py"),
    ("examples/reinforcement_learning", "actor_critic.py"),
    ("minGPT/projects/adder", "adder.py --trainer.max_iters=2 --trainer.num_workers=0"),
    (
        "minGPT/projects/chargpt",
        "chargpt.py --trainer.max_iters=2 --trainer.num_workers=0 --model.model_type=gpt-micro",
    ),
    (
        "nanoGPT",
        (
            "train.py config/train_shakespeare_char.py --device=cpu --compile=False --batch_size=4"
            " --block_size=64 --eval_iters=1"
        ),
    ),
    ("litgpt", "-m pytest -q tests/test_full.py"),
    ("litgpt", "-m pytest -q tests/test_lora.py"),
    ("litgpt", "-m pytest -q tests/test_adapter.py"),
    ("litgpt", "-m pytest -q tests/test_adapter_v2.py"),
    ("litgpt", "-m pytest -q tests/test_pretrain.py"),
    ("skorch", "--steps 20 -m pytest -q -o addopts= skorch/tests/test_classifier.py"),
    ("skorch", "--steps 20 -m pytest -q -o addopts= skorch/tests/test_regressor.py"),
)


def looked_at(folder: Path, words: str) -> dict[str, object]:
    """Return what a check says of one program, and the processor time of all of it."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "actlab", "check", "--format", "json", *words.split()]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=LIMIT, check=False
        )
        answer, errors, code = done.stdout, done.stderr, done.returncode
    except subprocess.TimeoutExpired:
        answer, errors, code = "", f"longer than {LIMIT} s", -1
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    row: dict[str, object] = {"code": code, "seconds": round(seconds, 2)}
    try:
        report = json.loads(answer)
    except ValueError:
        return {**row, "skipped": (errors.strip().splitlines() or ["no word"])[-1][:300]}
    row["check_seconds"] = report["seconds"]
    row["findings"] = [
        (f["code"], f["severity"], f["location"]["file"], f["location"]["line"], f["proof"])
        for f in report["findings"]
    ]
    return row


def table(file: Path) -> None:
    """Print a row for each program."""
    print("| program | findings | seconds, all of the program so far |")
    print("| --- | --- | --- |")
    for row in (json.loads(line) for line in file.open()):
        found = [f"{code} {severity}" for code, severity, *_rest in row.get("findings", ())]
        words = ", ".join(found) if "findings" in row else f"not run: {row['skipped']}"
        print(f"| {row['folder']}: {row['words']} | {words or 'none'} | {row['seconds']} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("file", type=Path)
    given = parser.parse_args()
    if str(given.folder) == "table":
        table(given.file)
        return
    rows = map(json.loads, given.file.open()) if given.file.exists() else ()
    known = {(row["folder"], row["words"]) for row in rows}
    with given.file.open("a") as stream:
        for folder, words in PROGRAMS:
            if (folder, words) not in known:
                row = looked_at(given.folder / folder, words)
                stream.write(json.dumps({"folder": folder, "words": words, **row}) + "\n")
                stream.flush()
                print(folder, words, row, flush=True)


if __name__ == "__main__":
    main()
