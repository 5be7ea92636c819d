"""What a header describes: a LoRA or something else, its layout, the base models it is for, its size."""

from __future__ import annotations

import math
import os
import re
import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import msgspec

from hubsync.files.header import Header
from hubsync.files.names import Kind, Names, read_names
from hubsync.files.opening import opened
from hubsync.files.signatures import Evidence, Families, choose, families_of
from hubsync.files.tensors import Tensor

_EMBEDDING_FAMILIES: Mapping[tuple[int, ...], Families] = {
    (768,): ("sd1",), (1024,): ("sd2",), (1280,): ("sdxl",), (768, 1280): ("sdxl",), (768, 4096): ("flux1",),
    (768, 1280, 4096): ("sd3",),
}  # fmt: skip
"""By the widths of the text encoders an embedding has vectors for."""

_ENCODER_WIDTHS = {768, 1024, 1280, 4096}
_MOST_VECTORS = 75  # of an embedding: as many tokens as an encoder reads at a time
_IMAGE_INPUTS = ("img_in", "x_embedder")
_CONTROL_WIDTH = 128  # Flux.1's input is 64 wide; control LoRAs put a second image beside the first
_LOCON = re.compile(r'"algo": *"locon"')
_FORMATS = {"F16": "<e", "F32": "<f", "F64": "<d", "I64": "<q", "I32": "<i", "I16": "<h", "I8": "<b", "U8": "<B"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a library needs to know of a file, in the words of the command-line contract.

    rank, rank_max: the most frequent and the largest; the block size of OFT; None where the algorithm has none.
    """

    kind: Kind
    network: str | None = None
    layout: str | None = None
    family: str | None = None
    rank: int | None = None
    rank_max: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkInfo(Identity):
    """All the contract says of a header. `modules` and `targets` count modules, the parameters numbers.

    alpha: the most frequent one; None if neither tensors nor metadata tell.
    full_parameters: what the touched matrices hold unfactored. OFT and (IA)3 tell one side only: taken as square.
    compression: full_parameters / parameters.
    """

    alpha: float | None
    modules: int
    parameters: int
    targets: Mapping[str, int]
    full_parameters: int
    compression: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """What tensors tell of a file by themselves; with its metadata it is an identity. `families` as in `signatures`."""

    kind: Kind
    network: str | None = None
    layout: str | None = None
    families: Families | None = ()
    rank: int | None = None
    rank_max: int | None = None

    def network_with(self, metadata: Mapping[str, str]) -> str | None:
        """Without convolutions a LoCon's weights are a LoRA's; only the trainer can say which it meant."""
        return "locon" if self.network == "lora" and meant_as_locon(metadata) else self.network


def identify(header: Header) -> Identity:
    """Classify a header, by its tensors first and its metadata second."""
    found = liken(header.tensors)
    return Identity(
        kind=found.kind,
        network=found.network_with(header.metadata),
        layout=found.layout,
        family=choose(found.families, header.metadata),
        rank=found.rank,
        rank_max=found.rank_max,
    )


def liken(tensors: Mapping[str, Tensor]) -> Likeness:
    """Classify tensors."""
    names = read_names(tuple(tensors))
    if not names.groups:
        return _liken_other(tensors, names)
    ranks = Counter([rank for group in names.groups for rank in group.ranks(tensors)])
    evidence = _evidence(tensors, names)
    families = families_of(evidence)
    control = "flux1" in (families or ()) and evidence.width(*_IMAGE_INPUTS) == _CONTROL_WIDTH
    return Likeness(
        kind="other" if control else names.kind or "other",
        network=_network(names, tensors),
        layout=names.layout,
        families=families,
        rank=max(ranks, key=lambda rank: (ranks[rank], rank), default=None),
        rank_max=max(ranks, default=None),
    )


def examine(header: Header, *, path: Path | None = None) -> NetworkInfo:
    """Classify and measure a header.

    Args:
        header: as read; a damaged one gives what it can.
        path: the file it came from; if given, alpha is read from its tensors, a few bytes for each module.
    """
    tensors, names, identity = header.tensors, read_names(tuple(header.tensors)), identify(header)
    adapted = [(group, name) for group in names.groups for name in group.names]
    alphas = [tensor for name, tensor in tensors.items() if name.endswith(".alpha")]
    # An alpha scales its module; it is not among what was trained.
    parameters = sum([math.prod(t.shape) for name, t in tensors.items() if not name.endswith(".alpha")])
    encoders = names.encoders if adapted else 0
    full = sum([group.sides(name, tensors).full for group, name in adapted]) if adapted else parameters
    return NetworkInfo(
        **{field.name: getattr(identity, field.name) for field in fields(identity)},
        alpha=(_read_alpha(header, alphas, path) if path else None) or stated_alpha(header.metadata),
        modules=len(adapted),
        parameters=parameters,
        targets={"unet": len(adapted) - encoders, "text_encoder": encoders},
        full_parameters=full,
        compression=full / max(1, parameters),
    )


def _liken_other(tensors: Mapping[str, Tensor], names: Names) -> Likeness:
    """A file that adapts nothing."""
    if names.kind == "embedding" or (names.kind is None and _holds_vectors(tensors)):
        widths = {tensor.shape[-1] for tensor in tensors.values() if tensor.shape} & _ENCODER_WIDTHS
        return Likeness(kind="embedding", families=_EMBEDDING_FAMILIES.get(tuple(sorted(widths)), ()))
    if names.kind != "checkpoint":
        return Likeness(kind="other")
    return Likeness(kind="checkpoint", families=families_of(_evidence(tensors, names)))


def _holds_vectors(tensors: Mapping[str, Tensor]) -> bool:
    """Whether a file can be an embedding whose tensors have names of their own: a token's, or an encoder's."""
    shapes = [tensor.shape for tensor in tensors.values() if tensor.shape]
    # A dot parts the names of modules; a token, mostly in angle brackets, may have one.
    named = all("." not in name or name.startswith("<") for name in tensors)
    short = all(len(shape) < 2 or shape[0] <= _MOST_VECTORS for shape in shapes)
    return 0 < len(tensors) <= 3 and named and short and {shape[-1] for shape in shapes} <= _ENCODER_WIDTHS


def _evidence(tensors: Mapping[str, Tensor], names: Names) -> Evidence:
    def sides_of(mark: str) -> tuple[int, int]:
        module = next((index for index, line in enumerate(names.lines) if mark in line), None)
        return (0, 0) if module is None else _sides(names, names.modules[module], tensors)

    return Evidence(denoiser=names.denoiser, encoder=names.encoder, sides_of=sides_of)


def _sides(names: Names, module: str, tensors: Mapping[str, Tensor]) -> tuple[int, int]:
    for group in names.groups:
        if module in group.names:
            sides = group.sides(module, tensors)
            return sides.outputs, sides.inputs
    weight = tensors.get(f"{module}.weight")
    return (weight.shape[0], weight.shape[1]) if weight and len(weight.shape) > 1 else (0, 0)


def _network(names: Names, tensors: Mapping[str, Tensor]) -> str:
    main = max(names.groups, key=lambda group: (group.algorithm.network != "full", len(group.names)))
    network, shapes = main.algorithm.network, main.shapes(tensors)
    if network == "oft" and any(len(shape) == 4 for shape in shapes):
        return "boft"
    if network != "lora":
        return network
    if names.decomposed:
        return "dora"
    # Transformers cut their input into patches of 2: that layer is no convolution in LoCon's sense.
    if names.core or any(len(shape) > 2 and max(shape[2:]) > 2 for shape in shapes):
        return "locon"
    return "lora"


def meant_as_locon(metadata: Mapping[str, str]) -> bool:
    """Whether the trainer called its network a LoCon."""
    return _LOCON.search(metadata.get("ss_network_args", "")) is not None


def _read_alpha(header: Header, alphas: list[Tensor], path: Path) -> float | None:
    values: Counter[float] = Counter()
    with opened(path) as file:
        for tensor in alphas:
            os.lseek(file, header.length + tensor.start, os.SEEK_SET)
            values[first_number(tensor.dtype, os.read(file, 8))] += 1
    return max(values, key=lambda value: (values[value], value), default=None)


def first_number(dtype: str, content: bytes) -> float:
    """The first number of a tensor; 0.0, which no alpha is, where it cannot be read."""
    if dtype == "BF16":
        dtype, content = "F32", b"\0\0" + content[:2]
    layout = _FORMATS.get(dtype)
    if layout is None or len(content) < struct.calcsize(layout):
        return 0.0
    value = float(struct.unpack_from(layout, content)[0])
    return value if math.isfinite(value) else 0.0


def stated_alpha(metadata: Mapping[str, str]) -> float | None:
    """Alpha as kohya's trainers state it, or the peft configuration that diffusers stores."""
    try:
        if text := metadata.get("ss_network_alpha"):
            value = float(text)
        else:
            config = msgspec.json.decode(metadata.get("lora_adapter_metadata", "{}"), type=dict[str, object])
            value = next(float(str(value)) for key, value in config.items() if key.endswith("lora_alpha"))
    except (ValueError, StopIteration, RecursionError):
        return None
    return value if math.isfinite(value) else None
