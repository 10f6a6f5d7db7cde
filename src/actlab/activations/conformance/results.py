"""What a comparison of a kernel with a function found: frozen values."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from actlab.errors import ActlabError

ALLOWED_ULP = 16.0
"""Units in the last place of max(|f|, |x|), and of the larger of |f'| and sup |f'|."""


class ConformanceError(ActlabError):
    """A kernel that cannot be compared with a function."""


@dataclass(frozen=True)
class Check:
    """One comparison: whether it holds, the worst error in units in the last place, and where.

    `reported` says that it is told and decides nothing.
    """

    name: str
    ok: bool
    worst_ulp: float | None = None
    at: float | None = None
    given: float | None = None
    true: float | None = None
    reported: bool = False


@dataclass(frozen=True)
class Report:
    """All comparisons of a kernel with a function in one dtype."""

    function: str
    dtype: str
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Return whether every comparison holds."""
        return all(check.ok for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        return {**asdict(self), "ok": self.ok, "checks": [asdict(check) for check in self.checks]}
