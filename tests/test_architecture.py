"""Imports point one way: design.md's arrows between the folders, held by reading the sources."""

import ast
import importlib
import pkgutil
import re
import sys
import tomllib
import types
from pathlib import Path

import pytest

import actlab

SOURCE = Path(actlab.__file__).parent
FOUNDATION = {"errors", "records", "i18n", "addresses"}
ARROWS = {
    "errors": {"i18n"},
    "addresses": {"errors", "i18n"},
    "records": set(),
    "i18n": set(),
    "catalogue": {"facts", "report"},
    "facts": {"catalogue"},
    "networks": {"catalogue", "facts"},
    "data": set(),
    "tasks": set(),
    "stats": set(),
    "training": set(),
    "worker": {"networks", "data", "tasks", "training"},
    "studies": {"worker", "catalogue", "data", "networks"},
    "verdict": {"stats"},
    "checker": {"facts", "catalogue", "tasks"},
    "testing": {"checker"},
    "report": set(),
    "workbench": {"studies", "checker", "catalogue", "facts", "networks", "data", "training"}
    | {"stats", "verdict", "report"},
}
"""Who may import whom, beyond the foundation; cli may import everything, nothing imports cli."""

THIRD_PARTY_ONLY_IN = {
    "optuna": {"studies"},
    "sqlalchemy": {"studies"},
    "typer": {"cli"},
    "sklearn": {"data"},
    "pooch": {"data"},
    "torchinfo": {"networks"},
    "numba": {"networks"},
    "plotly": {"report"},
    "jinja2": {"report"},
}
WITHOUT_TORCH = {"errors", "records", "i18n", "data", "studies", "report", "stats", "verdict"}
TRAINING_MAY_IMPORT = {"torch", "numpy", "actlab"}


def sources() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def layer(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """Return the dotted names that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            found |= {f"{module}.{alias.name}" for alias in node.names}
    return found


def own_layers(path: Path) -> set[str]:
    parts = [name.split(".") for name in imports(path)]
    return {name[1] for name in parts if name[0] == "actlab" and len(name) > 1}


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_file_imports_what_its_layer_may(path: Path) -> None:
    own = layer(path)
    if own in {"cli", "__init__", "__main__"}:
        return
    assert own in ARROWS, f"{own} is no layer of the design"
    allowed = ARROWS[own] | (FOUNDATION if own not in FOUNDATION else set()) | {own}
    assert own_layers(path) <= allowed
    top = {name.split(".")[0] for name in imports(path)}
    for library, homes in THIRD_PARTY_ONLY_IN.items():
        assert library not in top or own in homes
    if own in WITHOUT_TORCH:
        assert "torch" not in top
    if own == "training":
        assert top <= TRAINING_MAY_IMPORT | set(sys.stdlib_module_names)


def submodules() -> list[str]:
    walked = pkgutil.walk_packages(actlab.__path__, prefix="actlab.")
    return sorted(module.name for module in walked if not module.name.endswith("__main__"))


def test_no_module_takes_the_name_of_a_public_function() -> None:
    for name in submodules():
        importlib.import_module(name)
    for name in actlab.__all__:
        value = getattr(actlab, name)
        assert not isinstance(value, types.ModuleType), f"actlab.{name} is a module"


def test_files_are_small() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in sources()}
    too_long = {str(path.relative_to(SOURCE)): n for path, n in lengths.items() if n > 350}
    assert too_long == {}


def declared() -> set[str]:
    """Return the import names of the libraries that pyproject.toml declares."""
    names = {"scikit-learn": "sklearn", "tomli-w": "tomli_w"}
    with (SOURCE.parent.parent / "pyproject.toml").open("rb") as stream:
        lines = tomllib.load(stream)["project"]["dependencies"]
    found = {re.split(r"[<>=]", line)[0].strip() for line in lines}
    return {names.get(name, name) for name in found}


def test_what_is_imported_is_declared_and_what_is_declared_is_imported() -> None:
    optional = {"lightning", "transformers", "pandas", "IPython"}
    own = {"actlab", *sys.stdlib_module_names}
    imported = {name.split(".")[0] for path in sources() for name in imports(path)} - own
    # pooch shows a download's progress through tqdm, without importing it before it is asked to.
    assert imported - optional - {"pydantic_core"} == declared() - {"tqdm"}
