"""What programs write around a formula, rewritten as the formula alone; nothing is run.

`def` and `return`, arrows, C's `c ? a : b` and `expf`, NumPy's piecewise and select, SymPy's
Piecewise, and modules that are made and called at once.

>>> without_program("def f(x): return x > 0 ? x : 0.1f * expf(x)")
('where(x > 0, x, 0.1 * exp(x))', 'x')
"""

import re
from collections.abc import Callable

_ARROW = r"(?:[A-Za-z]\w*\s*:\s*)?\(?\s*([A-Za-z_]\w*)\s*\)?\s*(?:->|=>|↦|\\mapsto\b|\\to\b)\s*"
_HEADERS = (
    re.compile(r"def\s+\w+\s*\(\s*([A-Za-z_]\w*)[^()]*\)\s*(?:->\s*[\w.]+\s*)?:\s*return\s+"),
    re.compile(r"lambda\s+([A-Za-z_]\w*)\s*:\s*"),
    re.compile(_ARROW),
)
_BODY = re.compile(
    r"[^{}()]*\(\s*(?:[\w:&*]+\s+)*[&*]?([A-Za-z_]\w*)\s*\)[^{}()]*\{\s*return\s+([^{}]*?);?\s*\}",
    re.DOTALL,
)
_ASSIGNED = re.compile(r"(?:const|let|var|auto)\s+\w+\s*=\s*")
_CONVERTED = re.compile(
    r"\.(?:float|double|half|type_as|to|detach|cpu|cuda|contiguous)"
    r"\([^()]*\)"
)
_ELSE = re.compile(r",\s*(?:else|otherwise)\b")
_RETURN = re.compile(r"return\s+")
_C_FUNCTIONS = re.compile(
    r"(?<![\w.])(?:std::|Math\.)?_{0,2}(fmax|fmin|exp|exp2|expm1|log|log2|log10|log1p|sqrt|rsqrt"
    r"|cbrt|fabs|erf|erfc|sin|cos|tan|atan|sinh|cosh|tanh|asinh|pow|floor|ceil|round)f(?=\s*\()"
)
_C_NAMES = re.compile(r"(?<![\w.])(?:(?:std|sycl|metal|c10)::|Math\.)(?=[a-z])")
_C_NUMBER = re.compile(r"(?<![\w.])((?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?)[fFh](?![\w.]|\s*\()")
_FILLED = re.compile(
    r"(?<![\w.])(?:torch\.|np\.|jnp\.|tf\.|numpy\.|K\.|ops\.)?(?:(?P<one>zeros|ones)_like"
    r"\(\s*[A-Za-z_]\w*\s*\)|(?:tensor|float|float32|array|constant)\(\s*(?P<number>-?[\d.]+)\s*\))"
)
_NORMAL = re.compile(r"(?<![\w.])(?:(?:(?:jax\.)?scipy\.)?stats\.)?norm\.(cdf|pdf)(?=\s*\()")
_CHOSEN = re.compile(
    r"(?<![\w.])(?:np\.|numpy\.|jnp\.|sympy\.|sp\.)?(piecewise|select|Piecewise)\s*\("
)
_MADE = re.compile(
    r"(?<![\w.])((?:[A-Za-z_]\w*\.)*[A-Z]\w*)"
    r"\(((?:[^()A-Za-z]|[A-Za-z_]\w*\s*=|True|False|'\w*'|\"\w*\"|\d+[eE]-?\d+)*)\)\s*\("
)


def without_program(text: str) -> tuple[str, str | None]:
    """Return what a program computes as a formula, and the name of its input where it gives one."""
    name = None
    text = _ASSIGNED.sub("", text, count=1) if _ASSIGNED.match(text) else text
    whole = _BODY.fullmatch(text)
    if whole:
        name, text = whole.groups()
    for header in _HEADERS:
        match = header.match(text)
        if match:
            text, name = text[match.end() :], match.group(1)
            break
    text = _RETURN.sub("", text, count=1) if _RETURN.match(text) else text
    text = text.strip().rstrip(";").strip()
    text = _C_NUMBER.sub(r"\1", _C_NAMES.sub("", _C_FUNCTIONS.sub(r"\1", text)))
    text = _FILLED.sub(lambda m: m["number"] or {"zeros": "0", "ones": "1"}[m["one"]], text)
    text = _ELSE.sub(" else", _CONVERTED.sub("", text))
    text = _NORMAL.sub(lambda m: {"cdf": "normcdf", "pdf": "normpdf"}[m[1]], text)
    text = _with_conditions(text)
    text = _MADE.sub(lambda m: f"{m[1]}({m[2].strip()}⁏", text)
    text = _called(text)
    return (_without_questions(text) if "?" in text else text), name


def parts_of(text: str, sign: str = ",") -> list[str]:
    """Return the parts of a text between the signs that stand in no bracket."""
    found, depth, start = [], 0, 0
    for place, character in enumerate(text):
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(character, 0)
        if character == sign and depth == 0:
            found.append(text[start:place])
            start = place + 1
    return [part.strip() for part in (*found, text[start:])]


def closing(text: str, opening: int) -> int | None:
    """Return the place of the bracket that closes the one at `opening`."""
    depth = 0
    for place in range(opening, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0:
            return place
    return None


def _called(text: str) -> str:
    """Return Name(0.1)(x), marked as `Name(0.1⁏x)`, as Name(x, 0.1)."""
    while "⁏" in text:
        place = text.index("⁏")
        start = text.rindex("(", 0, place)
        end = closing(text[:start] + "(" + text[start + 1 :].replace("⁏", " ", 1), start)
        made = text[start + 1 : place]
        if end is None:
            return text.replace("⁏", ")(")
        given = text[place + 1 : end]
        text = text[: start + 1] + (f"{given}, {made}" if made else given) + text[end:]
    return text


def _with_conditions(text: str) -> str:
    """Return piecewise, select and Piecewise as nested choices by `where`."""
    rewrite: dict[str, Callable[[list[str]], str | None]] = {
        "piecewise": _piecewise,
        "select": _select,
        "Piecewise": _pairs,
    }
    match = _CHOSEN.search(text)
    while match is not None:
        end = closing(text, match.end() - 1)
        made = None if end is None else rewrite[match[1]](parts_of(text[match.end() : end]))
        if made is None or end is None:
            return text
        text = f"{text[: match.start()]}{made}{text[end + 1 :]}"
        match = _CHOSEN.search(text)
    return text


def _listed(text: str) -> list[str] | None:
    if text[:1] + text[-1:] not in ("[]", "()"):
        return None
    return [part for part in parts_of(text[1:-1]) if part]


def _piecewise(given: list[str]) -> str | None:
    """Return piecewise(x, conditions, values): a later condition wins."""
    conditions, values = (_listed(part) for part in given[1:]) if len(given) == 3 else (None, None)
    if not conditions or values is None or not 0 <= len(values) - len(conditions) <= 1:
        return None
    plain = [re.sub(r"^lambda\s+\w+\s*:\s*", "", value) for value in values]
    found = plain[len(conditions)] if len(plain) > len(conditions) else "0"
    for condition, value in zip(conditions, plain, strict=False):
        found = f"where({condition}, {value}, {found})"
    return found


def _select(given: list[str]) -> str | None:
    """Return select(conditions, values, default): an earlier condition wins."""
    if len(given) not in (2, 3):
        return None
    conditions, values = _listed(given[0]), _listed(given[1])
    if not conditions or values is None or len(values) != len(conditions):
        return None
    found = given[2].partition("=")[2] or given[2] if len(given) == 3 else "0"
    for condition, value in zip(reversed(conditions), reversed(values), strict=True):
        found = f"where({condition}, {value}, {found})"
    return found


def _pairs(given: list[str]) -> str | None:
    """Return Piecewise((value, condition), ..., (value, True))."""
    pairs = [_listed(part) for part in given]
    if not pairs or any(pair is None or len(pair) != 2 for pair in pairs):
        return None
    whole = [(pair[0], pair[1]) for pair in pairs if pair is not None]
    if whole[-1][1] != "True":
        return None
    found = whole[-1][0]
    for value, condition in reversed(whole[:-1]):
        found = f"where({condition}, {value}, {found})"
    return found


def _without_questions(text: str) -> str:
    """Return c ? a : b as where(c, a, b), in brackets and arguments too."""
    found, start = "", 0
    while True:
        opening = text.find("(", start)
        end = closing(text, opening) if opening >= 0 else None
        if opening < 0 or end is None:
            break
        inside = ", ".join(_without_questions(part) for part in parts_of(text[opening + 1 : end]))
        found += text[start : opening + 1] + inside + ")"
        start = end + 1
    text = found + text[start:]
    place = _outside(text, "?")
    if place is None:
        return text
    condition, rest = text[:place].strip(), text[place + 1 :]
    colon = _outside(rest, ":")
    if colon is None or not condition:
        return text
    then, otherwise = (
        _without_questions(part.strip()) for part in (rest[:colon], rest[colon + 1 :])
    )
    return f"where({condition}, {then}, {otherwise})"


def _outside(text: str, sign: str) -> int | None:
    """Return the first place of "?" outside brackets, or of the ":" that belongs to the first."""
    depth = questions = 0
    for place, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0 and character == sign and questions == 0:
            return place
        if depth == 0 and sign == ":":
            questions += {"?": 1, ":": -1}.get(character, 0)
    return None
