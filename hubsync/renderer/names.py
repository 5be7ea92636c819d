"""How LoRA files spell the modules of a pipeline: kohya, diffusers old and new, raw PEFT, ComfyUI, sgm block names.

Every spelling is flattened (dots become underscores, as kohya writes them) and looked up in one table made from the
pipeline's own module tree, so nothing is guessed from a name alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from torch import nn

from hubsync.renderer.sgm import sgm_path

_PREFIXES = {
    "unet": ("lora_unet_", "unet_", "diffusion_model_", "model_diffusion_model_", ""),
    "transformer": ("lora_transformer_", "lora_unet_", "transformer_", "diffusion_model_", ""),
    "text_encoder": ("lora_te_", "lora_te1_", "text_encoder_", ""),
    "text_encoder_2": ("lora_te2_", "text_encoder_2_"),
    "text_encoder_3": ("lora_te3_", "text_encoder_3_"),
}
_OLD_ATTENTION = {"q_proj": "to_q", "k_proj": "to_k", "v_proj": "to_v", "out_proj": "to_out"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A module a LoRA can change, and the pipeline component it belongs to."""

    component: str
    path: str
    module: nn.Linear | nn.Conv2d


def flatten(name: str) -> str:
    """A module's name as the table holds it; wrappers that say nothing about the module are dropped."""
    return name.replace("base_model.model.", "").replace(".processor.", ".").replace(".", "_")


def table_of(components: Mapping[str, nn.Module]) -> dict[str, Target]:
    """Every spelling of every linear and convolution of a pipeline's components."""
    table: dict[str, Target] = {}
    for component, model in components.items():
        for path, module in model.named_modules():
            if not isinstance(module, (nn.Linear, nn.Conv2d)):
                continue
            target = Target(component=component, path=path, module=module)
            for spelling in _spellings(component, path, model):
                for prefix in _PREFIXES.get(component, ()):
                    table.setdefault(prefix + flatten(spelling), target)
    return table


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
