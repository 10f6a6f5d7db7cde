"""Pages: page data, then figures, then templates with escaping on; the clock is passed in.

    from actlab.studies.report import ReportData, render, write

    data = ReportData(plan, environment, records, final, written=now)
    write(Path("report.html"), data, "ko")

`render(data, language) -> str` gives one self-contained HTML page in English ("en") or Korean
("ko"); `write(path, data, language) -> Path` writes it in one step. Both read
nothing but their arguments, load no torch, and accept any state of a study: none, one or all trials
recorded, diverged and failed ones, other data and other activations.

What a page shows besides the records is optional and given as plain values: `evaluation_order` (a
sentence), `findings` (of the checker; `FindingText`), `verdict` (`actlab.records.Verdict`).
"""

from actlab.studies.report.inputs import FindingText, NextStep, ReportData
from actlab.studies.report.page import render, write

__all__ = ["FindingText", "NextStep", "ReportData", "render", "write"]
