"""How values are written as JSON, which knows no infinity."""

import math
from typing import Any


def jsonable(value: Any) -> Any:
    """Replace what JSON lacks: infinities become "inf" and "-inf", NaN becomes null.

    >>> jsonable({"low": float("-inf"), "high": (1.0, float("nan"))})
    {'low': '-inf', 'high': [1.0, None]}
    """
    if isinstance(value, dict):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, float) and math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return value
