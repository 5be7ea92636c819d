"""The checkpoint's parts, in the shapes of Stable Diffusion 1.5 made small, and its folder on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from hubsync.sandbox.train.pictures import CELL, SIDE
from hubsync.sandbox.train.safetensors_file import write_tensors

WIDTH = 64
"""Width of the text embedding and of the cross attention."""

CHANNELS = (32, 64, 64)


def new_unet() -> Any:  # noqa: ANN401
    """A UNet of 1.49 M parameters; one head per 32 channels, for 4 heads cost twice the time a step."""
    return UNet2DConditionModel(
        sample_size=SIDE // CELL,
        in_channels=4,
        out_channels=4,
        layers_per_block=1,
        block_out_channels=CHANNELS,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=WIDTH,
        attention_head_dim=(1, 2, 2),
        norm_num_groups=4,
    )


def new_text_encoder(tokenizer: Any) -> Any:  # noqa: ANN401
    """A CLIP text model of two layers."""
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=WIDTH,
            intermediate_size=2 * WIDTH,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=tokenizer.model_max_length,
            projection_dim=WIDTH,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            hidden_act="quick_gelu",
        )
    )


def new_autoencoder() -> Any:  # noqa: ANN401
    """A KL autoencoder, 64x64 px to 16x16 cells of 4 channels."""
    return AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(16, 32, 32),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=SIDE,
        scaling_factor=1.0,
    )


def new_scheduler() -> Any:  # noqa: ANN401
    """Stable Diffusion's noise schedule, with v-prediction so that colour is learned at high noise."""
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type="v_prediction",
    )


def save_model(model: Any, folder: Path) -> None:  # noqa: ANN401
    """Write configuration and weights of a diffusers model in half precision."""
    model.save_config(folder)
    _save_weights(model.state_dict(), folder / "diffusion_pytorch_model.safetensors")


def save_text_encoder(model: Any, folder: Path) -> None:  # noqa: ANN401
    """Write the text encoder with the `text_model.` that transformers 5.6 dropped but other tools look for."""
    model.config.architectures = [type(model).__name__]
    model.config.save_pretrained(folder)
    weights = {f"text_model.{key.removeprefix('text_model.')}": value for key, value in model.state_dict().items()}
    _save_weights(weights, folder / "model.safetensors")


def _save_weights(weights: dict[str, Tensor], path: Path) -> None:
    write_tensors(path, {key: value.detach().half() for key, value in weights.items()}, {"format": "pt"})


def load_words(folder: Path) -> tuple[Any, Any, Any]:
    """Tokenizer, text encoder and UNet of a checkpoint, in single precision."""
    tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer")
    text_encoder = CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=torch.float32)
    unet = UNet2DConditionModel.from_pretrained(folder / "unet", dtype=torch.float32)
    return tokenizer, text_encoder, unet


def load_pipeline(folder: Path) -> Any:  # noqa: ANN401
    """The whole checkpoint as an unmodified pipeline, silent, in single precision."""
    tokenizer, text_encoder, unet = load_words(folder)
    pipeline = StableDiffusionPipeline(
        vae=AutoencoderKL.from_pretrained(folder / "vae", dtype=torch.float32),
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=new_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline
