"""Which checkpoint a render runs on, and which family it is of, as far as that can be told without loading it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from hubsync.config import Settings, shipped
from hubsync.errors import HubsyncError
from hubsync.families import Families

_MOST_HEADER = 100 << 20
"""Bytes of a safetensors header: the format's own limit."""

_PREFIXES = ("model.diffusion_model.", "diffusion_model.")
"""What stands before a model's own keys in a whole checkpoint, and in some files of a model alone."""

_SIGNS = {
    "single_stream_modulation.lin.weight": "flux2",
    "distilled_guidance_layer.in_proj.bias": "chroma",
    "double_blocks.0.img_attn.qkv.weight": "flux1",
    "joint_blocks.0.x_block.attn.qkv.weight": "sd3",
    "double_layers.0.attn.w1q.weight": "auraflow",
    "layers.0.adaLN_modulation.0.weight": "z_image",
    "cap_embedder.0.weight": "lumina2",
    "blocks.0.mlp.inverted_conv.conv.weight": "sana",
    "double_stream_blocks.0.block.adaLN_modulation.1.bias": "hidream",
    "txtfusion.projector.weight": "krea2",
    "txt_norm.weight": "qwen_image",
    "txt_in.individual_token_refiner.blocks.0.adaLN_modulation.1.bias": "hunyuan_video",
    "patchify_proj.weight": "ltx",
    "head.modulation": "wan",
}
"""Keys that tell a single file's family by being there, the first found deciding: Flux.2 and Chroma have Flux.1's too.

Most are those of diffusers' `CHECKPOINT_KEY_NAMES` (loaders/single_file_utils.py).
"""

_CROSS = re.compile(
    r"(?:input_blocks\.\d+\.1|down_blocks\.\d+\.attentions\.0)\.transformer_blocks\.0\.attn2\.to_k\.weight"
)
_WIDTHS = {768: "sd1", 1024: "sd2", 2048: "sdxl"}
"""Families of Stable Diffusion by the width of the text that their UNet attends to."""

_REFINER_WIDTH = 1280

_MADE_FOR: Mapping[str, Mapping[int, str]] = {
    "input_blocks.0.0.weight": {5: "depth maps", 7: "enlarging", 8: "editing by instruction", 9: "inpainting"},
    "img_in.weight": {128: "following edges or depth", 384: "inpainting"},
}
"""What a model was made for by the channels its first layer takes; to draw, Stable Diffusion takes 4, Flux.1 64."""

_FOREIGN = {
    "edm_mean": "it is Playground 2.5, whose noise is of another kind",
    "edm_vpred.sigma_max": "it is CosXL, whose noise is of another kind",
    "control_model.time_embed.0.weight": "it is a ControlNet",
}
"""Whole keys of files that look like SDXL and are not."""

_TASKS = re.compile(r"Inpaint|Img2Img|ControlNet|Pix2Pix|Upscale|Depth|Fill|Redux|Edit")
"""Pipeline classes that want a picture to begin with; the SDXL refiner's is an Img2Img one."""

_INDEX = "model_index.json"

_T = TypeVar("_T")


class Tensor(msgspec.Struct):
    """A tensor as a safetensors header tells it; the entry of the metadata has no shape."""

    shape: list[int] = []


class _Index(msgspec.Struct):
    class_name: str = msgspec.field(name="_class_name", default="")


class _Unet(msgspec.Struct):
    cross_attention_dim: int | list[int] | None = None


def choose_checkpoint(family: str | None, settings: Settings) -> str:
    """The configured checkpoint for a family; for an unknown family the first one configured.

    Raises:
        HubsyncError: none is configured.
    """
    configured = {name: value for name, value in settings.checkpoint.items() if value}
    found = configured.get(family or "other")
    if not found and family is None:
        found = next(iter(configured.values()), None)
    if not found:
        kind = f"{family} " if family else ""
        hint = f"hubsync config set checkpoint.{family or 'sd1'} PATH, or use --checkpoint"
        raise HubsyncError(f"no {kind}checkpoint is set to render with", hint=hint)
    return found


def locate(checkpoint: str) -> str:
    """A checkpoint's absolute path if it is on this disk, else the text itself: a Hugging Face repository."""
    path = Path(checkpoint).expanduser()
    return str(path.absolute()) if path.exists() or path.is_absolute() else checkpoint


def family_of(checkpoint: str, settings: Settings, families: Families) -> str | None:
    """The family the user, the hubs' names or the files themselves say; None when nothing does."""
    for name, value in settings.checkpoint.items():
        if value and locate(value) == checkpoint:
            return name
    path = Path(checkpoint)
    if path.is_dir():
        return _folder_family(path, families)
    if path.is_file():
        return _file_family(path)
    named = families.of(checkpoint)
    return None if named == "other" else named


def config_folder(checkpoint: str, family: str | None) -> str:
    """The diffusers folder describing a single-file checkpoint, so that it loads offline; "" if there is none.

    It is a folder beside the file, called as the file's stem or `checkpoint`, or one shipped for the family.
    """
    path = Path(checkpoint)
    if not path.is_file():
        return ""
    beside = [path.parent / path.stem, path.parent / "checkpoint"]
    known = [shipped(f"pipelines/{family}")] if family else []
    return next((str(folder) for folder in (*beside, *known) if (folder / _INDEX).is_file()), "")


def unfit(checkpoint: str) -> str | None:
    """Why no picture can be drawn from a prompt alone with a checkpoint on this disk; None where nothing tells so."""
    path = Path(checkpoint)
    if path.is_dir():
        made_by = _read(path / _INDEX, _Index).class_name
        return f"its {made_by} wants a picture to begin with" if _TASKS.search(made_by) else None
    tensors = read_header(path)
    if foreign := next((reason for key, reason in _FOREIGN.items() if key in tensors), None):
        return foreign
    own = _own_keys(tensors)
    for key, purposes in _MADE_FOR.items():
        if key in own and (purpose := purposes.get(next(iter(own[key].shape[1:2]), 0))):
            return f"it was made for {purpose}"
    return "it is a refiner, which only finishes pictures" if _text_width(own) == _REFINER_WIDTH else None


def prediction_of(path: Path) -> dict[str, object]:
    """What a single file's marks tell its scheduler; nothing for a file without marks, which predicts noise.

    NoobAI and others mark v-prediction by a tensor `v_pred`, noise that ends at zero signal by `ztsnr`; ComfyUI and
    AUTOMATIC1111 go by them. Such a model has to start at the last step of the noise, hence the spacing.
    """
    tensors = read_header(path)
    if "v_pred" not in tensors:
        return {}
    zero = {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"} if "ztsnr" in tensors else {}
    return {"prediction_type": "v_prediction", **zero}


def _folder_family(folder: Path, families: Families) -> str | None:
    made_by = _read(folder / _INDEX, _Index).class_name
    fitting = [name for name, family in families.table.items() if made_by in family.classes]
    if len(fitting) <= 1:
        return next(iter(fitting), None)
    width = _read(folder / "unet" / "config.json", _Unet).cross_attention_dim
    return _WIDTHS.get(width) if isinstance(width, int) else None


def _file_family(path: Path) -> str | None:
    own = _own_keys(read_header(path))
    return next((family for key, family in _SIGNS.items() if key in own), None) or _WIDTHS.get(_text_width(own))


def _own_keys(tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """The tensors under the model's own names; a whole checkpoint's other parts keep theirs."""
    own = {}
    for key, tensor in tensors.items():
        prefix = next((prefix for prefix in _PREFIXES if key.startswith(prefix)), "")
        own[key.removeprefix(prefix)] = tensor
    return own


def _text_width(own: Mapping[str, Tensor]) -> int:
    """Width of the text a UNet attends to; 0 if there is none."""
    found = next((tensor for key, tensor in own.items() if _CROSS.fullmatch(key)), None)
    return found.shape[-1] if found is not None and found.shape else 0


def read_header(path: Path) -> Mapping[str, Tensor]:
    """The tensors of a safetensors file; nothing of a file that is not one."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            return msgspec.json.decode(file.read(length), type=dict[str, Tensor]) if length <= _MOST_HEADER else {}
    except (OSError, msgspec.DecodeError):
        return {}


def _read(path: Path, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError):
        return kind()
