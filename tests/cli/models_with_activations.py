"""Forty-two networks with random weights, and what their activations compute by their authors.

The names are those of the configurations and papers, not what actlab found.
"""

import os
from typing import Any

import torch
from torch import nn

SMALL = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48,
    "vocab_size": 99, "max_position_embeddings": 64,
}  # fmt: skip
GROUPED = SMALL | {"num_key_value_heads": 2}
T5 = {"d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4, "vocab_size": 99}

TRANSFORMERS: dict[str, tuple[str, str, dict[str, Any], set[str]]] = {
    "bert": ("BertModel", "BertConfig", SMALL, {"gelu", "tanh"}),
    "roberta": (
        *("RobertaModel", "RobertaConfig", SMALL | {"hidden_act": "gelu_new"}),
        {"gelu_tanh", "tanh"},
    ),
    "electra": (
        *("ElectraModel", "ElectraConfig", SMALL | {"embedding_size": 32, "hidden_act": "relu"}),
        {"relu"},
    ),
    "distilbert": (
        "DistilBertModel",
        "DistilBertConfig",
        {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48, "vocab_size": 99},
        {"gelu"},
    ),
    "albert": (
        "AlbertModel",
        "AlbertConfig",
        SMALL | {"embedding_size": 16},
        {"gelu_tanh", "tanh"},
    ),
    "gpt2": (
        "GPT2Model",
        "GPT2Config",
        {"n_embd": 32, "n_layer": 2, "n_head": 4, "vocab_size": 99, "n_positions": 64},
        {"gelu_tanh"},
    ),
    "gpt_neo": (
        "GPTNeoModel",
        "GPTNeoConfig",
        {
            "hidden_size": 32,
            "num_layers": 2,
            "num_heads": 4,
            "vocab_size": 99,
            "attention_types": [[["global", "local"], 1]],
            "max_position_embeddings": 64,
        },
        {"gelu_tanh"},
    ),
    "gpt_neox": ("GPTNeoXModel", "GPTNeoXConfig", SMALL, {"gelu"}),
    "opt": (
        "OPTModel",
        "OPTConfig",
        {
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "ffn_dim": 48,
            "vocab_size": 99,
            "word_embed_proj_dim": 32,
            "max_position_embeddings": 64,
        },
        {"relu"},
    ),
    "bloom": (
        "BloomModel",
        "BloomConfig",
        {"hidden_size": 32, "n_layer": 2, "n_head": 4, "vocab_size": 99},
        {"gelu_tanh"},
    ),
    "falcon": (
        "FalconModel",
        "FalconConfig",
        {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 99},
        {"gelu"},
    ),
    "llama": ("LlamaModel", "LlamaConfig", GROUPED, {"silu"}),
    "mistral": ("MistralModel", "MistralConfig", GROUPED, {"silu"}),
    "qwen2": ("Qwen2Model", "Qwen2Config", GROUPED, {"silu"}),
    "gemma": ("GemmaModel", "GemmaConfig", GROUPED | {"head_dim": 8}, {"gelu_tanh"}),
    "gemma2": (
        "Gemma2ForCausalLM",
        "Gemma2Config",
        GROUPED | {"head_dim": 8, "attn_implementation": "eager", "final_logit_softcapping": 25.0},
        {"gelu_tanh", "softcap(cap=50)", "softcap(cap=25)"},
    ),
    "phi": ("PhiModel", "PhiConfig", SMALL, {"gelu_tanh"}),
    "nemotron": ("NemotronModel", "NemotronConfig", GROUPED, {"relu_squared"}),
    "t5": ("T5EncoderModel", "T5Config", T5, {"relu"}),
    "t5_gated": (
        *("T5EncoderModel", "T5Config", T5 | {"feed_forward_proj": "gated-gelu"}),
        {"gelu_tanh"},
    ),
    "clip": ("CLIPTextModel", "CLIPTextConfig", SMALL, {"quick_gelu"}),
    "vit": (
        "ViTModel",
        "ViTConfig",
        {
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "intermediate_size": 48,
            "image_size": 32,
            "patch_size": 8,
        },
        {"gelu", "tanh"},
    ),
    "convnext": (
        "ConvNextModel",
        "ConvNextConfig",
        {"hidden_sizes": [8, 16, 32, 64], "depths": [1, 1, 1, 1], "image_size": 32},
        {"gelu"},
    ),
    "mobilenet_v2": (
        *("MobileNetV2Model", "MobileNetV2Config", {"image_size": 32, "depth_multiplier": 0.35}),
        {"relu6"},
    ),
}
TORCHVISION: dict[str, set[str]] = {
    "resnet18": {"relu"},
    "mobilenet_v2": {"relu6"},
    "mobilenet_v3_small": {"hardswish", "hardsigmoid", "relu"},
    "efficientnet_b0": {"silu", "sigmoid"},
    "convnext_tiny": {"gelu"},
    "swin_t": {"gelu"},
    "regnet_x_400mf": {"relu"},
    "squeezenet1_1": {"relu"},
}
TIMM: dict[str, set[str]] = {
    "mobilenetv3_small_050": {"hardswish", "hardsigmoid", "relu"},
    "efficientnet_lite0": {"relu6"},
    "convnext_atto": {"gelu"},
    "mixer_s32_224": {"gelu"},
    "caformer_s18": {"relu_squared"},  # StarReLU as timm starts it: s = 1, b = 0
    "cspdarknet53": {"leaky_relu(negative_slope=0.01)"},
    "levit_128s": {"hardswish"},
    "eva02_tiny_patch14_224": {"silu"},
    "tresnet_m": {
        *("leaky_relu(negative_slope=0.01)", "leaky_relu(negative_slope=0.001)"),
        *("relu", "sigmoid"),
    },
    "fbnetv3_b": {"hardswish", "hardsigmoid"},
}
COMPUTED = {
    **{name: row[3] for name, row in TRANSFORMERS.items()},
    **{f"torchvision {name}": calls for name, calls in TORCHVISION.items()},
    **{f"timm {name}": calls for name, calls in TIMM.items()},
}
EXPORTED = (
    *("bert", "gpt2", "llama", "gemma2", "clip", "opt", "vit"),
    *("torchvision mobilenet_v3_small", "torchvision efficientnet_b0", "timm cspdarknet53"),
)
_WHOLE = ("mixer_s32_224", "levit_128s", "eva02_tiny_patch14_224")


def build(name: str) -> nn.Module:
    """Return a network with random weights."""
    torch.manual_seed(0)
    os.environ["HF_HUB_OFFLINE"] = "1"
    library, _space, plain = name.rpartition(" ")
    if library == "torchvision":
        import torchvision

        made: nn.Module = torchvision.models.get_model(plain, weights=None)
    elif library == "timm":
        import timm

        made = timm.create_model(plain, pretrained=False)
    else:
        import transformers

        model, config, settings, _computed = TRANSFORMERS[name]
        made = getattr(transformers, model)(getattr(transformers, config)(**settings))
    return made.eval()


def shape(name: str) -> str | None:
    """Return the shape of an image, as the command line takes it; None where a model says it."""
    if name in TRANSFORMERS:
        return None
    return "1,3,224,224" if name.rpartition(" ")[2] in _WHOLE else "1,3,64,64"


class Exportable(nn.Module):
    """The first output of a model of transformers, without a cache."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        caches = hasattr(model.config, "use_cache") and "vit" not in model.config.model_type
        self.options = {"use_cache": False} if caches else {}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.model(**{self.model.main_input_name: x}, **self.options)[0]
        return found


def exportable(name: str) -> tuple[nn.Module, torch.Tensor]:
    """Return what is exported, and an example."""
    model = build(name)
    if name not in TRANSFORMERS:
        return model, torch.randn(1, 3, 64, 64)
    if model.main_input_name == "pixel_values":
        return Exportable(model), torch.randn(1, 3, 32, 32)
    return Exportable(model), torch.tensor([[3, 4, 5, 6, 7, 8]])
