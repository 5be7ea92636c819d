"""Finding the library root."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubsync.config import Settings
from hubsync.roots import find_root


def _tree(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        if name.endswith("/"):
            path.mkdir(parents=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    return folder


def test_settings_come_first(tmp_path: Path) -> None:
    """A root that was set beats the folder hubsync runs in."""
    here = _tree(tmp_path / "here", ".hubsync/")
    root = find_root(Settings(root=str(tmp_path / "set")), cwd=here, home=tmp_path)
    assert root.path == tmp_path / "set"


@pytest.mark.parametrize(
    ("marks", "loras", "embeddings"),
    [
        ((".hubsync/",), "models/Lora", "models/embeddings"),
        (("modules/", "webui.py"), "models/Lora", "embeddings"),
        (("comfy/", "folder_paths.py"), "models/loras", "models/embeddings"),
    ],
)
def test_nearest_tree_upward_is_the_root(tmp_path: Path, marks: tuple[str, ...], loras: str, embeddings: str) -> None:
    """From deep inside an AUTOMATIC1111, ComfyUI or hubsync tree, that tree is found, with its own folders."""
    tree = _tree(tmp_path / "tree", *marks, "a/b/")
    root = find_root(Settings(), cwd=tree / "a" / "b", home=tmp_path)
    assert (root.path, root.loras, root.embeddings) == (tree, tree / loras, tree / embeddings)


def test_home_is_the_last_resort(tmp_path: Path) -> None:
    """Nothing found: ~/hubsync."""
    assert find_root(Settings(), cwd=tmp_path, home=tmp_path).path == tmp_path / "hubsync"


def test_lora_dir_overrides(tmp_path: Path) -> None:
    """`lora_dir` may be below the root or anywhere."""
    below = find_root(Settings(root=str(tmp_path), lora_dir="loras"), cwd=tmp_path, home=tmp_path)
    elsewhere = find_root(Settings(root=str(tmp_path), lora_dir="/other"), cwd=tmp_path, home=tmp_path)
    assert (below.loras, elsewhere.loras) == (tmp_path / "loras", Path("/other"))
