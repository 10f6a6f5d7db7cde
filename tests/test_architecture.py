"""Imports point one way: design.md's arrows between the folders, held by reading the sources."""

import ast
import importlib
import pkgutil
import re
import sys
import tomllib
import types
from pathlib import Path

import actlab

SOURCE = Path(actlab.__file__).parent
ANYONE = {"errors", "i18n", "text", "files", "addresses", "records"}
ARROWS: dict[str, set[str]] = {
    "errors": {"i18n"},
    "i18n": set(),
    "text": {"i18n"},
    "files": {"errors", "i18n"},
    "addresses": {"errors", "i18n"},
    "records": set(),
    "stats": ANYONE,
    "pages": ANYONE,
    "tasks": ANYONE,
    "data": ANYONE,
    "activations": ANYONE | {"pages"},
    "capture": ANYONE,
    "networks": ANYONE | {"capture", "activations"},
    "training": ANYONE | {"activations", "unit_statistics", "tasks"},
    "verdicts": ANYONE | {"stats", "pages"},
    "checker": ANYONE | {"capture", "activations", "unit_statistics", "tasks", "pages"},
    "studies": ANYONE
    | {"verdicts", "stats", "checker", "training", "networks", "data", "activations", "tasks"}
    | {"pages"},
    "case_study": ANYONE | {"studies", "verdicts", "stats"},
    "testing": ANYONE | {"checker"},
}
"""Who may import whom; cli may import everything, nothing imports cli."""

THIRD_PARTY_ONLY_IN = {
    "optuna": {"studies"},
    "sqlalchemy": {"studies"},
    "typer": {"cli"},
    "sklearn": {"data"},
    "pooch": {"data"},
    "torchinfo": {"networks"},
    "numba": {"networks"},
    "plotly": {"pages", "studies", "activations"},
    "jinja2": {"pages"},
}
WITHOUT_TORCH = {"errors", "records", "i18n", "text", "files", "data", "pages", "stats", "verdicts"}
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


def forbidden(path: Path) -> list[str]:
    """Return what a file imports against the arrows, in words."""
    own = layer(path)
    if own in {"cli", "__init__", "__main__"}:
        return []
    if own not in ARROWS:
        return [f"{own} is no layer of the design"]
    found = [f"{own} imports {other}" for other in own_layers(path) - ARROWS[own] - {own}]
    top = {name.split(".")[0] for name in imports(path)}
    found += [
        f"{lib} in {own}"
        for lib, homes in THIRD_PARTY_ONLY_IN.items()
        if lib in top and own not in homes
    ]
    if own in WITHOUT_TORCH and "torch" in top:
        found.append(f"torch in {own}")
    if own == "training":
        found += sorted(top - TRAINING_MAY_IMPORT - set(sys.stdlib_module_names))
    return found


def test_a_file_imports_what_its_layer_may() -> None:
    found = {str(path.relative_to(SOURCE)): forbidden(path) for path in sources()}
    assert {name: faults for name, faults in found.items() if faults} == {}


def submodules() -> list[str]:
    walked = pkgutil.walk_packages(actlab.__path__, prefix="actlab.")
    return sorted(module.name for module in walked if not module.name.endswith("__main__"))


def test_no_module_takes_the_name_of_a_public_function() -> None:
    for name in submodules():
        importlib.import_module(name)
    for name in actlab.__all__:
        value = getattr(actlab, name)
        assert not isinstance(value, types.ModuleType), f"actlab.{name} is a module"


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
