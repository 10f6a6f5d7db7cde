"""The model card: what the network is, how good it is, and how sure that its activations matter."""

from typing import TYPE_CHECKING

from actlab.addresses import shown_path
from actlab.i18n import _
from actlab.pages.words import group_words, in_metric
from actlab.records import Record, StudyMetric
from actlab.studies.confirm.verdict_text import wording
from actlab.studies.interface.verdicts import verdict_of
from actlab.studies.run_folder import RunFolder
from actlab.studies.summary import final_of_best
from actlab.text import process_formatter
from actlab.verdicts.text import summary

if TYPE_CHECKING:
    from actlab.networks.written_lines import Change


def card(
    folder: RunFolder, best: Record, edits: "tuple[Change, ...]", onnx_difference: float | None
) -> str:
    """Return the card of the best trial's network as Markdown, in the language of the process."""
    setting = best.setting
    parts = [
        f"# {folder.plan().name}: {', '.join(setting.activations.values())}",
        _model(folder, best),
        _accuracy(folder, best),
        _verdict(folder, best),
        _findings(folder),
        _use(folder, onnx_difference),
    ]
    if edits:
        parts.append(_edits(edits))
    return "\n\n".join(parts) + "\n"


def _section(title: str, *lines: str) -> str:
    return "\n".join([f"## {title}", "", *lines])


def _model(folder: RunFolder, best: Record) -> str:
    words, plan, environment = process_formatter(), folder.plan(), folder.environment()
    assert environment is not None, "a folder with a record has an environment"
    rows = {
        _("network"): plan.network,
        **_activations(best),
        _("learning rate"): words.rate(best.setting.learning_rate),
        _("initial weights"): plan.init,
        _("protocol"): plan.protocol.name,
        _("precision"): environment.precision,
        _("data"): f"{plan.data.name} ({environment.fingerprint[:12]})",
        _("rows to train on"): words.count(plan.data.splits.train),
        _("seed"): str(plan.seed),
    }
    lines = ["| | |", "| --- | --- |", *(f"| {key} | {value} |" for key, value in rows.items())]
    return _section(_("Model"), *lines)


def _activations(best: Record) -> dict[str, str]:
    words = {
        "conv": _("activation after convolutions"),
        "fc": _("activation after fully connected layers"),
    }
    return {words.get(slot, slot): name for slot, name in best.setting.activations.items()}


def _accuracy(folder: RunFolder, best: Record) -> str:
    words, records = process_formatter(), folder.records()
    measured = folder.plan().training.measured
    found_metric = best.valid_metric
    assert found_metric is not None, "the best trial completed"
    chosen = _(
        "{accuracy} on the rows by which it was chosen, the best of {trials} trials: the best of "
        "several is lucky, so expect less."
    ).format(accuracy=_figure(found_metric, measured), trials=len(records))
    final = final_of_best(folder, records)
    lines = [f"* {chosen}"]
    tested = None
    if final is not None:
        tested = final.test_accuracy if measured.in_percent else final.test_score
    if final is not None and tested is not None:
        text = _("{accuracy} on {rows} test rows, which were read once, after the choice.")
        found = text.format(accuracy=_figure(tested, measured), rows=words.count(final.test_images))
        lines.append(f"* {found}")
    return _section(_("Accuracy") if measured.in_percent else measured.name, *lines)


def _figure(value: float, measured: StudyMetric) -> str:
    shown = in_metric(value, measured)
    return shown if measured.in_percent else f"{measured.name} {shown}"


def _verdict(folder: RunFolder, best: Record) -> str:
    verdict = verdict_of(folder)
    if verdict is None:
        text = _(
            "Not confirmed: each setting was trained once, which cannot tell a small difference "
            "from luck. Train the best settings again: actlab study confirm {path}"
        )
        return _section(_("Verdict"), text.format(path=folder.path))
    words = process_formatter()
    names = group_words(words.translations)
    chosen = best.setting.activations
    lines = []
    for slot in verdict.slots:
        lines.append(f"* {slot.slot}: {summary(slot, wording(verdict, words))}")
        row = next((one for one in slot.candidates if one.name == chosen.get(slot.slot)), None)
        if row is not None and len(slot.candidates) > 1:
            text = _("{name}, which this network has, is: {group}.")
            lines.append("  " + text.format(name=row.name, group=names[row.group]))
    return _section(_("Verdict"), *lines)


def _findings(folder: RunFolder) -> str:
    found = folder.findings() or []
    lines = [f"* {one['code']}: {one['message']}" for one in found]
    nothing = _("The checker found no misuse in this network and its loss.")
    return _section(_("Misuse check"), *(lines or [nothing]))


def _use(folder: RunFolder, onnx_difference: float | None) -> str:
    plan = folder.plan()
    lines = [
        "```python",
        "import actlab",
        "",
        f"network = actlab.open({str(folder.path)!r}).network()",
        "```",
        "",
        _("`model.pt` is the state dict of that network."),
    ]
    if onnx_difference is not None:
        text = _(
            "`model.onnx` was run by onnxruntime on rows of the data: its outputs differ from the "
            "module's by at most {share} of the largest."
        )
        lines.append(text.format(share=f"{onnx_difference:.1e}"))
    if plan.protocol.head == "logits" and plan.training.task == "multiclass":
        lines.append(_("Its outputs are logits: apply softmax for probabilities."))
    return _section(_("Use"), *lines)


def _edits(edits: "tuple[Change, ...]") -> str:
    lines = [_("`changes.diff` has these edits for `git apply` or `patch -p0`."), ""]
    for one in edits:
        place = f"{shown_path(one.file)}:{one.line}" if one.file else ", ".join(one.slots)
        if one.new is None:
            lines.append(f"* {place}: {one.reason}")
        else:
            lines.append(f"* {place}: `{one.old}` → `{one.new}`")
    return _section(_("In your source"), *lines)
