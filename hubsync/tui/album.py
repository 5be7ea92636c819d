"""The preview pictures of one LoRA, one of them open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hubsync.domain import Lora, Nsfw, Preview
from hubsync.refs import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Album:
    """`at` is the open one of `previews`; `problem` says why it cannot be shown."""

    ref: Ref | None = None
    previews: Sequence[Preview] = ()
    at: int = 0
    problem: str = ""

    @property
    def preview(self) -> Preview | None:
        """The open one."""
        return self.previews[self.at] if self.previews else None

    @property
    def caption(self) -> str:
        """Which of how many; a video is shown as a still of it."""
        if self.preview is None:
            return ""
        kind = "video" if self.preview.kind == "video" else "picture"
        return f"{kind} {self.at + 1} of {len(self.previews)}"

    def turned(self, pictures: int) -> Album:
        """Some pictures further, round the end."""
        if not self.previews:
            return self
        return replace(self, at=(self.at + pictures) % len(self.previews), problem="")

    def of(self, lora: Lora, ceiling: Nsfw) -> Album:
        """The pictures of a LoRA at or below the ceiling; the same one stays open if it is still there."""
        previews = [one for version in lora.versions for one in version.previews if ceiling.allows(one.nsfw_level)]
        urls = [preview.url for preview in previews]
        if lora.ref == self.ref and self.preview and self.preview.url in urls:
            return replace(self, previews=previews, at=urls.index(self.preview.url))
        still = next((index for index, one in enumerate(previews) if one.kind == "image"), 0)
        return Album(ref=lora.ref, previews=previews, at=still)
