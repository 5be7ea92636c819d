"""Preview pictures under addresses shaped like Civitai's image host: `/image/<uuid>/<parameters>/<id>.<extension>`."""

from __future__ import annotations

import colorsys
import io
import re
import struct
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from hubsync.sandbox.hub.civitai.records import Image
from hubsync.sandbox.hub.messages import Reply, Request, as_text

ADDRESS = re.compile(r"/image/[0-9a-f-]{36}/([^/]*)/(\d+)\.(\w+)")
WIDTH = re.compile(r"(?:^|,)width=(\d+)")
# The shortest thing a player recognises as MP4: a file-type box and an empty media box.
MP4 = struct.pack(">I4s4sI4s4s", 24, b"ftyp", b"mp42", 0, b"mp42", b"isom") + struct.pack(">I4s", 8, b"mdat")
DRAWN_SIZE = 256


class Gallery:
    """The pictures of a catalogue: `<folder>/<stem>.png` where there is one, else a plain one drawn here."""

    def __init__(self, folder: Path, images: Mapping[int, Image]) -> None:
        self._folder = folder
        self._images = images

    def path(self, image: Image) -> str:
        """Where the storage origin serves an image in full size."""
        extension = "mp4" if image.kind == "video" else "jpeg"
        return f"/image/{uuid5(NAMESPACE_URL, str(image.id))}/original=true/{image.id}.{extension}"

    def size(self, image: Image) -> tuple[int, int]:
        """Width and height in pixels."""
        source = self._source(image)
        if source is None:
            return DRAWN_SIZE, DRAWN_SIZE
        with source.open("rb") as file:
            width, height = struct.unpack(">II", file.read(24)[16:])
        return width, height

    def answer(self, request: Request) -> Reply:
        """A picture, shrunk to `width=` where that is less than its own, in the format of its extension."""
        match = ADDRESS.fullmatch(request.path)
        image = self._images.get(int(match[2])) if match else None
        if match is None or image is None:
            return as_text("Not Found", status=404)
        if match[3] == "mp4":
            return Reply(headers={"Content-Type": "video/mp4"}, body=MP4)
        width = WIDTH.search(match[1])
        # A picture with a lying extension is PNG whatever its address says.
        style = "JPEG" if match[3] in {"jpeg", "jpg"} and not image.lies else "PNG"
        body = picture(self._source(image), image.id, int(width[1]) if width else 0, style)
        headers = {"Content-Type": f"image/{match[3]}", "Cache-Control": "public, max-age=86400"}
        return Reply(headers=headers, body=body)

    def _source(self, image: Image) -> Path | None:
        path = self._folder / f"{image.stem}.png"
        return path if path.is_file() else None


@lru_cache(maxsize=256)
def picture(source: Path | None, number: int, width: int, style: str) -> bytes:
    """An image file: the picture at `source`, or a plain square whose colour follows from its number."""
    from PIL import Image as Pillow

    if source is None:
        red, green, blue = (int(255 * part) for part in colorsys.hsv_to_rgb(number * 0.381966 % 1, 0.5, 0.8))
        drawn = Pillow.new("RGB", (DRAWN_SIZE, DRAWN_SIZE), (red, green, blue))
    else:
        with Pillow.open(source) as opened:
            drawn = opened.convert("RGB")
    if 0 < width < drawn.width:
        drawn = drawn.resize((width, max(1, round(drawn.height * width / drawn.width))))
    out = io.BytesIO()
    drawn.save(out, style, quality=90)
    return out.getvalue()
