"""Which base-model family a network was made for: told by module names, then widths, then block counts, then metadata.

Block names and widths are those of the models, as diffusers, kohya-ss/sd-scripts and ComfyUI spell them. Many models
share names (Flux, SD3, Qwen-Image and Chroma all have `transformer_blocks.N.attn.to_q`): there the width decides, and
after it the number of blocks. Weights outrank metadata, which is often copied from another file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

_WRITERS = (
    "_attn1_to_", "_attn2_to_", "_attn_to_out", "_attn2_add_", "_ff_net_2", "_ff_context_net_2", "_ffn_net_2", "_mlp_2",
    "_mlp_fc2", "_mlp_down", "linear2", "_proj_out", "_forward_w2", "_forward_linear_2",
)  # fmt: skip
"""Modules whose outputs have the model's width, whatever they read."""

Families: TypeAlias = tuple[str | None, ...]
"""Families that fit, the likeliest first; None first where only metadata can say which; () where none fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a network's module names and widths say.

    denoiser, encoder: names of the modules of the UNet or transformer, and of the text encoders, one a line, with "_"
        for ".".
    sides_of: output and input width of the first module whose name holds a text; 0 where unknown.
    """

    denoiser: str
    encoder: str
    sides_of: Callable[[str], tuple[int, int]]

    def width(self, *marks: str) -> int:
        """The input width of the first denoiser module with the first mark that tells one; 0 where none does."""
        return next((width for mark in marks if self.has(mark) and (width := self.sides_of(mark)[1])), 0)

    def hidden(self, *marks: str) -> int:
        """The same, or else the output width of the first module that writes what the next block reads."""
        return self.width(*marks) or next((width for mark in _WRITERS if (width := self.outputs(mark))), 0)

    def outputs(self, mark: str) -> int:
        """The output width of the first denoiser module with the mark; 0 where unknown."""
        return self.sides_of(mark)[0] if self.has(mark) else 0

    def has(self, *marks: str) -> bool:
        """Whether a denoiser module's name holds one of the texts."""
        return _holds(self.denoiser, marks)

    def last(self, blocks: str) -> int:
        """Highest number of a block, -1 if there is none; "transformer_blocks" is not "single_transformer_blocks"."""
        return _last(self.denoiser, blocks)


def families_of(evidence: Evidence) -> Families | None:
    """The families whose weights these can be; None if names say nothing."""
    verdict = _signature(evidence.denoiser)
    if verdict is None:
        return _text_encoder(evidence) if evidence.encoder and not evidence.denoiser else None
    return (verdict,) if isinstance(verdict, str) else verdict(evidence)


def choose(families: Families | None, metadata: Mapping[str, str]) -> str | None:
    """The family, by the names of the command-line contract; None if the header does not tell."""
    if families is not None and len(families) < 2:
        return families[0] if families else None
    stated = stated_family(metadata)
    if families is None or stated in families:
        return stated
    return families[0]


@lru_cache(maxsize=64)
def _signature(denoiser: str) -> Verdict | None:
    return next((verdict for marks, verdict in _SIGNATURES if any(mark in denoiser for mark in marks)), None)


# Searching long names takes longer than reading them, and libraries repeat the same few lists of names.
@lru_cache(maxsize=1024)
def _holds(text: str, marks: tuple[str, ...]) -> bool:
    return any(mark in text for mark in marks)


@lru_cache(maxsize=256)
def _last(text: str, blocks: str) -> int:
    return max((int(number) for number in re.findall(rf"(?<!single_){blocks}_(\d{{1,4}})", text)), default=-1)


def _text_encoder(evidence: Evidence) -> Families:
    text = evidence.encoder
    if "query_key_value" in text:
        return ("kolors",)
    if "_te3_" in text or "text_encoder_3" in text:
        return ("sd3",)
    if "_te2_text_model" in text or "text_encoder_2_text_model" in text:
        return ("sdxl", "sd3")
    # Attention is square: OFT and (IA)3, which tell one side, tell enough.
    width = max(evidence.sides_of("self_attn")) or evidence.sides_of("mlp_fc1")[1]
    if "_te1_" in text:
        return (None, "sdxl", "flux1", "sd3") if width == 768 else ()
    return {768: ("sd1",), 1024: ("sd2",)}.get(width, ())


def _unet(evidence: Evidence) -> Families:
    """Stable Diffusion: the cross-attention reads CLIP 768 (1.x), OpenCLIP 1024 (2.x), or both (XL)."""
    if evidence.has("_attention_to_"):
        return ("cascade",)
    if width := evidence.width("attn2_to_k", "attn2_to_v"):
        return {768: ("sd1",), 1024: ("sd2",), 2048: _xl(evidence)}.get(width, ())
    own = evidence.width("attn1_to_", "attn2_to_q", "resnets", "in_layers", "_ff_net_0", "proj_in")
    if own % 320:
        return ()
    # Only XL has more than one transformer block at a place.
    if evidence.has("_transformer_blocks_1_") or "_te2_" in evidence.encoder or "encoder_2_" in evidence.encoder:
        return _xl(evidence)
    return (_text_encoder(evidence) if evidence.encoder else ()) or (None, "sd1", "sd2", "sdxl", "kolors")


def _xl(evidence: Evidence) -> Families:
    if "query_key_value" in evidence.encoder:
        return ("kolors",)
    return ("sdxl",) if evidence.encoder or evidence.has("input_blocks_") else ("sdxl", "kolors")


def _anima(evidence: Evidence) -> Families:
    # Language models call their attention alike, and count "layers".
    if not evidence.has("blocks_", "llm_adapter"):
        return ("other",)
    # 5120: Cosmos-Predict2 14B, whose smaller sister Anima grew from.
    return ("other",) if evidence.width("self_attn_q_proj", "self_attn_k_proj", "mlp_layer1") == 5120 else ("anima",)


def _hunyuan_video(evidence: Evidence) -> Families:
    if evidence.has("_mlp_fc") and not evidence.has("double_blocks", "single_blocks", "refiner", "transformer_blocks"):
        return _blocks(evidence)
    # 3584: HunyuanImage 2.1, which shares the names.
    return ("other",) if evidence.hidden(*_DOUBLE) == 3584 else ("hunyuan_video",)


def _next_dit(evidence: Evidence) -> Families:
    attention = ("attention_qkv", "attention_to_", "attn_to_q", "attn_to_k", "attn_to_v", "attention_out")
    width = evidence.hidden(*attention, "feed_forward_w1", "feed_forward_w3", "feed_forward_linear_1")
    if not width:
        # Both are told the time by a narrow vector: Lumina2's is 1024 wide, Z-Image's 256.
        if evidence.width("adaLN_modulation", "_norm1_linear") == 1024:
            return ("lumina2",)
        return ("lumina2",) if evidence.has("_attn_to_") else ("z_image", "lumina2")
    return {3840: ("z_image",), 2304: ("lumina2",), 4608: ("other",), 2520: ("other",)}.get(width, ())


def _pixart(evidence: Evidence) -> Families:
    return ("sana",) if evidence.width("cross_attn", "attn_qkv") == 2240 else ("pixart",)


_DOUBLE = (
    "attn_proj", "_attn_q", "_attn_k", "_attn_v", "_attn_to_q", "linear1", "_mod_lin", "modulation_lin", "_mlp_0",
    "_mlp_fc1", "qkv_lora",
)  # fmt: skip


def _double_blocks(evidence: Evidence) -> Families:
    width = evidence.hidden(*_DOUBLE)
    if width in {0, 3072}:
        return _flux(evidence, double=evidence.last("double_blocks"), single=evidence.last("single_blocks"))
    return {4096: ("flux2",), 6144: ("flux2",), 3584: ("other",), 2048: ("hunyuan_video",)}.get(width, ())


def _transformer_blocks(evidence: Evidence) -> Families:
    # SD3.5 medium has a second attention beside the joint one.
    joint = evidence.has("_attn_to_", "_attn_add_", "ff_context", "norm1_context", "single_transformer_blocks")
    if evidence.has("_attn1_") or (evidence.has("_attn2_") and not joint):
        return _cross_attention(evidence)
    double, single = evidence.last("transformer_blocks"), evidence.last("single_transformer_blocks")
    width = evidence.hidden(
        "_attn_to_", "_attn_add_", "_norm1_", "_norm_linear", "_ff_net_0", "_context_net_0", "proj_mlp"
    )
    # Flux.2 has 8 double blocks; a longer row of them is another model of the same width.
    if width == 6144:
        return ("krea2",) if double > 7 else ("flux2",)
    if not joint and width in {1152, 1920, 2048, 4096}:
        return {1152: ("pixart", "sana"), 1920: ("cogvideox",)}.get(width, ("ltx",))
    if width == 4096:
        return ("qwen_image",) if double > 7 else ("flux2",)
    if width == 3072:
        return _flux(evidence, double=double, single=single)
    # 512: the time that CogVideoX's norms are told. 12288 and more: Flux.2's single blocks, out of both their branches.
    return {
        1536: ("sd3",), 2432: ("sd3",), 3584: ("other",), 2048: ("hunyuan_video",), 512: ("cogvideox",),
        12288: ("flux2",), 16384: ("flux2",), 24576: ("flux2",),
    }.get(width, ())  # fmt: skip


def _flux(evidence: Evidence, *, double: int, single: int) -> Families:
    """Models of width 3072, by their numbers of double and single blocks (indices of the last ones)."""
    if double == 19 or single in {38, 39}:
        return ("hunyuan_video",)
    # Flux.2's feed-forward is three times as wide as the model, not four, and gated: its first half comes twice.
    gated = {evidence.outputs("img_mlp_0"), evidence.outputs("linear1")} & {18432, 27648}
    if (double, single) == (4, 19) or gated or evidence.width("linear2") == 12288 or evidence.width("_mlp_2") == 9216:
        return ("flux2",)
    # Ovis-Image and LongCat-Image.
    if (double, single) in {(5, 26), (9, 19)}:
        return ("other",)
    if evidence.has("norm1_linear", "norm1_context", "norm_linear", "_mod_lin", "modulation_lin", "guidance_in"):
        return ("flux1",)
    if double < 0 and single == 31:
        return ("auraflow", "flux1")
    if single < 0 and double != 18 and evidence.has("transformer_blocks") and not evidence.has("_ff_"):
        return ("qwen_image", "flux1", "chroma") if double < 18 else ("qwen_image",)
    return ("flux1", "chroma")


def _cross_attention(evidence: Evidence) -> Families:
    width, text = evidence.hidden("_attn1_to_", "_attn2_to_q"), evidence.width("_attn2_to_k", "_attn2_to_v")
    if text == 1024:
        return {2048: ("anima",), 1408: ("hunyuan_dit",)}.get(width, ("other",))
    # 4096 without a second attention: CogView4, or LTX-2 with its 48 blocks; 3072 with more than CogVideoX's 42: Mochi.
    last = evidence.last("transformer_blocks")
    if (width == 4096 and not text and last < 28) or (width == 3072 and last > 41):
        return ("other",)
    return {
        1152: ("pixart", "sana"), 2240: ("sana",), 2048: ("ltx",), 4096: ("ltx",), 1920: ("cogvideox",),
        3072: ("cogvideox",), 2560: ("other",), 2304: ("other",), 5120: ("wan",),
        1536: ("other",) if evidence.has("_attn1_") else ("sd3",),  # Stable Audio; the second attention of SD3.5 medium
    }.get(width, ())  # fmt: skip


def _blocks(evidence: Evidence) -> Families:
    width = evidence.hidden(
        "_attn1_to_", "_attn2_to_q", "_attn_qkv", "_ffn_net_0", "_ff_net_0", "_mlp_fc1", "_mlp_up", "_mlp_gate"
    )
    return {
        1536: ("wan",), 3072: ("wan",), 5120: ("wan",), 1408: ("hunyuan_dit",), 1152: ("pixart", "sana"),
        2240: ("sana",), 6144: ("krea2",),
    }.get(width, ())  # fmt: skip


Verdict: TypeAlias = str | Callable[[Evidence], Families]

_SIGNATURES: tuple[tuple[tuple[str, ...], Verdict], ...] = (
    (("txtfusion", "text_fusion", "_attn_gate", "_attn_to_gate", "_attn_wq", "_attn_wk", "_attn_wv",
      "_attn_wo"), "krea2"),
    (("double_stream_blocks", "single_stream_blocks"), "hidream"),
    (("joint_transformer_blocks", "_ff_out_projection", "_ff_linear_1", "_ff_linear_2", "_attn_w1q", "_attn_w2q",
      "double_layers_", "single_layers_"), "auraflow"),
    (("joint_blocks_",), "sd3"),
    (("prior_unet", "kv_mapper", "_channelwise_", "_attention_attn_"), "cascade"),
    (("_img_mlp_net_", "_txt_mlp_net_", "_img_mod_1", "_txt_mod_1"), "qwen_image"),
    (("distilled_guidance_layer", "nerf_blocks_"), "chroma"),
    (("visual_transformer_blocks", "temporal_transformer_blocks", "mode_blocks_", "self_attention_to_"), "other"),
    (("to_qkv_mlp_proj", "double_stream_modulation", "single_stream_modulation", "_ff_context_linear_",
      "_ff_linear_in", "_ff_linear_out"), "flux2"),
    (("_ff_conv_",), "sana"),
    (("_attn1_add_", "img_qkv_proj", "_attn_qkv_x", "_attn_qkv_y"), "other"),
    (("audio_attn", "audio_to_video", "video_to_audio", "_to_gate_logits"), "ltx"),
    (("_attn1_Wqkv", "_attn2_q_proj", "_attn2_kv_proj", "_attn1_out_proj", "_attn2_out_proj",
      "default_modulation"), "hunyuan_dit"),
    (("llm_adapter", "adaln_modulation_", "attn_q_proj", "attn_k_proj", "attn_v_proj", "attn_output_proj",
      "mlp_layer1", "mlp_layer2"), _anima),
    (("cross_attn_q_linear", "cross_attn_kv_linear"), _pixart),
    (("refiner_blocks", "token_refiner", "mod_linear", "modulation_linear", "mlp_fc1", "mlp_fc2"), _hunyuan_video),
    (("self_attn_", "cross_attn_", "_ffn_", "vace_blocks"), "wan"),
    (("down_blocks_", "up_blocks_", "mid_block_", "input_blocks_", "output_blocks_", "middle_block_"), _unet),
    (("context_refiner", "noise_refiner", "layers_"), _next_dit),
    (("double_blocks_", "single_blocks_"), _double_blocks),
    (("transformer_blocks_",), _transformer_blocks),
    (("blocks_",), _blocks),
)  # fmt: skip
"""The first row one of whose texts a denoiser module's name holds decides."""

_STATED = {
    "stablediffusionv1": "sd1", "sdv1": "sd1", "sd1": "sd1", "stablediffusionv2": "sd2", "sdv2": "sd2", "sd2": "sd2",
    "stablediffusionxl": "sdxl", "sdxl": "sdxl", "pony": "sdxl", "illustrious": "sdxl", "noobai": "sdxl",
    "stablediffusion3": "sd3", "sd3": "sd3", "flux2": "flux2", "flux": "flux1", "chroma": "chroma", "pixart": "pixart",
    "hunyuandit": "hunyuan_dit", "hunyuanvideo": "hunyuan_video", "framepack": "hunyuan_video", "wan": "wan",
    "ltx": "ltx", "cogvideox": "cogvideox", "qwenimage": "qwen_image", "zimage": "z_image", "lumina2": "lumina2",
    "auraflow": "auraflow", "sana": "sana", "hidream": "hidream", "kolors": "kolors", "stablecascade": "cascade",
    "krea2": "krea2", "anima": "anima",
}  # fmt: skip
"""How base models begin in metadata, written small and without punctuation."""


@lru_cache(maxsize=256)
def _named(name: str) -> str | None:
    letters = re.sub(r"[^a-z0-9]", "", name.lower())
    return next((family for start, family in _STATED.items() if letters.startswith(start)), None)


def stated_family(metadata: Mapping[str, str]) -> str | None:
    """The family that metadata states; it is often copied from another file."""
    for key in ("modelspec.architecture", "ss_base_model_version"):
        if (name := metadata.get(key)) and (family := _named(name)):
            return family
    return {"True": "sd2", "False": "sd1"}.get(metadata.get("ss_v2", ""))
