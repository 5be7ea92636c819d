"""How LoRA files spell the modules of a pipeline: kohya, diffusers old and new, raw PEFT, ComfyUI, OneTrainer, XLabs,
and the block names of the models' first code (sgm, Black Forest Labs, Stability's SD 3).

Every spelling is flattened (dots become underscores, as kohya writes them) and looked up in one table made from the
pipeline's own module tree, so nothing is guessed from a name alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from torch import Tensor, nn

from hubsync.renderer.fused import fused_modules
from hubsync.renderer.sgm import sgm_path

_PREFIXES = {
    "unet": ("lora_unet_", "unet_", "diffusion_model_", "model_diffusion_model_", "lycoris_", ""),
    "transformer": ("lora_transformer_", "lora_unet_", "transformer_", "diffusion_model_", "lycoris_", ""),
    "text_encoder": (
        "lora_te_",
        "lora_te1_",
        "text_encoder_",
        "clip_l_transformer_",
        "text_encoders_clip_l_transformer_",
        "",
    ),
    "text_encoder_2": ("lora_te2_", "text_encoder_2_", "clip_g_transformer_", "text_encoders_clip_g_transformer_"),
    "text_encoder_3": ("lora_te3_", "text_encoder_3_", "text_encoders_t5xxl_transformer_"),
}
_T5_SECOND = ("lora_te3_", "text_encoders_t5xxl_transformer_")
"""Further prefixes of Flux.1's T5, which is diffusers' second text encoder: kohya keeps the number it has in SD 3."""
_OLD_ATTENTION = {"q_proj": "to_q", "k_proj": "to_k", "v_proj": "to_v", "out_proj": "to_out"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A module a LoRA can change, and the pipeline component it belongs to. `module` has a weight."""

    component: str
    path: str
    module: Any


@dataclass(frozen=True, slots=True)
class Share:
    """A target's share in a module as a file names it: the output rows `rows` of `total`; None where it is all."""

    target: Target
    rows: Tensor | None = None
    total: int = 0


Table: TypeAlias = Mapping[str, tuple[Share, ...]]
"""What each flattened spelling means: one module, or several that the file holds fused into one."""


def flatten(name: str) -> str:
    """A module's name as the table holds it; wrappers that say nothing about the module are dropped."""
    return name.replace("base_model.model.", "").replace(".processor.", ".").replace(".", "_")


def table_of(components: Mapping[str, nn.Module]) -> Table:
    """Every spelling of every module with a weight of a pipeline's components, embeddings aside."""
    table: dict[str, tuple[Share, ...]] = {}
    for component, model in components.items():
        targets = {
            path: Target(component=component, path=path, module=module)
            for path, module in model.named_modules()
            if isinstance(getattr(module, "weight", None), Tensor) and not isinstance(module, nn.Embedding)
        }
        prefixes = _prefixes(component, components)
        for path, target in targets.items():
            for spelling in _spellings(component, path, model):
                for prefix in prefixes:
                    table.setdefault(prefix + flatten(spelling), (Share(target),))
        for name, parts in fused_modules({path: target.module.weight for path, target in targets.items()}):
            shares = tuple(Share(targets[part.path], part.rows, part.total) for part in parts)
            for prefix in prefixes:
                table.setdefault(prefix + flatten(name), shares)
    return table


def _prefixes(component: str, components: Mapping[str, nn.Module]) -> tuple[str, ...]:
    prefixes = _PREFIXES.get(component, ())
    return (
        (*prefixes, *_T5_SECOND) if component == "text_encoder_2" and "text_encoder_3" not in components else prefixes
    )


def _spellings(component: str, path: str, model: nn.Module) -> Iterator[str]:
    yield path
    if component.startswith("text_encoder"):
        # transformers 5.6 took `text_model.` out of CLIPTextModel; files keep it.
        bare = path.removeprefix("text_model.")
        parent, _, last = bare.rpartition(".")
        old = f"{parent}.{_OLD_ATTENTION.get(last, last)}"
        yield from (bare, f"text_model.{bare}", old, f"text_model.{old}")
        return
    yield path.removesuffix(".0")  # diffusers before 0.22 wrote to_out.0 as to_out
    if component == "unet" and (sgm := sgm_path(path, model)):
        yield sgm
