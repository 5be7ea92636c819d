"""Domain objects as the JSON of the command-line contract. Keys are exact: scripts depend on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from hubsync.domain import Installed, Lora, LoraFile, Preview, Render, TriggerGroup, Version
from hubsync.errors import HubsyncError
from hubsync.files.inspect import Inspection
from hubsync.prompts.compose import Composed
from hubsync.prompts.syntax import attention, extra_networks
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


def show_json(lora: Lora) -> JSON:
    """LORA with its description, licence and versions."""
    return {
        **lora_json(lora),
        "description": lora.description,
        "license": lora.license,
        "versions": [version_json(version) for version in lora.versions],
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
        "renders": lora.renders,
    }


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
        "error": error_json(result.error) if result.error else None,
    }


def triggers_json(lora: Installed) -> JSON:
    """The answer of `triggers`."""
    return {
        "name": lora.name,
        "groups": [_group_json(group) for group in lora.groups],
        "suggestions": [
            {"text": item.text, "score": round(item.score, 3), "source": item.source} for item in lora.suggestions
        ],
        "weight": lora.weight,
        "negative": lora.negative,
    }


def _group_json(group: TriggerGroup) -> JSON:
    words = [{"text": word.text, "source": word.source.value, "enabled": word.enabled} for word in group.words]
    return {"index": group.index, "enabled": group.enabled, "words": words}


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


def composed_json(steps: Sequence[Composed]) -> JSON:
    """The answer of `prompt`: the last step's prompt, with what all steps put in and took out."""
    last = steps[-1]
    return {
        "prompt": last.prompt,
        "negative_prompt": last.negative_prompt,
        "loras": [
            {
                "name": use.name,
                "weight": use.weight,
                "te_weight": use.te_weight,
                "unet_weight": use.unet_weight,
                "found": use.found,
            }
            for use in last.loras
        ],
        "inserted": [{"lora": change.lora, "text": change.text} for step in steps for change in step.inserted],
        "removed": [{"lora": change.lora, "text": change.text} for step in steps for change in step.removed],
        "warnings": [{"code": note.code, "message": note.message} for step in steps for note in step.warnings],
    }


def parsed_json(text: str) -> JSON:
    """The answer of `prompt --parse`: exactly what AUTOMATIC1111 makes of a text."""
    prompt, networks = extra_networks(text)
    return {
        "prompt": prompt,
        "networks": [
            {"type": one.type, "positional": list(one.positional), "named": dict(one.named)} for one in networks
        ],
        "attention": [[part, weight] for part, weight in attention(prompt)],
    }


def inspect_json(found: Inspection) -> JSON:
    """The answer of `inspect`."""
    shape = asdict(found)
    shape["path"] = str(found.path)
    return shape
