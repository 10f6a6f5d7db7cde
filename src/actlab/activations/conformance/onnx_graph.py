"""Activations in ONNX files: a file or one of its values as a kernel, and what a graph computes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
        return _kernel(_cut(model, *_region(model, output)), path)
    if len(model.graph.input) - len(model.graph.initializer) > 1:
        names = ", ".join(value.name for value in model.graph.input)
        message = _("{path} takes several inputs ({names}); name one value as {path}#NAME.")
        raise ConformanceError(message.format(path=path, names=names))
    return _kernel(model, path)


def onnx_activations(path: str) -> Iterator[tuple[str, Callable[[Tensor], Tensor]]]:
    """Yield each activation of a graph, by the name of its value, as a kernel.

    An activation is what is computed number by number, and not linearly, from one value and
    constants; of several that build on each other the last.
    """
    model = _read(path)
    regions: dict[str, tuple[str, list[Any]]] = {}
    for node in model.graph.node:
        if node.op_type in _ELEMENTWISE and node.output:
            source, nodes = _region_nodes(model, node.output[0])
            if source is not None and any(part.op_type not in _LINEAR for part in nodes):
                regions[node.output[0]] = (source, nodes)
    inner = {
        output
        for name, (source, nodes) in regions.items()
        for part in nodes
        for output in part.output
        if output != name and regions.get(output, (None,))[0] == source
    }
    for name, (source, nodes) in regions.items():
        if name not in inner:
            yield name, _kernel(_cut(model, source, name, nodes), path)


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


def _constants(model: Any) -> set[str]:
    found = {tensor.name for tensor in model.graph.initializer}
    return found | {n.output[0] for n in model.graph.node if n.op_type == "Constant"}


def _region_nodes(model: Any, output: str) -> tuple[str | None, list[Any]]:
    """Return the one value that `output` is computed from number by number, and the nodes."""
    makers = {name: node for node in model.graph.node for name in node.output}
    fixed = _scalars(model)
    nodes: dict[int, Any] = {}
    sources: set[str] = set()
    waiting = [output]
    while waiting:
        name = waiting.pop()
        node = makers.get(name)
        if name in fixed:
            if node is not None:
                nodes[id(node)] = node
            continue
        if node is None or node.op_type not in _ELEMENTWISE:
            sources.add(name)
            continue
        if id(node) not in nodes:
            nodes[id(node)] = node
            waiting.extend(given for given in node.input if given)
    ordered = [node for node in model.graph.node if id(node) in nodes]
    if len(sources) != 1:
        return None, ordered
    return sources.pop(), ordered


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


def _region(model: Any, output: str) -> tuple[str, str, list[Any]]:
    source, nodes = _region_nodes(model, output)
    if source is None or not nodes:
        message = _("{name} is not computed number by number from one value.")
        raise ConformanceError(message.format(name=output))
    return source, output, nodes


def _cut(model: Any, source: str, output: str, nodes: list[Any]) -> Any:
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
