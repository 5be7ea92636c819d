"""A LoRA in training: peft adapters on the UNet's transformer blocks and, for trigger words, the text encoder."""

from __future__ import annotations

from typing import Any

from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from torch import Tensor, nn

UNET_TARGETS = ["to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2", "proj_in", "proj_out"]
TEXT_TARGETS = ["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"]
ADAPTER = "lora"


class Network:
    """Adapters of one rank on `unet` and, if given, `text_encoder`; everything else is frozen."""

    def __init__(self, unet: Any, text_encoder: Any | None, *, rank: int, alpha: float) -> None:  # noqa: ANN401
        self._parts = {"unet": (unet, UNET_TARGETS)}
        if text_encoder is not None:
            self._parts["text_encoder"] = (text_encoder, TEXT_TARGETS)
        for part, targets in self._parts.values():
            part.requires_grad_(requires_grad=False)
            config = LoraConfig(r=rank, lora_alpha=alpha, target_modules=targets)
            part.add_adapter(config, adapter_name=ADAPTER)
        self._layers = [
            module for part, _ in self._parts.values() for module in part.modules() if hasattr(module, "lora_A")
        ]
        self._scale = alpha / rank

    def parameters(self) -> list[nn.Parameter]:
        """The trainable parameters."""
        return [weight for part, _ in self._parts.values() for weight in part.parameters() if weight.requires_grad]

    def set_weight(self, weight: float) -> None:
        """Apply the LoRA with this weight, as a user does; may be negative."""
        for layer in self._layers:
            layer.scaling[ADAPTER] = self._scale * weight

    def tensors(self) -> dict[str, Tensor]:
        """Peft's own keys under `unet.` and `text_encoder.`, for example `unet.….to_q.lora_A.weight`.

        diffusers' helper for this mixes two namings, and such a file loads 28 of 84 modules without an error.
        """
        return {
            f"{name}.{key}": value.detach()
            for name, (part, _) in self._parts.items()
            for key, value in get_peft_model_state_dict(part, adapter_name=ADAPTER).items()
        }
