"""Write the tables of docs/verdict.md; `--check` only says whether they are current.

    python docs/generate_verdict.py [--check]
    python docs/generate_verdict.py --take RUN_FOLDER [RUN_FOLDER]
    python docs/generate_verdict.py --judge-anew
    python docs/generate_verdict.py --draw

The tables come from the document in `docs/verdict`, which `--take` makes from the run folders of
confirmed studies, the published protocol's first: what `actlab study show --json` says of each,
less the single records, and what `actlab study compare --json` says of both. `--judge-anew` judges
the kept scores again, after a change of the rule. `--draw` makes the pictures beside it, which are
the report's own, from the kept scores; it needs Chromium and playwright.
"""

import argparse
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tables import heading, machine_in_words, plain_command, row, with_tables, write_page

if TYPE_CHECKING:
    from actlab.records import Verdict

PAGE = Path(__file__).parent / "verdict.md"
FIGURES = Path(__file__).parent / "verdict" / "figures.json"
PROTOCOLS = ("published", "corrected")
SLOTS = ("conv", "fc")
CLAIMS = range(1, 6)
NOT_YET = "Not run yet."
ROWS = 10_000
"""On how many rows an accuracy of the kept studies was counted."""


def page(text: str, found: dict[str, Any]) -> str:
    """Return the page with every table written anew."""
    studies = found["studies"]
    tables = {
        "runs": lambda: run_table(studies),
        "claims": lambda: claim_table(studies),
        "change": lambda: change_table(found["changes"]),
        "rates": lambda: rate_table(studies),
        "importance": lambda: importance_table(studies),
        "mechanisms": lambda: mechanism_table(studies),
    }
    for name in PROTOCOLS:
        for slot in SLOTS:
            tables[f"{name} {slot}"] = lambda name=name, slot=slot: candidate_table(
                studies.get(name), slot
            )
    return with_tables(text, tables)


def run_table(studies: dict[str, Any]) -> list[str]:
    """Return what was run, where and when."""
    lines = heading(
        "protocol",
        "commands",
        "finished",
        "trainings",
        "training time, all together",
        "machine",
        "torch",
        "Optuna",
    )
    for name, study in studies.items():
        run = study["run"]
        lines.append(
            row(
                name,
                " then ".join(f"`{one}`" for one in run["commands"]),
                run["finished"][:10],
                str(run["trainings"]),
                f"{run['minutes']:.0f} min",
                run["machine"],
                run["versions"]["torch"],
                run["versions"]["optuna"],
            )
        )
    return lines


def candidate_table(study: dict[str, Any] | None, slot: str) -> list[str]:
    """Return the candidates of a slot with their groups, the best first."""
    if study is None:
        return [NOT_YET]
    other = {"conv": "fc", "fc": "conv"}[slot]
    lines = heading(
        "activation",
        "verdict",
        "seeds",
        "mean",
        "95 % interval",
        "behind the best",
        "adjusted p",
        "tied from",
        f"setting: {other}, learning rate",
        "test",
    )
    for one in study["verdict"]["slots"][slot]:
        setting = one["setting"]
        partner = f"{setting[other + '_activation']}, {setting['learning_rate']:.2g}"
        lines.append(
            row(
                one["activation"],
                f"**{one['group']}**",
                seeds_of(one),
                percent(one["mean"]),
                f"{percent(one['low'])} to {percent(one['high'])}",
                points(one["difference"]),
                probability(one["p_adjusted"]),
                points(one["smallest_margin"]),
                partner,
                percent(one["test_accuracy"]),
            )
        )
    return lines


def seeds_of(one: dict[str, Any]) -> str:
    """Return the number of seeds, with those that trained where some failed."""
    return f"{one['n'] - one['failures']} of {one['n']}" if one["failures"] else str(one["n"])


def claim_table(studies: dict[str, Any]) -> list[str]:
    """Return claims 1 to 5 under each protocol."""
    lines = heading("claim", "protocol", "outcome", "because")
    for number in CLAIMS:
        for name, study in studies.items():
            claim = next(c for c in study["verdict"]["claims"] if c["number"] == number)
            lines.append(
                row(f"{number}. {claim['text']}", name, f"**{claim['outcome']}**", claim["reason"])
            )
    return lines


def change_table(changes: dict[str, Any] | None) -> list[str]:
    """Return what the corrected protocol changes for each activation, paired by seed."""
    if changes is None:
        return [NOT_YET]
    lines = heading(
        "slot",
        "activation",
        "published",
        "corrected",
        "difference",
        "95 % interval",
        "adjusted p",
        "seeds",
    )
    for slot in SLOTS:
        for one in sorted(changes["slots"][slot], key=lambda change: -(change["difference"] or 0)):
            lines.append(
                row(
                    slot,
                    one["activation"],
                    percent(one["first_mean"]),
                    percent(one["second_mean"]),
                    points(one["difference"], signed=True),
                    f"{points(one['low'], signed=True)} to {points(one['high'], signed=True)}",
                    probability(one["p_adjusted"]),
                    str(one["n"]) if one["n"] == one["seeds"] else f"{one['n']} of {one['seeds']}",
                )
            )
    return lines


def rate_table(studies: dict[str, Any]) -> list[str]:
    """Return the plateaus of the learning rate per activation."""
    cells = [f"{name}: {part}" for name in studies for part in ("best", "plateau", "failures")]
    lines = heading("slot", "activation", *cells)
    first = next(iter(studies.values()))["verdict"]["rates"]
    for place, curve in enumerate(first):
        shown = []
        for study in studies.values():
            one = study["verdict"]["rates"][place]
            assert one["activation"] == curve["activation"], "both studies have the same space"
            shown += [
                rate(one["best_learning_rate"]),
                f"{rate(one['plateau_low'])} to {rate(one['plateau_high'])}",
                f"{one['failures']} of {len(one['points'])}",
            ]
        lines.append(row(curve["slot"], curve["activation"], *shown))
    return lines


def importance_table(studies: dict[str, Any]) -> list[str]:
    """Return how much of the variance each parameter of a setting explains."""
    cells = [f"{name}: {method}" for name in studies for method in ("PED-ANOVA", "fANOVA")]
    lines = heading("parameter", *cells)
    for place, first in enumerate(next(iter(studies.values()))["verdict"]["importance"]):
        rows = [study["verdict"]["importance"][place] for study in studies.values()]
        shown = [f"{one[key]:.2f}" for one in rows for key in ("ped_anova", "fanova")]
        lines.append(row(first["parameter"], *shown))
    return lines


def mechanism_table(studies: dict[str, Any]) -> list[str]:
    """Return the rank correlations of the networks' properties with accuracy."""
    lines = heading("slot", "property", *studies)
    keys = [
        (one["slot"], one["property_name"])
        for one in next(iter(studies.values()))["verdict"]["mechanisms"]
    ]
    for slot, name in keys:
        shown = [_correlation(study, slot, name) for study in studies.values()]
        lines.append(row(slot, name, *shown))
    return lines


def _correlation(study: dict[str, Any], slot: str, name: str) -> str:
    mechanisms = study["verdict"]["mechanisms"]
    one = next(m for m in mechanisms if (m["slot"], m["property_name"]) == (slot, name))
    if one["correlation"] is None:
        return "–"
    return f"{one['correlation']:+.2f} ({one['low']:+.2f} to {one['high']:+.2f})"


def percent(value: float | None) -> str:
    """Return a share in per cent."""
    return "–" if value is None else f"{100 * value:.2f}\u00a0%"


def points(value: float | None, *, signed: bool = False) -> str:
    """Return a difference of shares in points; without a sign what it is behind by."""
    if value is None:
        return "–"
    return f"{100 * value:+.2f}" if signed else f"{abs(100 * value):.2f}"


def probability(value: float | None) -> str:
    """Return a p-value."""
    if value is None:
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def rate(value: float | None) -> str:
    """Return a learning rate."""
    return "–" if value is None else f"{value:.2g}"


def take(paths: list[Path]) -> None:
    """Write the document of one run folder, or of two, the published protocol's first."""
    from actlab.cli.study.changes import changes
    from actlab.records.json_form import jsonable
    from actlab.studies.run_folder import RunFolder

    folders = [RunFolder.open(path) for path in paths]
    found = {
        "studies": {folder.plan().protocol.name: _study(folder) for folder in folders},
        "changes": changes(folders)[0] if len(folders) > 1 else None,
    }
    FIGURES.parent.mkdir(exist_ok=True)
    plain = jsonable(found)
    FIGURES.write_text(json.dumps(plain, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _study(folder: Any) -> dict[str, Any]:
    from datetime import UTC, datetime

    from actlab.case_study.claims import claims
    from actlab.studies.interface.verdicts import verdict_summary

    environment, asked = folder.environment(), folder.confirmation()
    assert environment is not None, "the study has trained something"
    assert asked is not None, "the study was confirmed"
    records = folder.all_records()
    finished = datetime.fromtimestamp(folder.records_path.stat().st_mtime, UTC)
    document = verdict_summary(folder, claims)
    return {
        "test_accuracy": document["test_accuracy"],
        "verdict": document["verdict"],
        "run": {
            "commands": [
                plain_command(environment.command),
                f"actlab study confirm DIR --seeds {asked.seeds}",
            ],
            "finished": finished.isoformat(timespec="seconds"),
            "machine": machine_in_words(environment.machine),
            "versions": environment.versions,
            "trainings": len(records),
            "minutes": sum(record.seconds for record in records) / 60,
        },
    }


def judge_anew(found: dict[str, Any]) -> None:
    """Judge the kept scores of both studies by the rule as it is now; trains nothing.

    What the scores decide is replaced: groups, numbers, sentences, the claims on the best, and what
    changes from one protocol to the other.
    """
    for study in found["studies"].values():
        verdict = study["verdict"]
        judged = _judged_anew(verdict)
        claims = [*judged.pop("claims"), *verdict["claims"][2:]]
        study["verdict"] = {**verdict, **judged, "claims": claims}
    if found["changes"] is not None:
        before, after = (found["studies"][name]["verdict"] for name in PROTOCOLS)
        found["changes"]["slots"] = {slot: _changes(before, after, slot) for slot in SLOTS}
    text = json.dumps(found, indent=1, ensure_ascii=False)
    FIGURES.write_text(text + "\n", encoding="utf-8")


def _trained(kept: dict[str, Any], slot: str) -> dict[str, Any]:
    """Return the kept scores of a slot by activation and seed, None for a failed training."""
    from actlab.studies.confirm.replication import near_chance

    return {
        one["activation"]: {
            seed: None if score is None or near_chance(score, kept["chance"]) else score
            for seed, score in enumerate(one["scores"])
        }
        for one in kept["slots"][slot]
    }


def _changes(before: dict[str, Any], after: dict[str, Any], slot: str) -> list[dict[str, Any]]:
    from actlab.cli.study.changes import row_of
    from actlab.studies.confirm.protocol_change import changes_between
    from actlab.verdicts import Question

    question = Question(margin=0.0, resolution=1 / ROWS)
    found = changes_between(_trained(before, slot), _trained(after, slot), question)
    return [row_of(change) for change in found]


def _verdict_of(kept: dict[str, Any]) -> "Verdict":
    """Return the verdict on a study's kept scores."""
    import numpy as np

    from actlab.records import Conditions, Notice, Setting, SlotVerdict, Verdict
    from actlab.verdicts import Question, compare, scores_by_seed

    slots = []
    question = Question(kept["margin"], resolution=1 / ROWS, limits=(0.0, 1.0))
    for place, (slot, candidates) in enumerate(kept["slots"].items()):
        known = {one["activation"]: one for one in candidates}
        table = scores_by_seed(_trained(kept, slot))
        found = compare(table, question, np.random.default_rng(place))
        own = ("diverged", "test_accuracy", "cost")
        members = tuple(
            replace(
                row,
                setting=Setting(**known[row.name]["setting"]),
                **{key: known[row.name][key] for key in own},
            )
            for row in found.candidates
        )
        failures = {row.name: row.failures for row in members if row.failures}
        notices = (Notice("failures", counts=failures),) if failures else ()
        parts = {**vars(found), "candidates": members, "notices": notices}
        slots.append(SlotVerdict(slot=slot, **parts))
    conditions = Conditions(140, ROWS, 10_000, kept["chance"])
    return Verdict(tuple(slots), kept["margin"], kept["seeds"], conditions)


def draw(found: dict[str, Any]) -> None:
    """Write a picture per slot and protocol: the report's figure of accuracies, as it opens."""
    from playwright.sync_api import sync_playwright

    from actlab.i18n import translation
    from actlab.studies.report.verdict.candidates import intervals_figure
    from actlab.text import Formatter

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 900, "height": 620}, device_scale_factor=1.6)
        for protocol, study in found["studies"].items():
            verdict = _verdict_of(study["verdict"])
            for slot in verdict.slots:
                drawn = intervals_figure(slot, verdict, Formatter(translation("en")))
                assert drawn is not None, "every slot has scores"
                drawn.figure.update_layout(width=880, height=drawn.height + 120)
                page.set_content(drawn.figure.to_html(include_plotlyjs=True))
                picture = FIGURES.parent / f"{slot.slot}-{protocol}.png"
                page.locator(".plotly-graph-div").screenshot(path=picture)
        browser.close()


def _judged_anew(kept: dict[str, Any]) -> dict[str, Any]:
    from actlab.case_study.claims import best_claim
    from actlab.i18n import translation
    from actlab.records.json_form import jsonable
    from actlab.studies.confirm.verdict_text import document
    from actlab.text import Formatter

    verdict = _verdict_of(kept)
    words = Formatter(translation("en"))
    texts = [claim["text"] for claim in kept["claims"]]
    claims = (
        best_claim(1, texts[0], verdict.slots[0], ("prelu",), verdict.margin, words),
        best_claim(2, texts[1], verdict.slots[1], ("tanh", "sigmoid"), verdict.margin, words),
    )
    found_anew = document(verdict, claims, translation("en"))
    keys = ("slots", "summary", "notices", "notice_codes", "comparisons", "claims")
    plain: dict[str, Any] = jsonable({key: found_anew[key] for key in keys})
    return plain


def main() -> int:
    """Write the tables, or say whether they are current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--judge-anew", action="store_true")
    parser.add_argument("--draw", action="store_true")
    parser.add_argument("--take", type=Path, nargs="+", metavar="RUN_FOLDER")
    options = parser.parse_args()
    if options.take:
        take(options.take)
    found = json.loads(FIGURES.read_text(encoding="utf-8"))
    if options.judge_anew:
        judge_anew(found)
    if options.draw:
        draw(found)
    return write_page(PAGE, lambda text: page(text, found), check=options.check)


if __name__ == "__main__":
    sys.exit(main())
