"""Domain objects as the JSON of the command-line contract. Keys are exact: scripts depend on them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from hubsync.domain import Installed, Lora, LoraFile, Preview, Render, Version
from hubsync.errors import HubsyncError

if TYPE_CHECKING:
    from hubsync.services.install import InstallResult

JSON = dict[str, Any]


def error_json(error: HubsyncError) -> JSON:
    """An error as scripts see it."""
    return {"code": error.code, "message": error.message, "hint": error.hint}


def lora_json(lora: Lora) -> JSON:
    """LORA."""
    return {
        "ref": str(lora.ref),
        "source": lora.source.value,
        "name": lora.name,
        "type": lora.type.value,
        "creator": lora.creator,
        "base_models": list(lora.base_models),
        "families": list(lora.families),
        "tags": list(lora.tags),
        "nsfw": lora.nsfw,
        "nsfw_level": lora.nsfw_level,
        "downloads": lora.downloads,
        "likes": lora.likes,
        "updated_at": _date(lora.updated_at),
        "trigger_words": lora.trigger_words,
        "preview_url": lora.preview_url,
        "page_url": lora.page_url,
        "installed": lora.installed,
    }


def show_json(lora: Lora, preflight: InstallResult) -> JSON:
    """LORA with its description, licence and versions, and what an install of it would come to."""
    return {
        **lora_json(lora),
        "description": lora.description,
        "license": lora.license,
        "versions": [version_json(version) for version in lora.versions],
        "preflight": result_json(preflight),
    }


def version_json(version: Version) -> JSON:
    """VERSION."""
    return {
        "ref": str(version.ref),
        "name": version.name,
        "base_model": version.base_model,
        "family": version.family,
        "published_at": _date(version.published_at),
        "availability": version.availability.value,
        "early_access_ends_at": _date(version.early_access_ends_at),
        "requires_token": version.requires_token,
        "trigger_words": version.trigger_words,
        "suggested_weight": version.suggested_weight,
        "files": [_file_json(file) for file in version.files],
        "previews": [_preview_json(preview) for preview in version.previews],
    }


def _file_json(file: LoraFile) -> JSON:
    return {
        "ref": str(file.ref),
        "name": file.name,
        "size": file.size,
        "kind": file.kind,
        "format": file.format,
        "primary": file.primary,
        "sha256": file.sha256,
        "autov3": file.autov3,
        "scan": file.scan.value,
    }


def _preview_json(preview: Preview) -> JSON:
    return {
        "url": preview.url,
        "kind": preview.kind,
        "width": preview.width,
        "height": preview.height,
        "nsfw_level": preview.nsfw_level,
        "prompt": preview.prompt,
    }


def installed_json(lora: Installed) -> JSON:
    """INSTALLED."""
    return {
        "name": lora.name,
        "path": str(lora.path),
        "title": lora.title,
        "alias": lora.alias,
        "ref": str(lora.ref) if lora.ref else None,
        "type": lora.type.value,
        "base_model": lora.base_model,
        "family": lora.family,
        "network": lora.network,
        "rank": lora.rank,
        "alpha": lora.alpha,
        "size": lora.size,
        "sha256": lora.sha256,
        "autov2": lora.autov2,
        "autov3": lora.autov3,
        "autov1": lora.autov1,
        "blake3": lora.blake3,
        "crc32": lora.crc32,
        "trigger_words": lora.trigger_words,
        "weight": lora.weight,
        "negative": lora.negative,
        "notes": lora.notes,
        "tags": list(lora.tags),
        "nsfw_level": lora.nsfw_level,
        "preview": str(lora.preview) if lora.preview else None,
        "installed_at": _date(lora.installed_at),
        "missing": lora.missing,
        "outdated": lora.outdated,
        "newer": str(lora.newer) if lora.newer else None,
        "pinned": lora.pinned,
        "creator": lora.creator,
        "renders": lora.renders,
    }


def render_json(render: Render) -> JSON:
    """RENDER."""
    return {
        "path": str(render.path),
        "kind": render.kind.value,
        "loras": [{"name": use.name, "weight": use.weight} for use in render.loras],
        "trigger_words": list(render.trigger_words),
        "prompt": render.prompt,
        "negative_prompt": render.negative_prompt,
        "seed": render.seed,
        "steps": render.steps,
        "cfg": render.cfg,
        "size": list(render.size),
        "sampler": render.sampler,
        "checkpoint": render.checkpoint,
        "family": render.family,
        "effect": render.effect,
        "trigger_effect": render.trigger_effect,
        "created_at": _date(render.created_at),
    }


def _date(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def result_json(result: InstallResult) -> JSON:
    """RESULT: of an install, or of a plan for one."""
    plan, lora, received = result.plan, result.installed, result.received
    target = lora.path if lora else plan.target if plan else None
    return {
        "ref": str(plan.file.ref) if plan else result.asked,
        "status": result.status,
        "name": target.stem if target else None,
        "path": str(target) if target else None,
        "sha256": lora.sha256 if lora else plan.file.sha256 if plan else None,
        "size": lora.size if lora else plan.file.size if plan else None,
        "base_model": plan.version.base_model if plan else None,
        "family": lora.family if lora else plan.version.family if plan else None,
        "trigger_words": lora.trigger_words if lora else plan.version.trigger_words if plan else (),
        "weight": lora.weight if lora else plan.version.suggested_weight if plan else None,
        "preview": str(lora.preview) if lora and lora.preview else None,
        "sidecars": [str(path) for path in result.sidecars],
        "seconds": round(result.seconds, 3),
        "bytes_downloaded": received.bytes_downloaded if received else 0,
        "resumed_from": received.resumed_from if received else 0,
        "notes": list(plan.notes) if plan else [],
        "space_left": plan.space_left if plan else None,
        "error": error_json(result.error) if result.error else None,
    }
