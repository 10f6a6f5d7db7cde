import json

import numpy as np

from actlab.records.json_form import jsonable
from actlab.verdicts import document, judge

from .planted import NAMES, drawn, plan, replication


def test_the_document_is_plain_and_leaves_nothing_out() -> None:
    generator = np.random.default_rng(0)
    means = dict.fromkeys(NAMES, 0.97)
    told = replication(drawn(generator, means, 5, 0.003), drawn(generator, means, 5, 0.003))
    verdict = judge(plan(data="mnist", balanced=True), told)
    found = json.loads(json.dumps(jsonable(document(verdict)), allow_nan=False))
    assert list(found["slots"]) == ["conv", "fc"]
    for slot in verdict.slots:
        rows = found["slots"][slot.slot]
        assert [row["activation"] for row in rows] == [c.activation for c in slot.candidates]
        assert all(row["n"] == 5 and row["sentence"] for row in rows)
        assert len(found["comparisons"][slot.slot]["pairs"]) == 28
        assert found["summary"][slot.slot] == slot.summary
    assert found["claims"] == []


def test_the_same_records_give_the_same_verdict() -> None:
    told = replication(drawn(np.random.default_rng(1), dict.fromkeys(NAMES, 0.97), 6, 0.003))
    assert judge(plan(), told) == judge(plan(), told)
