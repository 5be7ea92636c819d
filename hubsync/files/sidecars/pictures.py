"""The picture beside a LoRA that stands for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

# AUTOMATIC1111 and Lora-Manager take `.preview.*` and plain ones, SwarmUI `.thumb.*` last; all of them show PNG.
_ORDER = tuple(
    f"{inner}.{kind}"
    for inner in (".preview", "", ".thumb")
    for kind in ("png", "webp", "jpeg", "jpg", "gif", "avif", "jxl")
)
_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8")


def best(files: Mapping[str, Path]) -> Path | None:
    """The first picture by the order tools look for previews. `files` are a LoRA's companions by their endings."""
    return next((files[ending] for ending in _ORDER if ending in files and _is_picture(files[ending])), None)


def _is_picture(path: Path) -> bool:
    """Whether the bytes are of a kind hubsync shows: Civitai Helper calls every preview PNG, videos too."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            start = file.read(12)
    except OSError:
        return False
    return start.startswith(_MAGIC) or (start[:4], start[8:]) == (b"RIFF", b"WEBP") or start[4:] == b"ftypavif"
