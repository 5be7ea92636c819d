"""Preview pictures are fetched once and kept as PNG."""

from __future__ import annotations

import io
from pathlib import Path

import httpx2
import pytest
from PIL import Image

from hubsync.config import Settings
from hubsync.errors import HubError, NoPermission, NotAModel
from hubsync.services.app import Hubsync
from hubsync.services.opening import open_hubsync

URL = "https://images.example/cat.jpeg"


class Pictures:
    """An image host that answers always the same, and counts."""

    def __init__(self, content: bytes, status: int = 200) -> None:
        self.asked: list[str] = []
        self._answer = (status, content)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """One answer."""
        self.asked.append(str(request.url))
        status, content = self._answer
        return httpx2.Response(status, content=content)


def jpeg() -> bytes:
    """A wide picture."""
    content = io.BytesIO()
    Image.new("RGB", (1600, 800), (200, 100, 50)).save(content, "JPEG")
    return content.getvalue()


def library(root: Path, pictures: Pictures) -> Hubsync:
    """A library whose pictures come from there."""
    return open_hubsync(Settings(root=str(root)), transport=httpx2.MockTransport(pictures))


def test_a_picture_is_fetched_once(tmp_path: Path) -> None:
    """The first look fetches and shrinks, the second finds the file; another address is another file."""
    pictures = Pictures(jpeg())
    with library(tmp_path, pictures) as hubsync:
        path = hubsync.previews.picture(URL)
        again = hubsync.previews.picture(URL)
        other = hubsync.previews.picture(f"{URL}?2")
        assert (path, pictures.asked) == (again, [URL, f"{URL}?2"])
        assert path != other
        assert path.parent == hubsync.root.previews
    with Image.open(path) as picture:
        assert (picture.format, picture.size) == ("PNG", (768, 384))


def test_of_a_video_the_still_is_fetched(tmp_path: Path) -> None:
    """Civitai's image host draws one, under an address of its own; what other hosts have is asked for as it is."""
    base = "https://image.civitai.com/xG1nkqKTMzGDvpLrqFT7WA/0a1b2c3d-0000-1111-2222-333344445555"
    pictures = Pictures(jpeg())
    with library(tmp_path, pictures) as hubsync:
        for url in (f"{base}/original=true/7.mp4", f"{base}/original=true/7.jpeg", "https://hub.example/a/x.mp4"):
            hubsync.previews.picture(url)
    still = f"{base}/anim=false,transcode=true,width=450/7.jpeg"
    assert pictures.asked == [still, f"{base}/original=true/7.jpeg", "https://hub.example/a/x.mp4"]


@pytest.mark.parametrize("content", [b"<html>no picture</html>", b""])
def test_what_is_no_picture_is_not_kept(tmp_path: Path, content: bytes) -> None:
    """An error page or a video leaves nothing behind, so that the next look asks again."""
    with library(tmp_path, Pictures(content)) as hubsync:
        with pytest.raises(NotAModel):
            hubsync.previews.picture(URL)
        assert list(hubsync.root.previews.iterdir()) == []


def test_a_hub_s_refusal_is_passed_on(tmp_path: Path) -> None:
    """A bad status is the hub's own error."""
    with library(tmp_path, Pictures(b"", 500)) as hubsync, pytest.raises(HubError):
        hubsync.previews.picture(URL)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """Where `.hubsync` is no folder the error names it."""
    (tmp_path / ".hubsync").write_text("in the way")
    with library(tmp_path, Pictures(jpeg())) as hubsync, pytest.raises(NoPermission, match="previews"):
        hubsync.previews.picture(URL)
