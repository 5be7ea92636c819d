"""What to call a sound safetensors file that is no LoRA and no embedding, by the names of its tensors."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hubsync.files.names import Kind

_CALLED = (
    ("a ControlNet", r"^control_model\.|^controlnet|^input_hint_block|^lora_controlnet$|^lllite_"),
    ("an IP-Adapter", r"(?:^|\.)ip_adapter[_.]|^image_proj\.|^id_encoder\."),
    ("a motion module", r"\.motion_modules\."),
    ("a LoRA that controls", r"\.norm\.query_norm\.scale$|x_embedder\.lora_A\."),
    ("a VAE", r"^(?:vae\.|first_stage_model\.)?(?:encoder|decoder)\.(?:conv_in|conv1|mid|mid_block|down|up|middle)\b"),
    ("a text encoder", r"^(?:shared|token_embedding|embed_tokens|text_model|encoder\.block\.0|encoder\.final)\b"),
    ("an image encoder", r"^(?:cls_token|visual|vision_model)\b"),
    ("a language model", r"^(?:base_model\.model\.)?model\.layers\.\d"),
    ("an upscaler", r"^(?:conv_first|body\.0|layers\.0\.residual_group|model\.0)\b"),
)
_PATTERNS = tuple((words, re.compile(pattern, re.MULTILINE)) for words, pattern in _CALLED)


def called(kind: Kind, tensors: Iterable[str]) -> str:
    """A few words for what the file is; empty for a LoRA or an embedding."""
    if kind in {"lora", "embedding"}:
        return ""
    if kind == "checkpoint":
        return "a checkpoint"
    text = "\n".join(tensors)
    if not text:
        return "a file without tensors"
    return next((words for words, pattern in _PATTERNS if pattern.search(text)), "a model of another kind")
