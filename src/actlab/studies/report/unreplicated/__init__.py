"""The page on a search without replicates: budgets, what its trials can say and what they cannot.

from actlab.report.judged import write_judged

write_judged(Path("judged.html"), judgement, written=now, language="ko")
"""

from actlab.studies.report.unreplicated.page import render_judged, write_judged

__all__ = ["render_judged", "write_judged"]
