"""The Hub's JSON: a repository in a list or alone, and the entries of its tree."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Any

from hubsync.sandbox.hub.blobs import Blob
from hubsync.sandbox.hub.huggingface.cards import hub_tags
from hubsync.sandbox.hub.huggingface.repositories import Repo, is_large
from hubsync.sandbox.hub.messages import Json

ROW = ("likes", "trendingScore", "private", "downloads", "tags", "pipeline_tag", "library_name", "createdAt", "modelId")
FULL = (*ROW, "author", "sha", "lastModified", "gated", "disabled", "siblings")
ALONE = (*FULL, "cardData", "spaces", "usedStorage")
EXPANDABLE_NAMES = (
    "author baseModels cardData childrenModelCount config createdAt disabled downloads downloadsAllTime "
    "evalResults gated gguf inference inferenceProviderMapping lastModified library_name likes mask_token "
    "model-index pipeline_tag private resourceGroup safetensors sha siblings spaces tags transformersInfo "
    "trendingScore usedStorage widgetData xetEnabled"
)
EXPANDABLE = frozenset(EXPANDABLE_NAMES.split())
# A Git LFS pointer to a file of fewer than ten million bytes: what git itself stores of it.
POINTER_SIZE = 130


def repository(repo: Repo, fields: Collection[str], *, blobs: bool = False) -> Json:
    """A repository with some of its fields; `blobs` adds sizes and hashes to the siblings."""
    shape: Json = {"_id": hashlib.sha256(repo.record.id.encode()).hexdigest()[:24], "id": repo.record.id}
    return shape | {name: value for name in fields if (value := field(repo, name, blobs=blobs)) is not None}


def field(repo: Repo, name: str, *, blobs: bool) -> Any:  # noqa: ANN401 - any JSON value
    """One field, None where this repository has nothing to say; only what is asked for is computed."""
    if name == "sha":
        return repo.sha
    if name == "siblings":
        return [sibling(path, blob, blobs=blobs) for path, blob in repo.files.items()]
    if name == "usedStorage":
        return sum(blob.size for blob in repo.files.values())
    record = repo.record
    bases = record.card.get("base_model", [])
    known = {
        "modelId": record.id,
        "author": record.author,
        "likes": record.likes,
        "downloads": record.downloads,
        "downloadsAllTime": record.downloads * 7,
        "trendingScore": record.likes // 10,
        "private": record.private,
        "gated": record.gated,
        "disabled": record.disabled,
        "createdAt": record.created,
        "lastModified": record.modified,
        "pipeline_tag": record.card.get("pipeline_tag"),
        "library_name": record.card.get("library_name"),
        "tags": hub_tags(record.card),
        "cardData": dict(record.card) or None,
        "widgetData": record.card.get("widget"),
        "spaces": [],
        "baseModels": {
            "relation": "adapter",
            "models": [{"_id": base[-24:], "id": base} for base in (bases if isinstance(bases, list) else [bases])],
        },
        "childrenModelCount": {"adapter": 0, "merge": 0, "quantized": 0, "finetune": 0},
    }
    return known.get(name)


def sibling(path: str, blob: Blob, *, blobs: bool) -> Json:
    """A file as `model_info` lists it."""
    if not blobs:
        return {"rfilename": path}
    shape: Json = {"rfilename": path, "size": blob.size, "blobId": blob.git_oid}
    if not is_large(path):
        return shape
    return shape | {"lfs": {"sha256": blob.sha256, "size": blob.size, "pointerSize": POINTER_SIZE}}


def tree_file(repo: Repo, path: str, *, expand: bool) -> Json:
    """A file as `tree` and `paths-info` list it: the SHA-256 is called `oid` here."""
    blob = repo.files[path]
    shape: Json = {"type": "file", "oid": blob.git_oid, "size": blob.size, "path": path}
    if is_large(path):
        shape["lfs"] = {"oid": blob.sha256, "size": blob.size, "pointerSize": POINTER_SIZE}
    if expand:
        shape["lastCommit"] = commit(repo)
        shape["securityFileStatus"] = {"status": "safe", "avScan": {"virusFound": False}, "pickleImportScan": None}
    return shape


def tree_folder(repo: Repo, path: str) -> Json:
    """A folder as `tree` and `paths-info` list it."""
    oid = hashlib.sha1(f"{repo.sha}/{path}".encode(), usedforsecurity=False).hexdigest()
    return {"type": "directory", "oid": oid, "size": 0, "path": path}


def commit(repo: Repo) -> Json:
    """The one commit there is."""
    return {"id": repo.sha, "title": "Upload weights", "date": repo.record.modified}
