"""What a machine has for actlab: one finding per subject, with one line of advice each."""

import ctypes
import ctypes.util
import importlib.util
import os
import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from actlab.i18n import _
from actlab.studies.worker.environment import available_cores


@dataclass(frozen=True)
class Check:
    """One subject: what was found, whether that is fine, and what to do."""

    subject: str
    ok: bool
    found: str
    advice: str


def diagnose(data_directory: str | None) -> list[Check]:
    """Look at everything that matters for a study on this machine."""
    return [
        *_versions(),
        _threads(),
        _bf16(),
        _cuda(),
        _allocator(),
        *_data(data_directory),
        *_extras(),
    ]


def _versions() -> list[Check]:
    """Return what a bug report has to say first."""
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    python = f"{platform.python_implementation()} {platform.python_version()}, {system}"
    known = {name: _version(name) for name in ("torch", "numpy", "optuna", "scipy")}
    libraries = ", ".join(f"{name} {found}" for name, found in known.items() if found)
    advice = _("these three lines belong into a bug report")
    return [
        Check("actlab", True, _version("actlab"), advice),
        Check("python", True, python, advice),
        Check(_("libraries"), True, libraries, advice),
    ]


def _version(name: str) -> str:
    """Return the installed version of a package, empty where it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _threads() -> Check:
    cores = available_cores()
    advice = _("a study trains {cores} trials at a time, one thread each").format(cores=cores)
    return Check(_("threads"), True, _("{cores} cores").format(cores=cores), advice)


def _bf16() -> Check:
    from actlab.training.precision import has_bf16

    found = (
        _("the processor has bf16 arithmetic") if has_bf16("cpu") else _("none in the processor")
    )
    advice = _("precision auto takes it only where it is there and measured to be faster")
    return Check("bf16", True, found, advice)


def _cuda() -> Check:
    import torch

    if torch.cuda.is_available():
        return Check("cuda", True, torch.cuda.get_device_name(), _("--device cuda trains there"))
    return Check("cuda", True, _("none"), _("studies train on the processor"))


def _allocator() -> Check:
    library = ctypes.CDLL(ctypes.util.find_library("c"))
    preloaded = os.environ.get("LD_PRELOAD", "")
    if "malloc" in preloaded:
        return Check(_("allocator"), True, preloaded, _("nothing to do"))
    if hasattr(library, "mallopt"):
        advice = _("workers tell it to keep its pages; nothing to do")
        return Check(_("allocator"), True, "glibc", advice)
    advice = _("page faults may slow training; jemalloc through LD_PRELOAD helps")
    return Check(_("allocator"), False, _("without mallopt"), advice)


def _data(directory: str | None) -> list[Check]:
    if not importlib.util.find_spec("sklearn"):
        advice = _('studies need more: pip install "actlab[study]"')
        return [Check("digits", True, _("not installed"), advice)]
    from actlab.data.mnist import found_at

    embedded = Check("digits", True, _("comes with scikit-learn"), _("nothing to do"))
    where = found_at(Path(directory) if directory else None)
    if where is not None:
        return [embedded, Check("mnist", True, str(where), _("nothing to do"))]
    advice = _(
        "a study downloads it when it first needs it; on a machine without network, "
        "give its folder with --data-dir or $ACTLAB_DATA"
    )
    return [embedded, Check("mnist", False, _("not here"), advice)]


def _extras() -> list[Check]:
    extras = {"pandas": _("tables as data frames: pip install pandas")}
    return [
        Check(name, True, _("installed"), _("nothing to do"))
        if importlib.util.find_spec(name)
        else Check(name, True, _("not installed"), advice)
        for name, advice in extras.items()
    ]
