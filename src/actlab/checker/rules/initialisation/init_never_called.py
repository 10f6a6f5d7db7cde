"""ACT605: a method for initial weights that nobody called."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from actlab.capture.frames import is_torch
from actlab.capture.location import Location
from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.rule import Case, NotCheckable, Rule, Situation
from actlab.checker.statistics.initial_weights import fan_in
from actlab.i18n import _

METHODS = ("init_weights", "_init_weights", "initialize_weights", "_initialize_weights",
           "initialise_weights", "weights_init", "weight_init", "init_parameters")  # fmt: skip

_OPS = ((nn.Linear, "linear"), ((nn.Conv1d, nn.Conv2d, nn.Conv3d), "conv"))


class _Forgetful(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.out = nn.Linear(20, 64), nn.Linear(64, 5)

    def init_weights(self) -> None:
        for layer in (self.hidden, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.out(torch.tanh(self.hidden(x)))
        return scores


def _never_called() -> Situation:
    net = _Forgetful()
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(64, 20), torch.arange(64) % 5))


def _never_called_inside() -> Situation:
    net = nn.Sequential(_Forgetful(), nn.ReLU(), nn.Linear(5, 3))
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(64, 20), torch.arange(64) % 3))


def _called() -> Situation:
    net = _Forgetful()
    net.init_weights()
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(64, 20), torch.arange(64) % 5))


def _no_such_method() -> Situation:
    net = nn.Sequential(nn.Linear(20, 64), nn.Tanh(), nn.Linear(64, 5))
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(64, 20), torch.arange(64) % 5))


class InitNeverCalled(Rule):
    """A method for initial weights exists, and the weights are still the library's.

    ## What it does

    Reports a module that has a method such as `init_weights`, and all of whose linear and
    convolutional layers still have torch's default: uniform between -1/sqrt(fan-in) and
    1/sqrt(fan-in). A trained network is never reported, its weights having left that interval or
    that distribution.

    ## Why is this bad?

    The author meant other weights. Usually the constructor's last line is missing.

    ## Example

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.hidden = nn.Linear(20, 64)

            def init_weights(self): ...

    ## Use instead

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.hidden = nn.Linear(20, 64)
                self.init_weights()

    ## Sources

    - https://github.com/callummcdougall/ARENA_3.0/pull/369.
    - The default of torch: `torch.nn.Linear`, Variables.
    """

    code = "ACT605"
    name = "init-never-called"
    severity = "info"
    looks_at = "models"
    thresholds = {"weights": 100}  # noqa: RUF012  read only
    faulty = (Case(_never_called, "info"), Case(_never_called_inside, "info"))
    clean = (Case(_called), Case(_no_such_method))

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each module whose method was not called."""
        if step.model is None:
            return
        if not any(_method_of(module) for module in step.model.modules()):
            raise NotCheckable(_("the model has no method that draws its initial weights"))
        reported: list[str] = []
        for path, module in step.model.named_modules():
            method = _method_of(module)
            if method is None or any(_is_inside(path, above) for above in reported):
                continue
            weights = list(_weights(module))
            counted = sum(weight.numel() for weight, __ in weights)
            if counted < self.limits["weights"] or not all(_is_default(*item) for item in weights):
                continue
            reported.append(path)
            yield self._finding(path, module, method, len(weights))

    def _finding(self, path: str, module: nn.Module, method: str, layers: int) -> Finding:
        code = getattr(type(module), method).__code__
        return self.found(
            message=_("{kind}.{method} was never called").format(
                kind=type(module).__name__, method=method
            ),
            location=Location(code.co_filename, code.co_firstlineno, path),
            proof=_(
                "the weights of all {layers} layers are still uniform within 1 / sqrt(fan-in)"
            ).format(layers=layers),
            why=_("the weights are not those that the method would have drawn"),
            fix=f"self.{method}()  # " + _("as the last line of __init__"),
        )


def _is_inside(path: str, above: str) -> bool:
    return above == "" or path.startswith(above + ".")


def _method_of(module: nn.Module) -> str | None:
    for name in METHODS:
        code = getattr(getattr(type(module), name, None), "__code__", None)
        if code is not None and not is_torch(code.co_filename):
            return name
    return None


def _weights(module: nn.Module) -> Iterator[tuple[Tensor, int]]:
    for part in module.modules():
        for kind, op in _OPS:
            if isinstance(part, kind) and not nn.parameter.is_lazy(part.weight):
                inputs = fan_in(part.weight, op)
                if inputs:
                    yield part.weight.detach(), inputs


def _is_default(weight: Tensor, inputs: int) -> bool:
    """Return whether weights look uniform on (-1/sqrt(fan-in), 1/sqrt(fan-in)).

    All lie within, the largest is near the end, and the variance is bound^2 / 3 to within four
    standard errors: sqrt(4/45 / n) bound^2 for n uniform numbers.
    """
    bound = 1.0 / math.sqrt(inputs)
    numbers = weight.float()
    count = numbers.numel()
    top = float(numbers.abs().max())
    if top > bound * (1.0 + 1e-3) or top < bound * (1.0 - 10.0 / count):
        return False
    error = 4.0 * bound**2 * math.sqrt(4.0 / 45.0 / count)
    found = float(numbers.square().mean())
    return bound**2 / 3.0 - error < found < bound**2 / 3.0 + error
