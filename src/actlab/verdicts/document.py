"""A verdict as the plain document that scripts read."""

from dataclasses import asdict
from typing import Any

from actlab.records import Candidate, SlotVerdict, Verdict


def document(verdict: Verdict) -> dict[str, Any]:
    """Return dictionaries, lists, numbers and texts; `slots` has a list of candidates per slot.

    Each candidate has `activation`, `mean`, `low`, `high`, `n`, `difference` (mean - best's mean,
    <= 0), `p_adjusted` (None for the best) and `group`; accuracies are fractions.
    """
    return {
        "slots": {found.slot: [_candidate(c) for c in found.candidates] for found in verdict.slots},
        "claims": [asdict(claim) for claim in verdict.claims],
        "summary": {found.slot: found.summary for found in verdict.slots},
        "margin": verdict.margin,
        "seeds": verdict.seeds,
        "chance": verdict.chance,
        "rows_overlap": verdict.rows_overlap,
        "notices": {found.slot: list(found.notices) for found in verdict.slots},
        "comparisons": {found.slot: _comparisons(found) for found in verdict.slots},
        "rates": [asdict(curve) for curve in verdict.rates],
        "importance": [asdict(found) for found in verdict.importance],
        "mechanisms": [asdict(found) for found in verdict.mechanisms],
        "probes": [asdict(row) for row in verdict.probes],
        "methods": verdict.methods,
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    first = ("activation", "mean", "low", "high", "n", "difference", "p_adjusted", "group")
    rest = asdict(candidate)
    return {key: getattr(candidate, key) for key in first} | {
        key: value for key, value in rest.items() if key not in first
    }


def _comparisons(slot: SlotVerdict) -> dict[str, Any]:
    return {
        "pairs": [asdict(pair) for pair in slot.pairs],
        "ranks": asdict(slot.ranks) if slot.ranks else None,
    }
