"""What every function of the catalogue promises; a new one is tried as soon as it is listed."""

import math
import re

import pytest
import torch
from torch import nn

from actlab.activations import Function, get, is_non_decreasing
from actlab.activations.catalogue.declared import SCALAR_FACTS
from actlab.activations.formula import parse
from actlab.testing.functions import assert_activation
from tests.contracts.functions import (
    ALL,
    LEARNABLE,
    SCALAR,
    STRUCTURAL,
    an_input,
    module_of,
    name_of,
    value_and_gradient,
)

every = pytest.mark.parametrize("function", ALL, ids=name_of)
every_scalar = pytest.mark.parametrize("function", SCALAR, ids=name_of)
every_structural = pytest.mark.parametrize("function", STRUCTURAL, ids=name_of)
every_learnable = pytest.mark.parametrize("function", LEARNABLE, ids=name_of)


@every
def test_it_is_found_by_its_name_and_says_where_it_comes_from(function: Function) -> None:
    assert get(function.name) is function
    assert function.source
    assert function.formula


@every
def test_integers_are_promoted_or_refused_and_never_truncated(function: Function) -> None:
    x = torch.tensor([[-3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8]])
    module = module_of(function)
    try:
        found = module(x)
    except RuntimeError:
        return  # as some of torch's own kernels have it
    assert torch.allclose(found.double(), function.module(dtype=torch.float64).eval()(x.double()))


@every
def test_complex_numbers_are_refused_or_differentiated_as_torch_has_it(function: Function) -> None:
    if function.factory.startswith("native:") or function.name in ("selu", "crelu", "maxout"):
        return
    with pytest.raises(TypeError, match="real numbers"):
        module_of(function)(torch.ones(2, 12, dtype=torch.complex64))


@every
def test_it_keeps_the_contract_of_activations(function: Function) -> None:
    assert_activation(function.module, elementwise=function.kind == "scalar")


@every_learnable
@pytest.mark.parametrize("sign", [-1.0, 0.0])
def test_no_learnt_sign_makes_infinity_times_zero(function: Function, sign: float) -> None:
    """Whatever training did to the parameters, inf times a gate of 0 is 0, and 1e35 is kept."""
    if sign == 0 and function.name in ("prelu", "star_relu", "snake_beta"):
        return  # a slope of 0 times infinity is NaN in torch's prelu, too
    module = function.module().eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(sign)
    assert not module(torch.tensor([-math.inf, math.inf, 1e35, -1e35])).isnan().any()


@every_scalar
def test_its_formula_uses_its_parameters_and_no_others(function: Function) -> None:
    used = set(parse(function.formula).names)
    assert used <= set(function.values)
    assert set(function.values) - used == set(function.rewritten)
    for name, formula in function.rewritten.items():
        assert {*used, name} == set(parse(formula).names)


@every_scalar
def test_every_fact_is_declared_with_a_derivation(function: Function) -> None:
    assert function.declared is not None
    assert all(function.declared.derivation(fact) for fact in SCALAR_FACTS)
    unknown = set(function.declared.because) - {
        *SCALAR_FACTS,
        *("range", "shape", "minimum", "steepest", "at_zero", "limits"),
        *("moments", "gains", "zero_gradient", "fixed_points", "kinks"),
    }
    assert not unknown


@every_structural
def test_a_structural_function_has_arity_and_width_and_no_scalar_facts(function: Function) -> None:
    assert function.declared is None
    assert function.arity
    assert function.output_width
    assert function.latex


@every
def test_learnable_means_parameters_that_require_a_gradient(function: Function) -> None:
    learns = [p for p in function.module().parameters() if p.requires_grad]
    assert bool(learns) == function.learnable


@every_scalar
def test_vmap_over_the_batch_is_the_batch(function: Function) -> None:
    module = module_of(function)
    x = an_input(function)
    assert torch.equal(torch.func.vmap(module)(x), module(x))
    slopes = torch.func.vmap(torch.func.grad(lambda t: module(t).sum()))(x)
    assert torch.allclose(slopes, value_and_gradient(module, x)[1], atol=1e-6)


@every_scalar
def test_gradients_are_those_of_the_values(function: Function) -> None:
    x = torch.linspace(-4.03, 4.12, 23, dtype=torch.float64, requires_grad=True)
    module = module_of(function).double()
    assert torch.autograd.gradcheck(module, (x,))
    if function.name != "hardsigmoid":  # torch has no second derivative of its kernel
        assert torch.autograd.gradgradcheck(module, (x,))


@every_structural
def test_gradients_of_several_numbers_are_those_of_the_values(function: Function) -> None:
    x = an_input(function)[:1, :, :1, :2].double().requires_grad_()
    assert torch.autograd.gradcheck(module_of(function).double(), (x,))


@every_learnable
def test_parameters_have_the_gradients_of_the_values(function: Function) -> None:
    for channels in (None, 3):
        module = function.module(channels=channels).double()
        x = torch.randn(2, 3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
        names = [name for name, _parameter in module.named_parameters()]

        def apply(x: torch.Tensor, *parameters: torch.Tensor, module=module, names=names):
            return torch.func.functional_call(
                module, dict(zip(names, parameters, strict=True)), (x,)
            )

        inputs = (x.requires_grad_(), *module.parameters())
        assert torch.autograd.gradcheck(apply, inputs)


@every_learnable
def test_channels_have_values_of_their_own(function: Function) -> None:
    module = function.module(channels=12)
    shared = function.module()
    x = an_input(function)
    assert torch.allclose(module(x), shared(x))
    with torch.no_grad():
        for parameter in module.parameters():
            parameter[4] += 0.25
    changed = (module(x) != shared(x)).any(dim=(0, 2, 3))
    assert changed.tolist() == [channel == 4 for channel in range(12)]


@every_scalar
def test_the_live_answer_on_monotonicity_is_the_declared_one(function: Function) -> None:
    assert function.declared is not None
    rises = function.declared.monotonic in ("strictly_increasing", "non_decreasing")
    assert is_non_decreasing(module_of(function)) == rises


@every
def test_it_prints_as_a_module(function: Function) -> None:
    text = repr(nn.Sequential(module_of(function)))
    assert re.fullmatch(r"  \(0\): [A-Z]\w*\(.*", text.splitlines()[1])


@every_scalar
def test_a_training_step_moves_it_without_a_warning(function: Function) -> None:
    torch.manual_seed(5)
    network = nn.Sequential(nn.Linear(4, 6), function.module(), nn.Linear(6, 1))
    before = [parameter.detach().clone() for parameter in network.parameters()]
    optimiser = torch.optim.SGD(network.parameters(), lr=0.01)
    loss = network(torch.randn(8, 4)).square().mean()
    loss.backward()
    optimiser.step()
    assert all(torch.isfinite(parameter).all() for parameter in network.parameters())
    moved = [
        not torch.equal(old, new) for old, new in zip(before, network.parameters(), strict=True)
    ]
    assert moved[-1]
    is_flat = function.declared is not None and function.declared.zero_gradient == 1
    assert moved[0] == (not is_flat)
