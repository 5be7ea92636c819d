"""The library root: how it is found, and what lies where in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hubsync.config import Settings

_STATE = ".hubsync"


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """A library root; nothing of it need exist yet."""

    path: Path
    loras: Path
    embeddings: Path

    @property
    def state(self) -> Path:
        """hubsync's own folder in the root."""
        return self.path / _STATE

    @property
    def database(self) -> Path:
        """The library database."""
        return self.state / "library.db"

    @property
    def downloads(self) -> Path:
        """Journals and locks of downloads that are not done."""
        return self.state / "downloads"

    @property
    def quarantine(self) -> Path:
        """Bytes that were not what a hub promised."""
        return self.state / "quarantine"

    @property
    def renders(self) -> Path:
        """Pictures of test renders."""
        return self.state / "renders"

    @property
    def previews(self) -> Path:
        """Preview pictures fetched for looking, not beside a LoRA."""
        return self.state / "previews"


def find_root(settings: Settings, *, cwd: Path, home: Path) -> Root:
    """The root of the settings, else the nearest tree upward from `cwd`, else `~/hubsync`."""
    path = Path(settings.root).expanduser() if settings.root else _nearest(cwd) or home / "hubsync"
    path = path.absolute()
    folder = Path(settings.lora_dir).expanduser() if settings.lora_dir else _lora_folder(path)
    return Root(path=path, loras=path / folder, embeddings=path / _embedding_folder(path))


def _nearest(cwd: Path) -> Path | None:
    for folder in (cwd, *cwd.parents):
        if (folder / _STATE).is_dir() or is_a1111(folder) or is_comfyui(folder):
            return folder
    return None


def is_a1111(folder: Path) -> bool:
    """Whether this is an AUTOMATIC1111 or Forge tree."""
    return (folder / "modules").is_dir() and ((folder / "webui.py").exists() or (folder / "launch.py").exists())


def is_comfyui(folder: Path) -> bool:
    """Whether this is a ComfyUI tree."""
    return (folder / "comfy").is_dir() and (folder / "folder_paths.py").exists()


def _lora_folder(path: Path) -> Path:
    return Path("models/loras" if is_comfyui(path) else "models/Lora")


def _embedding_folder(path: Path) -> Path:
    return Path("embeddings" if is_a1111(path) else "models/embeddings")
