"""The vocabulary of the checker: one name for each operation, and what kind of operation it is.

`torch.sigmoid`, `Tensor.sigmoid_`, `F.sigmoid` and the autograd node `SigmoidBackward0` are all
"sigmoid". An operation in none of the sets below is unknown: no rule concludes anything from it.
"""

import re
from collections.abc import Callable
from typing import Any

import torch

_SPELLINGS = {
    "__add__": "add", "__radd__": "add", "__iadd__": "add",
    "__sub__": "sub", "__isub__": "sub", "__rsub__": "rsub", "subtract": "sub",
    "__mul__": "mul", "__rmul__": "mul", "__imul__": "mul", "multiply": "mul",
    "__truediv__": "div", "__div__": "div", "__itruediv__": "div", "__idiv__": "div",
    "divide": "div", "true_divide": "div",
    "__rtruediv__": "rdiv", "__rdiv__": "rdiv",
    "__pow__": "pow", "__ipow__": "pow", "__rpow__": "rpow",
    "__matmul__": "matmul", "__rmatmul__": "rmatmul", "mm": "matmul", "bmm": "matmul",
    "mv": "matmul", "addmm": "addmm", "baddbmm": "addmm", "addbmm": "addmm",
    "__neg__": "neg", "negative": "neg", "__abs__": "abs", "absolute": "abs",
    "__getitem__": "getitem", "__setitem__": "setitem",
    "rsqrt": "rsqrt", "clip": "clamp", "clamp_min": "clamp", "clamp_max": "clamp",
    "expit": "sigmoid",
    "log_sigmoid": "logsigmoid", "swish": "silu", "binary_cross_entropy_with_logits": "bce_logits",
    "binary_cross_entropy": "bce", "concat": "cat", "concatenate": "cat",
    "hstack": "cat", "vstack": "cat", "dstack": "cat", "row_stack": "cat", "column_stack": "cat",
    "swapaxes": "transpose", "swapdims": "transpose", "moveaxis": "movedim",
    "adaptive_avg_pool1d": "avg_pool", "adaptive_avg_pool2d": "avg_pool",
    "adaptive_avg_pool3d": "avg_pool", "avg_pool1d": "avg_pool", "avg_pool2d": "avg_pool",
    "avg_pool3d": "avg_pool",
    "max_pool1d": "max_pool", "max_pool2d": "max_pool", "max_pool3d": "max_pool",
    "max_pool1d_with_indices": "max_pool", "max_pool2d_with_indices": "max_pool",
    "max_pool3d_with_indices": "max_pool", "adaptive_max_pool1d": "max_pool",
    "adaptive_max_pool2d": "max_pool", "adaptive_max_pool3d": "max_pool",
    "adaptive_max_pool1d_with_indices": "max_pool", "adaptive_max_pool2d_with_indices": "max_pool",
    "boolean_dispatch": "max_pool",
    "dropout1d": "dropout", "dropout2d": "dropout", "dropout3d": "dropout",
    "feature_dropout": "dropout", "native_dropout": "dropout",
    "feature_alpha_dropout": "alpha_dropout",
    "softmax_backward_data": "softmax", "safe_softmax": "softmax",
    "linalg_vector_norm": "vector_norm", "linalg_norm": "norm",
    "upsample": "interpolate", "upsample_nearest": "interpolate",
    "upsample_bilinear": "interpolate",
    "threshold": "threshold", "data": "detach", "detach": "detach",
    "__pos__": "alias", "H": "T", "mT": "T", "mH": "T", "adjoint": "T", "numpy_T": "T",
    "gru": "gru", "convolution": "conv", "conv_overrideable": "conv",
    "conv_transpose1d": "conv_transpose", "conv_transpose2d": "conv_transpose",
    "conv_transpose3d": "conv_transpose", "conv1d": "conv", "conv2d": "conv", "conv3d": "conv",
}  # fmt: skip

_AUTOGRAD_SPELLINGS = {
    "Addmm": "linear", "Mm": "matmul", "Bmm": "matmul", "Convolution": "conv",
    "SoftmaxBackwardData": "softmax", "LogSoftmaxBackwardData": "log_softmax",
    "NllLoss": "nll_loss", "NllLoss2D": "nll_loss", "NllLossNd": "nll_loss",
    "BinaryCrossEntropyWithLogits": "bce_logits", "BinaryCrossEntropy": "bce",
    "UnsafeView": "view", "View": "view", "ReshapeAlias": "view", "Alias": "alias",
    "Slice": "getitem", "Select": "getitem", "Index": "getitem", "ToCopy": "to",
    "NativeBatchNorm": "batch_norm", "CudnnBatchNorm": "batch_norm",
    "NativeLayerNorm": "layer_norm", "NativeGroupNorm": "group_norm",
    "MaxPool2DWithIndices": "max_pool", "AdaptiveAvgPool2D": "avg_pool", "AvgPool2D": "avg_pool",
}  # fmt: skip

VIEWS = frozenset({
    "view", "view_as", "reshape", "reshape_as", "flatten", "unflatten", "squeeze", "unsqueeze",
    "permute", "transpose", "t", "T", "movedim", "contiguous", "clone", "detach", "alias", "to",
    "type", "type_as", "float", "double", "half", "bfloat16", "cpu", "cuda", "requires_grad_",
    "getitem", "select", "index_select", "gather", "take", "take_along_dim", "narrow", "chunk",
    "split", "split_with_sizes", "tensor_split", "hsplit", "vsplit", "dsplit", "unbind",
    "masked_select", "flip", "fliplr", "flipud", "roll", "rot90", "expand", "expand_as",
    "broadcast_to", "broadcast_tensors", "repeat", "repeat_interleave", "tile", "unfold",
    "as_strided", "diagonal", "diag", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle",
    "atleast_1d", "atleast_2d", "atleast_3d", "ravel", "identity", "as_subclass", "real",
    "get_device", "pin_memory", "sort", "topk", "to_dense", "pad_packed_sequence", "rename",
    "refine_names", "align_to", "view_copy", "unsafe_chunk", "unsafe_split", "checkpoint",
    "retain_grad", "meshgrid",
})  # fmt: skip
"""Operations that hand on elements of one tensor unchanged: the values are the same, elsewhere."""

JOINS = frozenset({
    "cat", "stack", "where", "setitem", "index_put", "index_copy", "scatter", "masked_scatter",
    "pad", "masked_fill", "index_fill", "copy_", "block_diag", "pack_padded_sequence",
    "select_scatter", "slice_scatter", "fill_diagonal",
})  # fmt: skip
"""Operations that hand on elements of several tensors, or of a tensor and a constant."""

DROPOUTS = frozenset({"dropout", "alpha_dropout"})

AFFINE = frozenset({"linear", "conv", "conv_transpose", "bilinear", "addmm"})
"""Layers with weights; `matmul` and `einsum` count as such when one operand is a parameter."""

PRODUCTS = frozenset({"matmul", "rmatmul", "einsum", "tensordot", "dot", "inner", "vdot", "outer"})

NORMS = frozenset({"batch_norm", "layer_norm", "group_norm", "instance_norm", "rms_norm",
                   "local_response_norm", "normalize"})  # fmt: skip

POOLS = frozenset({"avg_pool", "max_pool", "lp_pool1d", "lp_pool2d", "mean", "amax", "max"})

RECURRENT = frozenset({"lstm", "gru", "rnn_tanh", "rnn_relu", "lstm_cell", "gru_cell",
                       "rnn_tanh_cell", "rnn_relu_cell"})  # fmt: skip

ATTENTION = frozenset({
    "scaled_dot_product_attention", "multi_head_attention_forward",
    "transformer_encoder_layer_fwd", "native_multi_head_attention",
})  # fmt: skip

RECTIFIERS = frozenset({"relu", "relu6", "leaky_relu", "prelu", "rrelu", "elu", "celu", "selu",
                        "gelu", "silu", "mish", "softplus", "hardswish", "threshold"})  # fmt: skip
"""Activations that hold back negative inputs, wholly or nearly."""

BOUNDED = frozenset({"sigmoid", "hardsigmoid", "tanh", "hardtanh", "softsign", "relu6"})
"""Activations with a finite range on both sides."""

ELEMENTWISE_ACTIVATIONS = (
    RECTIFIERS | BOUNDED | {"logsigmoid", "hardshrink", "softshrink", "tanhshrink"}
)

NORMALISERS = frozenset({"softmax", "log_softmax", "softmin", "gumbel_softmax"})

ACTIVATIONS = ELEMENTWISE_ACTIVATIONS | NORMALISERS

LAYERS = AFFINE | NORMS | ELEMENTWISE_ACTIVATIONS | RECURRENT
"""What a network is made of: a number that is not finite is named by the first of these."""

LEAVING = frozenset({"numpy", "tolist", "__array__"})
"""Operations that hand numbers on to Python or NumPy, where no call is seen any more."""

LOSSES = frozenset({
    "cross_entropy", "nll_loss", "bce", "bce_logits", "kl_div", "mse_loss", "l1_loss",
    "smooth_l1_loss", "huber_loss", "gaussian_nll_loss", "poisson_nll_loss", "ctc_loss",
    "soft_margin_loss", "multilabel_soft_margin_loss", "multi_margin_loss",
    "multilabel_margin_loss", "hinge_embedding_loss", "margin_ranking_loss",
    "cosine_embedding_loss", "triplet_margin_loss", "triplet_margin_with_distance_loss",
})  # fmt: skip


def name_of(function: Callable[..., Any]) -> str:
    """Return the one name of an operation that a `TorchFunctionMode` was shown.

    >>> name_of(torch.sigmoid), name_of(torch.Tensor.sigmoid_), name_of(torch.Tensor.__rsub__)
    ('sigmoid', 'sigmoid', 'rsub')
    """
    if function is torch.autograd.grad:  # not the attribute `Tensor.grad`
        return "autograd_grad"
    name = getattr(function, "__name__", "") or type(function).__name__
    if name == "__get__":  # a property such as Tensor.T
        name = getattr(getattr(function, "__self__", None), "__name__", name)
    if name in _SPELLINGS:
        return _SPELLINGS[name]
    if name.endswith("_") and not name.endswith("__") and name not in ("requires_grad_", "copy_"):
        name = name.rstrip("_")
    return _plain(name.removeprefix("_"))


def name_of_autograd_node(node_name: str) -> str:
    """Return the name of the operation whose backward node has this name.

    >>> name_of_autograd_node("SoftmaxBackward0"), name_of_autograd_node("AddmmBackward0")
    ('softmax', 'linear')
    """
    stem = re.sub(r"(Cpu|Cuda)?Backward\d*$", "", node_name)
    if stem in _AUTOGRAD_SPELLINGS:
        return _AUTOGRAD_SPELLINGS[stem]
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", stem).lower()
    return _plain(snake)


def _plain(name: str) -> str:
    """Return a name without its namespace: `torch.linalg.norm` is "norm"."""
    name = name.removeprefix("linalg_").removeprefix("special_")
    return _SPELLINGS.get(name, name)
