"""Inputs that are right in form and wrong in meaning, for the fuzzing of the reading edges.

Each grammar is a strategy of hypothesis, which chooses odd values by itself.
"""

from typing import Any

import hypothesis
from hypothesis import strategies as st

_NUMBERS = st.one_of(
    st.integers(-(10**30), 10**30).map(str),
    st.floats().map(repr),
    st.sampled_from(["0", "1", "-1", "1e-308", "1e308", "5e-324", "0.1", "pi", "e", "1/0"]),
)
_FUNCTIONS = ("tanh", "exp", "log", "sqrt", "abs", "sin", "erf", "relu", "sigmoid", "log1p", "atan")
_FORMULAS: st.SearchStrategy[str] = st.recursive(
    _NUMBERS | st.sampled_from(["x", "x", "x", "a", "x1", "_", "gelu(x)", "inf", "nan"]),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from([*"+-*/%^@", "**", "//"]), inner),
        st.builds("{}({})".format, st.sampled_from(_FUNCTIONS), inner),
        st.builds("max({}, {})".format, inner, inner),
        st.builds(
            "where({} {} {}, {}, {})".format,
            *(inner, st.sampled_from(["<", "<=", ">", "==", "!="]), inner, inner, inner),
        ),
        st.builds("|{}|".format, inner),
        st.builds("-{}".format, inner),
    ),
    max_leaves=12,
)
_FACTS = ("smooth", "monotonic", "bounded", "kinks", "lipschitz", "range", "limit", "nothing")
_QUERIES: st.SearchStrategy[str] = st.recursive(
    st.builds("{} {} {}".format, st.sampled_from(_FACTS),
              st.sampled_from(["<", "<=", "==", ">", "!=", "in", "="]), _NUMBERS)
    | st.sampled_from(_FACTS),
    lambda inner: st.builds(
        "({} {} {})".format, inner, st.sampled_from(["and", "or", "xor"]), inner
    ) | st.builds("not {}".format, inner),
    max_leaves=12,
)  # fmt: skip
_CELLS = st.one_of(
    _NUMBERS,
    st.text(max_size=12),
    st.sampled_from(["", "nan", "inf", "relu", "=1+1", '"', "a,b", "1;2", "2026-01-01", "true"]),
)


@st.composite
def _score_tables(draw: Any) -> str:
    names = draw(
        st.lists(
            st.sampled_from(["candidate", "seed", "score", "a", "b", "", "accuracy", "block"]),
            min_size=1,
            max_size=6,
        )
    )
    separator = draw(st.sampled_from([",", ",", "\t", ";"]))
    rows = draw(st.lists(st.lists(_CELLS, min_size=0, max_size=7), max_size=12))
    return "\n".join(separator.join(row) for row in [names, *rows])


@st.composite
def _plans(draw: Any) -> str:
    values = st.one_of(
        _NUMBERS,
        st.sampled_from(['"x"', "true", "[]", '["relu"]', "{}", '"digits"', '"tpe"', "[1, 2]"]),
        st.text(alphabet="abc\u00e9\u0000/.", max_size=5).map(lambda text: f'"{text}"'),
    )
    keys = {
        "": ["name", "trials", "seed", "margin", "replicates", "format_version", "other"],
        "data": ["name", "directory", "targets", "splits"],
        "data.splits": ["train", "valid_epoch", "valid_trial", "test"],
        "network": ["name", "init"],
        "space": ["conv_activation", "fc_activation", "learning_rate"],
        "space.learning_rate": ["low", "high"],
        "protocol": ["name", "batch_size", "patience", "max_epochs", "head"],
        "sampler": ["name", "lag", "startup_trials"],
        "execution": ["device", "precision", "workers", "trial_timeout"],
        "pruner": ["name", "segment_epochs"],
        "tasks": ["seeds", "settings"],
    }
    lines = []
    for section, names in keys.items():
        if section and draw(st.booleans()):
            continue
        lines += [f"[{section}]"] if section else []
        for name in draw(st.lists(st.sampled_from(names), unique=True)):
            lines.append(f"{name} = {draw(values)}")
    return "\n".join(lines)


def drawn(name: str, count: int, seed: int) -> list[bytes]:
    """Return so many inputs of a grammar, the same for the same seed; none where there is none."""
    if name not in GRAMMARS:
        return []
    found: list[bytes] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(GRAMMARS[name])
    def collect(text: str) -> None:
        found.append(text.encode("utf-8", "surrogatepass"))

    collect()
    return found


GRAMMARS: dict[str, st.SearchStrategy[str]] = {
    "formulas": _FORMULAS,
    "queries": _QUERIES,
    "score tables": _score_tables(),
    "tables of trials": _score_tables(),
    "plans": _plans(),
}
