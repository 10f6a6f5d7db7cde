import json
from gettext import NullTranslations

import numpy as np

from actlab.i18n import translation
from actlab.records.json_form import jsonable
from actlab.studies.confirm.judging import judge
from actlab.studies.confirm.verdict_text import document, read_document
from actlab.text import Formatter
from actlab.verdicts.text import Wording, summary

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
        assert [row["activation"] for row in rows] == [c.name for c in slot.candidates]
        assert all(row["n"] == 5 and row["sentence"] for row in rows)
        assert len(found["comparisons"][slot.slot]["pairs"]) == 28
        assert found["summary"][slot.slot] == summary(
            slot, Wording(Formatter(NullTranslations()), verdict.margin)
        )
    assert found["claims"] == []


def test_the_same_records_give_the_same_verdict() -> None:
    told = replication(drawn(np.random.default_rng(1), dict.fromkeys(NAMES, 0.97), 6, 0.003))
    assert judge(plan(), told) == judge(plan(), told)


def test_a_verdict_can_be_read_back_and_shown_in_another_language() -> None:
    generator = np.random.default_rng(3)
    means = dict.fromkeys(NAMES, 0.97)
    rows: dict[str, list[float | None]] = {**drawn(generator, means, 5, 0.003)}
    rows["tanh"] = [None, None, None, 0.97, 0.11]
    verdict = judge(plan(balanced=True), replication(rows, {"relu": [0.9], "tanh": [0.8]}))
    written = json.loads(json.dumps(jsonable(document(verdict)), allow_nan=False))
    again = read_document(written)
    assert again == verdict
    korean = document(again, translations=translation("ko"))
    assert korean["summary"] != written["summary"]
    assert korean["slots"]["conv"][0]["mean"] == written["slots"]["conv"][0]["mean"]
