"""What a check says of architectures that are not ours: nothing, where they are used rightly.

Recipe: every architecture of transformers that classifies sequences, models language or classifies
images, shrunk by its configuration; every classifier of torchvision; and the smallest network, by
its name, of every model file of timm. Each has random weights, one batch of noise and the loss that
it is used with (its own, or cross entropy). One plain step is timed, then `actlab.check_step`. An
architecture that the small configuration does not fit, with more than 60 million parameters, or
whose plain step takes longer than 12 seconds, is skipped. Each finding is printed, to be
looked at. What the file has already is not run again.

    python benchmarks/check_architectures.py transformers|torchvision|timm FILE.jsonl
    python benchmarks/check_architectures.py table FILE.jsonl...
"""

import argparse
import json
import os
import resource
import signal
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import actlab

MOST_PARAMETERS = 60e6
MOST_BYTES = 12 * 2**30
MOST_SECONDS = 12
SMALL = {
    "hidden_size": 32, "d_model": 32, "n_embd": 32, "dim": 32, "embedding_size": 32,
    "num_hidden_layers": 2, "num_layers": 2, "n_layer": 2, "n_layers": 2, "encoder_layers": 2,
    "decoder_layers": 2, "num_attention_heads": 4, "num_heads": 4, "n_head": 4, "n_heads": 4,
    "encoder_attention_heads": 4, "decoder_attention_heads": 4, "num_key_value_heads": 2,
    "intermediate_size": 48, "hidden_dim": 48, "d_ff": 48, "ffn_dim": 48, "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 48, "d_kv": 8, "head_dim": 8, "num_experts": 4, "num_local_experts": 4,
    "vocab_size": 99, "max_position_embeddings": 64, "n_positions": 64, "n_ctx": 64,
    "image_size": 32, "patch_size": 8, "num_channels": 3, "num_labels": 3, "pad_token_id": 0,
    "eos_token_id": 1, "bos_token_id": 2,
}  # fmt: skip

Step = Callable[[], Tensor]
Built = tuple[Step, nn.Module]


def refuse_large(model: nn.Module) -> None:
    """Raise ValueError for a network with more parameters than are looked at."""
    size = sum(parameter.numel() for parameter in model.parameters())
    if size > MOST_PARAMETERS:
        raise ValueError(f"{size / 1e6:.0f} million parameters")


def of_transformers() -> Iterator[tuple[str, Callable[[], Built]]]:
    os.environ["HF_HUB_OFFLINE"] = "1"
    import transformers
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    def build(auto: Any, kind: str, task: str) -> Built:
        usual = CONFIG_MAPPING[kind]()
        given = {name: value for name, value in SMALL.items() if hasattr(usual, name)}
        config = CONFIG_MAPPING[kind](**{**given, "num_labels": 3})
        with torch.device("meta"):
            refuse_large(auto.from_config(config))
        model = auto.from_config(config)
        ids, classes = torch.randint(3, 99, (4, 12)), torch.tensor([0, 1, 2, 0])
        ids[:, -1] = 1
        batch = {
            "image": {"pixel_values": torch.randn(4, 3, 32, 32), "labels": classes},
            "sequence": {"input_ids": ids, "labels": classes},
            "language": {"input_ids": ids, "labels": ids},
        }[task]
        return (lambda: model(**batch).loss), model

    for task, auto in (
        ("sequence", transformers.AutoModelForSequenceClassification),
        ("language", transformers.AutoModelForCausalLM),
        ("image", transformers.AutoModelForImageClassification),
    ):
        for kind in auto._model_mapping._model_mapping:
            yield f"{task} {kind}", lambda auto=auto, kind=kind, task=task: build(auto, kind, task)


def of_torchvision() -> Iterator[tuple[str, Callable[[], Built]]]:
    import torchvision

    def build(name: str) -> Built:
        old = name in ("googlenet", "inception_v3")
        options = {"aux_logits": False, "init_weights": False} if old else {}
        with torch.device("meta"):
            refuse_large(torchvision.models.get_model(name, weights=None, **options))
        model = torchvision.models.get_model(name, weights=None, **options)
        fixed = name.startswith(("vit", "swin", "maxvit"))
        side, samples = (224, 2) if fixed else (96 if old else 64, 4)
        x, y = torch.randn(samples, 3, side, side), torch.randint(1000, (samples,))
        return (lambda: F.cross_entropy(model(x), y)), model

    for name in torchvision.models.list_models(module=torchvision.models):
        yield name, lambda name=name: build(name)


_SMALLEST = (
    "test_", "atto", "femto", "pico", "nano", "xxs", "xx_small", "tiny", "mini", "_xs", "small",
    "_s0", "_t0", "_0", "18", "_b0", "_s",
)  # fmt: skip
"""What timm calls the small ones of a family, the smallest first."""


def of_timm() -> Iterator[tuple[str, Callable[[], Built]]]:
    import timm

    def build(name: str) -> Built:
        with torch.device("meta"):
            refuse_large(timm.create_model(name, pretrained=False, num_classes=10))
        model = timm.create_model(name, pretrained=False, num_classes=10)
        channels, side, _width = model.default_cfg["input_size"]
        fixed = model.default_cfg.get("fixed_input_size", False)
        samples, side = (2, side) if fixed else (4, 96)
        x, y = torch.randn(samples, channels, side, side), torch.randint(10, (samples,))
        return (lambda: F.cross_entropy(model(x), y)), model

    def rank(name: str) -> tuple[int, int, str]:
        fitting = (n for n, word in enumerate(_SMALLEST) if word in name)
        return next(fitting, len(_SMALLEST)), len(name), name

    for file in timm.list_modules():
        names = timm.list_models(module=file)
        if names:
            smallest = min(names, key=rank)
            yield smallest, lambda name=smallest: build(name)


LIBRARIES = {"transformers": of_transformers, "torchvision": of_torchvision, "timm": of_timm}


def plain_step(step: Step, model: nn.Module) -> float:
    began = time.process_time()
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    torch.autograd.grad(step(), parameters, allow_unused=True)
    return time.process_time() - began


def give_up(_signal: int, _frame: object) -> None:
    """Raise TimeoutError: a plain step takes too long to be looked at."""
    raise TimeoutError(f"longer than {MOST_SECONDS} s")


def looked_at(name: str, build: Callable[[], Built]) -> dict[str, Any] | None:
    """Return what a check says of one architecture, None where it does not run."""
    torch.manual_seed(0)
    signal.setitimer(signal.ITIMER_VIRTUAL, MOST_SECONDS)
    try:
        step, model = build()
        parameters = sum(parameter.numel() for parameter in model.parameters())
        plain = plain_step(step, model)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    except Exception as error:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        print(f"skipped {name}: {type(error).__name__}: {str(error)[:80]}")
        return None
    began = time.process_time()
    report = actlab.check_step(step, model)
    return {
        "name": name,
        "parameters": parameters,
        "plain_seconds": plain,
        "seconds": time.process_time() - began,
        "recognised": "ACT101" in {item.code for item in report.fine},
        "findings": [(f.code, f.severity, str(f.location), f.proof) for f in report.findings],
    }


def run(library: str, file: Path) -> None:
    known = {json.loads(line)["name"] for line in file.open()} if file.exists() else set()
    with file.open("a") as stream:
        for name, build in LIBRARIES[library]():
            if name in known:
                continue
            seen = looked_at(name, build) or {"name": name, "skipped": True}
            stream.write(json.dumps({"library": library, **seen}) + "\n")
            stream.flush()
            if "findings" in seen:
                print(name, f"{seen['seconds']:.2f} s", *seen["findings"], flush=True)


def table(files: list[Path]) -> None:
    rows = [json.loads(line) for file in files for line in file.open()]
    print("| library | architectures | errors | warnings | notes | seconds, all | the longest |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for library in LIBRARIES:
        seen = [r for r in rows if r["library"] == library and "findings" in r]
        if seen:
            severities = [found[1] for r in seen for found in r["findings"]]
            counts = (severities.count(s) for s in ("error", "warning", "info"))
            seconds = [r["seconds"] for r in seen]
            cells = [library, len(seen), *counts, f"{sum(seconds):.0f}", f"{max(seconds):.1f}"]
            print("|", " | ".join(str(cell) for cell in cells), "|")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library", choices=(*LIBRARIES, "table"))
    parser.add_argument("files", type=Path, nargs="+")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    signal.signal(signal.SIGVTALRM, give_up)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    if given.library == "table":
        table(given.files)
    else:
        run(given.library, given.files[0])


if __name__ == "__main__":
    main()
