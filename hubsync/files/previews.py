"""Preview pictures: whatever bytes a hub or a render gives, kept as one true PNG of modest size.

A hub's file extension says nothing about the bytes, so Pillow sniffs them; a picture is bounded before it is decoded.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from hubsync.errors import NotAModel, Unreachable
from hubsync.files.placement import write_aside

if TYPE_CHECKING:
    import httpx2

_MAX_BYTES = 32 << 20
_MAX_PIXELS = 64_000_000
_MAX_SIDE = 768  # a card in any UI; 25 previews stay under 20 MB
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")


def fetch(client: httpx2.Client, url: str, *, check: Callable[[httpx2.Response], object]) -> bytes:
    """The bytes at `url`, at most 32 MiB of them; `check` raises the hub's error for a bad status.

    Raises:
        NotAModel: more than 32 MiB came.
        Unreachable: the connection failed.
    """
    import httpx2

    content = bytearray()
    try:
        with client.stream("GET", url) as response:
            check(response)
            for block in response.iter_bytes():
                content += block
                if len(content) > _MAX_BYTES:
                    raise NotAModel("the preview is larger than 32 MiB")
    except (httpx2.RequestError, httpx2.InvalidURL) as error:
        raise Unreachable("the preview could not be fetched", hint="the LoRA itself is not affected") from error
    return bytes(content)


def save_preview(content: bytes, path: Path) -> None:
    """Write the picture in `content` as PNG to `path`, its longer side at most 768 px.

    Raises:
        NotAModel: not a picture of a kind hubsync shows, or one too large to open safely.
    """
    write_aside(path, as_png(content))


def as_png(content: bytes) -> bytes:
    """The first frame of a picture as PNG bytes."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
            if picture.width * picture.height > _MAX_PIXELS:
                raise NotAModel(f"the preview is {picture.width}x{picture.height} pixels: too large to open")
            frame = picture.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise NotAModel("the preview is not a picture") from error
    frame.thumbnail((_MAX_SIDE, _MAX_SIDE))
    png = io.BytesIO()
    frame.save(png, "PNG")
    return png.getvalue()
