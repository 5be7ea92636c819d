"""Which weights a model card names as its own repository's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote

# A file of the repository by its bare name: in code, or as the target of a link.
_MENTIONED = re.compile(r"`([^`\s:]{1,200}\.safetensors)`|\]\((?:\./)?([^()\s:]{1,200}\.safetensors)\)")


def named_files(body: str, *, repo: str) -> tuple[str, ...]:
    """File names, best first: for web UIs, by full address, in code that loads this repository.

    A name in code that loads another repository, which examples often do, is none. A web UI's `<lora:NAME:1>` is
    given as `NAME.safetensors`. Where no such name stands, those the text mentions are.
    """
    own = re.escape(repo)
    tags = [f"{name}.safetensors" for name in re.findall(r"<lora:([^:<>\n]+)", body)]
    addresses = re.findall(rf"{own}/(?:resolve|blob)/[^/\s]+/([^\s\"'`)\]?<>]+)", body)
    calls = re.findall(rf"[\"']{own}[\"']\s*,[^)]{{0,300}}?(?:weight_name|filename)\s*=\s*[\"']([^\"'\n]+)[\"']", body)
    weights = _safe([*tags, *addresses, *calls])
    return weights or _safe(match[0] or match[1] for match in _MENTIONED.findall(body))


def _safe(names: Iterable[str]) -> tuple[str, ...]:
    """Those of the one format that is safe to load."""
    return tuple(dict.fromkeys(path for name in names if (path := unquote(name)).endswith(".safetensors")))
