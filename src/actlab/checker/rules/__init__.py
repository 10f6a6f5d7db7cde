"""The rules, in the order of their codes: an explicit list, so that none can vanish."""

from actlab.checker.rule import Rule

from actlab.checker.rules.double_softmax import DoubleSoftmax

RULES: tuple[type[Rule], ...] = (DoubleSoftmax,)
