"""A page per function of the catalogue: picture, facts, code, and what to watch for."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from actlab.activations import functions, get
from actlab.activations.code_lines import FRAMEWORKS, code_lines
from actlab.activations.drawing.picture import drawn
from actlab.activations.facts import of
from actlab.activations.formula.printers.typeset import mathml
from actlab.activations.function import Function
from actlab.activations.pitfalls import pitfalls
from actlab.cli.functions.tables import (
    fact_rows,
    hazard_columns,
    hazard_legend,
    hazard_way,
    input_words,
)
from actlab.errors import ActlabError
from actlab.i18n import translation
from site_pages.curves import svg
from site_pages.language import chooser, head, row, speaking

HAZARDS = Path(__file__).parents[1] / "functions" / "hazards.json"
"""Written by `docs/generate_functions.py --hazards`: measuring takes minutes."""


def pages(language: str) -> dict[str, str]:
    """Return a page for each function, and the list of them."""
    names = sorted(function.name for function in functions())
    with speaking(language):
        written = {f"functions/{name}": _page(name, language) for name in names}
    return written | {"functions/index": _index(names, language)}


def files() -> dict[str, str]:
    """Return nothing: the pictures are in the pages, so that they take the page's colours."""
    return {}


def _index(names: list[str], language: str) -> str:
    say = chooser(language)
    lines = [
        say("# Functions, one page each", "# 함수별 페이지"),
        "",
        say(
            "Made from the catalogue. A square bracket means that the end of a range is attained. "
            "The facts in one table: [the catalogue](catalogue.md).",
            "카탈로그에서 만들어지는 목록입니다. 대괄호는 범위의 끝값을 실제로 가진다는 뜻입니다. 모든 특성을 한 표로 보려면 "
            "[카탈로그](catalogue.md)를 보세요.",
        ),
        "",
        *head(say("function", "함수"), say("formula", "수식"), say("source", "출처")),
    ]
    for name in names:
        function = get(name)
        lines.append(row(f"[{name}]({name}.md)", f"`{function.formula}`", function.source))
    return "\n".join(lines) + "\n"


def _page(name: str, language: str) -> str:
    say = chooser(language)
    function = get(name)
    found, curves = of(function).as_json(), drawn(function)
    lines = [f"# {name}", ""]
    if function.kind == "scalar":
        formula = mathml(function.expression.tree).replace('display="block"', "")
        lines += [f"<p>f(x) = {formula}</p>", ""]
    else:
        lines += [f"`{function.formula}`", ""]
    lines += [say("Source", "출처") + f": {function.source}", "", svg(curves), ""]
    caption = [say("f solid, f′ dashed", "실선은 f, 점선은 f′"), curves.note]
    lines += [f"*{'; '.join(filter(None, caption))}*", ""]
    for title, rows in fact_rows(found):
        lines += [f"## {title[0].upper()}{title[1:]}", "", *head(say("fact", "특성"), "")]
        lines += [*(row(label, text) for label, text in rows), ""]
    if found.get("kept_values") is not None:
        kept = say(
            "Numbers kept for backward, per output", "backward를 위해 보관하는 수(출력 하나당)"
        )
        lines += [f"{kept}: {found['kept_values']}", ""]
    if function.parameters:
        lines += [say("## Parameters", "## 파라미터"), ""]
        lines += head(
            say("name", "이름"),
            say("default", "기본값"),
            say("domain", "허용 범위"),
            say("learnt", "학습"),
        )
        yes, no = say("yes", "예"), say("no", "아니요")
        for one in function.parameters:
            learnt = yes if one.learnable else no
            lines.append(row(f"`{one.name}`", f"{one.default:g}", one.describe_domain(), learnt))
        lines.append("")
    lines += _code(function, found, language)
    cautions = pitfalls(function.pitfalls, found, translation(language))
    if cautions:
        lines += [say("## What to watch for", "## 주의할 점"), ""]
        lines += [f"* {sentence}" for sentence in cautions] + [""]
    if function.exceptions:
        lines += [say("## Where the kernel is wrong", "## 구현이 틀리는 곳"), ""]
        lines += head(
            say("dtype", "dtype"),
            say("what", "대상"),
            say("from |x|", "|x|부터"),
            say("why", "이유"),
        )
        translate = translation(language).gettext
        for exception in function.exceptions:
            what = {"value": "f", "gradient": "f′"}[exception.quantity]
            dtypes = ", ".join(exception.dtypes)
            lines.append(row(dtypes, what, f"{exception.beyond:g}", translate(exception.reason)))
        lines.append("")
    lines += _hazards(name, language)
    if function.aliases:
        lines += [say("## Other names", "## 다른 이름"), ""]
        lines += [", ".join(f"`{alias}`" for alias in function.aliases), ""]
    return "\n".join(lines)


def _hazards(name: str, language: str) -> list[str]:
    """Return the table of each dtype; of a gated function one for each input, the other at 1."""
    say = chooser(language)
    measured = json.loads(HAZARDS.read_text())
    lines = [say("## Where numbers go wrong", "## 수치가 틀리는 곳"), ""]
    if name not in measured["functions"]:
        several = say(
            "Measured of functions of one or two inputs; this one has several.",
            "입력이 하나나 둘인 함수에서만 측정하며, 이 함수는 입력이 여럿입니다.",
        )
        return [*lines, several, ""]
    columns = hazard_columns()
    headings = [heading for group, _cells in columns for heading in group]
    for part, by_dtype in measured["functions"][name].items():
        if part:
            lines += [f"{input_words(part)}:", ""]
        lines += head("", "dtype", *headings)
        for way in ("module", "formula"):
            for dtype, found in by_dtype.items():
                every = defaultdict(lambda: None, found[way])
                cells = [cell for _group, fill in columns for cell in fill(every)]
                lines.append(row(hazard_way(way), dtype, *cells))
        lines.append("")
    when = say("Measured on {}, torch {}.", "{}에 torch {}로 측정했습니다.")
    legend = [*hazard_legend(), when.format(measured["date"], measured["torch"])]
    return [*lines, " ".join(legend), ""]


def _code(function: Function, found: dict[str, Any], language: str) -> list[str]:
    say = chooser(language)
    lines = [say("## Code", "## 코드"), "", "```python", "import actlab", ""]
    lines += [f'activation = actlab.get("{function.name}").module()', "```", ""]
    for framework in FRAMEWORKS:
        try:
            text = code_lines(function, framework, found.get("gain_forward")).text
        except ActlabError as error:
            lines += [f"{framework}: {error}", ""]
            continue
        lines += [f"{framework}:", "", "```python", text, "```", ""]
    return lines
