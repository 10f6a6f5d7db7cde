"""What the rules look at: one step that has run once, with its values, gradients and targets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from actlab.capture import ops
from actlab.capture.reruns import Reruns
from actlab.capture.trace import Call, Trace, Value, tensors_in
from actlab.checker.analysis import losses, origins, value_ranges
from actlab.checker.analysis.interval import Interval
from actlab.checker.analysis.losses import LossCall
from actlab.checker.analysis.origins import Origin, true_origins
from actlab.checker.targets import Targets

_CONSTANT = 16
"""Elements up to which a tensor that is no parameter and no input is taken for a constant."""

_BINS = 512
"""The same for one row of numbers that are as many as no batch has samples: bins, atoms."""


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
        """Return the activation's name, e.g. "relu", which a clamp at zero is, too."""
        return "relu" if self.call.op == "clamp" else self.call.op

    @property
    def module(self) -> str | None:
        """Return the path of the module that ran it."""
        return self.call.module


@dataclass(frozen=True, eq=False)
class Layer:
    """One run of a layer with weights: its input, its numbers of input and output features."""

    call: Call
    data: Value
    weight: Tensor
    bias: Tensor | None
    inputs: int
    outputs: int
    depthwise: bool

    @property
    def module(self) -> str | None:
        """Return the path of the module that ran it."""
        return self.call.module


@dataclass(eq=False)
class Step:
    """One captured step.

    `trace` has every call with its tensors, line and module. `model` may be None for a bare step;
    `loss` is the scalar that was differentiated (None where there was none), `error` what stopped
    the step, `backward_error` its backward pass. `targets` is the target batch (its `tensors` are
    empty where the step has none). `parameters` and `gradients` go by the parameter's name; a
    gradient is None where the loss does not depend on the parameter. `batch_size` is the number
    of samples, None where unknown. `reruns` runs the model again on other inputs. `unseen` means
    that no call of the step could be watched, and the trace is what autograd kept. `known` keeps
    what was found out about the step, so that it is found out once.
    """

    trace: Trace
    model: nn.Module | None
    targets: Targets
    reruns: Reruns
    loss: Tensor | None = None
    task: str | None = None
    task_given: bool = False
    optimizer: Any = None
    error: BaseException | None = None
    parameters: Mapping[str, Tensor] = field(default_factory=dict)
    gradients: Mapping[str, Tensor | None] = field(default_factory=dict)
    value_gradients: Mapping[int, Tensor] = field(default_factory=dict)
    batch_size: int | None = None
    no_gradient_reason: str | None = None
    backward_error: BaseException | None = None
    border: int | None = None
    unseen: bool = False
    returned: tuple[Tensor, ...] = ()
    evaluation: "Step | None" = None
    trained_steps: int = 0
    given_inputs: frozenset[int] = frozenset()
    notes: list[str] = field(default_factory=list)
    known: dict[Any, Any] = field(default_factory=dict)

    @cached_property
    def loss_calls(self) -> tuple[LossCall, ...]:
        """Return every call that compares a prediction with a target, the user-written ones too."""
        return losses.find(self.trace, self.targets, self.live, self.in_loss_code)

    def in_loss_code(self, call: Call) -> bool:
        """Return whether a call belongs to the loss: it ran after the model, or outside any.

        Modules without parameters (`nn.CrossEntropyLoss`) count as outside.
        """
        if self.border is not None:
            return call.index >= self.border or call.index < 0
        return not any(
            scope.module is self.model or _has_parameters(scope.module) for scope in call.scopes
        )

    @cached_property
    def outputs(self) -> list[Value]:
        """Return the values that the model returned, in whatever structure."""
        roots = [r for r in self.trace.roots if r.module is self.model] or self.trace.roots
        tensors = Targets.of([root.output for root in roots]).tensors + self.returned
        found = [self.trace.value_of(tensor) for tensor in tensors]
        return [value for value in found if value is not None and value.tensor.is_floating_point()]

    @cached_property
    def kept_tensors(self) -> tuple[Tensor, ...]:
        """Return the tensors that outlive the step: what modules and the step itself returned."""
        loss = (self.loss,) if self.loss is not None else ()
        roots = tuple(t for root in self.trace.roots for t in tensors_in(root.output))
        return roots + self.returned + loss

    @cached_property
    def activations(self) -> tuple[Activation, ...]:
        """Return every run of an activation, in order."""
        return tuple(
            self._activation(call)
            for call in self.trace.calls
            if call.op in ops.ACTIVATIONS or origins.is_written_relu(call)
        )

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """Return every run of a layer of torch's with weights, in order."""
        calls = (call for call in self.trace.calls if call.op in ops.AFFINE)
        return tuple(layer for call in calls if (layer := layer_of(call)) is not None)

    def origins(self, value: Value) -> tuple[Origin, ...]:
        """Return the calls and sources that a value's elements come from, passed on unchanged."""
        known = self._origins.get(id(value))
        if known is None:
            known = self._origins[id(value)] = true_origins(value)
        return known

    @cached_property
    def _origins(self) -> dict[int, tuple[Origin, ...]]:
        return {}

    def is_live(self, value: Value) -> bool:
        """Return whether a value depends on a parameter: predictions do, targets do not."""
        return value in self.live

    @cached_property
    def live(self) -> losses.LiveValues:
        """Return the values that depend on a parameter."""
        return losses.LiveValues(self.trace, self.targets.ids)

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
    def _bounds(self) -> value_ranges.Bounds:
        return value_ranges.Bounds(self.is_free)

    def is_free(self, value: Value) -> bool:
        """Return whether a value that no call made may be anything: a parameter, an input, data.

        Small tensors that are neither are constants, such as the scale of an action.
        """
        tensor = value.tensor
        row = tensor.ndim == 1 and tensor.shape[0] != self.batch_size
        if tensor.requires_grad or isinstance(tensor, nn.Parameter):
            return True
        if tensor.numel() > (_BINS if row else _CONSTANT):
            return True
        return id(tensor) in self.given_inputs or id(tensor) in self._root_inputs

    def is_input(self, value: Value) -> bool:
        """Return whether a value was given to the model."""
        tensor = value.tensor
        return id(tensor) in self.given_inputs or any(tensor is t for t in self.input_tensors)

    @cached_property
    def input_tensors(self) -> tuple[Tensor, ...]:
        """Return the tensors that the model was given."""
        roots = [r for r in self.trace.roots if r.module is self.model] or self.trace.roots[:1]
        return Targets.of([(root.args, root.kwargs) for root in roots]).tensors

    @cached_property
    def input_axes(self) -> tuple[tuple[int, int], ...]:
        """Return the dimensions of the model's inputs but the first, each with its length."""
        axes = {
            (axis, tensor.shape[axis]): None
            for tensor in self.input_tensors
            for axis in range(1, min(tensor.ndim, 4))
        }
        return tuple(axes)

    @cached_property
    def _root_inputs(self) -> frozenset[int]:
        given = [Targets.of((root.args, root.kwargs)).tensors for root in self.trace.roots]
        return frozenset(id(tensor) for tensors in given for tensor in tensors) | frozenset(
            id(tensor) for tensor in self.targets.tensors
        )

    @cached_property
    def _heads(self) -> set[int]:
        return {id(call) for loss in self.loss_calls for call in origins.makers(loss.input)}

    def _activation(self, call: Call) -> Activation:
        source = call.inputs[0]
        return Activation(
            call=call,
            input=source,
            output=call.output,
            gated=origins.is_gate(self.trace, call.output),
            head=id(call) in self._heads,
            unit_dim=origins.unit_dim(call),
        )

    def name_of(self, parameter: Tensor) -> str | None:
        """Return a parameter's name, None where it has none."""
        return self._names.get(id(parameter))

    @cached_property
    def _names(self) -> dict[int, str]:
        return {id(parameter): name for name, parameter in self.parameters.items()}

    def detached(self, value: Value) -> Tensor | None:
        """Return what the value held, without its graph; None if it was overwritten since."""
        if not value.intact:
            return None
        with torch.no_grad():
            return value.tensor.detach()


def _has_parameters(module: nn.Module) -> bool:
    return next(module.parameters(), None) is not None


def layer_of(call: Call) -> Layer | None:
    """Return a call as a layer with weights; None where it is none.

    A product counts if exactly one operand is a parameter.
    """
    if call.function is None or not call.outputs:
        return None
    if call.op in ("linear", "conv", "conv_transpose") and len(call.inputs) >= 2:
        return _of_layer(call)
    if call.op == "addmm" and len(call.inputs) == 3:
        return _of_product(call, call.inputs[1], call.inputs[2])
    if call.op in ("matmul", "rmatmul") and len(call.inputs) == 2:
        return _of_product(call, *call.inputs)
    if call.op == "einsum" and len(call.inputs) == 2:
        return _of_product(call, *call.inputs)
    return None


def _of_layer(call: Call) -> Layer:
    data, weight = call.inputs[0], call.inputs[1].tensor
    bias = call.inputs[2].tensor if len(call.inputs) > 2 else None
    shape = weight.shape
    groups = 1 if call.op == "linear" else int(call.argument("groups", 6, 1))
    if call.op == "conv_transpose":
        inputs, outputs = shape[0], shape[1] * groups
    elif len(shape) == 1:  # one output, without a dimension of its own
        inputs, outputs = shape[0], 1
    else:
        inputs, outputs = shape[1] * groups, shape[0]
    return Layer(call, data, weight, bias, inputs, outputs, groups > 1 and groups == inputs)


def _of_product(call: Call, first: Value, second: Value) -> Layer | None:
    learnt = [is_parameter(first), is_parameter(second)]
    if sum(learnt) != 1:
        return None
    weight, data = (first, second) if learnt[0] else (second, first)
    if weight.tensor.ndim < 2 or data.tensor.ndim < 1:
        return None
    axis = -2 if learnt[0] and call.op != "einsum" and data.tensor.ndim > 1 else -1
    inputs = data.shape[axis]
    outputs = call.output.shape[axis]
    return Layer(call, data, weight.tensor, None, inputs, outputs, depthwise=False)


def is_parameter(value: Value) -> bool:
    """Return whether a value is a learnable tensor as it is, or a view of one."""
    ends = origins.origins(value, ops.VIEWS, nudges=False)
    return len(ends) == 1 and ends[0].call is None and ends[0].value.tensor.requires_grad
