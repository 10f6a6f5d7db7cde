"""Tables that a Korean page has from its English one, so that a figure stands in one place.

In the Korean page a line `<!-- table 3 -->` stands for the third table of the English page, and
`<!-- table 3 | 활성화 함수 | 판정 -->` for that table with these headings.
"""

import re
from pathlib import Path

_PLACE = re.compile(r"^<!-- table (\d+)(?: \|(.*))? -->$", re.MULTILINE)


def fill(folder: Path) -> None:
    """Fill in the tables of every Korean page of a folder."""
    for page in folder.rglob("*.ko.md"):
        text = page.read_text(encoding="utf-8")
        if _PLACE.search(text):
            english = page.with_name(page.name.replace(".ko.md", ".md"))
            page.write_text(filled(text, english.read_text(encoding="utf-8")), encoding="utf-8")


def filled(korean: str, english: str) -> str:
    r"""Return a Korean page with the tables of the English one; ValueError where one is missing.

    >>> filled("<!-- table 1 | 이름 -->", "| name |\n|---|\n| relu |\n")
    '| 이름 |\n|---|\n| relu |'
    """
    tables = re.findall(r"(?:^\|.*\n?)+", english, re.MULTILINE)

    def table(place: re.Match[str]) -> str:
        number, headings = int(place[1]), place[2]
        if number > len(tables):
            raise ValueError(f"the English page has {len(tables)} tables, not {number}")
        lines = tables[number - 1].rstrip("\n").split("\n")
        if headings is not None:
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", headings)]
            if len(cells) != lines[1].count("|") - 1:
                raise ValueError(f"table {number} has other columns than {cells}")
            lines[0] = f"| {' | '.join(cells)} |"
        return "\n".join(lines)

    return _PLACE.sub(table, korean)
