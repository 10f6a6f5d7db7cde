"""The pages of the checker's rules in Korean; the English ones lie in docs/rules."""

import sys
from pathlib import Path

from actlab.checker.reporting.rule_pages import markdown, page
from actlab.checker.rules import RULES
from site_pages.language import speaking

sys.path.insert(0, str(Path(__file__).parents[1] / "rules"))
from generate import index  # the list that the repository has


def pages(language: str) -> dict[str, str]:
    """Return a page per rule and their list, in Korean; none in English, which are there."""
    if language == "en":
        return {}
    with speaking(language):
        written = {f"rules/{rule.code}": markdown(page(rule.code), cases=True) for rule in RULES}
        return written | {"rules/README": index()}
