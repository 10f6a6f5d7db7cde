"""The names that other libraries give to the functions, each with that library's convention.

`"jax:gelu"` is the tanh form, `"keras:leaky_relu"` has slope 0.2 and `"keras:LeakyReLU"`, the
layer, 0.3. Names are as in torch.nn, timm's `create_act`, Hugging Face's `ACT2FN`,
`keras.activations` and `keras.layers`, and jax.nn.
"""

from __future__ import annotations

from collections.abc import Mapping

Target = str | tuple[str, Mapping[str, float]]

OTHER_NAMES: Mapping[str, Target] = {
    "acon": "acon_c",
    "atan": "arctan",
    "binary_step": "step",
    "d_silu": "dsilu",
    "e_swish": "eswish",
    "exp": "exponential",
    "gelu_10": "clipped_gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "h_mish": "hard_mish",
    "h_swish": "hardswish",
    "hard_shrink": "hardshrink",
    "hard_sigmoid": "hardsigmoid",
    "hard_silu": "hardswish",
    "hard_swish": "hardswish",
    "hard_tanh": "hardtanh",
    "heaviside": "step",
    "leaky_relu_0.01": ("leaky_relu", {"negative_slope": 0.01}),
    "leaky_relu_0.1": ("leaky_relu", {"negative_slope": 0.1}),
    "linear": "identity",
    "log_sigmoid": "logsigmoid",
    "logistic": "sigmoid",
    "lrelu": "leaky_relu",
    "pau": "rational_pau",
    "rational": "rational_pau",
    "relu2": "relu_squared",
    "rrelu": "rrelu_eval",
    "sin": "sine",
    "soft_shrink": "softshrink",
    "soft_sign": "softsign",
    "squared_relu": "relu_squared",
    "tanh_exp": "tanhexp",
    "tanh_shrink": "tanhshrink",
    "telu": "tanhexp",
}

FRAMEWORKS: Mapping[str, Mapping[str, Target]] = {
    "torch": {
        "CELU": "celu",
        "ELU": "elu",
        "GELU": "gelu",
        "GLU": "glu",
        "Hardshrink": "hardshrink",
        "Hardsigmoid": "hardsigmoid",
        "Hardswish": "hardswish",
        "Hardtanh": "hardtanh",
        "Identity": "identity",
        "LeakyReLU": "leaky_relu",
        "LogSigmoid": "logsigmoid",
        "Mish": "mish",
        "PReLU": "prelu",
        "RReLU": "rrelu_eval",
        "ReLU": "relu",
        "ReLU6": "relu6",
        "SELU": "selu",
        "SiLU": "silu",
        "Sigmoid": "sigmoid",
        "Softmax": "softmax",
        "Softplus": "softplus",
        "Softshrink": "softshrink",
        "Softsign": "softsign",
        "Tanh": "tanh",
        "Tanhshrink": "tanhshrink",
    },
    "timm": {
        "celu": "celu",
        "elu": "elu",
        "gelu": "gelu",
        "gelu_tanh": "gelu_tanh",
        "hard_mish": "hard_mish",
        "hard_sigmoid": "hardsigmoid",
        "hard_swish": "hardswish",
        "identity": "identity",
        "leaky_relu": "leaky_relu",
        "mish": "mish",
        "prelu": "prelu",
        "quick_gelu": "quick_gelu",
        "relu": "relu",
        "relu6": "relu6",
        "selu": "selu",
        "sigmoid": "sigmoid",
        "silu": "silu",
        "swish": "silu",
        "tanh": "tanh",
    },
    "hf": {
        "gelu": "gelu",
        "gelu_10": "clipped_gelu",
        "gelu_accurate": "gelu_tanh",
        "gelu_fast": "gelu_tanh",
        "gelu_new": "gelu_tanh",
        "gelu_python": "gelu",
        "gelu_python_tanh": "gelu_tanh",
        "gelu_pytorch_tanh": "gelu_tanh",
        "hardswish": "hardswish",
        "laplace": "laplace",
        "leaky_relu": "leaky_relu",
        "linear": "identity",
        "mish": "mish",
        "prelu": "prelu",
        "quick_gelu": "quick_gelu",
        "relu": "relu",
        "relu2": "relu_squared",
        "relu6": "relu6",
        "sigmoid": "sigmoid",
        "silu": "silu",
        "swish": "silu",
        "tanh": "tanh",
        "xielu": "xielu",
    },
    "keras": {
        "ELU": "elu",
        "LeakyReLU": ("leaky_relu", {"negative_slope": 0.3}),
        "PReLU": ("prelu", {"a": 0.0}),
        "celu": "celu",
        "elu": "elu",
        "exponential": "exponential",
        "gelu": "gelu",
        "glu": "glu",
        "hard_shrink": "hardshrink",
        "hard_sigmoid": "hardsigmoid",
        "hard_silu": "hardswish",
        "hard_swish": "hardswish",
        "hard_tanh": "hardtanh",
        "leaky_relu": ("leaky_relu", {"negative_slope": 0.2}),
        "linear": "identity",
        "log_sigmoid": "logsigmoid",
        "mish": "mish",
        "relu": "relu",
        "relu6": "relu6",
        "selu": "selu",
        "sigmoid": "sigmoid",
        "silu": "silu",
        "soft_shrink": "softshrink",
        "softmax": "softmax",
        "softplus": "softplus",
        "softsign": "softsign",
        "sparse_plus": "sparse_plus",
        "sparse_sigmoid": "sparse_sigmoid",
        "sparsemax": "sparsemax",
        "squareplus": "squareplus",
        "swish": "silu",
        "tanh": "tanh",
        "tanh_shrink": "tanhshrink",
    },
    "jax": {
        "celu": "celu",
        "elu": "elu",
        "gelu": "gelu_tanh",
        "glu": "glu",
        "hard_sigmoid": "hardsigmoid",
        "hard_silu": "hardswish",
        "hard_swish": "hardswish",
        "hard_tanh": "hardtanh",
        "identity": "identity",
        "leaky_relu": "leaky_relu",
        "log_sigmoid": "logsigmoid",
        "mish": "mish",
        "relu": "relu",
        "relu6": "relu6",
        "selu": "selu",
        "sigmoid": "sigmoid",
        "silu": "silu",
        "soft_sign": "softsign",
        "softmax": "softmax",
        "softplus": "softplus",
        "sparse_plus": "sparse_plus",
        "sparse_sigmoid": "sparse_sigmoid",
        "squareplus": "squareplus",
        "swish": "silu",
        "tanh": "tanh",
    },
}

ALIASES: Mapping[str, tuple[str, Mapping[str, float]]] = {
    spelling: (target, {}) if isinstance(target, str) else target
    for spelling, target in [
        *OTHER_NAMES.items(),
        *(
            (f"{framework}:{name}", target)
            for framework, names in FRAMEWORKS.items()
            for name, target in names.items()
        ),
    ]
}
"""Every alias: the name that it stands for, and the parameters that its library starts from."""


def plain(name: str) -> str:
    """Return a spelling without case and separators, under which lookups are forgiving.

    >>> plain("torch:LeakyReLU") == plain("torch:leaky_relu")
    True
    """
    return "".join(character for character in name.casefold() if character not in "_- ")
