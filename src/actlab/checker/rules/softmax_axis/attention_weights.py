"""ACT206 and ACT207: attention weights with a mask that does not mask, or over the wrong axis."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from actlab.capture import ops
from actlab.capture.trace import Call, Value
from actlab.checker.analysis import tensor_tests
from actlab.checker.analysis.layers import feeds_a_layer
from actlab.checker.analysis.logits import softmax_dim
from actlab.checker.analysis.origins import axis_before, origins, uses
from actlab.checker.analysis.step import Step, is_parameter
from actlab.checker.report import Finding
from actlab.checker.rule import Case, Rule, Situation
from actlab.i18n import _

_SCALED = ops.VIEWS | {"mul", "div", "add", "sub", "masked_fill", "where"}
_HANDED = ops.VIEWS | ops.DROPOUTS

_FAINT = 1e-3
"""What is added to a score and is smaller leaves its weight as it is."""


class _Pooling(nn.Module):
    """Attention pooling over ten instances, some of which are padding."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.encode, self.score, self.out = nn.Linear(12, 16), nn.Linear(16, 1), nn.Linear(16, 2)
        self.way = way

    def forward(self, x: Tensor, mask: Tensor) -> Any:
        hidden = torch.tanh(self.encode(x))
        scores = self.score(hidden).squeeze(-1)
        if self.way == "scores":
            weights = torch.softmax(scores * mask, dim=1)
        elif self.way == "filled with zeros":
            weights = torch.softmax(scores.masked_fill(mask == 0, 0.0), dim=1)
        elif self.way == "added":
            weights = torch.softmax(scores + mask, dim=1)
        elif self.way == "weights filled with zeros":
            weights = torch.softmax(scores, dim=1).masked_fill(mask == 0, 0.0)
        elif self.way == "weights":
            weights = torch.softmax(scores, dim=1) * mask
        elif self.way == "renormalised":
            weights = torch.softmax(scores, dim=1) * mask
            weights = weights / weights.sum(1, keepdim=True)
        else:
            weights = torch.softmax(scores.masked_fill(mask == 0, float("-inf")), dim=1)
        return self.out((weights.unsqueeze(-1) * hidden).sum(1))


def _pooled(way: str) -> Situation:
    mask = (torch.arange(10) < torch.arange(32)[:, None] % 9 + 1).float()
    x = torch.randn(32, 10, 12)
    return Situation(_Pooling(way), nn.CrossEntropyLoss(), ((x, mask), torch.arange(32) % 2))


def _scores_times_mask() -> Situation:
    return _pooled("scores")


def _weights_times_mask() -> Situation:
    return _pooled("weights")


def _scores_filled_with_zeros() -> Situation:
    return _pooled("filled with zeros")


def _scores_plus_mask() -> Situation:
    return _pooled("added")


def _weights_filled_with_zeros() -> Situation:
    return _pooled("weights filled with zeros")


def _causal_mask_in_a_bare_step() -> Situation:
    q, out, x, y = nn.Linear(8, 8), nn.Linear(8, 5), torch.randn(8, 6, 8), torch.arange(48) % 5
    causal = torch.tril(torch.ones(6, 6))

    def step() -> Tensor:
        weights = torch.softmax(q(x) @ x.transpose(1, 2) / 8**0.5, -1) * causal
        return nn.functional.cross_entropy(out(weights @ x).flatten(0, 1), y)

    return Situation(step=step)


def _numbers_for_a_mask_of_truth_values(right: bool) -> Situation:
    q, out, x, y = nn.Linear(8, 8), nn.Linear(8, 5), torch.randn(8, 6, 8), torch.arange(48) % 5
    causal = torch.tril(torch.ones(6, 6))
    mask = causal.bool() if right else causal

    def step() -> Tensor:
        mixed = nn.functional.scaled_dot_product_attention(q(x), x, x, attn_mask=mask)
        return nn.functional.cross_entropy(out(mixed).flatten(0, 1), y)

    return Situation(step=step)


def _ones_added_by_fused_attention() -> Situation:
    return _numbers_for_a_mask_of_truth_values(right=False)


def _truth_values_for_fused_attention() -> Situation:
    return _numbers_for_a_mask_of_truth_values(right=True)


def _masked_with_infinity() -> Situation:
    return _pooled("infinity")


def _renormalised_after_the_mask() -> Situation:
    return _pooled("renormalised")


class _Attention(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.parts, self.out, self.dim = nn.Linear(12, 36), nn.Linear(12, 5), dim

    def forward(self, x: Tensor) -> Any:
        q, k, v = self.parts(x).chunk(3, -1)
        weights = torch.softmax(q @ k.transpose(1, 2) / 12**0.5, dim=self.dim)
        return self.out((weights @ v).mean(1))


def _attended(dim: int) -> Situation:
    x = torch.randn(16, 7, 12)
    return Situation(_Attention(dim), nn.CrossEntropyLoss(), (x, torch.arange(16) % 5))


def _over_the_queries() -> Situation:
    return _attended(1)


def _over_the_keys() -> Situation:
    return _attended(2)


def _added_before_softmax(number: float) -> Situation:
    q, out, x, y = nn.Linear(8, 8), nn.Linear(8, 5), torch.randn(8, 6, 8), torch.arange(8) % 5
    padding = (torch.arange(6) >= (torch.arange(8) % 4 + 2)[:, None]).float()

    def step() -> Tensor:
        weights = (q(x) @ x.mT + padding[:, None] * number).softmax(-1)
        return nn.functional.cross_entropy(out((weights @ x)[:, 0]), y)

    return Situation(step=step, model=nn.ModuleList([q, out]))


def _mask_of_next_to_nothing() -> Situation:
    return _added_before_softmax(-1e-9)


def _mask_of_large_numbers() -> Situation:
    return _added_before_softmax(-1e9)


class MaskMissesSoftmax(Rule):
    """A mask is multiplied or added before a softmax, or applied after it without renormalising.

    ## What it does
    Reports a product or a sum of scores with zeros and ones right before a softmax, where the mask
    differs along the dimension of the softmax, and scores that are filled with a number that leaves
    weight behind the mask, such as 0 or -1e-9; a float mask of zeros and ones that torch's fused
    attention adds to the scores; and a mask after the softmax, if it takes away weight and nothing
    divides by what is left. Weights that are masked again and renormalised are right, and so are
    one-hot rows, which pick.

    ## Why is this bad?
    exp(0) is 1: a score that is masked with 0 keeps its weight, and beats every negative score.
    Padding takes part in the mean. A mask after the softmax leaves weights that do not sum to 1, so
    that the sum depends on how much padding there is.

    ## Example
    ```python
    weights = torch.softmax(scores * mask, dim=1)
    ```

    ## Use instead
    ```python
    weights = torch.softmax(scores.masked_fill(mask == 0, float("-inf")), dim=1)
    ```

    ## Sources
    - georg-wolflein/good-features, pull request 1: https://github.com/georg-wolflein/good-features/pull/1
    - Vaswani et al. 2017, Attention is all you need, section 3.2.3: masks of minus infinity.
    """

    code = "ACT206"
    name = "mask-misses-softmax"
    severity = "warning"
    looks_at = "attentions"
    thresholds = {"lost": 1e-3, "left": 0.01}  # noqa: RUF012  read only
    faulty = (
        Case(_scores_times_mask, "warning"),
        Case(_scores_plus_mask, "warning"),
        Case(_scores_filled_with_zeros, "warning"),
        Case(_weights_times_mask, "warning"),
        Case(_weights_filled_with_zeros, "warning"),
        Case(_causal_mask_in_a_bare_step, "warning"),
        Case(_ones_added_by_fused_attention, "warning"),
        Case(_mask_of_next_to_nothing, "warning"),
    )
    clean = (
        Case(_masked_with_infinity),
        Case(_renormalised_after_the_mask),
        Case(_truth_values_for_fused_attention),
        Case(_mask_of_large_numbers),
    )

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each mask that is applied at the wrong place."""
        for call in step.trace.calls:
            if call.op in ops.ATTENTION:
                yield from self._fused(step, call)
            if call.op != "softmax" or not call.inputs or call.output.tensor.ndim < 2:
                continue
            dim = softmax_dim(call)
            after = list(_masked_after(step, call, dim))
            renormalised = any(_is_renormalised(step, masked) for masked, __ in after)
            before = _masked_before(step, call, dim, self.limits["left"])
            if before is not None and not renormalised:
                yield self._before(step, before)
            for masked, lost in after:
                weighs = feeds_a_layer(step.trace, masked.output) or not step.in_loss_code(masked)
                if not renormalised and weighs and lost > self.limits["lost"]:
                    yield self._after(masked, lost)

    def _before(self, step: Step, call: Call) -> Finding:
        faint = call.op == "add" and not any(_is_zero_one(step, v) for v in call.inputs)
        kind = "faint" if faint else call.op
        return self.found(
            message={
                "faint": _("a mask is added to scores as numbers too small to matter"),
                "mul": _("scores are multiplied by a mask before softmax"),
                "add": _("a mask of zeros and ones is added to scores before softmax"),
            }.get(kind, _("scores behind a mask are filled with a number that keeps weight")),
            location=call.location,
            proof={
                "mul": _("a masked score is 0, and exp(0) = 1: it keeps its weight"),
                "add": _("exp(1) / exp(0) = 2.718: the mask weighs, and removes nothing"),
            }.get(kind, _("after the softmax, a part of the weight lies behind the mask")),
            why=_("padding takes part, and how much depends on the length"),
            fix='scores = scores.masked_fill(mask == 0, float("-inf"))',
        )

    def _after(self, call: Call, lost: float) -> Finding:
        return self.found(
            message=_("softmax weights are multiplied by a mask and not renormalised"),
            location=call.location,
            proof=_("the mask takes away up to {lost:.3g} of a sum of 1").format(lost=lost),
            why=_("padding takes part, and how much depends on the length"),
            fix='scores = scores.masked_fill(mask == 0, float("-inf"))',
        )

    def _fused(self, step: Step, call: Call) -> Iterator[Finding]:
        """Yield a finding for zeros and ones that an attention of torch's adds to its scores."""
        masks = [call.kwargs.get(name) for name in ("attn_mask", "key_padding_mask")]
        if call.op == "scaled_dot_product_attention":
            masks.append(call.argument("attn_mask", 3))
        for value in masks:
            if not isinstance(value, Value) or not value.tensor.is_floating_point():
                continue
            if _is_zero_one(step, value) and _differs_along(value.tensor, -1):
                yield self.found(
                    message=_("a float mask of zeros and ones is added to scores"),
                    location=call.location,
                    proof=_("exp(1) / exp(0) = 2.718: the mask weighs, and removes nothing"),
                    why=_("a mask of truth values removes; one of numbers is added"),
                    fix="mask = mask.bool()",
                )
                return


def _masked_before(step: Step, softmax: Call, dim: int, left: float) -> Call | None:
    """Return the call that applies a mask to the scores and leaves weight behind it."""
    for end in origins(softmax.inputs[0], ops.VIEWS, nudges=False):
        call = end.call
        if call is not None and call.op == "div" and len(call.inputs) == 1:  # a temperature
            call = call.inputs[0].call
        axis = axis_before(dim, end.passed)
        if call is None or axis is None:
            continue
        if call.op in ("mul", "add") and len(call.inputs) == 2:
            if any(_is_mask(step, v, call.output, axis) for v in call.inputs):
                return call
            if call.op == "add" and any(_is_faint(step, v, call.output, axis) for v in call.inputs):
                return call
        elif call.op in ("masked_fill", "where") and _keeps_weight(step, softmax, call, dim, left):
            return call
    return None


def _keeps_weight(step: Step, softmax: Call, fill: Call, dim: int, left: float) -> bool:
    """Return whether filled scores keep a share of the weight, in rows that have others, too."""
    mask = _filled_with(step, fill, -1.0, 1.0)
    weights = softmax.output
    if mask is None or weights.shape != fill.output.shape or not weights.intact:
        return False
    covered = mask.expand(weights.shape)
    some = covered.any(dim) & ~covered.all(dim)
    behind = torch.where(covered, weights.tensor.detach().float(), 0.0).sum(dim)
    return bool((behind[some] > left).any())


def _filled_with(step: Step, call: Call, low: float, high: float) -> Tensor | None:
    """Return where a call filled in a number between `low` and `high`, None for other calls."""
    if call.op == "masked_fill":
        mask, number = call.argument("mask", 1), call.argument("value", 2)
        turned = False
    elif call.op == "where":
        mask, number = call.argument("condition", 0), call.argument("other", 2)
        turned = True
    else:
        return None
    if isinstance(number, Value):
        reach = step.range_of(number)
        number = reach.low if reach.low == reach.high else None
    if not isinstance(mask, Value) or not isinstance(number, (int, float)):
        return None
    readable = mask.intact and tensor_tests.readable(mask.tensor) and not step.is_live(mask)
    if not readable or mask.tensor.dtype is not torch.bool or not low <= number <= high:
        return None
    return ~mask.tensor if turned else mask.tensor


def _masked_after(step: Step, softmax: Call, dim: int) -> Iterator[tuple[Call, float]]:
    """Yield the calls that mask a softmax's output, not moved, with the weight that each takes."""
    weights = softmax.output
    for user, given in uses(step.trace, weights):
        if user.op == "mul" and len(user.inputs) == 2 and user.output.shape == weights.shape:
            for other in user.inputs:
                if other is not given and _is_mask(step, other, user.output, dim):
                    yield user, _lost_weight(weights, other.tensor)
    for user in step.trace.users_of(weights):
        mask = _filled_with(step, user, 0.0, 0.0)
        if mask is not None and user.output.shape == weights.shape:
            kept = ~mask.expand(weights.shape)
            if bool(((kept.sum(dim) > 0) & mask.expand(weights.shape).any(dim)).any()):
                yield user, _lost_weight(weights, kept)


def _is_mask(step: Step, value: Value, product: Value, dim: int) -> bool:
    """Return whether a value is fixed zeros and ones that differ along a dimension of a product."""
    if not _is_zero_one(step, value):
        return False
    tensor = value.tensor
    mask = tensor.expand(product.shape) if tensor.shape != product.shape else tensor
    one_hot = bool((mask.float().sum(dim) == 1).all())
    return not one_hot and _differs_along(mask, dim)


def _is_faint(step: Step, value: Value, total: Value, dim: int) -> bool:
    """Return whether a value is 0 and one number too small to matter, along a sum's dimension."""
    tensor = value.tensor
    if step.is_live(value) or not value.intact or not tensor_tests.readable(tensor):
        return False
    if tensor.ndim == 0 or not tensor.is_floating_point():
        return False
    largest = float(tensor.detach().abs().max())
    two = bool(((tensor == 0) | (tensor.abs() == largest)).all())
    mask = (tensor.detach() != 0).float().expand(total.shape)
    return two and 0.0 < largest < _FAINT and _differs_along(mask, dim)


def _differs_along(mask: Tensor, dim: int) -> bool:
    """Return whether a mask of zeros and ones has both somewhere along a dimension."""
    counts = mask.float().sum(dim)
    return bool(((counts > 0) & (counts < mask.shape[dim])).any())


def _is_zero_one(step: Step, value: Value) -> bool:
    tensor = value.tensor
    if step.is_live(value) or not value.intact or not tensor_tests.readable(tensor):
        return False
    return tensor.ndim > 0 and bool(((tensor == 0) | (tensor == 1)).all())


def _is_renormalised(step: Step, product: Call) -> bool:
    """Return whether something divides by what is left of a product, or normalises it."""
    for user, __ in uses(step.trace, product.output):
        if user.op in ("div", "normalize", "softmax") or user.op in ops.NORMS:
            return True
        if user.op in ("add", "sum", "clamp", "clamp_min"):
            return any(nxt.op == "div" for nxt, __ in uses(step.trace, user.output)) or any(
                further.op == "div"
                for nxt, __ in uses(step.trace, user.output)
                for output in nxt.outputs
                for further in step.trace.users_of(output)
            )
    return False


def _lost_weight(weights: Value, mask: Tensor) -> float:
    if not weights.intact or not tensor_tests.readable(weights.tensor):
        return 0.0
    with torch.no_grad():
        kept = (weights.tensor * mask).float()
        return float((weights.tensor.float() - kept).max())


class SoftmaxOverQueries(Rule):
    """The softmax of an attention runs over another axis than the next product sums over.

    ## What it does
    Follows a softmax of scores that are products of two computed tensors (queries and keys) to the
    product with a third, the values, and compares the axis that the softmax normalised with the one
    that this product contracts. Assignments to prototypes, whose scores come from a layer, and
    weights that are divided by another sum in between are left alone.

    ## Why is this bad?
    The weights that a query gives to the keys do not sum to 1: each key spreads a sum of 1 over the
    queries instead. The output's size depends on the number of positions, and training works just
    well enough that nobody notices.

    ## Example
    ```python
    weights = torch.einsum("bihd,bjhd->bijh", q, k).softmax(dim=1)
    out = torch.einsum("bijh,bjhd->bihd", weights, v)
    ```

    ## Use instead
    ```python
    weights = torch.einsum("bihd,bjhd->bijh", q, k).softmax(dim=2)
    ```

    ## Sources
    - labmlai/annotated_deep_learning_paper_implementations#146:
      https://github.com/labmlai/annotated_deep_learning_paper_implementations/issues/146
    - Vaswani et al. 2017, Attention is all you need, section 3.2.1.
    """

    code = "ACT207"
    name = "softmax-over-queries"
    severity = "warning"
    looks_at = "attentions"
    faulty = (Case(_over_the_queries, "warning"),)
    clean = (Case(_over_the_keys),)

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each softmax whose axis the next product does not sum over."""
        for product in step.trace.calls:
            if product.op not in ops.PRODUCTS or len(product.inputs) != 2:
                continue
            for place, value in enumerate(product.inputs):
                other = product.inputs[1 - place]
                if is_parameter(other) or not step.is_live(other):
                    continue
                yield from self._judge(product, place, value)

    def _judge(self, product: Call, place: int, value: Value) -> Iterator[Finding]:
        summed = _contracted(product, place)
        ends = origins(value, _HANDED, nudges=False)
        softmax = ends[0].call if len(ends) == 1 else None
        if softmax is None or softmax.op != "softmax" or len(summed) != 1:
            return
        if not _compares_computed(softmax.inputs[0]):
            return
        axis = axis_before(summed[0], ends[0].passed)
        wrong = softmax_dim(softmax)
        if axis is None or axis == wrong:
            return
        if wrong == 0 and softmax.output.tensor.ndim > 2:
            return  # over the samples: ACT203 has that
        yield self.found(
            message=_("the softmax of an attention runs over dimension {wrong}").format(
                wrong=wrong
            ),
            location=softmax.location,
            proof=_(
                "of weights of shape {shape}, the next product sums over dimension {axis}, the "
                "softmax normalised dimension {wrong}"
            ).format(shape=tuple(softmax.output.shape), axis=axis, wrong=wrong),
            why=_("what a query gives to all keys does not sum to 1; queries compete instead"),
            fix=f"weights = torch.softmax(scores, dim={axis})",
        )


def _contracted(product: Call, place: int) -> list[int]:
    """Return the dimensions of an operand that a product sums over."""
    ndim = product.inputs[place].tensor.ndim
    if product.op == "einsum":
        equation = product.args[0] if product.args and isinstance(product.args[0], str) else ""
        operands, arrow, result = equation.replace(" ", "").partition("->")
        parts = operands.split(",")
        if not arrow or len(parts) != 2 or "." in equation:
            return []
        mine, theirs = parts[place], parts[1 - place]
        return [n for n, axis in enumerate(mine) if axis not in result and axis in theirs]
    first = place == (1 if product.op == "rmatmul" else 0)
    if product.op in ("matmul", "rmatmul") and ndim >= 2:
        return [ndim - 1 if first else ndim - 2]
    return []


def _compares_computed(scores: Value) -> bool:
    """Return whether scores are products of two tensors that were computed: queries and keys."""
    for end in origins(scores, _SCALED):
        call = end.call
        if call is None or call.op not in ops.PRODUCTS or len(call.inputs) != 2:
            continue
        if all(v.call is not None and not is_parameter(v) for v in call.inputs):
            return True
    return False
