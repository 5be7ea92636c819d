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


def test_folders_a_tool_reads_as_well_belong_to_the_library(tmp_path: Path) -> None:
    """AUTOMATIC1111's LyCORIS, and what a ComfyUI shares with other tools."""
    webui = _tree(tmp_path / "webui", "modules/", "webui.py", "models/Lora/", "models/LyCORIS/", "embeddings/")
    assert find_root(Settings(), cwd=webui, home=tmp_path).more == (webui / "models/LyCORIS",)
    comfy = _tree(tmp_path / "comfy", "comfy/", "folder_paths.py", "more/")
    (comfy / "extra_model_paths.yaml").write_text(
        "a111:\n  base_path: ../webui/\n  loras: |\n    models/Lora\n    models/LyCORIS\n    models/nowhere\n"
        "  embeddings: embeddings\nother:\n  loras: more\nempty:\n",
        "utf-8",
    )
    root = find_root(Settings(), cwd=comfy, home=tmp_path)
    found = [folder.resolve() for folder in root.more]
    assert found == [webui / "models/Lora", webui / "models/LyCORIS", comfy / "more"]
    assert [folder.resolve() for folder in root.more_embeddings] == [webui / "embeddings"]
    assert str(root.more_embeddings[0] / "a.pt").startswith(root.embedding_places)
    assert root.loras == comfy / "models/loras"


@pytest.mark.parametrize("content", ["", "[", "- a", "a: b", "a: {loras: [1]}", "a: {base_path: 3, loras: {}}"])
def test_a_strange_list_of_shared_folders_is_no_matter(tmp_path: Path, content: str) -> None:
    """Other people's files never keep hubsync from starting."""
    comfy = _tree(tmp_path / "comfy", "comfy/", "folder_paths.py")
    (comfy / "extra_model_paths.yaml").write_text(content, "utf-8")
    assert find_root(Settings(), cwd=comfy, home=tmp_path).more == ()
