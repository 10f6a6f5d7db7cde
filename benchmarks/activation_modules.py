"""Our modules against torch's kernel, or against the plain formula: time, and bytes kept.

    python benchmarks/activation_modules.py [--compiled] [--device cuda] [--dtype bfloat16]
                                            [--elements N] [--rounds N] [NAME...]

Forward and backward of each module and of what it is compared with, in turns; the figure is the
median over rounds of the ratio of times. On a CPU that is the processor time of one thread, on a
GPU the time between two events around several passes. The plain formula is the text of the
catalogue in torch's functions, eager or (with --compiled, both sides) under torch.compile. The aim
is 1.1 against a kernel and with --compiled, 1 against the plain formula run eagerly, and no more
bytes kept.
"""

import argparse
import operator
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from actlab.activations import Function, get
from actlab.activations.formula.evaluation import evaluate
from actlab.activations.formula.nodes import Node
from actlab.activations.formula.with_torch import TorchBackend

NAMES = """relu gelu silu gelu_tanh quick_gelu tanh sigmoid leaky_relu elu softplus mish hardswish
relu6 relu_squared prelu selu hardsigmoid swiglu geglu reglu clamped_swiglu star_relu swish
snake_beta laplace xielu logsigmoid softsign softcap rational_pau""".split()  # noqa: SIM905  as a list it has thirty lines
KERNELS: dict[str, Callable[[Tensor], Tensor]] = {
    "selu": functional.selu,
    "logsigmoid": functional.logsigmoid,
}
"""Where torch has a kernel and our module is not it."""

ELEMENTS = {"cpu": 1 << 18, "cuda": 1 << 26}
PASSES = {"cpu": 1, "cuda": 5}
"""Passes in one measurement: on a GPU several, so that it never waits for Python."""


class Plain(nn.Module):
    """A formula of the catalogue in torch's functions, learnt parameters as tensors of one."""

    def __init__(self, function: Function) -> None:
        super().__init__()
        self.expression = function.expression
        self.values: dict[str, Tensor | float] = {}
        learnt = {p.name for p in function.parameters if p.learnable}
        for name, value in function.values.items():
            if name not in function.expression.names:
                continue
            self.values[name] = nn.Parameter(torch.tensor([value])) if name in learnt else value
            if name in learnt:
                setattr(self, f"learnt_{name}", self.values[name])

    def forward(self, x: Tensor) -> Tensor:
        """Return f(x)."""
        found: Tensor = self.expression.evaluate(TorchBackend(), x, **self.values)
        return found


class Rational(nn.Module):
    """The quotient of two polynomials, term by term."""

    def __init__(self) -> None:
        super().__init__()
        from actlab.activations.modules.structural import RationalPAU

        self.p = nn.ParameterList(torch.tensor(value) for value in RationalPAU.NUMERATOR)
        self.q = nn.ParameterList(torch.tensor(value) for value in RationalPAU.DENOMINATOR)

    def forward(self, x: Tensor) -> Tensor:
        """Return P(x) / (1 + |Q(x)|)."""
        top: Tensor = reduce(operator.add, (c * x**k for k, c in enumerate(self.p)))
        bottom: Tensor = reduce(operator.add, (c * x**k for k, c in enumerate(self.q, start=1)))
        return top / (1 + bottom.abs())


def plain(function: Function) -> tuple[str, Callable[[Tensor], Tensor]]:
    """Return what a module is compared with, and its kind."""
    if function.factory.startswith("native:"):
        own = None if function.learnable else getattr(functional, function.name, None)
        return "torch", own or function.module()
    if function.name in KERNELS:
        return "torch", KERNELS[function.name]
    if function.name == "rational_pau":
        return "formula", Rational()
    if function.factors is not None:
        gate, value = (factor.tree for factor in function.gate_and_value)
        return "formula", _gated(gate, value)
    return "formula", Plain(function)


def _gated(gate: Node, value: Node) -> Callable[[Tensor], Tensor]:
    def apply(x: Tensor) -> Tensor:
        a, b = x.chunk(2, -1)
        g: Tensor = evaluate(gate, TorchBackend(), a, {})
        h: Tensor = evaluate(value, TorchBackend(), b, {})
        return g * h

    return apply


def step(module: Callable[[Tensor], Tensor], x: Tensor, incoming: Tensor) -> None:
    """Run one forward and backward pass."""
    torch.autograd.backward(module(x), incoming)
    x.grad = None


def spent(module: Callable[[Tensor], Tensor], x: Tensor, incoming: Tensor) -> float:
    """Return the seconds of a forward and backward pass."""
    passes = PASSES[x.device.type]
    if x.device.type == "cpu":
        start = time.process_time()
        for _ in range(passes):
            step(module, x, incoming)
        return (time.process_time() - start) / passes
    event: Any = torch.cuda.Event
    before, after = event(enable_timing=True), event(enable_timing=True)
    before.record()
    for _ in range(passes):
        step(module, x, incoming)
    after.record()
    torch.cuda.synchronize()
    milliseconds: float = before.elapsed_time(after)
    return milliseconds / 1000 / passes


def kept(module: Callable[[Tensor], Tensor], x: Tensor) -> float:
    """Return the bytes per element that backward keeps, the input included."""
    seen: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        if tensor.numel() > 1024:
            seen[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        module(x)
    return sum(seen.values()) / x.numel()


@dataclass(frozen=True)
class Row:
    """What is compared, the medians of both times and of their ratio, and the bytes kept."""

    name: str
    kind: str
    ours: float
    other: float
    ratio: float
    kept: tuple[float, float]

    def __str__(self) -> str:
        times = f"{1000 * self.ours:.3f} | {1000 * self.other:.3f} | {self.ratio:.2f}"
        return f"| {self.name} | {self.kind} | {times} | {self.kept[0]:.1f} | {self.kept[1]:.1f} |"

    def within(self, *, compiled: bool) -> bool:
        """Return whether the aim is reached, two hundredths allowed for the clock."""
        most = 1.1 if compiled or self.kind == "torch" else 1.0
        return self.ratio <= most + 0.02 and self.kept[0] <= self.kept[1]


def compare(name: str, x: Tensor, rounds: int, *, compiled: bool) -> Row:
    """Return the row of one function."""
    function = get(name)
    ours: Callable[[Tensor], Tensor] = function.module()
    kind, other = plain(function)
    for module in (ours, other):
        if isinstance(module, nn.Module):
            module.to(x.device, x.dtype)
    if compiled:
        torch.compiler.reset()  # Dynamo would run the ninth function eagerly
        ours, other = torch.compile(ours), torch.compile(other)
    incoming = torch.ones_like(ours(x))
    pair = (ours, other)
    for module in (*pair, *pair):
        step(module, x, incoming)
    times = []
    for number in range(rounds):
        first, second = (spent(module, x, incoming) for module in pair[:: 1 - number % 2 * 2])
        times.append((second, first) if number % 2 else (first, second))
    mine, theirs = (statistics.median(side) for side in zip(*times, strict=True))
    ratio = statistics.median(a / b for a, b in times)
    return Row(name, kind, mine, theirs, ratio, (kept(ours, x), kept(other, x)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--compiled", action="store_true")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--dtype", choices=("float32", "bfloat16", "float16"), default="float32")
    parser.add_argument("--elements", type=int, help="2^18 on a CPU, 2^26 on a GPU")
    parser.add_argument("--rounds", type=int, default=31)
    given = parser.parse_args()
    torch.set_num_threads(1)
    elements = given.elements or ELEMENTS[given.device]
    x = torch.randn(elements // 64, 64, generator=torch.Generator().manual_seed(0))
    x = x.to(given.device, getattr(torch, given.dtype)).requires_grad_()
    where = torch.cuda.get_device_name() if given.device == "cuda" else "one thread"
    how = "compiled" if given.compiled else "eager"
    print(f"torch {torch.__version__}, {where}, {given.dtype}, {elements} numbers, {how}\n")
    print("| function | against | ours, ms | other, ms | ratio | bytes kept | of the other |")
    print("|---|---|---:|---:|---:|---:|---:|")
    rows = []
    for name in given.names:
        row = compare(name, x, given.rounds, compiled=given.compiled)
        rows.append(row)
        print(row, flush=True)
    missed = [
        f"{row.name} {row.ratio:.2f}" for row in rows if not row.within(compiled=given.compiled)
    ]
    print(f"\n{len(rows) - len(missed)} of {len(rows)} within the aim")
    print("not:", ", ".join(missed) or "none")


if __name__ == "__main__":
    main()
