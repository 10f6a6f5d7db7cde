"""`actlab functions`: what scripts read, what people read, and every error in one line."""

import json
import math
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from actlab import activations
from actlab.activations import facts, lessons
from actlab.activations.code_lines import activation_line, start_line
from actlab.activations.facts.nearest import nearest
from actlab.activations.formula import NumpyBackend, parse
from actlab.activations.pitfalls import pitfalls
from actlab.cli.functions.arguments import parameter_values
from actlab.i18n import translation
from tests.cli.invoke import actlab

KEYS = {
    "name",
    "aliases",
    "formula",
    "latex",
    "parameters",
    "source",
    "range_low",
    "range_high",
    "low_attained",
    "high_attained",
    "monotonic",
    "min_x",
    "min_y",
    "max_abs_grad",
    "argmax_abs_grad",
    "smoothness",
    "mean_under_N01",
    "second_moment_N01",
    "mean_grad_N01",
    "second_moment_grad_N01",
    "gain_forward",
    "gain_backward",
    "df0_left",
    "df0_right",
    "lim_minus_inf",
    "lim_plus_inf",
    "grad_lim_minus_inf",
    "grad_lim_plus_inf",
    "zero_grad_fraction_N01",
    "learnable",
}
SCALAR = [function.name for function in activations.functions() if function.kind == "scalar"]
STRUCTURAL = [function.name for function in activations.functions() if function.kind != "scalar"]


def document(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    result = actlab(capsys, "functions", *arguments, "--json")
    assert result.code == 0, result.err
    found: dict[str, Any] = json.loads(result.out)
    assert found["format_version"] == 1
    return found


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    result = actlab(capsys, "functions", *arguments)
    assert result.code == 2
    assert result.out == ""
    assert result.err.count("\n") == 1
    return result.err


def test_list_names_the_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    assert document(capsys, "list")["names"] == list(activations.names())
    text = actlab(capsys, "functions", "list").out
    assert "x*sigmoid(x)" in text
    assert f"{len(activations.names())} functions" in text


def test_list_answers_a_question(capsys: pytest.CaptureFixture[str]) -> None:
    question = "smooth and not monotonic and lipschitz <= 1.1"
    names = document(capsys, "list", "--where", question)["names"]
    assert "silu" in names
    assert not {"relu", "tanh", "gelu_tanh", "glu"} & set(names)
    for name in names:
        found = facts.of(name)
        assert found.smoothness == "Cinf"
        assert found.monotonic == "non_monotonic"
        assert found.max_abs_grad is not None
        assert found.max_abs_grad <= 1.1


@pytest.mark.parametrize("question", ["smoth", "lipschitz <=", "__import__('os')", "name.upper()"])
def test_a_question_that_cannot_be_read_is_refused(
    capsys: pytest.CaptureFixture[str], question: str
) -> None:
    refused(capsys, "list", "--where", question)


@pytest.mark.parametrize("name", [*SCALAR, *STRUCTURAL])
def test_show_has_the_promised_keys(capsys: pytest.CaptureFixture[str], name: str) -> None:
    found = document(capsys, "show", name)
    assert set(found) >= KEYS
    scalar = name in SCALAR
    assert (found["mean_under_N01"] is not None) == (scalar or "inputs" in found)
    assert (found["arity"] is None) == (found["output_width"] is None) == scalar


@pytest.mark.slow
@pytest.mark.parametrize("name", ["silu", "xielu", "laplace", "smu", "snake", "softmax"])
def test_a_whole_process_answers_in_under_three_seconds(name: str) -> None:
    command = [sys.executable, "-m", "actlab", "functions", "show", name, "--json"]
    subprocess.run(command, capture_output=True, check=True)  # fills the file caches
    start = time.perf_counter()
    subprocess.run(command, capture_output=True, check=True)
    assert time.perf_counter() - start < 3.0


def test_show_takes_aliases_and_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "show", "keras:leaky_relu")
    assert found["parameters"] == {"negative_slope": 0.2}
    found = document(capsys, "show", "leaky_relu", "negative_slope=0.5")
    assert found["df0_left"] == 0.5
    assert found["mean_under_N01"] == pytest.approx(0.5 / math.sqrt(2 * math.pi), rel=1e-12)


def test_show_tells_people_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    text = actlab(capsys, "functions", "show", "silu").out
    assert "−0.2784645428 at x = −1.278464543" in text
    assert "Pitfalls" in text
    assert "arity" not in actlab(capsys, "functions", "show", "glu").err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "rleu"), 'Did you mean "relu"?'),
        (("show", "elu", "alhpa=1"), 'Did you mean "alpha"?'),
        (("show", "elu", "alpha"), "PARAMETER=VALUE"),
        (("show", "elu", "alpha=much"), "finite number"),
        (("show", "softplus", "beta=-1"), "beta > 0"),
        (("show", "relu", "--code", "jaxx"), 'Did you mean "jax"?'),
        (("show", "softmax", "--hazards"), "one or two inputs"),
        (("show", "rational_pau", "--code", "jax"), "no one-line form in jax"),
        (("plot", "relu", "-o", "plot.jpeg"), ".html, .png or .svg"),
        (("plot", "a=1", "-o", "plot.png"), "follows the name"),
        (("plot", *["relu"] * 9, "-o", "plot.png"), "At most 8"),
        (("cost", "relu", "--dtype", "float31"), 'Did you mean "float32"?'),
        (("cost", "relu", "--device", "cdua"), 'Did you mean "cuda"?'),
        (("explain", "sofmax"), 'Did you mean "softmax"?'),
        (("formula", "x*tanhh(x)"), "character 3"),
        (("formula", "__import__('os').getcwd()"), "dot"),
        (("formula", "x*sigmoid(beta*x)"), "give beta=1"),
        (("formula", "1/x"), ""),
        (("verify", "gleu"), "Did you mean"),
    ],
)
def test_bad_input_is_answered_in_one_line(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert said in refused(capsys, *arguments)


def test_parameters_are_numbers() -> None:
    assert parameter_values(["--alpha=0.5", "b=-2e3"]) == {"alpha": 0.5, "b": -2000.0}
    assert parameter_values(None) == {}


def _formula_at(function, points):
    formula = parse(function.formula)
    used = {name: function.values[name] for name in formula.names}
    return formula.evaluate(NumpyBackend(), points, **used)


@pytest.mark.parametrize("name", SCALAR)
def test_the_torch_line_makes_the_function(name: str) -> None:
    function = activations.get(name)
    activation = eval(  # our own line, to see that it runs
        activation_line(function, "torch"), {"torch": torch, "actlab": __import__("actlab")}
    )
    x = torch.linspace(-4.0, 4.0, 33, dtype=torch.float64)
    expected = _formula_at(function, x.numpy())
    found = activation.double()(x).detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", [name for name in STRUCTURAL if name != "gumbel_softmax"])
def test_the_torch_line_makes_the_structural_function(name: str) -> None:
    function = activations.get(name)
    line = activation_line(function, "torch")
    activation = eval(line, {"torch": torch, "actlab": __import__("actlab")})  # our own line
    x = torch.linspace(-2.0, 2.0, 24).reshape(4, 6)
    torch.testing.assert_close(activation(x), function.module()(x))


def test_code_has_the_convention_and_the_gain(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "show", "gelu", "--code", "jax")
    assert found["activation"] == "lambda x: jax.nn.gelu(x, approximate=False)"
    assert found["gain_forward"] == facts.of("gelu").gain_forward
    text = actlab(capsys, "functions", "show", "leaky_relu", "--code", "keras").out
    assert "negative_slope=0.01" in text
    text = actlab(capsys, "functions", "show", "golu", "--code", "keras").out
    assert "lambda x: x * keras.ops.exp(-keras.ops.exp(keras.ops.minimum(-x, 11)))" in text


def test_the_start_line_gives_outputs_of_second_moment_one() -> None:
    torch.manual_seed(0)
    layer = torch.nn.Linear(400, 4000, bias=False)
    line = start_line("torch", facts.of("silu").gain_forward)
    assert line is not None
    exec(line, {"torch": torch, "layer": layer})  # our own line, to see that it runs
    # silu of a standard normal input, through the layer: second moment 1 again.
    hidden = torch.nn.functional.silu(torch.randn(200, 400))
    assert layer(hidden).pow(2).mean().item() == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(
    ("names", "suffix"),
    [
        (("silu", "relu"), ".png"),
        (("leaky_relu", "negative_slope=0.3"), ".svg"),
        (("softmax",), ".html"),
        (("crelu", "maxout"), ".svg"),
    ],
)
def test_plot_draws_any_function(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, names: tuple[str, ...], suffix: str
) -> None:
    path = tmp_path / f"plot{suffix}"
    assert document(capsys, "plot", *names, "-o", path)["plot"] == str(path)
    assert path.stat().st_size > 10_000


def test_a_function_shows_itself_in_a_notebook() -> None:
    assert activations.get("prelu").plot()._repr_html_().startswith("<svg")
    shown = activations.get("prelu")._repr_html_()
    assert "<math" in shown
    assert "<svg" in shown
    assert "a = 0.25" in shown
    assert "sigmoid(b)" in activations.get("glu")._repr_html_()


def test_verify_says_what_fails(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    good = document(capsys, "verify", "relu", "tanh")
    assert good["ok"]
    assert {row["function"] for row in good["rows"]} == {"relu", "tanh"}
    from dataclasses import replace

    rows = facts.verify(["relu"])
    wrong = replace(rows[0], ok=False)
    monkeypatch.setattr(facts, "verify", lambda names=None: [wrong, *rows[1:]])
    result = actlab(capsys, "functions", "verify", "relu")
    assert result.code == 1
    assert "✗" in result.out
    assert "1 of" in result.err
    assert actlab(capsys, "functions", "verify", "--json").code == 1


def test_cost_is_a_ratio_to_a_copy(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "cost", "relu")
    assert found["dtype"] == "float32"
    (relu,) = found["functions"]
    assert relu["forward_ratio"] > 0
    assert "relu" in actlab(capsys, "functions", "cost", "relu").out


def test_explain_gives_the_published_example(capsys: pytest.CaptureFixture[str]) -> None:
    text = actlab(capsys, "functions", "explain", "perceptron").out
    assert "= 0.53\n" in text
    assert "sigmoid(0.53) = 0.629483" in text
    found = document(capsys, "explain")
    assert found["perceptron"]["total"] == pytest.approx(0.53, abs=1e-15)
    assert found["softmax"]["loss"] == pytest.approx(-math.log(found["softmax"]["shares"][0]))


def test_stacked_linear_layers_are_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    lesson = lessons.stack()
    x = np.array(lesson.x)
    np.testing.assert_allclose(lesson.linear, lesson.slope * x + lesson.intercept, atol=1e-12)
    assert np.ptp(np.diff(lesson.bent)) > 0.01
    path = tmp_path / "stack.svg"
    assert document(capsys, "explain", "linear", "-o", path)["plot"] == str(path)
    assert path.read_text().startswith("<?xml")


def test_the_softmax_lesson_agrees_with_torch() -> None:
    lesson = lessons.softmax()
    scores = torch.tensor(lesson.scores, dtype=torch.float64, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(scores[None], torch.tensor([0]))
    loss.backward()
    assert loss.item() == pytest.approx(lesson.loss)
    assert scores.grad is not None
    assert scores.grad.tolist() == pytest.approx(lesson.gradient)


@pytest.mark.parametrize(
    ("text", "values", "call", "equal"),
    [
        ("x*tanh(exp(x))", {}, "tanhexp", True),
        ("x/(1+exp(-1.5*x))", {}, "swish(beta=1.5)", True),
        ("where(x>0, x, s*x)", {"s": 0.01}, "leaky_relu(negative_slope=0.01)", True),
        ("x*sigmoid(1.6*x) + 0.01*sin(x)", {}, None, False),
    ],
)
def test_a_formula_finds_its_nearest_function(
    text: str, values: dict[str, float], call: str | None, equal: bool
) -> None:
    found = nearest(parse(text), values)
    assert found is not None
    assert found.equal is equal
    if equal:
        assert found.call == call
        assert found.distance < 1e-9
    else:
        assert 0.001 < found.distance < 0.05


def test_a_formula_comes_with_a_module_that_runs(capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "formula", "x*tanh(exp(0.7*x)) + 0.1*erf(x/sqrt(2))")
    assert set(found) >= KEYS
    assert set(found["hazards"]) == {"float16", "bfloat16", "float32"}
    assert not found["nearest"]["equal"]
    names: dict[str, Any] = {}
    exec(found["module"], names)  # our own text, to see that it runs
    x = torch.linspace(-3, 3, 7)
    expected = parse(found["formula"]).evaluate(NumpyBackend(), x.numpy())
    np.testing.assert_allclose(names["Activation"]()(x), expected, rtol=1e-5, atol=1e-6)
    text = actlab(capsys, "functions", "formula", "x*tanh(exp(x))").out
    assert "equals tanhexp" in text
    assert "11.09 (NaN)" in text


def test_hazards_of_the_module_stand_beside_those_of_the_formula(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = document(capsys, "show", "golu", "--hazards")["hazards"]["float16"]
    assert found["module"]["gradient_from"] is None
    assert found["formula"]["gradient_wrong"] == "nan"
    text = actlab(capsys, "functions", "show", "golu", "--hazards").out
    assert "nowhere" in text
    assert "(NaN)" in text
    assert max(map(len, text.splitlines())) <= 80


def test_pitfalls_follow_from_the_facts() -> None:
    english = translation("en")
    sentences = {
        name: pitfalls(activations.get(name).pitfalls, facts.of(name).as_json(), english)
        for name in activations.names()
    }
    assert any("1,048,576" in text for text in sentences["sigmoid"])  # 4 ** 10
    assert any("50.00 %" in text for text in sentences["relu"])
    assert any("jax.nn.gelu" in text for text in sentences["gelu"])
    assert any("without bound" in text for text in sentences["relu_squared"])
    assert not any("zero-centred" in text for text in sentences["tanh"])
    flat = pitfalls((), facts.of("relu").as_json() | {"max_abs_grad": 1e-308}, english)
    assert any("shrinks by 10^3080" in text for text in flat)
