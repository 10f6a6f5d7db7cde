"""The paragraph and the tables for a paper."""

import re
from dataclasses import replace
from gettext import NullTranslations

from actlab.pages.words import group_words
from actlab.records import FittedSampler
from actlab.studies.report.settings import plan_groups
from actlab.studies.report.verdict.context import methods_paragraph
from actlab.studies.report.verdict.paper import latex_tables, markdown_tables
from actlab.text import NO_BREAK, Formatter
from actlab.verdicts.document import latex_text

from .studies import published_study, small_study
from .verdicts import full_verdict

FORM = Formatter(NullTranslations(), NO_BREAK)


def test_the_latex_table_is_a_booktabs_table_with_a_row_for_each_candidate() -> None:
    verdict = full_verdict()
    words = group_words(FORM.translations)
    text = latex_tables(verdict, FORM)
    assert text.count(r"\begin{tabular}{llrrrrr}") == text.count(r"\end{tabular}") == 2
    tables = text.split(r"\begin{table}")[1:]
    for slot, table in zip(verdict.slots, tables, strict=True):
        body = table[table.index(r"\midrule") : table.index(r"\bottomrule")].splitlines()[1:]
        assert len(body) == len(slot.candidates)
        for line, row in zip(body, slot.candidates, strict=True):
            assert line.startswith(row.name.replace("_", r"\_") + " & " + words[row.group])
            assert line.count("&") == 6
            assert line.endswith(r"\\")
    assert table.count("{") == table.count("}")
    # A bare percent sign would swallow the rest of its line.
    assert not re.search(r"(?<!\\)%", text)


def test_latex_sees_no_command_in_a_name() -> None:
    assert latex_text(r"50% of_a & b\c {x} #1 $2 ~3 ^4") == (
        r"50\% of\_a \& b\textbackslash{}c \{x\} \#1 \$2 \textasciitilde{}3 \textasciicircum{}4"
    )


def test_the_markdown_table_is_square_and_keeps_names_as_they_are() -> None:
    verdict = full_verdict()
    rows = [line for line in markdown_tables(verdict, FORM).splitlines() if line.startswith("|")]
    assert len(rows) == 2 * 2 + sum(len(slot.candidates) for slot in verdict.slots)
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {8}
    odd = replace(verdict.slots[0].candidates[0], name="a|b")
    table = markdown_tables(
        replace(verdict, slots=(replace(verdict.slots[0], candidates=(odd,)),)), FORM
    )
    assert r"| a\|b | best | 10 |" in table


def test_the_methods_say_what_was_trained_and_then_how_it_was_judged() -> None:
    text = methods_paragraph(published_study().plan, full_verdict(), "0.1.0", FORM)
    for part in ("mnist", "published_cnn", "0.0005 to 0.01", "softmax twice", "120 trials"):
        assert part in text
    assert text.endswith("another origin. Computed with actlab 0.1.0.")
    other = methods_paragraph(small_study().plan, full_verdict(), "", FORM)
    assert "cross entropy on the network's logits" in other
    assert "for the fully connected layers: mish, hardswish" in other
    assert not other.endswith(" ")
    assert "Computed" not in other


def test_fitted_learning_rates_are_said_in_the_paragraph_and_among_the_settings() -> None:
    plan = replace(published_study().plan, sampler=FittedSampler())
    said = "its response curve, fitted to all trials of the search, is highest"
    assert said in methods_paragraph(plan, full_verdict(), "", FORM)
    (sampler,) = (group for group in plan_groups(plan, FORM) if group.title == "Sampler")
    assert any(said in value for _label, value in sampler.rows)
    assert said not in methods_paragraph(published_study().plan, full_verdict(), "", FORM)
