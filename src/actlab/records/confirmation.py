"""A confirmation: what a study was asked to train again."""

from dataclasses import dataclass

from actlab.records.plan import FORMAT_VERSION


@dataclass(frozen=True)
class Confirmation:
    """On how many seeds each chosen setting is trained; `sequential` stops the clearly behind."""

    seeds: int
    sequential: bool = False
    format_version: int = FORMAT_VERSION
