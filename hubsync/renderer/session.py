"""One session of the renderer: keeps the pipeline between requests and answers each with lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from hubsync.render.wire import Done, Line, Loaded, Note, Picture, Request
from hubsync.renderer.drawing import Artist
from hubsync.renderer.embeddings import load_embedding
from hubsync.renderer.loading import choose_device, components, is_remote, load_pipeline, use_sampler
from hubsync.renderer.memory import Pipeline, execution_device
from hubsync.renderer.names import Table, table_of
from hubsync.renderer.wardrobe import Wardrobe


class Session:
    """Renders requests one after the other; the checkpoint of the last one stays loaded."""

    def __init__(self, say: Callable[[Line], object]) -> None:
        self._say = say
        self._key: tuple[str, ...] = ()
        self._pipe: Pipeline = None
        self._own_scheduler: Any = None
        self._table: Table = {}

    def render(self, request: Request) -> None:
        """Draw every row of the request and say what happened.

        Raises:
            HubsyncError: the request cannot be done.
        """
        self._load(request)
        pipe = self._pipe
        sampler, schedule = use_sampler(pipe, self._own_scheduler, request.sampler)
        dtype = str(pipe.dtype).removeprefix("torch.")
        self._say(Loaded(device=str(execution_device(pipe)), dtype=dtype, sampler=sampler, schedule=schedule))
        wardrobe = Wardrobe(files=request.loras, table=self._table, device=execution_device(pipe), say=self._say)
        artist = Artist(pipe, wardrobe, self._embeddings(request), self._say)
        for index, picture in artist.draw(request):
            path = Path(request.folder) / f"{index:04}.png"
            save(picture, path)
            self._say(Picture(row=index, path=str(path)))
        self._say(Done())

    def _load(self, request: Request) -> None:
        key = (request.checkpoint, request.config, request.pipeline, request.device)
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


def save(picture: Tensor, path: Path) -> None:
    """Write a picture, (3, height, width) 0..1, as PNG; lightly compressed, for it is written again with its text."""
    from PIL import Image

    pixels = (picture.permute(1, 2, 0) * 255).round().byte().numpy()
    Image.fromarray(pixels).save(path, compress_level=1)
