"""Imports point one way: the arrows of ARCHITECTURE.md, held by reading the sources."""

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
import tomllib
import types
from pathlib import Path
from typing import Any

import actlab

SOURCE = Path(actlab.__file__).parent
ANYONE = {"errors", "i18n", "text", "files", "addresses", "documentation", "records"}
"""What has no arrow of its own: helpers, and the frozen values that layers hand each other."""
ARROWS: dict[str, set[str]] = {
    "errors": {"i18n"},
    "i18n": set(),
    "text": {"i18n"},
    "files": {"errors", "i18n"},
    "addresses": {"errors", "i18n"},
    "documentation": set(),
    "records": set(),
    "unit_statistics": ANYONE,
    "sequences": set(),
    "stats": ANYONE,
    "pages": ANYONE,
    "tasks": ANYONE,
    "data": ANYONE,
    "activations": ANYONE | {"pages"},
    "capture": ANYONE,
    "networks": ANYONE | {"capture", "activations", "sequences"},
    "training": ANYONE | {"activations", "unit_statistics", "tasks", "sequences"},
    "verdicts": ANYONE | {"stats", "pages"},
    "checker": ANYONE | {"capture", "activations", "unit_statistics", "tasks", "pages"},
    "studies": ANYONE
    | {"verdicts", "checker", "training", "networks", "data", "activations", "tasks"}
    | {"pages"},
    "case_study": ANYONE | {"studies", "verdicts"},
    "serve": ANYONE | {"studies", "pages"},
    "testing": ANYONE | {"checker", "data"},
}
"""Who may import whom; cli may import everything, nothing imports cli."""

THIRD_PARTY_ONLY_IN = {
    "optuna": {"studies"},
    "sqlalchemy": {"studies"},
    "typer": {"cli"},
    "sklearn": {"data", "studies"},
    "pooch": {"data"},
    "torchinfo": {"networks"},
    "numba": {"networks"},
    "plotly": {"pages", "studies", "activations"},
    "jinja2": {"pages"},
    "starlette": {"serve"},
    "uvicorn": {"serve"},
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


def module_of(path: Path) -> str:
    parts = ("actlab", *path.relative_to(SOURCE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def module_graph() -> dict[str, set[str]]:
    """Return which module imports which, also inside functions; the command line is left out.

    A package's `__init__` may name its contents in a table and import them when they are asked
    for: such a front door holds no import statement, and so makes no edge.
    """
    files = {module_of(path): path for path in sources() if layer(path) != "cli"}
    graph: dict[str, set[str]] = {}
    for module, path in files.items():
        names = {name for name in imports(path) if name.startswith("actlab.")}
        homes = {name if name in files else name.rpartition(".")[0] for name in names}
        graph[module] = (homes & set(files)) - {module, "actlab"}
    return graph


def in_a_circle(graph: dict[str, set[str]]) -> set[str]:
    """Return the modules that import themselves by way of others."""

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = list(graph[start])
        while waiting:
            module = waiting.pop()
            if module not in seen:
                seen.add(module)
                waiting += graph[module]
        return seen

    return {module for module in graph if module in reached(module)}


def test_no_module_imports_itself_by_way_of_others() -> None:
    assert in_a_circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == {"b", "c"}
    assert in_a_circle(module_graph()) == set()


def submodules() -> list[str]:
    walked = pkgutil.walk_packages(actlab.__path__, prefix="actlab.")
    return sorted(module.name for module in walked if not module.name.endswith("__main__"))


def test_no_module_takes_the_name_of_a_public_function() -> None:
    for name in submodules():
        importlib.import_module(name)
    for name in actlab.__all__:
        value = getattr(actlab, name)
        assert not isinstance(value, types.ModuleType), f"actlab.{name} is a module"
        if name != "__version__":
            assert callable(value), f"actlab.{name} cannot be called"


CORE = {"torch", "numpy", "mpmath", "typer", "rich"}


def test_the_core_needs_little() -> None:
    """What `functions` and `check` import when they start is in the core's dependencies."""
    code = (
        "import sys, actlab.activations, actlab.checker.api, actlab.checker.rules, actlab.cli.main;"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    extra = {import_name(line) for line in project()["optional-dependencies"]["study"]}
    loaded_with_them = {"jinja2", "markupsafe", "tqdm", "pydantic"}  # by torch and Typer
    assert set(ran.stdout.split()) & (extra - loaded_with_them) == set()


def project() -> dict[str, Any]:
    with (SOURCE.parent.parent / "pyproject.toml").open("rb") as stream:
        found: dict[str, Any] = tomllib.load(stream)["project"]
    return found


def import_name(requirement: str) -> str:
    """Return the name under which a required distribution is imported."""
    names = {"scikit-learn": "sklearn", "tomli-w": "tomli_w"}
    name = re.split(r"[<>=\[]", requirement)[0].strip()
    return names.get(name, name)


def test_what_is_imported_is_declared_and_what_is_declared_is_imported() -> None:
    extras = project()["optional-dependencies"]
    core = {import_name(line) for line in project()["dependencies"]}
    tools = {"dev", "docs"}
    users = {line for name, lines in extras.items() if name not in tools for line in lines}
    declared = core | {import_name(line) for line in users} - {"actlab"}
    shown_where_it_is = {"IPython", "pydantic_core", "pytest"}
    shown_where_it_is |= {"cloudpickle", "dask", "grpc"}  # distributed and Ray bring them
    only_asked_for = {"pandas", "pyarrow", "tqdm", "accelerate", "lightning", "transformers"}
    only_asked_for |= {
        "mnist1d",
        "onnx",
        "onnxruntime",
        "onnxscript",
        "pillow",
        "psycopg",
        "pymysql",
    }
    imported = {name.split(".")[0] for path in sources() for name in imports(path)}
    imported -= {"actlab", *sys.stdlib_module_names}
    assert core == CORE
    assert imported - shown_where_it_is == declared - only_asked_for
