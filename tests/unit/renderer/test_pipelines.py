"""SDXL and SD 3 in their real shapes, made small and random: drawn as diffusers draws them, with LoRAs in a batch."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch
from diffusers import (
    AutoencoderKL,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from safetensors.torch import save_file
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    T5Config,
    T5EncoderModel,
)

from hubsync.render import wire
from hubsync.renderer.drawing import Artist
from hubsync.renderer.loading import components
from hubsync.renderer.names import table_of
from hubsync.renderer.networks import Network, load_network
from tests.unit.renderer.conftest import (
    DATA,
    Pipeline,
    draw,
    modules,
    new_pipeline,
    random_lora,
    request,
    row,
    worn,
)

# diffusers' schedulers hand tensors to numpy in a way numpy 2 warns about.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")

CLOSE = 1e-5
PROMPT = "a red circle on blue"


def tokenizer(**special: str) -> CLIPTokenizer:
    """The shipped checkpoint's, with other special tokens."""
    return CLIPTokenizer.from_pretrained(DATA / "checkpoint" / "tokenizer", **special)


def clip(width: int, projection: int) -> CLIPTextConfig:
    """A text encoder of two layers for that tokenizer."""
    known = tokenizer()
    return CLIPTextConfig(
        vocab_size=len(known),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=2,
        num_attention_heads=4,
        projection_dim=projection,
        bos_token_id=known.bos_token_id,
        eos_token_id=known.eos_token_id,
    )


def autoencoder(channels: int) -> AutoencoderKL:
    """Eight pixels a cell, as the real ones."""
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 8, 8, 8),
        norm_num_groups=4,
        latent_channels=channels,
        shift_factor=0.06,
    )


@pytest.fixture(scope="module")
def sdxl(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """Two text encoders, pooled text and sizes added to the time embedding, SDXL's blocks."""
    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(8, 16, 16),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=(1, 1, 2),
        attention_head_dim=(1, 2, 2),
        norm_num_groups=4,
        cross_attention_dim=32 + 64,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=6 * 8 + 24,
    )
    folder = tmp_path_factory.mktemp("sdxl")
    StableDiffusionXLPipeline(
        vae=autoencoder(4),
        text_encoder=CLIPTextModel(clip(32, 32)),
        text_encoder_2=CLIPTextModelWithProjection(clip(64, 24)),
        tokenizer=tokenizer(),
        tokenizer_2=tokenizer(pad_token="!"),
        unet=unet,
        scheduler=EulerDiscreteScheduler(beta_schedule="scaled_linear", timestep_spacing="leading", steps_offset=1),
        add_watermarker=False,
    ).save_pretrained(folder)
    return new_pipeline(folder)


@pytest.fixture(scope="module")
def sd3() -> Pipeline:
    """A transformer over a flow, without the third text encoder, as many keep it."""
    torch.manual_seed(0)
    transformer = SD3Transformer2DModel(
        sample_size=8,
        patch_size=1,
        in_channels=16,
        num_layers=2,
        attention_head_dim=8,
        num_attention_heads=4,
        joint_attention_dim=96,
        caption_projection_dim=32,
        pooled_projection_dim=64,
        out_channels=16,
    )
    pipe = StableDiffusion3Pipeline(
        transformer=transformer,
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=autoencoder(16),
        text_encoder=CLIPTextModelWithProjection(clip(32, 32)),
        text_encoder_2=CLIPTextModelWithProjection(clip(32, 32)),
        text_encoder_3=None,
        tokenizer=tokenizer(),
        tokenizer_2=tokenizer(pad_token="!"),
        tokenizer_3=None,
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def by_diffusers(pipe: Pipeline, negative: str | None = None) -> torch.Tensor:
    """The pipeline left to itself."""
    picture: torch.Tensor = pipe(
        PROMPT,
        negative_prompt=negative,
        generator=torch.Generator().manual_seed(1),
        num_inference_steps=4,
        guidance_scale=3.0,
        output_type="pt",
    ).images[0]
    return picture


def test_sdxl_is_drawn_as_diffusers_draws_it(sdxl: Pipeline) -> None:
    """Both encoders, the pooled text, and no negative prompt at all where it is empty."""
    plain, negative = draw(sdxl, [row(PROMPT), wire.Row(prompt=PROMPT, negative="green", seed=1)], {})
    assert (plain - by_diffusers(sdxl)).abs().max() <= CLOSE
    assert (negative - by_diffusers(sdxl, "green")).abs().max() <= CLOSE
    assert (plain - negative).abs().max() > 10 * CLOSE


def test_a_transformer_is_drawn_as_diffusers_draws_it(sd3: Pipeline) -> None:
    """SD 3 gets its prompts as text, without the brackets its encoders would read, and says so."""
    said: list[wire.Line] = []
    asked = request(rows=(row("a (red circle:1.3) on blue"),), size=(64, 64))
    list(Artist(sd3, worn({}), {}, said.append).draw(asked))
    assert ["know no weights" in line.message for line in said if isinstance(line, wire.Note)] == [True]
    weighted, negative = draw(
        sd3, [row("a (red circle:1.3) on blue"), wire.Row(prompt=PROMPT, negative="green", seed=1)], {}
    )
    assert (weighted - by_diffusers(sd3)).abs().max() <= CLOSE
    assert (negative - by_diffusers(sd3, "green")).abs().max() <= CLOSE


def kohya_sdxl(component: str, path: str) -> dict[str, str]:
    """kohya's prefixes for two text encoders."""
    prefixes = {"unet": "lora_unet_", "text_encoder": "lora_te1_text_model_", "text_encoder_2": "lora_te2_"}
    module = prefixes[component] + path.replace(".", "_")
    return {"down": f"{module}.lora_down.weight", "up": f"{module}.lora_up.weight", "alpha": f"{module}.alpha"}


def transformer_layers(component: str, path: str) -> dict[str, str]:
    """diffusers' names for a transformer and its text encoders."""
    module = f"{component}.{path}"
    return {"down": f"{module}.lora_A.weight", "up": f"{module}.lora_B.weight"}


def networks(folder: Path, pipe: Pipeline, spell: object, *parts: str) -> dict[str, Network]:
    """Two LoRAs of different rank for these parts."""
    table = table_of(components(pipe))
    assert callable(spell)
    return {
        name: load_network(
            name,
            random_lora(folder / f"{name}.safetensors", modules(table, *parts), spell, rank=rank, seed=rank),
            table,
        )
        for name, rank in (("a", 2), ("b", 5))
    }


def test_sdxl_loras_draw_together_what_they_draw_apart(tmp_path: Path, sdxl: Pipeline) -> None:
    """UNet and both text encoders, against diffusers' own loader and row by row."""
    both = networks(tmp_path, sdxl, kohya_sdxl, "attentions", "self_attn", "mlp")
    components_touched = {target.component for target in both["a"].modules}
    assert components_touched == {"unet", "text_encoder", "text_encoder_2"}
    rows = [row(PROMPT), row(PROMPT, a=1.0), row(PROMPT, b=-0.7)]
    together = draw(sdxl, rows, both)
    assert (together - draw(sdxl, rows, both, batch=1)).abs().max() <= CLOSE
    sdxl.load_lora_weights(str(tmp_path / "a.safetensors"), adapter_name="a")
    theirs = by_diffusers(sdxl)
    sdxl.unload_lora_weights()
    assert (together[1] - theirs).abs().max() <= CLOSE
    assert (together[1] - together[0]).abs().max() > 10 * CLOSE


def test_transformer_loras_draw_together_what_they_draw_apart(tmp_path: Path, sd3: Pipeline) -> None:
    """The text encoders run inside the pipeline there, first for the prompts, then for the negative ones."""
    both = networks(tmp_path, sd3, transformer_layers, "attn.to_", "self_attn")
    rows = [row(PROMPT), row(PROMPT, a=1.0), row(PROMPT, b=0.5), row(PROMPT, seed=2)]
    together = draw(sd3, rows, both)
    assert (together - draw(sd3, rows, both, batch=1)).abs().max() <= CLOSE
    assert (together[1] - together[0]).abs().max() > 10 * CLOSE


@pytest.fixture(scope="module")
def flux() -> Pipeline:
    """A transformer of double and single blocks, with CLIP for the pooled text and T5 for the rest."""
    torch.manual_seed(0)
    known = tokenizer()
    t5 = T5Config(vocab_size=len(known), d_model=32, d_ff=64, d_kv=8, num_layers=2, num_heads=4)
    pipe = FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=autoencoder(4),
        text_encoder=CLIPTextModel(clip(32, 32)),
        tokenizer=known,
        text_encoder_2=T5EncoderModel(t5).eval(),  # with dropout it never says the same twice
        tokenizer_2=tokenizer(),
        transformer=FluxTransformer2DModel(
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=8,
            num_attention_heads=4,
            joint_attention_dim=32,
            pooled_projection_dim=32,
            guidance_embeds=True,
            axes_dims_rope=(2, 2, 4),
        ),
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def kohya_flux(component: str, path: str) -> dict[str, str]:
    """kohya's prefixes: CLIP is te1, T5 keeps the number it has in SD 3."""
    prefix = {"transformer": "lora_unet_", "text_encoder": "lora_te1_text_model_", "text_encoder_2": "lora_te3_"}
    module = prefix[component] + path.replace(".", "_")
    return {"down": f"{module}.lora_down.weight", "up": f"{module}.lora_up.weight"}


def test_flux_loras_draw_together_what_they_draw_apart(tmp_path: Path, flux: Pipeline) -> None:
    """Transformer, CLIP and T5 in one file, one LoRA of fused modules in the names of Flux's first code."""
    both = networks(tmp_path, flux, kohya_flux, "ff.net", "proj_mlp", "self_attn", "SelfAttention")
    fused = {
        "lora_unet_double_blocks_0_img_attn_qkv": (96, 32),
        "lora_unet_single_blocks_0_linear1": (96 + 128, 32),
        "lora_unet_final_layer_adaLN_modulation_1": (64, 32),
    }
    dice = torch.Generator().manual_seed(4)
    path = tmp_path / "c.safetensors"
    save_file(
        {
            f"{module}.lora_{side}.weight": torch.randn(shape, generator=dice) * 0.3
            for module, (tall, wide) in fused.items()
            for side, shape in (("down", (3, wide)), ("up", (tall, 3)))
        },
        path,
    )
    every = {**both, "c": load_network("c", path, table_of(components(flux)))}
    assert {target.component for target in both["a"].modules} == {"transformer", "text_encoder", "text_encoder_2"}
    assert len(every["c"].modules) == 3 + 4 + 1
    rows = [row(PROMPT), row(PROMPT, a=1.0), row(PROMPT, b=0.5, c=1.0), row(PROMPT, seed=2, c=-0.5)]
    together = draw(flux, rows, every, size=(32, 32))
    assert (together - draw(flux, rows, every, size=(32, 32), batch=1)).abs().max() <= CLOSE
    assert min((together[0] - together[index]).abs().max() for index in (1, 2)) > 10 * CLOSE
