"""Our modules against torch's kernel, or against the plain formula: time, and bytes kept.

    python benchmarks/activation_modules.py [--compiled] [--elements N] [--rounds N] [NAME...]

Forward and backward of each module and of what it is compared with, in turns, on one thread; the
figure is the median over rounds of the ratio of processor times. The plain formula is the text of
the catalogue in torch's functions, eager or (with --compiled, both sides) under torch.compile.
"""

import argparse
import statistics
import time
from collections.abc import Callable

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


def plain(function: Function) -> tuple[str, Callable[[Tensor], Tensor]]:
    """Return what a module is compared with, and its kind."""
    if function.factory.startswith("native:"):
        own = None if function.learnable else getattr(functional, function.name, None)
        return "torch", own or function.module()
    if function.name in KERNELS:
        return "torch", KERNELS[function.name]
    if function.name == "rational_pau":
        return "formula", _rational()
    if function.factors is not None:
        gate, value = (factor.tree for factor in function.gate_and_value)
        return "formula", _gated(gate, value)
    expression = function.expression
    learnt = {p.name for p in function.parameters if p.learnable}

    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.values = {
                name: nn.Parameter(torch.tensor([value])) if name in learnt else value
                for name, value in function.values.items()
                if name in expression.names
            }
            for name in learnt:
                setattr(self, f"p_{name}", self.values[name])

        def forward(self, x: Tensor) -> Tensor:
            found: Tensor = expression.evaluate(TorchBackend(), x, **self.values)
            return found

    return "formula", Plain()


def _gated(gate: Node, value: Node) -> Callable[[Tensor], Tensor]:
    def apply(x: Tensor) -> Tensor:
        a, b = x.chunk(2, -1)
        g: Tensor = evaluate(gate, TorchBackend(), a, {})
        h: Tensor = evaluate(value, TorchBackend(), b, {})
        return g * h

    return apply


def _rational() -> Callable[[Tensor], Tensor]:
    from actlab.activations.modules.structural import RationalPAU

    p = [nn.Parameter(torch.tensor(value)) for value in RationalPAU.NUMERATOR]
    q = [nn.Parameter(torch.tensor(value)) for value in RationalPAU.DENOMINATOR]

    def apply(x: Tensor) -> Tensor:
        top = sum((c * x**k for k, c in enumerate(p)), torch.zeros(()))
        bottom = sum((c * x**k for k, c in enumerate(q, start=1)), torch.zeros(()))
        return top / (1 + bottom.abs())

    return apply


def step(module: Callable[[Tensor], Tensor], x: Tensor) -> float:
    """Return the processor time of one forward and backward pass."""
    start = time.process_time()
    y = module(x)
    torch.autograd.backward(y, torch.ones_like(y))
    spent = time.process_time() - start
    x.grad = None
    return spent


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


def compare(
    name: str, elements: int, rounds: int, *, compiled: bool
) -> tuple[str, float, float, float]:
    """Return the kind of the other side, the ratio of times, and the bytes kept of both."""
    function = get(name)
    ours: Callable[[Tensor], Tensor] = function.module()
    kind, other = plain(function)
    x = torch.randn(elements // 64, 64, generator=torch.Generator().manual_seed(0))
    x.requires_grad_()
    bytes_kept = kept(ours, x), kept(other, x)
    if compiled:
        torch.compiler.reset()  # Dynamo would run the ninth function eagerly
        ours, other = torch.compile(ours), torch.compile(other)
    for module in (ours, other, ours, other):
        step(module, x)
    ratios = []
    for number in range(rounds):
        pair = (ours, other) if number % 2 else (other, ours)
        times = {id(module): step(module, x) for module in pair}
        ratios.append(times[id(ours)] / times[id(other)])
    return kind, statistics.median(ratios), *bytes_kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--compiled", action="store_true")
    parser.add_argument("--elements", type=int, default=1 << 18)
    parser.add_argument("--rounds", type=int, default=31)
    given = parser.parse_args()
    torch.set_num_threads(1)
    print("| function | against | time | bytes kept | of the other |\n|---|---|---|---|---|")
    for name in given.names:
        row = compare(name, given.elements, given.rounds, compiled=given.compiled)
        kind, ratio, ours, theirs = row
        print(f"| {name} | {kind} | {ratio:.2f} | {ours:.1f} | {theirs:.1f} |", flush=True)


if __name__ == "__main__":
    main()
