"""A throw-away library with both hubs on loopback: where `hubsync demo` plays."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hubsync.sandbox.hub import SandboxHub

DATA = Path(__file__).parent / "data"
CHECKPOINT = DATA / "checkpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Playground:
    """A running sandbox. `environ` is the environment in which hubsync meets it and nothing of the user's."""

    root: Path
    hub: SandboxHub
    environ: Mapping[str, str]


@contextmanager
def playground(root: Path) -> Iterator[Playground]:
    """Both hubs, answering until the block ends, for a library in `root`."""
    with SandboxHub.start(DATA) as hub:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("HUBSYNC_", "CIVITAI_", "HF_"))
        }
        yield Playground(
            root=root,
            hub=hub,
            environ={
                **kept,
                "HUBSYNC_ROOT": str(root),
                "HUBSYNC_CONFIG": str(root / ".hubsync" / "hubsync.toml"),
                "HUBSYNC_CIVITAI_URL": hub.civitai_url,
                "HUBSYNC_CHECKPOINT__SD1": str(CHECKPOINT),
                # What the small checkpoint can draw and was measured at: 20 steps at 7 oversaturate its 64 pixels.
                "HUBSYNC_RENDER__PROMPT": "a large blue ring on a yellow background",
                "HUBSYNC_RENDER__STEPS": "8",
                "HUBSYNC_RENDER__CFG": "3",
                "CIVITAI_API_KEY": SandboxHub.KEY,
                "HF_ENDPOINT": hub.huggingface_url,
                "HF_TOKEN": SandboxHub.TOKEN,
                "HF_HOME": str(root / ".hubsync" / "huggingface"),
            },
        )
