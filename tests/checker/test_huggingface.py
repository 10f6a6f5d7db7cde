"""Healthy architectures of Hugging Face, built from their configurations with random weights.

Needs transformers (a development extra); slow, for its import alone.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from actlab.checker.api import check

pytestmark = pytest.mark.slow

SMALL = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64,
}  # fmt: skip
TEXT = {**SMALL, "vocab_size": 100, "max_position_embeddings": 64}
IMAGE = {**SMALL, "image_size": 32, "patch_size": 8, "num_labels": 5}
CONV = {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "num_labels": 5}
SPEECH = {
    **SMALL, "vocab_size": 30, "conv_dim": (16, 16), "conv_kernel": (10, 3), "conv_stride": (5, 2),
    "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4, "mask_time_prob": 0.0,
}  # fmt: skip
SEQUENCE = {
    "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4,
    "decoder_attention_heads": 4, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "vocab_size": 100,
}  # fmt: skip
GPT = {"n_embd": 32, "n_layer": 2, "n_head": 4, "vocab_size": 100, "n_positions": 64}

Built = tuple[Any, Callable[[Any, Any], Tensor], tuple[Any, Any]]


def ids(samples: int = 4, length: int = 10) -> Tensor:
    return torch.randint(3, 100, (samples, length))


def images(samples: int = 4, side: int = 32) -> Tensor:
    return torch.randn(samples, 3, side, side)


def of_class(out: Any, y: Tensor) -> Tensor:
    return F.cross_entropy(out.logits, y)


def of_token(out: Any, y: Tensor) -> Tensor:
    return F.cross_entropy(out.logits.flatten(0, 1), y.flatten())


def own(out: Any, _y: Tensor) -> Any:
    return out.loss


CLASSIFIERS = {
    "Bert": TEXT, "Roberta": TEXT, "Albert": {**TEXT, "embedding_size": 16}, "MPNet": TEXT,
    "Electra": {**TEXT, "embedding_size": 16}, "DebertaV2": TEXT,
}  # fmt: skip
LANGUAGE_MODELS = {
    "GPT2": GPT, "GPTNeoX": TEXT, "Llama": TEXT, "Mistral": {**TEXT, "num_key_value_heads": 2},
    "Mixtral": {**TEXT, "num_key_value_heads": 2, "num_local_experts": 4}, "Phi": TEXT,
    "Qwen2": {**TEXT, "num_key_value_heads": 2}, "Gemma2": {**TEXT, "head_dim": 8},
    "Mamba": {"hidden_size": 32, "num_hidden_layers": 2, "vocab_size": 100, "state_size": 8},
    "OPT": {**SMALL, "ffn_dim": 64, "vocab_size": 100, "word_embed_proj_dim": 32},
}  # fmt: skip
VISION = {
    "ViT": IMAGE, "DeiT": IMAGE, "Beit": IMAGE, "ResNet": CONV,
    "ConvNext": {**CONV, "num_stages": 2}, "RegNet": {**CONV, "groups_width": 4},
    "Swin": {"embed_dim": 16, "depths": [1, 1], "num_heads": [2, 2], "window_size": 2,
             "image_size": 32, "patch_size": 4, "num_labels": 5},
    "MobileNetV2": {"depth_multiplier": 0.35, "image_size": 32, "num_labels": 5},
}  # fmt: skip
OTHERS = {
    "T5": ("ForConditionalGeneration",
           {"d_model": 32, "num_layers": 2, "num_heads": 4, "d_kv": 8, "d_ff": 64,
            "vocab_size": 100, "decoder_start_token_id": 0}),
    "Bart": ("ForConditionalGeneration", {**SEQUENCE, "max_position_embeddings": 64}),
    "Whisper": ("ForConditionalGeneration",
                {**SEQUENCE, "num_mel_bins": 8, "max_source_positions": 20, "pad_token_id": 0,
                 "max_target_positions": 40, "bos_token_id": 1, "eos_token_id": 2,
                 "decoder_start_token_id": 1}),
    "Wav2Vec2": ("ForCTC", SPEECH),
    "CLIP": ("Model", {"text_config": TEXT, "vision_config": {**SMALL, "image_size": 32,
                                                              "patch_size": 8},
                       "projection_dim": 16}),
}  # fmt: skip


def build(name: str) -> Built:
    transformers = pytest.importorskip("transformers")

    def made(suffix: str, settings: dict[str, Any]) -> Any:
        config = getattr(transformers, f"{name}Config")(**settings)
        return getattr(transformers, name + suffix)(config)

    if name in CLASSIFIERS:
        model = made("ForSequenceClassification", {**CLASSIFIERS[name], "num_labels": 3})
        return model, of_class, ({"input_ids": ids()}, torch.arange(4) % 3)
    if name in LANGUAGE_MODELS:
        suffix = "LMHeadModel" if name == "GPT2" else "ForCausalLM"
        return made(suffix, LANGUAGE_MODELS[name]), of_token, ({"input_ids": ids()}, ids())
    if name in VISION:
        model = made("ForImageClassification", VISION[name])
        return model, of_class, ({"pixel_values": images()}, torch.arange(4))
    suffix, settings = OTHERS[name]
    inputs: dict[str, Any] = {"input_ids": ids(), "labels": ids()}
    if name == "Whisper":
        inputs = {"input_features": torch.randn(2, 8, 40), "labels": ids(2, 8)}
    elif name == "Wav2Vec2":
        inputs = {"input_values": torch.randn(2, 1000), "labels": torch.randint(1, 30, (2, 5))}
    elif name == "CLIP":
        inputs = {"input_ids": ids(), "pixel_values": images(), "return_loss": True}
    return made(suffix, settings), own, (inputs, torch.zeros(4))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [*CLASSIFIERS, *LANGUAGE_MODELS, *VISION, *OTHERS])
def test_a_healthy_architecture_has_no_error(name: str) -> None:
    torch.manual_seed(0)
    report = check(*build(name))
    assert report.errors == (), str(report)
    assert not [f for f in report.warnings if f.code < "ACT500"], str(report)
    assert not [item for item in report.unchecked if "fault of actlab" in item.reason]


@pytest.mark.filterwarnings("ignore")
def test_a_fault_in_one_of_them_is_found() -> None:
    torch.manual_seed(0)
    model, _loss, batch = build("Bert")

    def softmax_first(out: Any, y: Tensor) -> Tensor:
        return F.cross_entropy(out.logits.softmax(-1), y)

    assert "ACT101" in check(model, softmax_first, batch).codes
