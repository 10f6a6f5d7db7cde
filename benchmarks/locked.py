"""Is what is installed what is locked? Offline: the environment against constraints.txt.

Everything that actlab's extras bring, and what that brings in turn, has to be pinned in
constraints.txt, at the version that is installed. Exits with 1 and a line for each that is not.

    python benchmarks/locked.py
"""

import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent


def pins() -> dict[str, str]:
    """Return the pinned versions by name."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = [line.partition("==") for line in lines if "==" in line and not line.startswith("#")]
    return {canonicalize_name(name.strip()): version.strip() for name, _sign, version in pairs}


def needed(name: str, extras: frozenset[str], found: dict[str, str]) -> None:
    """Add the distributions that a distribution with some extras needs, as far as installed."""
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return
    for text in distribution.requires or ():
        requirement = Requirement(text)
        wanted = [{"extra": extra} for extra in (*extras, "")]
        marker = requirement.marker
        if marker is not None and not any(marker.evaluate(extra) for extra in wanted):
            continue
        other = canonicalize_name(requirement.name)
        if other == "actlab":
            needed("actlab", frozenset(requirement.extras), found)
            continue
        try:
            version = metadata.version(other)
        except metadata.PackageNotFoundError:
            continue
        if other not in found or requirement.extras:
            found[other] = version
            needed(other, frozenset(requirement.extras), found)


def main() -> None:
    found: dict[str, str] = {}
    needed("actlab", frozenset({"dev"}), found)
    locked = pins()
    faults = [
        f"{name} {version} is installed; constraints.txt has {locked.get(name, 'no version of it')}"
        for name, version in sorted(found.items())
        if locked.get(name) != version.partition("+")[0]
    ]
    print("\n".join(faults) or f"{len(found)} distributions are as they are locked.")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
