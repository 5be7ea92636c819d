"""Preview pictures for looking at: fetched once, kept under the library root."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hubsync.errors import NoPermission
from hubsync.files import previews
from hubsync.files.transfer import Transfer


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewService:
    """A cache of pictures in `folder`; the file is named by the SHA-256 of the picture's address."""

    folder: Path
    transfer: Callable[[], Transfer]

    def picture(self, url: str) -> Path:
        """The picture at `url` as a PNG file, its longer side at most 768 px.

        Raises:
            NotAModel: no picture is there. NoPermission: it cannot be kept. AccessDenied, HubError: as the hub answers.
        """
        path = self.folder / f"{hashlib.sha256(url.encode()).hexdigest()}.png"
        if not path.exists():
            transfer = self.transfer()
            content = previews.fetch(transfer.client, url, check=transfer.check)
            self._keep(content, path)
        return path

    def _keep(self, content: bytes, path: Path) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            previews.save_preview(content, path)
        except OSError as error:
            raise NoPermission(f"{self.folder} cannot be written: {error.strerror}") from error
