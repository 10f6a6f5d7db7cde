"""What is printed where: links for terminals that can open them, plain text elsewhere."""

import io

import pytest

from actlab.cli.check import _with_links
from actlab.documentation import rule_address


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_code_opens_its_page_on_a_terminal_and_is_plain_in_a_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    text = "error[ACT101] double-softmax: ACT102 is something else"
    found = _with_links(text, Terminal())
    assert found.count(f"\x1b]8;;{rule_address('ACT101')}\x1b\\ACT101\x1b]8;;\x1b\\") == 1
    assert rule_address("ACT102") not in found
    assert _with_links(text, io.StringIO()) == text
    monkeypatch.setenv("TERM", "dumb")
    assert _with_links(text, Terminal()) == text
