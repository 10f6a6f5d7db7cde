"""The rules, in the order of their codes: an explicit list, so that none can vanish."""

from actlab.checker.rule import Rule

RULES: tuple[type[Rule], ...] = ()
