"""One session of the renderer: keeps the pipeline between requests and answers each with lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from hubsync.render.wire import AnyRequest, Done, Line, Loaded, Note, Picture, Probe, Request, Scores
from hubsync.renderer.drawing import Artist
from hubsync.renderer.embeddings import load_embedding
from hubsync.renderer.loading import choose_device, components, converted, is_remote, load_pipeline, use_sampler
from hubsync.renderer.memory import Pipeline, execution_device
from hubsync.renderer.names import Table, table_of
from hubsync.renderer.probing import scores
from hubsync.renderer.wardrobe import Wardrobe


class Session:
    """Renders requests one after the other; the checkpoint of the last one stays loaded."""

    def __init__(self, say: Callable[[Line], object]) -> None:
        self._say = say
        self._key: tuple[object, ...] = ()
        self._pipe: Pipeline = None
        self._own_scheduler: Any = None
        self._table: Table = {}

    def answer(self, request: AnyRequest) -> None:
        """Do what is asked and say what happened, Done last.

        Raises:
            HubsyncError: the request cannot be done.
        """
        if isinstance(request, Probe):
            self._probe(request)
        else:
            self._render(request)
        self._say(Done())

    def _render(self, request: Request) -> None:
        """Draw every row of the request."""
        for index, picture in self._artist(request).draw(request):
            path = Path(request.folder) / f"{index:04}.png"
            save(picture, path)
            self._say(Picture(row=index, path=str(path)))

    def _probe(self, probe: Probe) -> None:
        """Rank the words of a probe."""
        artist = self._artist(probe.request)
        if artist.has(probe.use.lora):
            self._say(Scores(scores=scores(self._pipe, artist, probe, self._say)))

    def _artist(self, request: Request) -> Artist:
        """Everything loaded that the request needs."""
        self._load(request)
        pipe = self._pipe
        sampler, schedule = use_sampler(pipe, self._own_scheduler, request.sampler)
        dtype = str(pipe.dtype).removeprefix("torch.")
        self._say(Loaded(device=str(execution_device(pipe)), dtype=dtype, sampler=sampler, schedule=schedule))
        wardrobe = Wardrobe(
            files=request.loras,
            table=self._table,
            device=execution_device(pipe),
            say=self._say,
            convert=partial(converted, pipe),
        )
        return Artist(pipe, wardrobe, self._embeddings(request), self._say)

    def _load(self, request: Request) -> None:
        key = (request.checkpoint, _stamp(request.checkpoint), request.config, request.pipeline, request.device)
        if key == self._key:
            return
        # The old pipeline goes first: two do not fit where one does.
        self._key, self._pipe, self._own_scheduler, self._table = (), None, None, {}
        if is_remote(request.checkpoint):
            self._say(Note(message=f"fetching {request.checkpoint} from Hugging Face, once"))
        self._pipe = load_pipeline(request, choose_device(request.device), self._say)
        self._table = table_of(components(self._pipe))
        self._own_scheduler = self._pipe.scheduler
        self._key = key

    def _embeddings(self, request: Request) -> Mapping[str, tuple[Tensor, ...]]:
        encoders = [model for name, model in components(self._pipe).items() if name.startswith("text_encoder")]
        widths = tuple(model.get_input_embeddings().weight.shape[1] for model in encoders)  # type: ignore[operator]
        return {name: load_embedding(name, Path(path), widths) for name, path in request.embeddings.items()}


def _stamp(checkpoint: str) -> int:
    """What changes when another file takes a checkpoint's name."""
    path = Path(checkpoint)
    return path.stat().st_mtime_ns if path.exists() else 0


def save(picture: Tensor, path: Path) -> None:
    """Write a picture, (3, height, width) 0..1, as PNG; lightly compressed, for it is written again with its text."""
    from PIL import Image

    pixels = (picture.permute(1, 2, 0) * 255).round().byte().numpy()
    Image.fromarray(pixels).save(path, compress_level=1)
