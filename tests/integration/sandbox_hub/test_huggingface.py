"""The Hugging Face side of the sandbox: the unmodified huggingface_hub, in processes that know no other hub."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2

from hubsync.sandbox.hub import SandboxHub


def in_python(hub: SandboxHub, home: Path, code: str) -> Any:
    """What a script prints as JSON that uses huggingface_hub against the hub in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, env=hub_env(hub, home), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def hub_env(hub: SandboxHub, home: Path) -> dict[str, str]:
    """An environment in which huggingface_hub knows only the sandbox."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    return {**kept, "HF_ENDPOINT": hub.huggingface_url, "HF_HOME": str(home), "HF_HUB_DISABLE_UPDATE_CHECK": "1"}


def test_lists_every_public_lora_by_following_links(hub: SandboxHub, tmp_path: Path) -> None:
    """Tags narrow the list, expanded fields arrive, and the pages together hold every public repository once."""
    code = """
import json
from huggingface_hub import HfApi
api = HfApi()
rows = list(api.list_models(filter="lora", expand=["siblings", "tags", "sha", "gated", "cardData"], sort="downloads"))
pictures = api.list_models(filter=["lora", "base_model:adapter:stable-diffusion-v1-5/stable-diffusion-v1-5"])
print(json.dumps({
    "ids": [row.id for row in rows],
    "files": [file.rfilename for row in rows for file in row.siblings if row.id == "sandbox/ohwx-lora"],
    "shas": [len(row.sha) for row in rows],
    "pictures": sorted(row.id for row in pictures if row.downloads > 500),
    "found": [row.id for row in api.list_models(search="SKS-frame", author="framewright", full=True)],
}))"""
    found = in_python(hub, tmp_path, code)
    assert found["ids"] == [
        "sandbox/alpaca-lora-tiny",
        "sandbox/multi-base-sliders",
        "sandbox/ohwx-lora",
        "sandbox/gated-lora",
        "framewright/sks-frame-kohya",
        "sandbox/manual-lora",
        "sandbox/disabled-lora",
        "sandbox/extra",
    ]
    assert found["files"] == [".gitattributes", "README.md", "image_0.png", "pytorch_lora_weights.safetensors"]
    assert set(found["shas"]) == {40}
    assert found["pictures"] == ["sandbox/gated-lora", "sandbox/multi-base-sliders", "sandbox/ohwx-lora"]
    assert found["found"] == ["framewright/sks-frame-kohya"]


def test_describes_and_downloads_a_repository(hub: SandboxHub, data: Path, tmp_path: Path) -> None:
    """Info, tree and paths agree on size and SHA-256, and the client downloads those bytes from storage."""
    code = """
import json
from huggingface_hub import HfApi, hf_hub_download
api, name, path = HfApi(), "sandbox/ohwx-lora", "pytorch_lora_weights.safetensors"
info = api.model_info(name, files_metadata=True)
[file] = [file for file in info.siblings if file.rfilename == path]
[entry] = api.get_paths_info(name, [path, "no such file"], revision=info.sha)
[again] = [item for item in api.list_repo_tree(name, recursive=True, expand=True) if item.path == path]
print(json.dumps({
    "hashes": [file.lfs.sha256, entry.lfs.sha256, again.lfs.sha256],
    "prompt": info.card_data.instance_prompt,
    "renamed": api.model_info("sandbox/ohwx-old-name").id,
    "weights": hf_hub_download(name, path),
    "card": hf_hub_download(name, "README.md", revision=info.sha),
}))"""
    found = in_python(hub, tmp_path, code)
    weights = (data / "loras" / "pytorch_lora_weights.safetensors").read_bytes()
    assert Path(found["weights"]).read_bytes() == weights
    assert set(found["hashes"]) == {hashlib.sha256(weights).hexdigest()}
    assert (found["prompt"], found["renamed"]) == ("ohwx", "sandbox/ohwx-lora")
    assert "You should use `ohwx`" in Path(found["card"]).read_text()
    assert hub.leaks == ()


def test_closed_repositories_say_which_way(hub: SandboxHub, tmp_path: Path) -> None:
    """Gated, private, disabled and missing repositories raise the client's own errors, with and without a token."""
    code = f"""
import json
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import HfHubHTTPError
def outcome(name, token):
    try:
        return hf_hub_download("sandbox/" + name, name + ".safetensors", token=token) and "ok"
    except (HfHubHTTPError, OSError) as error:
        reason = error if isinstance(error, HfHubHTTPError) else error.__cause__
        return f"{{type(reason).__name__}} {{reason.response.status_code}}"
names = ("gated-lora", "manual-lora", "private-lora", "disabled-lora", "missing")
print(json.dumps({{name: [outcome(name, token) for token in (False, "hf_wrong", {hub.TOKEN!r})] for name in names}}))"""
    missing = "RepositoryNotFoundError 404"
    assert in_python(hub, tmp_path, code) == {
        "gated-lora": ["GatedRepoError 401", "HfHubHTTPError 401", "ok"],
        "manual-lora": ["GatedRepoError 401", "HfHubHTTPError 401", "GatedRepoError 403"],
        "private-lora": [missing, "HfHubHTTPError 401", "ok"],
        "disabled-lora": ["DisabledRepoError 403", "HfHubHTTPError 401", "DisabledRepoError 403"],
        "missing": [missing, "HfHubHTTPError 401", missing],
    }
    assert hub.leaks == ()


def test_the_hf_command_downloads_a_repository(hub: SandboxHub, data: Path, tmp_path: Path) -> None:
    """`hf download` fetches every file of a repository, weights and picture with an awkward name among them."""
    command = [str(Path(sys.executable).with_name("hf")), "download", "framewright/sks-frame-kohya"]
    subprocess.run(
        [*command, "--local-dir", str(tmp_path)], env=hub_env(hub, tmp_path / "home"), check=True, capture_output=True
    )
    original = (data / "loras" / "sks_frame.safetensors").read_bytes()
    assert (tmp_path / "sks-frame-v1.safetensors").read_bytes() == original
    assert (tmp_path / "README.md").read_text().startswith("---\nlicense: creativeml-openrail-m\n")
    assert hub.leaks == ()


def test_answers_no_client_asks_for(hub: SandboxHub) -> None:
    """Unknown fields, revisions and files get the Hub's own refusals, and every answer states the allowance."""
    with httpx2.Client(base_url=hub.huggingface_url) as client:
        assert client.get("/api/models", params={"expand": "nonsense"}).status_code == 400
        revision = client.get("/api/models/sandbox/ohwx-lora/revision/v9")
        entry = client.head("/sandbox/ohwx-lora/resolve/main/nothing.bin")
        assert revision.headers["RateLimit"].startswith('"api";r=')
        errors = [answer.headers["X-Error-Code"] for answer in (revision, entry)]
        assert errors == ["RevisionNotFound", "EntryNotFound"]
        folder = client.get("/api/models/sandbox/multi-base-sliders/tree/main/sd15").json()
        assert [item["path"] for item in folder] == ["sd15/detail.safetensors", "sd15/saturation.safetensors"]
