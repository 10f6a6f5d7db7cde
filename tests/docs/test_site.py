"""The documentation: its commands exist as written, its site is whole and asks nobody else."""

import importlib
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from actlab.cli.main import app
from tests.pages.accessibility import violations

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "README.ko.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]


def commands(page: Path) -> list[str]:
    """Return the command lines of actlab in a page's shell blocks, continued lines joined."""
    blocks = re.findall(r"```(?:sh|bash|console)\n(.*?)```", page.read_text(encoding="utf-8"), re.S)
    lines = [line.strip() for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [line for line in lines if line.startswith("actlab ")]


WRITTEN = sorted({(page.name, line) for page in PAGES for line in commands(page)})


@pytest.mark.parametrize(("page", "line"), WRITTEN)
def test_a_command_is_understood_as_it_is_written(page: str, line: str) -> None:
    plain = re.sub(r"\s#.*", "", line.partition("|")[0].partition(">")[0])
    words = shlex.split(plain)[1:]
    command, parent = typer.main.get_command(app), None
    path = ["actlab"]
    while words and words[0] in getattr(command, "commands", {}):
        parent = command.context_class(command, info_name=path[-1], parent=parent)
        path.append(words[0])
        command = command.commands[words.pop(0)]  # type: ignore[attr-defined]  # it is a group
    assert not getattr(command, "commands", {}), f"{page}: there is no command {words[:1]}"
    command.make_context(path[-1], words, parent=parent)


def test_nothing_refers_to_a_folder_that_a_newcomer_does_not_have() -> None:
    for page in PAGES:
        assert "../shared" not in page.read_text(encoding="utf-8"), page


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    pytest.importorskip("mkdocs")
    place = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(place)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    return place


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_site_is_whole_and_asks_nobody_else(site: Path) -> None:
    import actlab
    from actlab.activations import functions
    from actlab.checker.rules import RULES
    from actlab.documentation import ADDRESS, rule_address

    names = ["index.html", "reference/command-line.html", "reference/plan.html", "glossary.html"]
    names += [f"functions/{function.name}.html" for function in functions()]
    names += [rule_address(rule.code).removeprefix(ADDRESS) for rule in RULES]
    for name in names:
        assert (site / name).is_file(), name
        assert (site / "ko" / name).is_file(), name
    python = (site / "reference/python.html").read_text(encoding="utf-8")
    headings = set(re.findall(r'doc-heading">\s*actlab\.(\w+)\s*<', python))
    assert [n for n in actlab.__all__ if n[0] != "_" and n not in headings] == []
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        foreign = r'<(?:script|link|img)[^>]+(?:src|href)="?(?:https?:)?//(?!actlab\.example)'
        assert not re.search(foreign, text), page


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.timeout(900)
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("language", ["", "ko/"])
def test_pages_opened_as_files_are_silent_and_fit(site: Path, language: str, width: int) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    names = ("index", "tutorials/activation", "functions/silu", "rules/ACT101", "reference/plan")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": 800})
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: said.append(request.url) if is_web(request) else None)
        for name in names:
            page.goto((site / language / f"{name}.html").as_uri())
            page.wait_for_timeout(300)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        if width == 1280:
            page.click("input.md-search__input")
            page.keyboard.type("softmax")
            page.wait_for_selector(".md-search-result__item", timeout=20_000)
        assert said == []
        browser.close()


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
@pytest.mark.parametrize("language", ["", "ko/"])
def test_axe_finds_nothing_on_the_site(site: Path, language: str, width: int, scheme: str) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    names = ("index", "start/check", "tutorials/activation", "functions/silu", "rules/ACT101")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        size = {"width": width, "height": 800}
        page = browser.new_context(viewport=size, color_scheme=scheme).new_page()
        for name in names:
            page.goto((site / language / f"{name}.html").as_uri())
            assert violations(page) == [], name
        browser.close()


def is_web(request: Any) -> bool:
    """Return whether a request leaves the machine."""
    return bool(request.url.startswith(("http:", "https:")))


def test_the_architecture_names_every_folder_and_module() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    source = ROOT / "src" / "actlab"
    names = {path.name for path in source.iterdir() if path.is_dir()} - {"__pycache__"}
    assert [name for name in sorted(names) if f"`{name}/`" not in page] == []


def test_the_address_of_the_site_stands_in_one_place() -> None:
    from actlab.documentation import ADDRESS

    host = ADDRESS.split("/")[2]
    files = [*ROOT.glob("src/**/*.py"), *ROOT.glob("docs/**/*.py"), *ROOT.glob("*.*ml")]
    naming = [path for path in files if host in path.read_text(encoding="utf-8")]
    assert naming == [ROOT / "src" / "actlab" / "documentation.py"]


@pytest.mark.slow
def test_the_check_that_is_shown_is_the_one_that_is_printed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    generator = importlib.import_module("generate_check_picture")
    page = (ROOT / "docs" / "start" / "check.md").read_text(encoding="utf-8")
    shown = re.search(r"```text\n(.*?)\n```", page, re.DOTALL)
    assert shown is not None
    assert shown[1] == generator.printed().rstrip()
    assert generator.picture() == generator.PICTURE.read_text(encoding="utf-8")
