"""Slots of the architectures of transformers, torchvision and timm, with random weights.

What is found is held against a count of operators in one forward pass, by a dispatch mode; then
GELU or ReLU is put into every conv, fc and norm slot, and counted again.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from actlab.networks import slots
from actlab.networks.activation_calls import run_on
from actlab.networks.swapping import swap

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore"),  # of the libraries
]

OPERATORS = {"relu", "gelu", "silu", "tanh", "sigmoid", "hardswish", "hardtanh", "hardsigmoid"}
SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
Built = tuple[nn.Module, Any]


class Counted(TorchDispatchMode):
    """Counts the operators that are activations."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.__name__.split(".")[0].rstrip("_")
        if name in OPERATORS:
            self.found[name] += 1
        return func(*args, **(kwargs or {}))


def counted(model: nn.Module, example: Any) -> Counter[str]:
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.no_grad(), Counted() as mode:
            run_on(model.eval(), example)
    finally:
        torch.backends.mha.set_fastpath_enabled(True)
    return mode.found


def ids() -> torch.Tensor:
    return torch.arange(16).reshape(2, 8)


def image(size: int) -> torch.Tensor:
    return torch.randn(2, 3, size, size)


TEXT = {"vocab_size": 99, **SMALL}
PICTURE = {"image_size": 32, "num_labels": 10}
T5 = {
    "vocab_size": 99,
    "d_model": 16,
    "d_kv": 8,
    "d_ff": 32,
    "num_layers": 2,
    "num_heads": 2,
    "decoder_start_token_id": 0,
}
TRANSFORMERS: Mapping[str, tuple[str, str, dict[str, Any]]] = {
    "bert": ("BertForSequenceClassification", "BertConfig", TEXT),
    "gpt2": (
        "GPT2ForSequenceClassification",
        "GPT2Config",
        {"vocab_size": 99, "n_embd": 16, "n_layer": 2, "n_head": 2, "pad_token_id": 0},
    ),
    "vit": ("ViTForImageClassification", "ViTConfig", {"patch_size": 8, **PICTURE, **SMALL}),
    "resnet": (
        "ResNetForImageClassification",
        "ResNetConfig",
        {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "layer_type": "basic"},
    ),
    "convnext": (
        "ConvNextForImageClassification",
        "ConvNextConfig",
        {"num_stages": 2, "hidden_sizes": [8, 16], "depths": [1, 1]},
    ),
    "swin": (
        "SwinForImageClassification",
        "SwinConfig",
        {"patch_size": 2, "embed_dim": 8, "depths": [1, 1], "num_heads": [1, 2], **PICTURE}
        | {"window_size": 4},
    ),
    "mobilenet_v2": (
        "MobileNetV2ForImageClassification",
        "MobileNetV2Config",
        {"depth_multiplier": 0.35, **PICTURE},
    ),
    "t5": ("T5ForConditionalGeneration", "T5Config", T5),
    "t5 gated": (
        "T5ForConditionalGeneration",
        "T5Config",
        {"feed_forward_proj": "gated-gelu", **T5},
    ),
    "llama": ("LlamaForCausalLM", "LlamaConfig", {"num_key_value_heads": 2, **TEXT}),
    "distilbert": (
        "DistilBertForSequenceClassification",
        "DistilBertConfig",
        {"vocab_size": 99, "dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32},
    ),
    "wav2vec2": (
        "Wav2Vec2ForSequenceClassification",
        "Wav2Vec2Config",
        {"conv_dim": (8, 8), "conv_kernel": (8, 4), "conv_stride": (4, 4), **SMALL}
        | {"num_feat_extract_layers": 2, "num_conv_pos_embeddings": 16}
        | {"num_conv_pos_embedding_groups": 2},
    ),
}


def of_transformers(name: str) -> Built:
    library = pytest.importorskip("transformers")
    kind, config, options = TRANSFORMERS[name]
    model = getattr(library, kind)(getattr(library, config)(**options))
    if "ImageClassification" in kind:
        return model, image(32)
    if name.startswith("t5"):
        return model, {"input_ids": ids(), "decoder_input_ids": ids()}
    return model, torch.randn(2, 1600) if name == "wav2vec2" else ids()


def of_torchvision(name: str) -> Built:
    try:
        from torchvision import models  # type: ignore[import-not-found, unused-ignore]
    except (ImportError, RuntimeError) as error:  # its compiled part may not fit this torch
        pytest.skip(f"torchvision does not load: {error}")
    options: dict[str, Any] = {"weights": None, "num_classes": 10}
    if name in ("googlenet", "inception_v3"):
        options |= {"aux_logits": False, "init_weights": False}
    if name == "VisionTransformer":
        options = {"image_size": 64, "patch_size": 8, "num_layers": 2, "num_heads": 2}
        options |= {"hidden_dim": 16, "mlp_dim": 32, "num_classes": 10}
    return getattr(models, name)(**options), image(96 if name == "inception_v3" else 64)


def of_timm(name: str) -> Built:
    made = pytest.importorskip("timm")
    sized = name.startswith(("vit", "mixer"))
    return made.create_model(name, num_classes=10, **({"img_size": 64} if sized else {})), image(64)


ARCHITECTURES: Mapping[Callable[[str], Built], tuple[tuple[str, int, int], ...]] = {
    of_transformers: (
        ("bert", 3, 0), ("gpt2", 2, 0), ("vit", 2, 0), ("resnet", 5, 0), ("convnext", 2, 0),
        ("swin", 2, 0), ("mobilenet_v2", 35, 0), ("t5", 4, 0), ("t5 gated", 0, 4),
        ("llama", 0, 2), ("distilbert", 3, 0), ("wav2vec2", 5, 0),
    ),
    of_torchvision: (
        ("resnet18", 17, 0), ("vgg11", 10, 0), ("mobilenet_v3_small", 33, 9),
        ("efficientnet_b0", 49, 16), ("regnet_y_400mf", 65, 16), ("squeezenet1_0", 26, 0),
        ("shufflenet_v2_x0_5", 37, 0), ("densenet121", 121, 0), ("googlenet", 57, 0),
        ("inception_v3", 94, 0), ("convnext_tiny", 18, 0), ("swin_t", 12, 0),
        ("VisionTransformer", 2, 0),
    ),
    of_timm: (
        ("resnet18", 17, 0), ("vit_tiny_patch16_224", 12, 0), ("mixer_s16_224", 16, 0),
        ("efficientnet_b0", 49, 16), ("mobilenetv3_small_050", 33, 9), ("regnety_002", 53, 13),
        ("convnext_atto", 12, 0),
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("make", "name", "inner", "gates"),
    [
        pytest.param(make, *row, id=f"{make.__name__[3:]} {row[0]}")
        for make, rows in ARCHITECTURES.items()
        for row in rows
    ],
)
def test_all_are_found_and_swapped(
    make: Callable[[str], Built], name: str, inner: int, gates: int
) -> None:
    torch.manual_seed(0)
    model, example = make(name)
    model.eval()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    found, operators = slots(model, example), counted(model, example)
    calls = Counter[str]()
    for slot in found:
        calls[slot.kind] += slot.calls
    assert sum(calls.values()) == sum(operators.values()), "every operator is a slot's"
    assert calls.pop("gate", 0) == gates, "gates are told apart"
    assert sum(calls.values()) == inner
    names = {slot.name for slot in found if slot.kind != "gate"}
    new = "relu" if any("gelu" in one for one in names) else "gelu"
    kinds = dict.fromkeys(calls.keys() or {"gate"}, new)
    swapped = swap(model, example=example, **kinds)  # type: ignore[arg-type]
    after = counted(swapped, example)
    assert after[new] == (inner or gates)
    assert sum(after.values()) == sum(operators.values())
    floats = [t for t in _tensors(run_on(swapped.train(), example)) if t.requires_grad]
    torch.stack([one.float().sum() for one in floats]).sum().backward()  # type: ignore[no-untyped-call]
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


def _tensors(item: Any) -> list[torch.Tensor]:
    if isinstance(item, torch.Tensor):
        return [item]
    parts = item.values() if isinstance(item, Mapping) else item
    return [one for part in parts for one in _tensors(part)] if _is_many(item) else []


def _is_many(item: Any) -> bool:
    return isinstance(item, Mapping | tuple | list)
