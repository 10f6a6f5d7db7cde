"""Activations in ONNX files: a file or one of its values as a kernel, and what a graph computes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

from actlab.activations.conformance.results import ConformanceError
from actlab.errors import missing_extra
from actlab.i18n import _

_ELEMENTWISE = frozenset(
    {
        "Abs",
        "Add",
        "Atan",
        "Cast",
        "Celu",
        "Clip",
        "Constant",
        "Cos",
        "Div",
        "Elu",
        "Erf",
        "Exp",
        "Gelu",
        "Greater",
        "GreaterOrEqual",
        "HardSigmoid",
        "HardSwish",
        "Identity",
        "LeakyRelu",
        "Less",
        "LessOrEqual",
        "Log",
        "Max",
        "Min",
        "Mish",
        "Mul",
        "Neg",
        "Not",
        "Pow",
        "Reciprocal",
        "Relu",
        "Selu",
        "Sigmoid",
        "Sign",
        "Sin",
        "Sinh",
        "Softplus",
        "Softsign",
        "Sqrt",
        "Sub",
        "Swish",
        "Tanh",
        "ThresholdedRelu",
        "Where",
    }
)
_LINEAR = frozenset({"Add", "Cast", "Constant", "Div", "Identity", "Mul", "Neg", "Sub"})
_ROOTS = _LINEAR | {"Abs", "Clip", "Max", "Pow", "Reciprocal", "Sqrt"}
"""What the deviation of a normalisation is made with."""


def load_onnx(target: str) -> Callable[[Tensor], Tensor]:
    """Return FILE.onnx, or one value FILE.onnx#NAME of it, as a kernel on float tensors.

    A value is computed from what the last layer before it gives. Raises ConformanceError where it
    cannot be read, MissingExtraError without onnx and onnxruntime.
    """
    path, _mark, name = target.partition("#")
    model = _read(path)
    if name:
        outputs = [output for node in model.graph.node for output in node.output]
        by_node = {node.name: node.output[0] for node in model.graph.node if node.name}
        output = name if name in outputs else by_node.get(name)
        if output is None:
            message = _("{path} has no value or node {name}; its values are: {values}.")
            shown = ", ".join(outputs[:12]) + (", …" if len(outputs) > 12 else "")
            raise ConformanceError(message.format(path=path, name=name, values=shown))
        region = _region(model, output)
        return _kernel(_cut(model, region.source, output, region.nodes), path)
    if len(model.graph.input) - len(model.graph.initializer) > 1:
        names = ", ".join(value.name for value in model.graph.input)
        message = _("{path} takes several inputs ({names}); name one value as {path}#NAME.")
        raise ConformanceError(message.format(path=path, names=names))
    return _kernel(model, path)


def onnx_activations(path: str) -> Iterator[tuple[str, tuple[Callable[[Tensor], Tensor], ...]]]:
    """Yield each activation of a graph, by the name of its value, as kernels.

    An activation is what is computed number by number, and not linearly, from one value and
    constants; of several that build on each other the last. Where numbers are multiplied or added
    first, such as a scale of logits before they are capped, the further kernels leave them out, one
    by one. The variance and the root of a normalisation are none.
    """
    model = _read(path)
    graph = _Graph(model)
    regions = {
        name: region
        for node in model.graph.node
        if node.op_type in _ELEMENTWISE and node.output
        for name, region in [(node.output[0], graph.region(node.output[0]))]
        if any(part.op_type not in _LINEAR for part in region.nodes)
        and not graph.normalises(name, region)
    }
    inner = {
        output
        for name, region in regions.items()
        for part in region.nodes
        for output in part.output
        if output != name and output in regions and regions[output].source == region.source
    }
    for name, region in regions.items():
        if name not in inner:
            kernels = [_kernel(_cut(model, r.source, name, r.nodes), path) for r in _later(region)]
            yield name, tuple(kernels)


def _read(path: str) -> Any:
    try:
        onnx = import_module("onnx")
    except ImportError:
        raise missing_extra("onnx") from None
    try:
        model = onnx.load(path)
    except Exception as error:  # protobuf's errors have no common base
        message = _("{path} cannot be read as ONNX: {reason}")
        reason = str(error).split("\n")[0] or type(error).__name__
        raise ConformanceError(message.format(path=path, reason=reason)) from None
    return model


@dataclass(frozen=True)
class _Region:
    """The nodes, in their order, by which a value is computed number by number from `source`."""

    source: str
    nodes: tuple[Any, ...]


class _Graph:
    """Who makes and who takes each value of a graph, and from which value it is computed."""

    def __init__(self, model: Any) -> None:
        self.nodes = list(model.graph.node)
        self.fixed = _scalars(model)
        self.makers = {name: node for node in self.nodes for name in node.output}
        self.takers: dict[str, list[Any]] = {}
        self._sources: dict[str, str] = {}
        for node in self.nodes:
            for name in node.input:
                self.takers.setdefault(name, []).append(node)
            self._note(node)

    def _note(self, node: Any) -> None:
        """Note the one value that a node's output is computed from; with several, the output."""
        if not node.output or node.output[0] in self.fixed:
            return
        made = node.output[0]
        given = [name for name in node.input if name and name not in self.fixed]
        if node.op_type in _ELEMENTWISE:
            if not given:
                self.fixed.add(made)
                return
            # Where a value itself is taken beside what was made of it, it is the source of both.
            sources = {self._sources.get(name, name) for name in given}
            if len(sources) == 1:
                self._sources[made] = sources.pop()

    def region(self, output: str) -> _Region:
        """Return the nodes between a value and the one that it is computed from."""
        source = self._sources.get(output, output)
        nodes: dict[int, Any] = {}
        waiting = [output]
        while waiting:
            name = waiting.pop()
            node = self.makers.get(name)
            if node is None or name == source or id(node) in nodes:
                continue
            nodes[id(node)] = node
            waiting.extend(given for given in node.input if given)
        return _Region(source, tuple(node for node in self.nodes if id(node) in nodes))

    def normalises(self, output: str, region: _Region) -> bool:
        """Return whether a value is a square that is summed, or the root of such a sum."""
        maker = self.makers.get(region.source)
        kinds = {node.op_type for node in region.nodes}
        takers = self.takers.get(output, [])
        if kinds <= {"Pow", "Mul", "Constant"} and takers:
            return all(node.op_type.startswith("Reduce") for node in takers)
        summed = maker is not None and maker.op_type.startswith("Reduce")
        return summed and kinds <= _ROOTS


def _later(region: _Region) -> Iterator[_Region]:
    """Yield a region, and it without its first linear step, its first two, and so on."""
    yield region
    source, nodes = region.source, list(region.nodes)
    while True:
        first = [node for node in nodes if source in node.input]
        if len(first) != 1 or len(nodes) < 2 or not _is_linear(first[0], source):
            return
        nodes.remove(first[0])
        source = first[0].output[0]
        yield _Region(source, tuple(nodes))


def _is_linear(node: Any, given: str) -> bool:
    once = list(node.input).count(given) == 1
    divides = node.op_type == "Div" and node.input[0] != given
    return node.op_type in _LINEAR and once and not divides


def _scalars(model: Any) -> set[str]:
    """Return the constants that are one number: what has a shape weighs, like a layer."""
    onnx = import_module("onnx")
    found = set()
    for tensor in model.graph.initializer:
        if onnx.numpy_helper.to_array(tensor).size == 1:
            found.add(tensor.name)
    for node in model.graph.node:
        if node.op_type == "Constant":
            values = [a.t for a in node.attribute if a.name == "value"]
            if not values or onnx.numpy_helper.to_array(values[0]).size == 1:
                found.add(node.output[0])
    return found


def _region(model: Any, output: str) -> _Region:
    region = _Graph(model).region(output)
    if not region.nodes:
        message = _("{name} is not computed number by number from one value.")
        raise ConformanceError(message.format(name=output))
    return region


def _cut(model: Any, source: str, output: str, nodes: Sequence[Any]) -> Any:
    """Return a model of some nodes, from one value to another, of one dimension."""
    onnx = import_module("onnx")
    kind = onnx.TensorProto.FLOAT
    used = {name for node in nodes for name in node.input}
    graph = onnx.helper.make_graph(
        nodes,
        "activation",
        [onnx.helper.make_tensor_value_info(source, kind, ["n"])],
        [onnx.helper.make_tensor_value_info(output, kind, None)],
        [tensor for tensor in model.graph.initializer if tensor.name in used],
    )
    made = onnx.helper.make_model(
        graph, opset_imports=list(model.opset_import), functions=list(model.functions)
    )
    made.ir_version = model.ir_version
    return made


def _kernel(model: Any, path: str) -> Callable[[Tensor], Tensor]:
    try:
        runtime = import_module("onnxruntime")
    except ImportError:
        raise missing_extra("onnxruntime") from None
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = runtime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's errors have no common base
        message = _("{path} cannot be read as ONNX: {reason}")
        reason = str(error).split("\n")[0]
        raise ConformanceError(message.format(path=path, reason=reason)) from None
    name = session.get_inputs()[0].name

    def apply(x: Tensor) -> Tensor:
        try:
            (found, *_others) = session.run(None, {name: x.detach().float().numpy()})
        except Exception as error:
            message = _("{path} cannot be run: {reason}")
            reason = str(error).split("\n")[0]
            raise ConformanceError(message.format(path=path, reason=reason)) from None
        made: Tensor = torch.from_numpy(found).to(x.dtype)
        return made

    return apply
