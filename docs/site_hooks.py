"""How the site is built: a copy of the written pages, with the generated ones beside them."""

import re
import shutil
import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
REPOSITORY = DOCS.parent
STAGED = REPOSITORY / "build" / "docs"


def on_startup(**_others: Any) -> None:
    """Lay out the folder that is built."""
    sys.path.insert(0, str(DOCS))
    import site_pages

    shutil.rmtree(STAGED, ignore_errors=True)
    shutil.copytree(DOCS, STAGED, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    site_pages.write(STAGED)


def on_config(config: Any) -> Any:
    """Build that folder; take the site's address from the one place that knows it."""
    from actlab.documentation import ADDRESS

    config.docs_dir = str(STAGED)
    config.site_url = ADDRESS
    return config


def on_page_markdown(markdown: str, page: Any, **_others: Any) -> str:
    """Let a link to a file of the repository that is no page become the file's name."""
    folder = (DOCS / page.file.src_uri).parent

    def named(link: re.Match[str]) -> str:
        target = (folder / link.group(2).partition("#")[0]).resolve()
        if target.is_relative_to(DOCS) and target.suffix != ".py":
            return link.group()
        if not target.exists() or not target.is_relative_to(REPOSITORY):
            return link.group()
        return f"{link.group(1)} (`{target.relative_to(REPOSITORY)}`)"

    return re.sub(r"(?<!!)\[([^\]]*)\]\((?!\w+:|#)([^)\s]+)\)", named, markdown)


def on_page_content(html: str, **_others: Any) -> str:
    """Let the empty corner of a table be no heading of a column."""
    return html.replace("<th></th>", "<td></td>")
