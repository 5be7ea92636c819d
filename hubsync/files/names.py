"""What the names of a file's tensors tell by themselves: kind, layout, adapted modules.

Libraries repeat the same few lists of names thousands of times, so the answer for a list is remembered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from hubsync.files.adapters import Group, find_groups

Kind = Literal["lora", "embedding", "checkpoint", "other"]

_TEXT_ENCODERS = (
    "lora_te", "oft_te", "lora_prior_te", "lycoris_te", "text_encoder", "text_model.", "clip_", "t5", "conditioner.",
    "cond_stage_model.", "base_model.model.text_model",
)  # fmt: skip
_PREFIX = re.compile(
    r"^(?:base_model\.model\.|(?:model\.)?diffusion_model\.|unet\.|transformer\.|lora_unet_|lycoris_)+"
)
_FOREIGN = re.compile(
    r"^(?:control_model\.|controlnet|lora_controlnet$|lllite_|ip_adapter[_.]|image_proj\.|input_hint_block|id_encoder\.|"
    r"position_net\.)",
    re.MULTILINE,
)
_INNER_IP_ADAPTER = ".ip_adapter_"
# Weights with these names are no image model: motion modules; text and image encoders. A LoRA may be for one.
_PART = re.compile(
    r"^(?:shared\.|token_embedding|embed_tokens|cls_token|visual\.|vision_model\.|text_model\.|[^\n]*\.motion_modules\.)",
    re.MULTILINE,
)
# Beside a LoRA: a Flux control LoRA, which changes the model's input and draws no style.
_CONTROL = ".norm.query_norm.scale"
_EMBEDDING = re.compile(r"^emb_params$|^clip_[lg]$|^string_to_param", re.MULTILINE)
_CHECKPOINT = re.compile(
    r"^(?:(?:model\.diffusion_model|first_stage_model|cond_stage_model|conditioner\.embedders)\.)", re.MULTILINE
)
_PLACE = r"^(?:(?:diffusion_model|transformer|unet|net)\.)?"
_BLOCKS = re.compile(
    _PLACE
    + r"(?:\w*transformer_blocks|(?:double|single)_(?:stream_)?(?:blocks|layers)|(?:joint|input|down)_blocks)\.\d",
    re.MULTILINE,
)
# Encoders and upscalers have such rows too; only a denoiser is told how much noise there is.
_ROW = re.compile(_PLACE + r"(?:blocks|layers)\.\d", re.MULTILINE)
_TIMED = re.compile(r"(?i)modulation|adaLN|scale_shift_table|t_embedder|tmlp|time(?:step)?_(?:emb|in\b|proj|text)")
_LAYOUTS = (
    ("peft", re.compile(r"^base_model\.model\.|\.lora_A\.[^.]+\.weight$")),
    ("xlabs", re.compile(r"\.processor\.(?:qkv|proj)_lora[12]?\.")),
    ("kohya", re.compile(r"^(?:lora|lycoris|oft)_")),
    ("bfl", re.compile(r"^(?:model\.)?diffusion_model\.|^(?:transformer\.)?(?:double|single)_blocks\.")),
    ("diffusers", re.compile(r"^(?:unet|prior|transformer(?:_2)?|text_encoder(?:_[23])?)\.")),
    ("diffusers", re.compile(r"^(?:\w*transformer_blocks|(?:down|up)_blocks|mid_block)\.")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What a list of tensor names tells.

    kind: None if the shapes must say.
    modules: the adapted modules, those of the UNet or transformer first; of a file that adapts none, its tensors.
    lines: the same, spelled so that all layouts read alike: without prefix and "processor", with "_" for ".".
    denoiser, encoder: the lines of the UNet or transformer, and those of the text encoders, each as one text.
    encoders: how many of the modules are of text encoders.
    decomposed, core: whether there are DoRA magnitudes, and Tucker cores.
    """

    kind: Kind | None
    layout: str | None
    groups: tuple[Group, ...]
    modules: tuple[str, ...]
    lines: tuple[str, ...]
    encoders: int
    denoiser: str
    encoder: str
    decomposed: bool
    core: bool


@lru_cache(maxsize=64)
def read_names(tensors: tuple[str, ...]) -> Names:
    """Read a list of tensor names."""
    text = "\n".join(tensors)
    groups = find_groups(tensors)
    names = [name for group in groups for name in group.names] or [name.removesuffix(".weight") for name in tensors]
    encoder = [name for name in names if name.startswith(_TEXT_ENCODERS)]
    denoiser = [name for name in names if not name.startswith(_TEXT_ENCODERS)]
    modules = (*denoiser, *encoder)
    lines = tuple(_PREFIX.sub("", name).replace(".", "_").replace("_processor_", "_") for name in modules)
    return Names(
        kind=_kind(text, adapts=bool(groups)),
        layout=_layout(groups) if groups else None,
        groups=groups,
        modules=modules,
        lines=lines,
        encoders=len(encoder),
        denoiser="\n".join(lines[: len(denoiser)]),
        encoder="\n".join(lines[len(denoiser) :]),
        decomposed=any(mark in text for mark in (".dora_scale", "lora_magnitude_vector", ".magnitude")),
        core=".lora_mid." in text,
    )


def _kind(text: str, *, adapts: bool) -> Kind | None:
    if _FOREIGN.search(text) or _INNER_IP_ADAPTER in text or (adapts and _CONTROL in text):
        return "other"
    if adapts:
        return "lora"
    if _EMBEDDING.search(text):
        return "embedding"
    if _CHECKPOINT.search(text):
        return "checkpoint"
    if _PART.search(text):
        return "other"
    return "checkpoint" if _BLOCKS.search(text) or (_ROW.search(text) and _TIMED.search(text)) else None


def _layout(groups: Sequence[Group]) -> str:
    """The first denoiser module tells: text encoders are spelled alike everywhere."""
    leads = [lead for group in groups for lead in group.leads]
    lead = next((lead for lead in leads if not lead.startswith(_TEXT_ENCODERS)), leads[0])
    return next((layout for layout, pattern in _LAYOUTS if pattern.search(lead)), "other")
