"""Rules and thresholds from pyproject.toml."""

from pathlib import Path

import pytest
import torch
from torch import nn

import actlab
from actlab.checker.rules import RULES
from actlab.checker.settings import SettingsError, nearest_settings
from tests.checker.casebook import classes


def folder_with(path: Path, text: str) -> Path:
    (path / "pyproject.toml").write_text(text)
    inner = path / "a/b"
    inner.mkdir(parents=True)
    return inner


def test_the_nearest_file_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = folder_with(
        tmp_path,
        '[tool.actlab.check]\nignore = ["ACT110"]\n[tool.actlab.check.severity]\nACT101 = "info"\n'
        "[tool.actlab.check.limits.ACT301]\noutside_share = 0.5\n",
    )
    settings = nearest_settings(inner, RULES)
    assert settings.ignore == {"ACT110"}
    assert settings.limits["ACT301"] == {"outside_share": 0.5}
    monkeypatch.chdir(inner)
    net = nn.Sequential(nn.Linear(20, 10), nn.Softmax(dim=1))
    (found,) = actlab.check(net, nn.CrossEntropyLoss(), classes(10, 20)).findings
    assert (found.code, found.severity) == ("ACT101", "info")


def test_a_threshold_takes_effect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = nn.Sequential(nn.Linear(4, 1), nn.Sigmoid())
    y = torch.full((50, 1), 0.5)
    y[0] = 1.05
    batch = (torch.randn(50, 4), y)
    first = actlab.check(net, nn.MSELoss(), batch)
    text = "[tool.actlab.check.limits.ACT301]\noutside_share = 0.01\n"
    monkeypatch.chdir(folder_with(tmp_path, text))
    second = actlab.check(net, nn.MSELoss(), batch)
    assert [f.severity for f in first.findings if f.code == "ACT301"] == ["warning"]
    assert [f.severity for f in second.findings if f.code == "ACT301"] == ["error"]


def test_only_the_selected_rules_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder_with(tmp_path, '[tool.actlab.check]\nselect = ["ACT102"]\n'))
    net = nn.Sequential(nn.Linear(20, 10), nn.Softmax(dim=1))
    report = actlab.check(net, nn.CrossEntropyLoss(), classes(10, 20))
    assert report.findings == ()
    assert [item.code for item in report.fine] == ["ACT102"]


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    text = (
        '[tool.actlab.check]\nignore = ["ACT999"]\nselekt = []\n'
        "[tool.actlab.check.limits.ACT301]\nshare = 1\noutside_share = true\n"
        '[tool.actlab.check.severity]\nACT101 = "fatal"\n'
    )
    with pytest.raises(SettingsError) as caught:
        nearest_settings(folder_with(tmp_path, text), RULES)
    for part in ("ACT999", 'unknown key "selekt" (known: select)', 'no threshold "share"',
                 "must be a number", '"fatal"'):  # fmt: skip
        assert part in str(caught.value)


def test_what_is_not_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="must be a TOML file"):
        nearest_settings(folder_with(tmp_path, "[tool"), RULES)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("tool = 1", "it must be a table"),
        ("[tool]\nactlab = []", "it must be a table"),
        ("[tool.actlab]\ncheck = 3", "it must be a table"),
        ("[tool.actlab.check]\nignore = [[1], 2]", "There is no rule"),
        ("[tool.actlab.check]\nlimits.ACT301 = 5", '"limits" must be a table'),
        ("[tool.actlab.check]\nseverity.ACT101 = [1]", "severity of ACT101 must be one of"),
        ("x = " + "[" * 100_000, "it is nested too deeply"),
    ],
)
def test_what_is_of_another_form_is_refused(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=told):
        nearest_settings(folder_with(tmp_path, text), RULES)
