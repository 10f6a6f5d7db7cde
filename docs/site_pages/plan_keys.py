"""The keys of a plan file with their types, bounds and defaults, read from its schema."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from actlab.studies.plan.schema import PlanFile
from site_pages.language import chooser, head, row

MEANINGS = {
    "name": ("a name for the study", "실험 이름"),
    "trials": ("how many settings the search trains", "탐색에서 학습하는 설정(trial)의 수"),
    "seed": ("decides splits, weights and order", "데이터 분할, 가중치 초기화, 순서를 정하는 시드"),
    "margin": (
        "the largest difference of accuracy that does not matter, as a fraction",
        "의미가 없다고 보는 가장 큰 정확도 차이(비율)",
    ),
    "replicates": (
        "new seeds for the best settings after the search; 0: a search alone",
        "탐색 후 가장 좋은 설정을 다시 학습할 시드 수, 0이면 탐색만",
    ),
    "format_version": ("version of the file's format", "파일 형식의 버전"),
    "data": ("the data set", "데이터셋"),
    "data.name": (
        "a built-in data set, or the path of a file",
        "내장 데이터셋의 이름 또는 파일 경로",
    ),
    "data.splits": ("sizes of the splits", "데이터 분할의 크기"),
    "data.splits.train": ("rows to train on", "학습에 쓰는 샘플 수"),
    "data.splits.valid_epoch": (
        "rows that stop a training early",
        "early stopping에 쓰는 샘플 수",
    ),
    "data.splits.valid_trial": (
        "rows by which the search chooses",
        "탐색이 설정을 고를 때 쓰는 샘플 수",
    ),
    "data.splits.test": ("rows that are read once, at the end", "마지막에 한 번만 읽는 샘플 수"),
    "data.directory": ("the folder of the files", "파일이 있는 폴더"),
    "data.targets": ("targets for a run of tasks", "tasks run에 쓰는 타깃 파일"),
    "network": ("the network", "신경망"),
    "network.name": (
        "a built-in network, or FILE.py:NAME of a function that makes one",
        "내장 신경망의 이름 또는 신경망을 만드는 함수의 주소 FILE.py:NAME",
    ),
    "network.init": (
        "what becomes of its weights when an activation is swapped",
        "활성화 함수를 바꿀 때 가중치 초기화 방법",
    ),
    "space": ("what the search chooses from", "탐색 공간"),
    "space.conv_activation": (
        "candidates after convolutions",
        "Conv. 레이어 뒤에 올 활성화 함수 후보",
    ),
    "space.fc_activation": (
        "candidates after fully connected layers",
        "FC 레이어 뒤에 올 활성화 함수 후보",
    ),
    "space.slots": (
        "candidates of further slots, by path, pattern or kind; `each`: every place by itself",
        "추가 슬롯의 후보(경로, 패턴, 종류별). `each`이면 위치마다 따로",
    ),
    "space.same": (
        "candidates left out because they compute the same function as another",
        "다른 후보와 같은 함수라서 제외한 후보",
    ),
    "space.learning_rate": ("range of the learning rate", "학습률의 범위"),
    "space.learning_rate.low": ("its lower end", "하한"),
    "space.learning_rate.high": ("its upper end", "상한"),
    "protocol": ("how one network is trained and scored", "신경망 하나를 학습하고 평가하는 방법"),
    "protocol.name": (
        "corrected: cross entropy on logits; published: softmax before it, as published",
        "corrected: logits에 cross entropy 적용, published: 공개된 실험처럼 그 앞에 softmax를 한 번 더 적용",
    ),
    "protocol.batch_size": ("rows per step", "배치 크기"),
    "protocol.weight_decay": ("weight decay", "weight decay"),
    "protocol.patience": (
        "epochs without a better accuracy until a training ends",
        "정확도가 좋아지지 않아도 기다리는 epoch 수",
    ),
    "protocol.max_epochs": ("most epochs of a training", "최대 epoch 수"),
    "sampler": ("who proposes settings", "설정을 제안하는 방법"),
    "pruner": ("who gives up a training early", "학습을 일찍 중단하는 방법"),
    "training": ("what is trained for, and with", "무엇을 무엇으로 학습하는지"),
    "training.task": ("what the target is", "타깃의 종류"),
    "training.loss": ("the loss, by name or address", "손실 함수의 이름 또는 주소"),
    "training.metric": ("what candidates are compared by", "후보를 비교하는 지표"),
    "training.lower_is_better": ("the direction of a metric of one's own", "직접 만든 지표의 방향"),
    "training.optimiser": ("a name of torch.optim, or an address", "torch.optim의 이름 또는 주소"),
    "training.schedule": ("constant, cosine, or an address", "constant, cosine 또는 주소"),
    "training.augmentation": ("the address of what changes a batch", "배치를 바꾸는 함수의 주소"),
    "training.class_weights": (
        "none, balanced, or a weight per class",
        "none, balanced 또는 클래스별 가중치",
    ),
    "training.clip": ("the largest norm of the gradients", "기울기 노름의 상한"),
    "training.decay_activations": (
        "whether weight decay reaches the parameters of activations",
        "활성화 함수의 파라미터에도 weight decay를 적용할지",
    ),
    "training.function": (
        "the address of a whole training: function(setting, seed) -> score",
        "학습 전체를 맡는 함수의 주소: function(setting, seed) -> 점수",
    ),
    "execution": ("where and how trials run", "trial을 실행하는 장치와 방법"),
    "execution.device": ("where networks train", "학습 장치"),
    "execution.precision": ("precision of the arithmetic", "연산 정밀도"),
    "execution.workers": ("processes side by side", "동시에 실행하는 프로세스 수"),
    "execution.trial_timeout": ("seconds until a trial counts as hung", "trial의 제한 시간(초)"),
    "tasks": ("output layers to compare, instead of a search", "탐색 대신 비교할 출력 레이어"),
}


def pages(language: str) -> dict[str, str]:
    """Return the page."""
    say = chooser(language)
    lines = [
        say("# Plan file", "# 계획 파일(plan.toml)"),
        "",
        say(
            "A study is a TOML file: `actlab study run plan.toml`. The `plan.toml` of any run "
            "folder, with nothing left to defaults, is the best start. This table is made from the "
            "schema that reads the file ([plan.schema.json](schemas/plan.schema.json)). A key "
            "without a default has to be there.",
            "실험은 TOML 파일 하나로 적습니다(`actlab study run plan.toml`). 모든 기본값이 채워진 실행 폴더의 "
            "`plan.toml`에서 시작하는 것이 가장 쉽습니다. 이 표는 파일을 읽는 스키마"
            "([plan.schema.json](schemas/plan.schema.json))에서 만들어집니다. 기본값이 없는 키는 반드시 적어야 합니다.",
        ),
        "",
        *head(say("key", "키"), say("what", "뜻"), say("type", "타입"), say("default", "기본값")),
    ]
    schema = PlanFile.model_json_schema()
    for key, part, needed in keys(schema):
        meaning = MEANINGS.get(key)
        default = say("needed", "필수") if needed else _default(part)
        lines.append(
            row(f"`{key}`", say(*meaning) if meaning else "", _type(part, schema), default)
        )
    return {"reference/plan": "\n".join(lines) + "\n"}


def keys(
    schema: Mapping[str, Any], part: Mapping[str, Any] | None = None, prefix: str = ""
) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    """Yield every key of a plan file in its order, its part of the schema, and if it is needed."""
    table = schema if part is None else part
    for name, entry in table.get("properties", {}).items():
        key = f"{prefix}{name}"
        yield key, entry, name in table.get("required", ())
        for variant, inner in _tables(entry, schema):
            place = f"{key}." if variant is None else f"{key}({variant})."
            yield from keys(schema, inner, place)


def _tables(
    entry: Mapping[str, Any], schema: Mapping[str, Any]
) -> Iterator[tuple[str | None, Mapping[str, Any]]]:
    """Yield the tables that an entry may be, each with its name where there are several."""
    options = entry.get("oneOf") or entry.get("anyOf") or [entry]
    tables = [found for one in options if "properties" in (found := _resolved(one, schema))]
    for table in tables:
        name = table["properties"].get("name", {}).get("const") if len(tables) > 1 else None
        yield name, table


def _resolved(entry: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = entry.get("$ref")
    if reference is None:
        return entry
    found: Mapping[str, Any] = schema["$defs"][str(reference).rsplit("/", 1)[-1]]
    return found


def _type(entry: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    options = entry.get("oneOf") or entry.get("anyOf")
    if options:
        return ", ".join(dict.fromkeys(_type(one, schema) for one in options))
    found = _resolved(entry, schema)
    if "enum" in found:
        return " ".join(f"`{value}`" for value in found["enum"])
    if "const" in found:
        return f"`{found['const']}`"
    bounds = [
        f"{sign} {found[bound]:g}"
        for bound, sign in (
            ("minimum", "≥"),
            ("exclusiveMinimum", ">"),
            ("maximum", "≤"),
            ("exclusiveMaximum", "<"),
        )
        if bound in found
    ]
    kind = {"object": "table", "null": "none"}.get(str(found.get("type")), str(found.get("type")))
    return " ".join([kind, *bounds])


def _default(entry: Mapping[str, Any]) -> str:
    value = entry.get("default", entry.get("const"))
    if value is None:
        return "–"
    return "" if isinstance(value, dict) else f"`{json.dumps(value)}`"
