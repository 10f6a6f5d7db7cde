"""Candidates at an address have no folder on the page, unless two would have one name."""

from dataclasses import replace

from actlab.records import Space
from actlab.studies.report import ReportData, render
from actlab.studies.report.short_names import with_short_names
from tests.studies.report.studies import small_study


def with_candidates(conv: tuple[str, ...], chosen: str) -> ReportData:
    """Return the small study with `chosen` in place of mish, among candidates `conv`."""
    data = small_study()
    space = data.plan.space
    records = tuple(
        replace(record, setting=replace(record.setting, conv_activation=chosen))
        if record.setting.conv_activation == "mish"
        else record
        for record in data.records
    )
    space = Space(conv, space.fc_activation, space.learning_rate_low, space.learning_rate_high)
    return replace(data, plan=replace(data.plan, space=space), records=records, verdict=None)


def test_a_page_names_the_file_without_its_folder() -> None:
    address = "/home/me/nets/acts.py:Sin"
    data = with_candidates((address, "snake", "gelu"), address)
    page = render(data)
    assert "acts.py:Sin" in page
    assert "/home/me/nets" not in page


def test_two_files_of_one_name_keep_their_folders() -> None:
    data = with_candidates(("/a/acts.py:Sin", "/b/acts.py:Sin", "snake", "gelu"), "/a/acts.py:Sin")
    assert with_short_names(data) is data


def test_the_first_line_has_files_without_their_folders_and_the_details_have_all() -> None:
    data = small_study()
    plan = replace(
        data.plan,
        network="/home/me/nets/net.py:build",
        data=replace(data.plan.data, name="/home/me/tables/cells.csv:kind"),
    )
    page = render(replace(data, plan=plan, verdict=None))
    first = page[page.index("<body") :].split("</p>", 1)[0]
    assert "net.py:build · cells.csv:kind" in first
    assert "/home/me" not in first
    assert "/home/me/tables/cells.csv:kind" in page
