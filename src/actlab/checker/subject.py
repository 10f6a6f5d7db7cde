"""What the rules look at: one step that has run once, with its values, gradients and targets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from actlab.checker import bounds, losses, ops, provenance
from actlab.checker.bounds import Interval
from actlab.checker.losses import LossCall
from actlab.checker.probes import Probes
from actlab.checker.targets import Targets
from actlab.checker.trace import Call, Trace, Value


@dataclass(frozen=True, eq=False)
class Activation:
    """One run of an activation: its input and output, and whether the output is the step's head.

    `gated` means that the output is only ever multiplied with something else (GLU, LSTM gates,
    squeeze and excitation): saturation is then wanted. Units are along `unit_dim`.
    """

    call: Call
    input: Value
    output: Value
    gated: bool
    head: bool
    unit_dim: int

    @property
    def name(self) -> str:
        """Return the activation's name, e.g. "relu"."""
        return self.call.op

    @property
    def module(self) -> str | None:
        """Return the path of the module that ran it."""
        return self.call.module


@dataclass(frozen=True, eq=False)
class Layer:
    """One run of a layer with weights (linear, convolution), in order of execution."""

    call: Call
    weight: Tensor
    bias: Tensor | None
    name: str | None

    @property
    def module(self) -> str | None:
        """Return the path of the module that ran it."""
        return self.call.module


@dataclass(eq=False)
class Subject:
    """One captured step.

    `trace` has every call with its tensors, line and module. `model` may be None for a bare step;
    `loss` is the scalar that was differentiated (None where there was none), `error` what stopped
    the step. `targets` is the target batch (its `tensors` are empty where the step has none).
    `parameters` and `gradients` go by the parameter's name; a gradient is None where the loss does
    not depend on the parameter. `batch_size` is the number of samples, None where unknown.
    `probes` runs the model again on other inputs.
    """

    trace: Trace
    model: nn.Module | None
    loss: Tensor | None
    targets: Targets
    task: str | None
    task_given: bool
    probes: Probes
    optimizer: Any = None
    error: BaseException | None = None
    parameters: Mapping[str, Tensor] = field(default_factory=dict)
    gradients: Mapping[str, Tensor | None] = field(default_factory=dict)
    value_gradients: Mapping[int, Tensor] = field(default_factory=dict)
    batch_size: int | None = None
    no_gradient_reason: str | None = None

    @cached_property
    def loss_calls(self) -> tuple[LossCall, ...]:
        """Return every call that compares a prediction with a target, the user-written ones too."""
        return losses.find(self.trace, self.targets)

    @cached_property
    def activations(self) -> tuple[Activation, ...]:
        """Return every run of an activation, in order."""
        return tuple(
            self._activation(call) for call in self.trace.calls if call.op in ops.ACTIVATIONS
        )

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """Return every run of a layer with weights, in order."""
        return tuple(
            layer for call in self.trace.calls if (layer := self._layer(call)) is not None
        )

    def gradient_of(self, value: Value) -> Tensor | None:
        """Return the gradient of the loss with respect to a value, None where there is none.

        It is kept for parameters, for inputs and outputs of activations, and for the predictions
        that losses received.
        """
        return self.value_gradients.get(id(value))

    def range_of(self, value: Value) -> Interval:
        """Return the interval that the value cannot leave, whatever inputs and weights are."""
        return self._bounds.of(value)

    @cached_property
    def _bounds(self) -> bounds.Bounds:
        return bounds.Bounds(self.is_free)

    def is_free(self, value: Value) -> bool:
        """Return whether a value that no call made may take any value: a parameter or an input."""
        return value.tensor.requires_grad or value.tensor.is_floating_point()

    @cached_property
    def _heads(self) -> set[int]:
        return {
            id(call) for loss in self.loss_calls for call in provenance.makers(loss.input)
        }

    def _activation(self, call: Call) -> Activation:
        source = call.inputs[0]
        return Activation(
            call=call,
            input=source,
            output=call.output,
            gated=provenance.is_gate(self.trace, call.output),
            head=id(call) in self._heads,
            unit_dim=provenance.unit_dim(call),
        )

    def _layer(self, call: Call) -> Layer | None:
        if call.op not in ops.AFFINE or len(call.inputs) < 2:
            return None
        weight = call.inputs[1].tensor
        bias = call.inputs[2].tensor if len(call.inputs) > 2 else None
        name = next((n for n, p in self.parameters.items() if p is weight), None)
        return Layer(call, weight, bias, name)

    def detached(self, value: Value) -> Tensor | None:
        """Return what the value held, without its graph; None if it was overwritten since."""
        if not value.intact:
            return None
        with torch.no_grad():
            return value.tensor.detach()
