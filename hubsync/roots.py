"""The library root: how it is found, and what lies where in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hubsync.config import Settings

STATE = ".hubsync"
"""Name of hubsync's own folder in a root."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """A library root; nothing of it need exist yet. `more…` are folders that the tool of this tree reads as well."""

    path: Path
    loras: Path
    embeddings: Path
    more: tuple[Path, ...] = ()
    more_embeddings: tuple[Path, ...] = ()

    @property
    def folders(self) -> tuple[Path, ...]:
        """Every folder LoRAs and embeddings lie in; downloads go to the first two."""
        return (self.loras, self.embeddings, *self.more, *self.more_embeddings)

    @property
    def embedding_places(self) -> tuple[str, ...]:
        """How the paths begin of files that lie where tools look for embeddings; as text, for speed."""
        return tuple(f"{folder}{os.sep}" for folder in (self.embeddings, *self.more_embeddings))

    @property
    def state(self) -> Path:
        """hubsync's own folder in the root."""
        return self.path / STATE

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
    def trash(self) -> Path:
        """LoRAs that were removed, a folder each."""
        return self.state / "trash"

    @property
    def moves(self) -> Path:
        """Notes of moves that are under way."""
        return self.state / "moves"

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
    loras, embeddings = path / folder, path / _embedding_folder(path)
    more = {
        kind: tuple(dict.fromkeys(one for key, one in _read_as_well(path) if key == kind and one.is_dir()))
        for kind in ("loras", "embeddings")
    }
    return Root(path=path, loras=loras, embeddings=embeddings, more=more["loras"], more_embeddings=more["embeddings"])


def _nearest(cwd: Path) -> Path | None:
    for folder in (cwd, *cwd.parents):
        if (folder / STATE).is_dir() or is_a1111(folder) or is_comfyui(folder):
            return folder
    return None


def _read_as_well(path: Path) -> Iterator[tuple[str, Path]]:
    """Folders the tool of this tree also reads `loras` or `embeddings` from."""
    if is_a1111(path):
        yield "loras", path / "models/LyCORIS"
    if is_comfyui(path) and (shared := path / "extra_model_paths.yaml").is_file():
        yield from _shared(shared)


def _shared(file: Path) -> Iterator[tuple[str, Path]]:
    """The folders a ComfyUI shares with other tools; one a line (ComfyUI, `utils/extra_config.py`)."""
    import yaml  # type: ignore[import-untyped]

    try:
        blocks = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return
    for block in blocks.values() if isinstance(blocks, dict) else ():
        found = block if isinstance(block, dict) else {}
        base = file.parent / Path(str(found.get("base_path") or "")).expanduser()
        for kind in ("loras", "embeddings"):
            lines = str(found.get(kind) or "").splitlines()
            yield from ((kind, base / line.strip()) for line in lines if line.strip())


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
