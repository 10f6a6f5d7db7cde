"""Running one step under observation, and leaving everything as it was."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from actlab.addresses import first_line, place_of
from actlab.capture import ops
from actlab.capture.autograd_graph import complete
from actlab.capture.eager import eager
from actlab.capture.recorder import recording
from actlab.capture.reruns import USER_ENDS, Reruns, Run
from actlab.capture.restore import (
    Keeper,
    random_state_kept,
    switches_kept,
    uninitialised_names,
)
from actlab.capture.trace import Call, RootCall, Trace, Value, tensors_in
from actlab.checker.analysis.step import Step
from actlab.checker.targets import Targets, infer_task
from actlab.errors import ActlabError
from actlab.i18n import _


class CheckError(ActlabError):
    """The step cannot be checked: the model or the loss does not run on this batch."""


@dataclass(frozen=True, eq=False)
class Program:
    """A step to capture: what runs, and how the model alone can be run again.

    `run` returns the loss; it calls `model_done(output)` between model and loss, where it knows
    the border. `training` are the optimizers and schedulers that it may step.
    """

    run: Callable[[Callable[[Any], None]], Any]
    model: nn.Module | None
    modules: tuple[nn.Module, ...]
    targets: Targets
    inputs: Any = None
    forward: Callable[[Any], Any] | None = None
    loss: Callable[[Any], Any] | None = None
    optimizer: Any = None
    files: tuple[str, ...] = ()
    evaluate: Callable[[], Any] | None = None
    trained_steps: int = 0
    training: tuple[Any, ...] = ()


@contextmanager
def captured(program: Program, task: str | None) -> Iterator[Step]:
    """Run the step once, with its backward pass, and give the step to the block.

    Modules, gradients, inputs and random states are as before when the block ends, whatever
    happened in it. Raises CheckError where parameters still wait for their shape.
    """
    for module in program.modules:
        waiting = uninitialised_names(module)
        if waiting:
            raise CheckError(
                _(
                    "All parameters must have their shape before a check, but {names} is still "
                    "uninitialised: run the model once on a batch first."
                ).format(names=waiting[0])
            )
    keeper = Keeper()
    for module in program.modules:
        keeper.remember(module)
    for tensor in (*tensors_in(program.inputs), *program.targets.tensors):
        keeper.remember_tensor(tensor)
    for part in program.training:
        keeper.remember_training(part)
    with random_state_kept(), switches_kept(), ExitStack() as stack:
        stack.callback(keeper.restore)
        stack.enter_context(warnings.catch_warnings())
        stack.enter_context(eager())  # also while rules run the model again
        warnings.simplefilter("ignore")
        with random_state_kept():
            step = _run(program, task, keeper)
        keeper.restore()
        if program.evaluate is not None:
            with random_state_kept():
                step.evaluation = _evaluated(program, program.evaluate, task, keeper)
            keeper.restore()
        yield step


def _evaluated(
    program: Program, evaluate: Callable[[], Any], task: str | None, keeper: Keeper
) -> Step:
    """Run an evaluation once; CheckError where it raises."""
    with recording(keeper.remember_running, program.model, program.files) as trace:
        try:
            evaluate()
        except USER_ENDS as error:  # the user's program, in one line
            raise CheckError(
                _("The evaluation raised {kind}: {text}").format(
                    kind=type(error).__name__, text=first_line(error)
                )
            ) from None
    return _step_of(program, trace, task, None)


@contextmanager
def captured_pass(program: Program, trace: Trace, loss: Tensor, task: str | None) -> Iterator[Step]:
    """Give the block the step that `trace` holds, at the moment of the backward pass of `loss`.

    The pass can still be taken when the block ends, and all is as before but for it.
    """
    keeper = Keeper()
    for module in program.modules:
        keeper.remember(module)
    with random_state_kept(), switches_kept(), ExitStack() as stack:
        stack.callback(keeper.restore)
        stack.enter_context(warnings.catch_warnings())
        stack.enter_context(eager())
        warnings.simplefilter("ignore")
        with random_state_kept():
            unseen = complete(trace, loss)
            step = _step_of(program, trace, task, None)
            step.unseen = unseen or not trace.calls
            _differentiate(step, loss, keeps_graph=True)
        keeper.restore()
        yield step


def _run(program: Program, task: str | None, keeper: Keeper, gradients: bool = True) -> Step:
    border: list[int] = []
    returned: list[Any] = []
    loss: Any = None
    error: BaseException | None = None
    with torch.inference_mode(False), torch.set_grad_enabled(gradients):
        with recording(keeper.remember_running, program.model, program.files) as trace:
            try:

                def model_done(output: Any) -> None:
                    border.append(len(trace.calls))
                    returned.append(output)

                loss = program.run(model_done)
            except USER_ENDS as raised:  # reported, with the call it came from
                error = raised
        if gradients and _is_of_inference(error):
            keeper.restore()
            return _run(program, task, keeper, gradients=False)
        unseen = complete(trace, loss)
        step = _step_of(program, trace, task, border[0] if border else None)
        step.error = error
        step.unseen = unseen or not trace.calls
        step.returned = Targets.of(returned).tensors
        _differentiate(step, loss)
    return step


def _is_of_inference(error: BaseException | None) -> bool:
    """Return whether a step failed because its tensors were made in inference mode."""
    return error is not None and "nference tensor" in str(error)


def _step_of(program: Program, trace: Trace, task: str | None, border: int | None) -> Step:
    modules = tuple({id(r.module): r.module for r in trace.roots}.values()) or program.modules
    targets = program.targets
    samples = _samples(trace, targets, program.inputs)
    step = Step(
        trace=trace,
        model=_main_model(trace) if program.model is None else program.model,
        targets=targets,
        reruns=Reruns(_rerun(program, trace), samples),
        optimizer=program.optimizer,
        batch_size=samples,
        border=border,
        given_inputs=frozenset(id(t) for t in tensors_in(program.inputs)),
    )
    step.parameters = _parameters(program.modules or modules, trace)
    step.task_given = task is not None
    step.trained_steps = max(program.trained_steps, _steps_of(program.optimizer))
    step.task = task or _inferred_task(step)
    return step


def _steps_of(optimizer: Any) -> int:
    """Return how often an optimizer has stepped, 0 where it does not say."""
    states = getattr(optimizer, "state", {})
    counts = [state.get("step", 0) for state in states.values() if isinstance(state, dict)]
    return max((int(count) for count in counts), default=0)


def _main_model(trace: Trace) -> nn.Module | None:
    return next((r.module for r in trace.roots if any(True for _p in r.module.parameters())), None)


def _rerun(program: Program, trace: Trace) -> Run | None:
    if program.forward is not None:
        return Run(program.forward, program.inputs, program.modules, program.loss)
    root = next((r for r in trace.roots if any(True for _p in r.module.parameters())), None)
    if root is None or root.last < 0:
        return None
    module = root.module
    return Run(
        forward=lambda given: module(*given[0], **given[1]),
        inputs=(root.args, root.kwargs),
        modules=(module,),
    )


def _samples(trace: Trace, targets: Targets, inputs: Any) -> int | None:
    first_inputs = inputs
    if first_inputs is None:
        root: RootCall | None = next(iter(trace.roots), None)
        first_inputs = (root.args, root.kwargs) if root is not None else None
    given = next((t.shape for t in tensors_in(first_inputs) if t.ndim > 0), None)
    if targets.samples is None:
        return given[0] if given is not None else None
    if given is not None and len(given) > 1 and targets.samples == given[0] * given[1]:
        return given[0]  # a target for each position, in one row
    return targets.samples


def _inferred_task(step: Step) -> str | None:
    for loss_call in step.loss_calls:
        if loss_call.target is not None:
            return infer_task(loss_call.target.tensor)
    return infer_task(step.targets.tensors[0]) if step.targets.tensors else None


def _parameters(modules: tuple[nn.Module, ...], trace: Trace) -> Mapping[str, Tensor]:
    named: dict[str, Tensor] = {}
    for number, module in enumerate(modules):
        prefix = "" if number == 0 else f"{type(module).__name__}."
        for name, parameter in module.named_parameters():
            if all(parameter is not known for known in named.values()):
                named[prefix + name] = parameter
    known_ids = {id(parameter) for parameter in named.values()}
    for number, source in enumerate(trace.sources):
        tensor = source.tensor
        if tensor.requires_grad and tensor.is_leaf and id(tensor) not in known_ids:
            named[f"tensor{number}"] = tensor
    return named


def _differentiate(step: Step, loss: Any, keeps_graph: bool = False) -> None:
    """Take the gradients of the loss, without touching any `.grad`."""
    if step.error is not None:
        step.no_gradient_reason = _("the step stopped with an error")
        return
    if not isinstance(loss, Tensor):
        step.no_gradient_reason = _("the step returned {kind}, not a tensor").format(
            kind=type(loss).__name__
        )
        return
    step.loss = loss
    if not loss.requires_grad:
        step.no_gradient_reason = _("the loss does not depend on any parameter by a gradient")
        return
    if loss.ndim > 0 and loss.numel() != 1:
        step.notes.append(
            _("The loss has shape {shape}, not one number; its sum was differentiated.").format(
                shape=tuple(loss.shape)
            )
        )
    names = [name for name, tensor in step.parameters.items() if tensor.requires_grad]
    values = list(_watched_values(step))
    wanted = [step.parameters[name] for name in names] + [value.tensor for value in values]
    try:
        found = torch.autograd.grad(
            loss.sum(), wanted, retain_graph=keeps_graph or None, allow_unused=True
        )
    except Exception as error:  # the backward pass is the user's program too
        if "second time" in str(error):
            step.no_gradient_reason = _(
                "the step ran its backward pass itself: return the loss before it, or keep the "
                "graph with retain_graph=True"
            )
            return
        step.backward_error = error
        step.no_gradient_reason = _("the backward pass raised {kind}: {text}").format(
            kind=type(error).__name__, text=first_line(error).partition(" Hint:")[0]
        )
        return
    step.gradients = dict(zip(names, found[: len(names)], strict=True))
    step.value_gradients = {
        id(value): gradient
        for value, gradient in zip(values, found[len(names) :], strict=True)
        if gradient is not None
    }


def _watched_values(step: Step) -> Iterator[Value]:
    """Yield, each once, the values whose gradients rules may ask for."""
    seen: set[int] = set()
    candidates: list[Value] = [loss_call.input for loss_call in step.loss_calls]
    for call in step.trace.calls:
        if call.op in ops.ACTIVATIONS:
            candidates += [call.inputs[0], call.output]
        elif call.op in ops.AFFINE:
            candidates.append(call.output)
    for value in candidates:
        if id(value) not in seen and value.intact and value.tensor.requires_grad:
            seen.add(id(value))
            yield value


def failing_call(step: Step) -> Call | None:
    """Return the torch call that stopped the step, None where something else did."""
    failed = step.trace.failed
    return failed if failed is not None and failed.error is step.error else None


_CLASS_LOSSES = ("cross_entropy", "nll_loss")


def story(step: Step) -> str:
    """Return which part of the step raised, what it said, where, and what to do."""
    error = step.error
    assert error is not None
    call = failing_call(step)
    text = _("{part} raised {kind}: {message}").format(
        part=_part(step, call), kind=type(error).__name__, message=first_line(error).rstrip(".")
    )
    place = place_of(error)
    if place is not None:
        text += _(", at {file}:{line}").format(file=place[0], line=place[1])
    advice = _advice(call) or _("It must run on this batch before it can be checked")
    return f"{text}. {advice}."


def _part(step: Step, call: Call | None) -> str:
    if step.border is not None:
        return _("The loss")
    if step.reruns.possible and step.targets.tensors:
        return _("The model")
    if call is not None and not step.in_loss_code(call):
        return _("The model")
    return _("The step")


def _advice(call: Call | None) -> str:
    """Return what to do about the usual mistakes with targets, "" for others."""
    if call is None or len(call.inputs) < 2:
        return ""
    given, target = call.argument("input", 0), call.argument("target", 1)
    if isinstance(given, (dict, tuple)) and given:
        return _(
            "A loss takes one tensor, but the model returned {kind}: give the part that is meant, "
            "as in lambda out, y: loss_fn(out[{key!r}], y)"
        ).format(kind=type(given).__name__, key=next(iter(given)) if isinstance(given, dict) else 0)
    if not isinstance(given, Value) or not isinstance(target, Value):
        return ""
    prediction, wanted = given.tensor, target.tensor
    if call.op in _CLASS_LOSSES:
        return _class_target_advice(call.op, prediction, wanted)
    if call.op in ("bce", "bce_logits", "mse_loss", "l1_loss") and not wanted.is_floating_point():
        return _("{loss} needs floating-point targets, but they are {dtype}: use y.float()").format(
            loss=call.op, dtype=_dtype(wanted)
        )
    if prediction.shape != wanted.shape and call.op in ("bce", "bce_logits"):
        return _(
            "Predictions and targets must have one shape, but they have {given} and {wanted}"
        ).format(given=tuple(prediction.shape), wanted=tuple(wanted.shape))
    return ""


def _class_target_advice(loss: str, prediction: Tensor, target: Tensor) -> str:
    if target.is_floating_point() and target.shape != prediction.shape:
        return _(
            "{loss} needs class indices of dtype int64, but the targets are {dtype} of shape "
            "{shape}: use y.long()"
        ).format(loss=loss, dtype=_dtype(target), shape=tuple(target.shape))
    if not target.is_floating_point() and target.numel() and prediction.ndim >= 2:
        low, high = int(target.min()), int(target.max())
        classes = prediction.shape[1]
        if low < 0 or high >= classes:
            return _(
                "Class indices must be 0 to {last}, but the targets run from {low} to {high}"
            ).format(last=classes - 1, low=low, high=high)
        if str(target.dtype) not in ("torch.int64", "torch.uint8"):
            return _("{loss} needs class indices of dtype int64: use y.long()").format(loss=loss)
    return ""


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
