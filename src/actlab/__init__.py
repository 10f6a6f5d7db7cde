"""actlab, the workbench for activation functions: know them, compare them, check their use.

The public names are imported when they are first used, so that `import actlab` is quick and
loads no torch.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "get": "actlab.activations",
    "functions": "actlab.activations",
    "facts": "actlab.activations.function",
    "gain": "actlab.activations.initialisation",
    "init_": "actlab.activations.initialisation",
    "study": "actlab.studies.interface.interface",
    "open": "actlab.studies.interface.interface",
    "verdict": "actlab.verdicts.api",
    "slots": "actlab.networks",
    "swap": "actlab.networks",
    "undo": "actlab.networks",
    "check": "actlab.checker",
    "check_step": "actlab.checker",
    "watch": "actlab.checker.watching",
}

_NAMES_THERE = {"open": "open_study"}
"""Names that at home would hide one of Python's own."""

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("actlab")
    if name not in _HOMES:
        raise AttributeError(f"module 'actlab' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), _NAMES_THERE.get(name, name))


def load_ipython_extension(shell: Any) -> None:
    """Give IPython the cell magic `%%actlab_check`; `%load_ext actlab` calls it."""
    import_module("actlab.checker.notebook").register(shell)


def __dir__() -> list[str]:
    return sorted(__all__)
