"""Preview pictures for looking at: fetched once, kept under the library root."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hubsync.errors import NoPermission
from hubsync.files import previews
from hubsync.files.transfer import Transfer

# Civitai's pictures: `…/<uuid>/<parameters>/<id>.<extension>`. Its image host draws a still of a video when asked to.
_VIDEO = re.compile(r"(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/[^/?#]+/([^/?#]+)\.(?:mp4|webm)$", re.IGNORECASE)
_STILL = r"\1/anim=false,transcode=true,width=450/\2.jpeg"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewService:
    """A cache of pictures in `folder`; the file is named by the SHA-256 of the picture's address."""

    folder: Path
    transfer: Callable[[], Transfer]

    def picture(self, url: str) -> Path:
        """The picture at `url`, or a still of Civitai's video there, as a PNG file, its longer side at most 768 px.

        Raises:
            NotAModel: no picture is there. NoPermission: it cannot be kept. AccessDenied, HubError: as the hub answers.
        """
        path = self.folder / f"{hashlib.sha256(url.encode()).hexdigest()}.png"
        if not path.exists():
            transfer = self.transfer()
            content = previews.fetch(transfer.client, still_of(url), check=transfer.check)
            self._keep(content, path)
        return path

    def _keep(self, content: bytes, path: Path) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            previews.save_preview(content, path)
        except OSError as error:
            raise NoPermission(f"{self.folder} cannot be written: {error.strerror}") from error


def still_of(url: str) -> str:
    """Where a picture of a preview is: its own address, but for Civitai's videos, of which there are stills."""
    return _VIDEO.sub(_STILL, url)
