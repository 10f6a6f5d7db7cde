"""Every message has its Korean, every Korean entry its message, and placeholders agree."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

import actlab
from actlab import i18n

SOURCE = Path(actlab.__file__).parent
CATALOGUE = SOURCE / "locale" / "ko" / "LC_MESSAGES" / "actlab.po"
ROOT = SOURCE.parent.parent


def extracted() -> set[str]:
    """Return the source texts of all messages; of a plural one, the singular."""
    with (ROOT / "babel.cfg").open() as stream:
        methods, options = parse_mapping_cfg(stream)
    found = extract_from_dir(SOURCE, methods, options)
    texts = (message for _file, _line, message, _comments, _context in found)
    return {text[0] if isinstance(text, tuple) else text for text in texts}


def translated() -> dict[str, Message]:
    with CATALOGUE.open("rb") as stream:
        catalogue: Catalog = read_po(stream, locale="ko", abort_invalid=True)
    return {_key(message): message for message in catalogue if message.id}


def _key(message: Message) -> str:
    return message.id if isinstance(message.id, str) else str(message.id[0])


def _strings(message: Message) -> Iterator[str]:
    yield from [message.string] if isinstance(message.string, str) else message.string


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{(\w*)[^}]*\}|%\((\w+)\)s", text))


def test_no_message_lacks_its_korean() -> None:
    known = translated()
    missing = {text for text in extracted() if text and text not in known}
    empty = {text for text, message in known.items() if not all(_strings(message))}
    assert (missing, empty) == (set(), set()), "run `make messages`, then translate"


def test_no_korean_entry_is_unused_or_uncertain() -> None:
    known = translated()
    assert set(known) - extracted() == set()
    assert [text for text, message in known.items() if message.fuzzy] == []


def test_placeholders_survive_translation() -> None:
    for text, message in translated().items():
        for string in _strings(message):
            assert placeholders(string) == placeholders(text), text


def test_the_compiled_catalogue_is_the_current_one() -> None:
    korean = i18n.translation("ko")
    for text, message in translated().items():
        if isinstance(message.id, str):
            assert korean.gettext(text) == message.string, "run `make messages`"


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({"ACTLAB_LANG": "ko"}, "ko"),
        ({"ACTLAB_LANG": "en", "LANG": "ko_KR.UTF-8"}, "en"),
        ({"LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LC_ALL": "C", "LANG": "ko_KR.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({}, "en"),
    ],
)
def test_the_environment_chooses_the_language(
    variables: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ACTLAB_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert i18n.process_language() == language


def _hidden_calls(path: Path) -> list[int]:
    """Return the lines on which a message stands where extraction does not look."""
    markers = {"_", "N_", "ngettext"}
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        inner = ast.walk(node) if isinstance(node, ast.JoinedStr) else iter(())
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in markers:
            inner = (below for argument in node.args for below in ast.walk(argument))
        calls = (below for below in inner if isinstance(below, ast.Call))
        found += [call.lineno for call in calls if _is_marked(call)]
    return found


def _is_marked(call: ast.Call) -> bool:
    literal = bool(call.args) and isinstance(call.args[0], ast.Constant)
    return literal and getattr(call.func, "id", "") in {"_", "N_", "ngettext"}


def test_no_message_hides_from_extraction() -> None:
    hidden = {str(path): _hidden_calls(path) for path in SOURCE.rglob("*.py")}
    assert {path: lines for path, lines in hidden.items() if lines} == {}
