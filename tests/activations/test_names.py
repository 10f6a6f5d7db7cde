"""Names, aliases of the libraries, and parameters."""

import os
import subprocess
import sys

import pytest
import torch

import actlab
from actlab.activations import Function, ParameterError, get, names
from actlab.activations.catalogue.aliases import ALIASES, plain
from actlab.errors import UnknownNameError


def test_the_eight_functions_of_the_study_are_there() -> None:
    study = ["sigmoid", "relu", "leaky_relu_0.01", "leaky_relu_0.1", "prelu", "elu", "tanh", "silu"]
    assert [get(name).module() for name in study]


@pytest.mark.parametrize(
    ("alias", "name", "values"),
    [
        ("jax:gelu", "gelu_tanh", {}),
        ("keras:gelu", "gelu", {}),
        ("torch:GELU", "gelu", {}),
        ("hf:gelu_new", "gelu_tanh", {}),
        ("hf:gelu_fast", "gelu_tanh", {}),
        ("hf:gelu_10", "clipped_gelu", {}),
        ("hf:relu2", "relu_squared", {}),
        ("timm:swish", "silu", {}),
        ("jax:leaky_relu", "leaky_relu", {"negative_slope": 0.01}),
        ("keras:leaky_relu", "leaky_relu", {"negative_slope": 0.2}),
        ("keras:LeakyReLU", "leaky_relu", {"negative_slope": 0.3}),
        ("keras:PReLU", "prelu", {"a": 0.0}),
        ("leaky_relu_0.1", "leaky_relu", {"negative_slope": 0.1}),
        ("telu", "tanhexp", {}),
        ("torch:leaky_relu", "leaky_relu", {"negative_slope": 0.01}),
        ("Leaky-ReLU", "leaky_relu", {"negative_slope": 0.01}),
    ],
)
def test_an_alias_means_the_function_with_its_librarys_convention(
    alias: str, name: str, values: dict[str, float]
) -> None:
    function = get(alias)
    assert function.name == name
    assert function.values == values


@pytest.mark.parametrize("alias", ALIASES)
def test_every_alias_is_found(alias: str) -> None:
    target, values = ALIASES[alias]
    assert get(alias) == get(target).bind(**values)


def test_aliases_hide_no_name() -> None:
    assert not set(ALIASES) & set(names())


def test_a_spelling_that_could_mean_two_things_is_refused() -> None:
    assert plain("keras:leakyrelu") == plain("keras:LeakyReLU") == plain("keras:leaky_relu")
    with pytest.raises(UnknownNameError, match=r"keras:leakyrelu.*Did you mean"):
        get("keras:leakyrelu")


def test_an_alias_is_listed_where_it_means_the_defaults() -> None:
    assert "jax:leaky_relu" in get("leaky_relu").aliases
    assert "keras:leaky_relu" not in get("leaky_relu").aliases
    assert "jax:gelu" in get("gelu_tanh").aliases


def test_an_unknown_name_has_the_nearest_one_beside_it() -> None:
    with pytest.raises(UnknownNameError) as raised:
        get("rleu")
    assert str(raised.value) == 'There is no activation "rleu". Did you mean "relu"?'


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("elu", {"alpa": 1.0}, 'There is no parameter of elu "alpa". Did you mean "alpha"?'),
        ("relu", {"a": 1.0}, 'relu has no parameters, but "a" was given.'),
        ("celu", {"alpha": 0.0}, "celu needs alpha > 0, but alpha = 0.0 was given."),
        (
            "arelu",
            {"a": 1.5},
            "arelu needs a >= 0.01 and a <= 0.99, but a = 1.5 was given.",
        ),
        (
            "leaky_relu",
            {"negative_slope": float("nan")},
            "leaky_relu needs negative_slope: a finite number, but negative_slope = nan was given.",
        ),
        ("maxout", {"pieces": 2.5}, "maxout needs pieces >= 2, but pieces = 2.5 was given."),
    ],
)
def test_a_wrong_parameter_is_one_clear_line(
    name: str, values: dict[str, float], message: str
) -> None:
    with pytest.raises((ParameterError, UnknownNameError)) as raised:
        get(name).module(**values)
    assert str(raised.value) == message


def test_xielu_keeps_its_parameters_apart() -> None:
    with pytest.raises(ParameterError, match="alpha_n > beta"):
        get("xielu").module(beta=0.9)


def test_binding_the_same_values_changes_nothing() -> None:
    elu = get("elu")
    assert elu.bind(alpha=1.0) is elu
    assert elu.bind(alpha=0.5).declared is None
    assert elu.declared is not None


def test_what_learns_nothing_takes_no_channels() -> None:
    with pytest.raises(ParameterError, match="nothing to learn"):
        get("relu").module(channels=3)


def test_functions_are_values() -> None:
    assert isinstance(actlab.get("relu"), Function)
    assert actlab.functions()[0] == get("identity")
    assert len(set(names())) == len(names()) == 101


def test_knowing_a_function_loads_no_torch() -> None:
    code = (
        "import sys, actlab; from actlab.activations import facts;"
        "facts.of('silu').as_json(); facts.of('elu', alpha=0.5).as_json();"
        "actlab.functions(where='smooth');"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


MLX = """elu celu gelu gelu_approx gelu_fast_approx glu hard_shrink hard_tanh hardswish leaky_relu
log_sigmoid log_softmax mish prelu relu relu2 relu6 selu sigmoid silu softmax softmin softplus
softshrink softsign step tanh"""
FLAX = """PReLU celu elu gelu glu hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu log_sigmoid
log_softmax relu relu6 selu sigmoid silu soft_sign softmax softplus swish tanh"""
GGML = """elu relu sigmoid gelu gelu_quick gelu_erf silu hardswish hardsigmoid softplus xielu step
tanh soft_max leaky_relu reglu geglu swiglu swiglu_oai geglu_erf"""
TIMM = """celu elu gelu gelu_tanh hard_mish hard_sigmoid hard_swish identity leaky_relu mish prelu
quick_gelu relu relu6 selu sigmoid silu swish tanh"""
"""What the libraries document that are not installed here."""


@pytest.mark.parametrize(
    ("framework", "spellings"),
    [("mlx", MLX), ("flax", FLAX), ("ggml", GGML), ("timm", TIMM)],
    ids=["mlx", "flax", "ggml", "timm"],
)
def test_every_documented_name_resolves(framework: str, spellings: str) -> None:
    for spelling in spellings.split():
        assert get(f"{framework}:{spelling}").name in names()


def test_every_name_of_torch_resolves() -> None:
    from torch.nn import functional
    from torch.nn.modules import activation

    for spelling in set(activation.__all__) - {"MultiheadAttention"}:
        assert get(f"torch.nn.{spelling}").name in names()
    for function in (f.name for f in map(get, names()) if f.factory.startswith("native:")):
        if hasattr(functional, function):
            assert get(f"F.{function}").name == function
    documented = """threshold relu hardtanh hardswish relu6 elu selu celu leaky_relu prelu rrelu glu
        gelu logsigmoid hardshrink tanhshrink softsign softplus softmin softmax softshrink
        gumbel_softmax log_softmax tanh sigmoid hardsigmoid silu mish"""
    for spelling in documented.split():
        assert callable(getattr(functional, spelling))
        assert get(f"torch.nn.functional.{spelling}").name in names()


def test_every_name_of_transformers_resolves() -> None:
    activations = pytest.importorskip("transformers.activations")
    for spelling in activations.ACT2CLS:
        assert get(f"hf:{spelling}").name in names()


def test_every_name_of_jax_resolves() -> None:
    nn = pytest.importorskip("jax.nn")
    others = """dot_product_attention get_scaled_dot_general_config initializers log1mexp
        logmeanexp logsumexp one_hot scaled_dot_general scaled_matmul standardize"""
    for spelling in {name for name in dir(nn) if not name.startswith("_")} - set(others.split()):
        assert get(f"jax.nn.{spelling}").name in names()


def test_every_name_of_keras_resolves() -> None:
    os.environ.setdefault("KERAS_BACKEND", "jax")
    keras = pytest.importorskip("keras")
    spellings = {name for name in dir(keras.activations) if not name.startswith("_")}
    for spelling in spellings - {"deserialize", "get", "serialize"}:
        assert get(f"keras.activations.{spelling}").name in names()


def test_what_the_libraries_start_from_is_kept() -> None:
    assert get("timm:StarReLU").values == {"s": 1.0, "b": 0.0}
    assert get("ggml:gelu").name == get("mlx:gelu_approx").name == "gelu_tanh"
    assert get("ggml:geglu").values["approximate"] == 1
    assert get("flax:PReLU").values == {"a": 0.01}


def test_channels_along_any_dimension() -> None:
    x = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(2))
    for name in ("prelu", "swish", "star_relu"):
        first = get(name).module(channels=3)
        last = get(name).module(channels=3, channel_dim=-1)
        with torch.no_grad():
            for module in (first, last):
                for parameter in module.parameters():
                    parameter.copy_(torch.tensor([0.3, 0.7, 1.1]))
        torch.testing.assert_close(last(x), first(x.movedim(-1, 1)).movedim(1, -1))
