"""What passes between hubsync and its renderer: one JSON request a line in, JSON lines out until `Done` or `Failure`.

Neither side imports the other, and nothing here imports torch.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec
from msgspec import Struct


class Applied(Struct, frozen=True, kw_only=True):
    """A LoRA of `Request.loras` in a picture; weights for the text encoder and for the UNet or transformer."""

    lora: str
    te: float
    unet: float


class Row(Struct, frozen=True, kw_only=True):
    """One picture to draw. Prompts are AUTOMATIC1111 text without `<lora:…>` tags."""

    prompt: str
    negative: str = ""
    seed: int
    loras: tuple[Applied, ...] = ()


class Request(Struct, frozen=True, kw_only=True, tag="render"):
    """Everything one render needs.

    `checkpoint` is a .safetensors file, a diffusers folder or a Hugging Face repository; `config` the diffusers folder
    that describes a single file ("" asks the Hub); `pipeline` the class for a single file. `size` None is the
    checkpoint's own, `sampler` "" too. `batch` is the most rows drawn at once, 0 as many as fit. `loras` and
    `embeddings` map names to files; pictures go to `folder` as `<row index>.png`.
    """

    checkpoint: str
    config: str = ""
    pipeline: str = "StableDiffusionPipeline"
    device: str = "auto"
    steps: int
    cfg: float
    size: tuple[int, int] | None = None
    sampler: str = ""
    batch: int = 0
    loras: dict[str, str] = {}
    embeddings: dict[str, str] = {}
    rows: tuple[Row, ...]
    folder: str


class Probe(Struct, frozen=True, kw_only=True, tag="probe"):
    """Words to be ranked by how much more the LoRA `use` changes with them than without, before each of the prompts.

    The rows of `request` are the prompts and seeds to try them with; no picture is drawn.
    """

    request: Request
    use: Applied
    words: tuple[str, ...]

    @property
    def checkpoint(self) -> str:
        """What the words are tried on."""
        return self.request.checkpoint


class Loaded(Struct, frozen=True, kw_only=True, tag="loaded"):
    """The checkpoint is ready. `sampler` is the one in use, by AUTOMATIC1111's name; `schedule` its noise spacing."""

    device: str
    dtype: str
    sampler: str
    schedule: str = ""


class Note(Struct, frozen=True, kw_only=True, tag="note"):
    """Something the user should know though nothing failed."""

    message: str


class Refused(Struct, frozen=True, kw_only=True, tag="refused"):
    """A LoRA cannot be applied: pictures that ask for it are left out. `code` is one of hubsync.errors."""

    lora: str
    code: str
    message: str
    hint: str = ""


class Progress(Struct, frozen=True, kw_only=True, tag="progress"):
    """Pictures' worth of work done, or words' of a probe; half the steps of a batch of four are two."""

    pictures: float


class Drawing(Struct, frozen=True, kw_only=True, tag="drawing"):
    """These rows are drawn from here on, all at once."""

    rows: tuple[int, ...]


class Picture(Struct, frozen=True, kw_only=True, tag="picture"):
    """Row `row` is drawn: a PNG at `path`, without metadata."""

    row: int
    path: str


class Scores(Struct, frozen=True, kw_only=True, tag="scores"):
    """How much of a LoRA's change is due to each word of a probe, 0..1, in their order."""

    scores: tuple[float, ...]


class Done(Struct, frozen=True, kw_only=True, tag="done"):
    """Every row is drawn."""


class Failure(Struct, frozen=True, kw_only=True, tag="failure"):
    """The request ends here. `code` is one of hubsync.errors."""

    code: str
    message: str
    hint: str = ""


AnyRequest: TypeAlias = Request | Probe
"""Everything the renderer can be asked; each has a `checkpoint`, and its answers end in Done or Failure."""

Line: TypeAlias = Loaded | Note | Refused | Progress | Drawing | Picture | Scores | Done | Failure


def encode(message: AnyRequest | Line) -> bytes:
    """One line of JSON, newline included."""
    return msgspec.json.encode(message) + b"\n"


def decode_request(line: bytes) -> AnyRequest:
    """A request from its line.

    Raises:
        msgspec.DecodeError: the line is no request.
    """
    request: AnyRequest = msgspec.json.decode(line, type=AnyRequest)
    return request


def decode_line(line: bytes) -> Line:
    """A line of the renderer.

    Raises:
        msgspec.DecodeError: the line is none of the renderer's.
    """
    message: Line = msgspec.json.decode(line, type=Line)
    return message
