"""Which weights a model card names as its own repository's."""

from __future__ import annotations

import re
from urllib.parse import unquote


def named_files(body: str, *, repo: str) -> tuple[str, ...]:
    """File names, best first: for web UIs, by full address, in code that loads this repository.

    A name in code that loads another repository, which examples often do, is none. A web UI's `<lora:NAME:1>` is
    given as `NAME.safetensors`.
    """
    own = re.escape(repo)
    tags = [f"{name}.safetensors" for name in re.findall(r"<lora:([^:<>\n]+)", body)]
    addresses = re.findall(rf"{own}/(?:resolve|blob)/[^/\s]+/([^\s\"'`)\]?<>]+)", body)
    calls = re.findall(rf"[\"']{own}[\"']\s*,[^)\n]*?(?:weight_name|filename)\s*=\s*[\"']([^\"'\n]+)[\"']", body)
    weights = [unquote(name) for name in [*tags, *addresses, *calls]]
    return tuple(dict.fromkeys(name for name in weights if name.endswith(".safetensors")))
