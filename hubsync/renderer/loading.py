"""A checkpoint as a diffusers pipeline on a device: a single file, a diffusers folder or a Hugging Face repository."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import try_to_load_from_cache
from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, LocalEntryNotFoundError, RepositoryNotFoundError
from torch import nn

from hubsync.config import Settings, shipped
from hubsync.errors import Gated, HubsyncError, NotFound, UnsafeFile, UsageError
from hubsync.families import load_families
from hubsync.render.checkpoint import family_of, prediction_of, unfit
from hubsync.render.samplers import Sampler, find_sampler, name_of
from hubsync.render.wire import Line, Note, Request
from hubsync.renderer.memory import Pipeline, execution_device, is_short, native_size, place

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


def choose_dtype(device: torch.device, pipeline: str, *, short: bool = False) -> torch.dtype:
    """Half precision on CUDA, in which the checkpoints are published; on a processor what never overflows.

    Transformers take bfloat16, in which most were trained, where the card computes in it. On a Mac, Stable Diffusion
    stays in float32 unless memory is `short` of that: MPS gives black pictures in float16 now and then.
    """
    transformer = not pipeline.startswith(("StableDiffusion", "Kolors")) or pipeline.startswith("StableDiffusion3")
    if device.type == "cuda":
        brain = transformer and torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if brain else torch.float16
    if device.type == "mps" and (transformer or short):
        return torch.bfloat16 if transformer else torch.float16
    return torch.float32


def load_pipeline(request: Request, device: torch.device, say: Callable[[Line], object] | None = None) -> Pipeline:
    """The request's checkpoint, ready on `device`, without a safety checker, silent; `say` hears where memory is short.

    Raises:
        NotFound, Gated: no such checkpoint; the repository's conditions are not accepted.
        UnsafeFile: a pickle.
        HubsyncError: diffusers cannot make a pipeline of it, or none that draws from a prompt.
    """
    import diffusers

    diffusers.logging.set_verbosity_error()
    path = Path(request.checkpoint)
    if path.exists() and (reason := unfit(request.checkpoint)):
        hint = "use a checkpoint that makes pictures from text"
        raise HubsyncError(f"the checkpoint {request.checkpoint} cannot be drawn with: {reason}", hint=hint)
    dtype = choose_dtype(device, request.pipeline, short=_is_short(request.checkpoint, device))
    pipe = _single(path, request, dtype) if path.is_file() else _folder(request.checkpoint, dtype)
    pipe.set_progress_bar_config(disable=True)
    note = place(pipe, device, request.size or native_size(pipe))
    if note and say is not None:
        say(Note(message=note))
    if getattr(pipe, "vae", None) is not None and hasattr(pipe.vae, "enable_slicing"):
        # Decoding takes more memory a picture than drawing; one by one it costs nothing measurable.
        pipe.vae.enable_slicing()
    if request.config == str(shipped("pipelines/sd2")):
        _settle_sd2(pipe)
    return pipe


def is_remote(checkpoint: str) -> bool:
    """Whether a checkpoint is a repository that has to be downloaded first."""
    return _is_repository(checkpoint) and _on_disk(checkpoint) is None


def components(pipe: Pipeline) -> dict[str, nn.Module]:
    """The parts of a pipeline that LoRAs change, by diffusers' names."""
    found = {name: getattr(pipe, name, None) for name in _COMPONENTS}
    return {name: model for name, model in found.items() if isinstance(model, nn.Module)}


def converted(pipe: Pipeline, tensors: Mapping[str, torch.Tensor]) -> Mapping[str, torch.Tensor]:
    """A LoRA's tensors as diffusers spells them for a pipeline of this family; nothing where it cannot.

    Newer families have spellings that diffusers alone knows. Its converters fail in whatever way a name surprises them.
    """
    convert = getattr(type(pipe), "lora_state_dict", None)
    if convert is None:
        return {}
    try:
        found = convert(dict(tensors))
    except (ValueError, KeyError, IndexError, AttributeError, AssertionError, RuntimeError, TypeError):
        return {}
    # Some give alphas, or metadata, as further values.
    first = found[0] if isinstance(found, tuple) else found
    return {key: tensor for key, tensor in first.items() if isinstance(tensor, torch.Tensor)}


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
    from diffusers.loaders.single_file_utils import SingleFileComponentError

    if path.suffix.casefold() in _PICKLES:
        raise UnsafeFile(f"{path.name} is a pickle, which can run code when loaded", hint="use a .safetensors file")
    load = getattr(getattr(diffusers, request.pipeline), "from_single_file", None)
    if load is None:
        reason = f"{path} cannot be loaded: diffusers reads this family from folders alone"
        raise HubsyncError(reason, hint=_instead(path))
    options = _described(Path(request.config)) if request.config else {}
    try:
        with _named(request.checkpoint):
            pipe = load(str(path), dtype=dtype, **options)
    except (SingleFileComponentError, NotFound, Gated) as error:
        asked = "nothing on this machine tells what it is made of, and Hugging Face could not be asked"
        lacking = "it holds only a part of the model" if request.config else asked
        hint = f"put the model's diffusers folder beside it, as {path.parent / path.stem}, or: {_instead(path)}"
        raise NotFound(f"the checkpoint {path} could not be loaded: {lacking}", hint=hint) from error
    if marks := prediction_of(path):
        pipe.scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config, **marks)
    return pipe


def _instead(path: Path) -> str:
    """How to use the repository of a single file's family in its place."""
    families = load_families()
    family = family_of(str(path), Settings(), families)
    repository = next(iter(families[family or ""].huggingface), "REPOSITORY")
    return f"hubsync config set checkpoint.{family or 'FAMILY'} {repository}"


def _described(folder: Path) -> dict[str, Any]:
    """How `from_single_file` finds everything in a folder: without the network, tokenizers made of shipped parts."""
    made = {
        part.parent.name: _clip_tokenizer(part)
        for part in folder.glob("tokenizer*/tokenizer_config.json")
        if not any((part.parent / name).exists() for name in ("tokenizer.json", "vocab.json"))
    }
    return {"config": str(folder), "local_files_only": True, **made}


def _clip_tokenizer(config: Path) -> Any:  # noqa: ANN401
    """CLIP's tokenizer with the pad token of `config`; every family has the one vocabulary.

    It follows from the merges, as in OpenAI's `simple_tokenizer.py`: 256 letters for the bytes, the same at a word's
    end, one token for every merge, start and end of text.
    """
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPTokenizer

    lines = shipped("pipelines/clip/merges.txt").read_text("utf-8").splitlines()
    merges = [tuple(line.split(" ")) for line in lines]
    letters = sorted(ByteLevel.alphabet())
    ends = [f"{letter}</w>" for letter in letters]
    tokens = [*letters, *ends, *map("".join, merges), "<|startoftext|>", "<|endoftext|>"]
    settings = json.loads(config.read_text("utf-8"))
    return CLIPTokenizer(
        vocab={token: index for index, token in enumerate(tokens)},
        merges=merges,
        pad_token=settings["pad_token"],
        model_max_length=settings["model_max_length"],
    )


def _settle_sd2(pipe: Pipeline) -> None:
    """Set the scheduler of an SD 2 single file, which does not tell what it predicts.

    Those that predict noise were made for 512x512, those that predict v, as the shipped configuration has it, for 768.
    """
    if not predicts_v(pipe.unet, execution_device(pipe)):
        pipe.scheduler = type(pipe.scheduler).from_config(pipe.scheduler.config, prediction_type="epsilon")
        pipe.unet.register_to_config(sample_size=64)


def predicts_v(unet: nn.Module, device: torch.device) -> bool:
    """Whether an SD 2 UNet predicts v, by AUTOMATIC1111's `is_using_v_parameterization_for_sd2` (sd_models_config.py).

    At the noisiest step a UNet that predicts noise gives its input back; one that predicts v takes the picture from it.
    """
    dtype = next(unet.parameters()).dtype
    noise, text = (torch.full(shape, 0.5, device=device, dtype=dtype) for shape in ((1, 4, 8, 8), (1, 2, 1024)))
    with torch.no_grad():
        output = unet(noise, torch.tensor([999], device=device), encoder_hidden_states=text).sample
    return bool((output - noise).float().mean() < -1)


def _folder(checkpoint: str, dtype: torch.dtype) -> Pipeline:
    from diffusers import DiffusionPipeline

    local = Path(checkpoint).is_dir()
    if not local and not _is_repository(checkpoint):
        raise NotFound(f"there is no checkpoint {checkpoint}", hint="`hubsync config list` shows the checkpoints")
    with _named(checkpoint):
        return DiffusionPipeline.from_pretrained(
            checkpoint,
            dtype=dtype,
            variant="fp16" if _is_half(Path(checkpoint)) else None,
            local_files_only=local,
            use_safetensors=True,
            safety_checker=None,
        )


def _is_half(folder: Path) -> bool:
    """Whether a folder on this disk was downloaded in half precision alone: diffusers has to be told."""
    held = [path.name for part in ("unet", "transformer") for path in (folder / part).glob("*.safetensors")]
    return bool(held) and all(".fp16" in name for name in held)


def _is_short(checkpoint: str, device: torch.device) -> bool:
    """Whether a Mac has too little memory for the checkpoint in float32."""
    path = _on_disk(checkpoint)
    if device.type != "mps" or path is None:
        return False
    return is_short(path, torch.float32, torch.mps.recommended_max_memory())


def _on_disk(checkpoint: str) -> Path | None:
    """The file or folder a checkpoint is read from; None for a repository that is not downloaded yet."""
    path = Path(checkpoint)
    if path.exists() or not _is_repository(checkpoint):
        return path if path.exists() else None
    index = try_to_load_from_cache(checkpoint, "model_index.json")
    return Path(index).parent if isinstance(index, str) else None


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
