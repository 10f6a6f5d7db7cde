"""Looking inside a network: what its activation layers do with images, how large gradients are.

A probe changes nothing: no gradient, mode, running statistic or random state of the network.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import torch
from torch import Tensor, nn

from actlab.records import LayerGradients, LayerProbe, LearntParameter, Slot, SlotName
from actlab.training.examples import Examples
from actlab.training.objective import CLASSIFICATION, Loss
from actlab.unit_statistics import (
    NotElementwiseError,
    dead_units,
    greatest_slope,
    nearly_flat,
    slopes,
)

IMAGES = 300
"""How many images a network is probed on: about a fifth of an epoch of the published study."""

_BATCH = 100


def _itself(model: nn.Module) -> nn.Module:
    return model


@dataclass(frozen=True)
class ActivationProbe:
    """What to measure: at which sites, on how many images.

    `view` returns the network in the order of layers in which the activations are to be compared,
    sharing the layers: where pooling comes first for speed, an activation sees the largest of each
    window alone, and relu would show fewer zeros than an activation that pooling cannot overtake.
    `names` says which slot of the study a site belongs to; one without a name, to that of its kind.
    """

    sites: tuple[Slot, ...]
    images: int = IMAGES
    view: Callable[[nn.Module], nn.Module] = _itself
    names: Mapping[Slot, SlotName] = field(default_factory=dict)

    def learnt(self, model: nn.Module) -> tuple[float, ...]:
        """Return the mean of each learnable parameter of the activations, in a fixed order."""
        return tuple(float(value.detach().mean()) for _site, _name, value in self._learnable(model))

    def traces(
        self, model: nn.Module, epochs: list[tuple[float, ...]]
    ) -> tuple[LearntParameter, ...]:
        """Return what `learnt` said at the start and after every epoch, by parameter."""
        values = zip(*epochs, strict=True)
        return tuple(
            LearntParameter(site.path, self._slot(site), name, trace)
            for (site, name, _value), trace in zip(self._learnable(model), values, strict=True)
        )

    def layers(
        self, model: nn.Module, examples: Examples, loss: Loss = CLASSIFICATION.loss
    ) -> tuple[LayerProbe, ...]:
        """Return the measurements on the first images of `examples`, always in float32.

        The derivative of an activation is autograd's, taken elementwise at the inputs that the
        layer has in this network; at a kink it is torch's (0 for relu at 0). The gradient is that
        of the mean loss over the images. An activation that the network does not call, or that
        gives another shape than it takes (it has no elementwise derivative), is left out.

        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(4, 2), nn.ReLU(), nn.Linear(2, 2))
        >>> images = Examples(torch.randn(6, 1, 2, 2), torch.tensor([0, 1, 0, 1, 0, 1]))
        >>> (found,) = ActivationProbe((Slot("2", "fc", "1"),)).layers(network, images)
        >>> 0.0 <= found.zeros <= 1.0, found.saturated
        (True, 0.0)
        """
        tallies = [_Tally(site, self._slot(site)) for site in self.sites]
        count = min(self.images, len(examples))
        with evaluated(model):
            for start in range(0, count, _BATCH):
                rows = slice(start, min(start + _BATCH, count))
                batch = Examples(examples.images[rows], examples.labels[rows])
                self._add(model, batch, loss, tallies)
        return tuple(tally.probe(count) for tally in tallies if tally.elements)

    def _add(self, model: nn.Module, batch: Examples, loss: Loss, tallies: list["_Tally"]) -> None:
        seen = _Inputs(model, self.sites)
        with seen, torch.enable_grad():
            total = loss(self.view(model)(batch.images), batch.labels, reduction="sum")
        weights = [model.get_parameter(f"{site.layer}.weight") for site in self.sites]
        learning = [weight for weight in weights if weight.requires_grad]
        found = torch.autograd.grad(total, learning, allow_unused=True) if learning else ()
        gradients = dict(zip(map(id, learning), found, strict=True))
        for tally, weight in zip(tallies, weights, strict=True):
            given = seen.inputs.get(tally.site.path)
            if given is not None:
                activation = model.get_submodule(tally.site.path)
                tally.add(activation, given, gradients.get(id(weight)))

    def _slot(self, site: Slot) -> SlotName:
        return self.names.get(site) or ("conv" if site.kind == "conv" else "fc")

    def _learnable(self, model: nn.Module) -> Iterator[tuple[Slot, str, nn.Parameter]]:
        for site in self.sites:
            for name, value in model.get_submodule(site.path).named_parameters():
                yield site, name, value


class _Inputs:
    """While it is open, keeps what each activation is given."""

    def __init__(self, model: nn.Module, sites: tuple[Slot, ...]) -> None:
        self.inputs: dict[str, Tensor] = {}
        self._model, self._sites = model, sites
        self._handles: list[torch.utils.hooks.RemovableHandle] = []

    def __enter__(self) -> None:
        for site in self._sites:

            def keep(_module: nn.Module, given: tuple[Tensor, ...], path: str = site.path) -> None:
                self.inputs[path] = given[0].detach().clone()

            module = self._model.get_submodule(site.path)
            self._handles.append(module.register_forward_pre_hook(keep))

    def __exit__(self, *_error: object) -> None:
        for handle in self._handles:
            handle.remove()


@dataclass
class _Tally:
    """Sums over the batches of one activation layer."""

    site: Slot
    slot: SlotName
    elements: int = 0
    zeros: int = 0
    saturated: int = 0
    total: float = 0.0
    magnitudes: float = 0.0
    squares: float = 0.0
    moving: list[Tensor] = field(default_factory=list)
    highest: list[Tensor] = field(default_factory=list)
    gradients: list[Tensor] = field(default_factory=list)

    def add(self, activation: nn.Module, given: Tensor, gradient: Tensor | None) -> None:
        """Count one batch: the activation's inputs, and the gradient of the weights before it."""
        try:
            slope = slopes(activation, given)
        except NotElementwiseError:
            return
        with torch.no_grad():
            # The copy is for activations that write over what they are given.
            outputs = activation(given.clone())
        zero = outputs == 0
        flat = nearly_flat(slope, greatest_slope(activation, like=given))
        self.elements += outputs.numel()
        self.zeros += int(zero.sum())
        self.saturated += int((flat & ~zero).sum())
        self.total += float(outputs.sum(dtype=torch.float64))
        self.magnitudes += float(torch.linalg.vector_norm(outputs, 1, dtype=torch.float64))
        self.squares += float(torch.linalg.vector_norm(outputs, dtype=torch.float64)) ** 2
        self.moving.append((slope != 0).transpose(0, 1).flatten(1).any(dim=1))
        self.highest.append(outputs.transpose(0, 1).flatten(1).amax(dim=1))
        if gradient is not None:
            self.gradients.append(gradient)

    def probe(self, images: int) -> LayerProbe:
        """Return the shares and means of what was counted."""
        mean = self.total / self.elements
        variance = self.squares / self.elements - mean**2
        sparseness = None
        if self.squares > 0:
            sparseness = 1 - self.magnitudes**2 / (self.squares * self.elements)
        highest, moving = torch.stack(self.highest).amax(dim=0), torch.stack(self.moving).any(dim=0)
        dead = dead_units(highest, moving)
        norm = None
        if self.gradients:
            norm = float(torch.stack(self.gradients).double().sum(dim=0).norm()) / images
        return LayerProbe(
            layer=self.site.path,
            slot=self.slot,
            zeros=self.zeros / self.elements,
            dead=float(dead.double().mean()),
            saturated=self.saturated / self.elements,
            mean=_finite(mean),
            spread=_finite(math.sqrt(max(variance, 0.0)) if math.isfinite(variance) else variance),
            gradient_norm=_finite(norm),
            sparseness=_finite(sparseness),
        )


@contextmanager
def evaluated(model: nn.Module) -> Iterator[None]:
    """Hold `model` in evaluation mode, every module's own mode and the random state restored."""
    modes = {module: module.training for module in model.modules()}
    with torch.random.fork_rng():
        try:
            model.eval()
            yield
        finally:
            for module, mode in modes.items():
                module.training = mode


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


class GradientTrace:
    """While open, takes the norm of each layer's weight gradient in the steps of the first epochs.

    `steps` is the number of steps in an epoch. Nothing that the network learns changes.

    >>> layer = nn.Linear(2, 1, bias=False)
    >>> with GradientTrace(nn.Sequential(layer), steps=1) as trace:
    ...     layer(torch.tensor([[3.0, 4.0]])).sum().backward()
    >>> trace.layers()
    (LayerGradients(layer='0', norms=(5.0,)),)
    """

    def __init__(self, model: nn.Module, steps: int, epochs: int = 10) -> None:
        self._steps, self._epochs = steps, epochs
        self._weights = {
            name: module.weight
            for name, module in model.named_modules()
            if isinstance(getattr(module, "weight", None), nn.Parameter) and module.weight.ndim > 1
        }
        self._norms: dict[str, list[Tensor]] = {name: [] for name in self._weights}
        self._handles: list[torch.utils.hooks.RemovableHandle] = []

    def __enter__(self) -> Self:
        for name, weight in self._weights.items():

            def take(parameter: Tensor, norms: list[Tensor] = self._norms[name]) -> None:
                if len(norms) < self._steps * self._epochs and parameter.grad is not None:
                    norms.append(parameter.grad.detach().norm())

            self._handles.append(weight.register_post_accumulate_grad_hook(take))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for handle in self._handles:
            handle.remove()

    def layers(self) -> tuple[LayerGradients, ...]:
        """Return the mean norm per epoch of every layer, from the input to the output."""
        return tuple(
            LayerGradients(name, tuple(self._means(norms))) for name, norms in self._norms.items()
        )

    def _means(self, norms: list[Tensor]) -> list[float | None]:
        if not norms:
            return []
        epochs = torch.split(torch.stack(norms).double(), self._steps)
        means = [float(epoch.mean()) for epoch in epochs]
        return [mean if math.isfinite(mean) else None for mean in means]
