"""The generated pages: whole, true to the schema, and without a translation that is missing."""

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[2] / "docs"
RUN = Path(__file__).parents[1] / "golden" / "run_folder_0_1"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import a module of docs/site_pages."""
    monkeypatch.syspath_prepend(str(DOCS))
    return lambda name: importlib.import_module(f"site_pages.{name}")


def test_every_key_of_a_plan_is_explained_in_both_languages(made: Any) -> None:
    plan_keys = made("plan_keys")
    keys = [key for key, _part, _needed in plan_keys.keys(plan_keys.PlanFile.model_json_schema())]
    inner = re.compile(r"\(|^tasks\.")  # what a sampler, a pruner or a setting of tasks has
    unexplained = [key for key in keys if not inner.search(key) and key not in plan_keys.MEANINGS]
    assert unexplained == []
    assert [key for key in plan_keys.MEANINGS if key not in keys] == []
    page = plan_keys.pages("en")["reference/plan"]
    assert "| `trials` | how many settings the search trains | integer ≥ 1 ≤ 1e+06 |" in page


def test_the_schemas_fit_a_run_folder(made: Any) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    files = made("file_formats").files()
    schemas = {name: json.loads(text) for name, text in files.items()}

    def check(name: str, document: Any) -> None:
        jsonschema.validate(document, schemas[f"reference/schemas/{name}.schema.json"])

    for line in (RUN / "records.jsonl").read_text(encoding="utf-8").splitlines():
        check("record", json.loads(line))
    for name, file in (("final", "final.json"), ("environment", "environment.json")):
        check(name, json.loads((RUN / file).read_text(encoding="utf-8")))


def test_a_function_has_its_picture_facts_and_code(made: Any) -> None:
    functions, speaking = made("functions"), made("language").speaking
    for language, facts, code in (("en", "## Gradient", "## Code"), ("ko", "## 기울기", "## 코드")):
        with speaking(language):
            page = functions._page("silu", language)
        assert facts in page
        assert code in page
        assert "torch.nn.SiLU()" in page
        assert page.count('stroke="#4051b5"') == page.count("stroke-dasharray") == 1


def test_a_gated_function_has_its_slices_and_the_facts_of_both_inputs(made: Any) -> None:
    functions, speaking = made("functions"), made("language").speaking
    for language, words in (
        ("en", ("value = −1", "value = 0.5", "## Along the gate", "## Along the value")),
        ("ko", ("값 = −1", "## 게이트 방향", "## 값 방향")),
    ):
        with speaking(language):
            page = functions._page("swiglu", language)
        assert [word for word in words if word not in page] == []
        assert page.count("stroke-dasharray") == 4
        assert "1.623320258" in page  # the backward gain along the gate


def test_a_korean_page_has_the_tables_of_the_english_one(made: Any) -> None:
    filled = made("shared_tables").filled
    english = "| a | b |\n|---|---|\n| 1 | 2 |\n"
    assert filled("<!-- table 1 -->\n", english) == english
    assert filled("<!-- table 1 | 가 | 나 -->", english).startswith("| 가 | 나 |\n|---|")
    with pytest.raises(ValueError, match="has 1 tables, not 2"):
        filled("<!-- table 2 -->", english)
    with pytest.raises(ValueError, match="other columns"):
        filled("<!-- table 1 | 가 -->", english)


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.ko.md")), ids=lambda page: page.stem)
def test_the_tables_of_a_korean_page_are_there(made: Any, page: Path) -> None:
    english = page.with_name(page.name.replace(".ko.md", ".md"))
    text = page.read_text(encoding="utf-8")
    found = made("shared_tables").filled(text, english.read_text(encoding="utf-8"))
    assert "<!-- table " not in found.replace("<!-- table runs", "")


def test_a_page_says_where_its_function_goes_wrong(made: Any) -> None:
    functions, speaking = made("functions"), made("language").speaking
    with speaking("en"):
        gelu, swiglu = (functions._page(name, "en") for name in ("gelu", "swiglu"))
        softmax = functions._page("softmax", "en")
    rows = [line for line in gelu.splitlines() if line.startswith("| module |")]
    assert [row.split(" | ")[1] for row in rows] == ["float16", "bfloat16", "float32"]
    assert all(row.split(" | ")[7] == "NaN" for row in rows)  # torch's kernel at infinity
    assert "along the gate:" in swiglu
    assert "along the value:" in swiglu
    assert "this one has several" in softmax
    with speaking("ko"):
        assert "## 수치가 틀리는 곳" in functions._page("gelu", "ko")


def test_hazards_are_kept_of_every_function_that_has_them(made: Any) -> None:
    from actlab.activations import facts
    from actlab.activations import functions as every

    kept = json.loads(made("functions").HAZARDS.read_text())["functions"]
    scalar = {function.name for function in every() if function.kind == "scalar"}
    gated = {function.name for function in every() if function.factors is not None}
    assert set(kept) == scalar | gated
    found = facts.hazards_by_dtype("laplace")["float32"].module
    assert kept["laplace"][""]["float32"]["module"]["tail_value_ulp"] == pytest.approx(
        found.tail_value_ulp, rel=1e-3
    )
