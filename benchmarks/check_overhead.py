"""What `actlab.check` costs, against one plain forward and backward pass.

Recipe: three networks, each with cross entropy on noise: the published one with 64 images, with
its softmax head (the noise probe runs) and corrected; a transformer of 50 million parameters, with
2 sequences of 32 tokens; and a recurrent network that is unrolled by hand over 200 steps, in a file
of 5,000 lines. Plain passes and checks alternate, one of each to a pair. Time is the process's own
processor time on one thread; reported are medians. The bound is three times a plain pass plus 0.3
seconds.

    python benchmarks/check_overhead.py [--pairs 5] [NETWORK...]
"""

import argparse
import importlib.util
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import actlab
from actlab.networks.builders import build
from bench import publish, spread

FOLDER = tempfile.TemporaryDirectory()
"""Where the source file lies whose lines a report names."""

Built = tuple[nn.Module, Callable[[Tensor, Tensor], Tensor], Tensor, Tensor]

UNROLLED = """
import torch
from torch import nn

class Unrolled(nn.Module):
    def __init__(self):
        super().__init__()
        self.read, self.keep, self.out = nn.Linear(8, 32), nn.Linear(32, 32), nn.Linear(32, 10)

    def forward(self, x):
        h = torch.zeros(len(x), 32)
        for t in range(x.shape[1]):
            h = torch.tanh(self.read(x[:, t]) + self.keep(h))
        return self.out(h)
"""


class Transformer(nn.Module):
    """A decoder of 50 million parameters, with tied embeddings."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(8000, 768)
        layer = nn.TransformerEncoderLayer(768, 12, 3072, 0.0, "gelu", batch_first=True)
        self.blocks = nn.TransformerEncoder(layer, 6, enable_nested_tensor=False)
        nn.init.normal_(self.embed.weight, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """Return a score for each token, after each position."""
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1])
        return F.linear(self.blocks(self.embed(x), mask=mask), self.embed.weight).flatten(0, 1)


def published(head: str) -> Built:
    model = build("published_cnn", "relu", "tanh", head)
    return model, nn.CrossEntropyLoss(), torch.randn(64, 1, 28, 28), torch.arange(64) % 10


def transformer() -> Built:
    ids = torch.randint(8000, (2, 33))
    return Transformer(), F.cross_entropy, ids[:, :-1], ids[:, 1:].flatten()


def unrolled() -> Built:
    file = Path(FOLDER.name) / "unrolled.py"
    filler = "".join(f"def f{n}(x):\n    y = x + {n}\n    return y\n\n" for n in range(1250))
    file.write_text(filler + UNROLLED)
    spec = importlib.util.spec_from_file_location("unrolled", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model: nn.Module = module.Unrolled()
    return model, F.cross_entropy, torch.randn(16, 200, 8), torch.arange(16) % 10


NETWORKS: dict[str, Callable[[], Built]] = {
    "published, softmax": lambda: published("softmax"),
    "published, logits": lambda: published("logits"),
    "transformer": transformer,
    "unrolled": unrolled,
}


def plain(built: Built) -> float:
    model, loss, x, y = built
    started = time.process_time()
    loss(model(x), y).backward()
    seconds = time.process_time() - started
    model.zero_grad(set_to_none=True)
    return seconds


def checked(built: Built) -> float:
    model, loss, x, y = built
    started = time.process_time()
    actlab.check(model, loss, (x, y))
    return time.process_time() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", default=list(NETWORKS))
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    pairs = 2 if given.quick else given.pairs
    torch.set_num_threads(1)
    figures: dict[str, object] = {"bound": "3 plain passes + 0.3 s"}
    for name in given.networks:
        torch.manual_seed(0)
        built = NETWORKS[name]()
        plain(built)
        checked(built)  # imports and warms up
        passes, checks = [], []
        for _pair in range(pairs):
            passes.append(plain(built))
            checks.append(checked(built))
        figures[f"{name}: plain pass, seconds"] = spread(passes)
        figures[f"{name}: check, seconds"] = spread(checks)
        figures[f"{name}: check, share of the bound"] = round(
            median(checks) / (3 * median(passes) + 0.3), 3
        )
    publish("actlab.check against one plain pass, processor time, one thread", figures)


if __name__ == "__main__":
    main()
