"""A checkpoint as a diffusers pipeline on a device: a single file, a diffusers folder or a Hugging Face repository."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import torch
from huggingface_hub import try_to_load_from_cache
from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, LocalEntryNotFoundError, RepositoryNotFoundError
from torch import nn

from hubsync.errors import Gated, HubsyncError, NotFound, UnsafeFile, UsageError
from hubsync.render.samplers import Sampler, find_sampler, name_of
from hubsync.render.wire import Request

Pipeline: TypeAlias = Any
"""A diffusers pipeline."""

_PICKLES = frozenset({".ckpt", ".pt", ".pth", ".bin"})
_COMPONENTS = ("unet", "transformer", "text_encoder", "text_encoder_2", "text_encoder_3")


def choose_device(name: str) -> torch.device:
    """The device of that name; `auto` is the first of cuda, mps, cpu this machine has.

    Raises:
        UsageError: this machine has no such device.
    """
    have = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    wanted = next(kind for kind, here in have.items() if here) if name == "auto" else name
    if not have.get(wanted.partition(":")[0]):
        raise UsageError(f"this machine has no device '{name}'", hint="--device auto takes the best there is")
    return torch.device(wanted)


def choose_dtype(device: torch.device, pipeline: str) -> torch.dtype:
    """Half precision on CUDA, in which the checkpoints are published; elsewhere what never overflows."""
    if device.type != "cuda":
        return torch.float32
    transformer = not pipeline.startswith("StableDiffusion") or pipeline.startswith("StableDiffusion3")
    return torch.bfloat16 if transformer and torch.cuda.is_bf16_supported() else torch.float16


def load_pipeline(request: Request, device: torch.device) -> Pipeline:
    """The request's checkpoint, ready on `device`, without a safety checker, silent.

    Raises:
        NotFound, Gated: no such checkpoint; the repository's conditions are not accepted.
        UnsafeFile: a pickle.
        HubsyncError: diffusers cannot make a pipeline of it.
    """
    import diffusers

    diffusers.logging.set_verbosity_error()
    dtype = choose_dtype(device, request.pipeline)
    path = Path(request.checkpoint)
    with _named(request.checkpoint):
        pipe = _single(path, request, dtype) if path.is_file() else _folder(request.checkpoint, dtype)
    pipe.set_progress_bar_config(disable=True)
    pipe.to(device)
    if getattr(pipe, "vae", None) is not None and hasattr(pipe.vae, "enable_slicing"):
        # Decoding takes more memory a picture than drawing; one by one it costs nothing measurable.
        pipe.vae.enable_slicing()
    return pipe


def is_remote(checkpoint: str) -> bool:
    """Whether a checkpoint is a repository that has to be downloaded first."""
    return (
        not Path(checkpoint).exists()
        and _is_repository(checkpoint)
        and not isinstance(try_to_load_from_cache(checkpoint, "model_index.json"), str)
    )


def components(pipe: Pipeline) -> dict[str, nn.Module]:
    """The parts of a pipeline that LoRAs change, by diffusers' names."""
    found = {name: getattr(pipe, name, None) for name in _COMPONENTS}
    return {name: model for name, model in found.items() if isinstance(model, nn.Module)}


def use_sampler(pipe: Pipeline, own: Any, name: str) -> tuple[str, str]:  # noqa: ANN401
    """Give the pipeline the sampler of that name, keeping what `own`, its own scheduler, knows of the checkpoint.

    Returns AUTOMATIC1111's names of sampler and schedule type. "" is the checkpoint's own scheduler.

    Raises:
        UsageError: no such sampler, or the checkpoint predicts a flow, which only its own sampler follows.
    """
    pipe.scheduler = type(own).from_config(own.config)
    own_class = type(own).__name__
    flow = own_class.startswith("FlowMatch")
    if not name or (flow and name == "Euler"):
        return ("Euler" if flow else name_of(own_class)), ""
    sampler = find_sampler(name)
    if flow:
        raise UsageError(f"this checkpoint cannot be drawn with '{name}'", hint="leave --sampler out, or use Euler")
    pipe.scheduler = _scheduler(sampler, own.config)
    return sampler.name, sampler.schedule


def _scheduler(sampler: Sampler, config: Any) -> Any:  # noqa: ANN401
    import diffusers

    return getattr(diffusers, sampler.scheduler).from_config(config, **sampler.options)


def _single(path: Path, request: Request, dtype: torch.dtype) -> Pipeline:
    import diffusers

    if path.suffix.casefold() in _PICKLES:
        raise UnsafeFile(f"{path.name} is a pickle, which can run code when loaded", hint="use a .safetensors file")
    options = {"config": request.config, "local_files_only": True} if request.config else {}
    return getattr(diffusers, request.pipeline).from_single_file(str(path), dtype=dtype, **options)


def _folder(checkpoint: str, dtype: torch.dtype) -> Pipeline:
    from diffusers import DiffusionPipeline

    local = Path(checkpoint).is_dir()
    if not local and not _is_repository(checkpoint):
        raise NotFound(f"there is no checkpoint {checkpoint}", hint="`hubsync config list` shows the checkpoints")
    return DiffusionPipeline.from_pretrained(
        checkpoint, dtype=dtype, local_files_only=local, use_safetensors=True, safety_checker=None
    )


def _is_repository(checkpoint: str) -> bool:
    return checkpoint.count("/") == 1 and not Path(checkpoint).is_absolute()


@contextmanager
def _named(checkpoint: str) -> Iterator[None]:
    """Errors of the libraries as hubsync's, naming the checkpoint."""
    try:
        yield
    except GatedRepoError as error:
        page = f"https://huggingface.co/{checkpoint}"
        raise Gated(f"{checkpoint} wants its conditions accepted first", hint=f"accept them on {page}") from error
    except (RepositoryNotFoundError, EntryNotFoundError, LocalEntryNotFoundError) as error:
        raise NotFound(f"the checkpoint {checkpoint} could not be found: {error}") from error
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        raise HubsyncError(f"the checkpoint {checkpoint} could not be loaded: {error}") from error
