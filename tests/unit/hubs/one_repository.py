"""A Hugging Face that holds one repository, for tests that write what it answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx2

from hubsync.domain import Lora
from hubsync.refs import parse_ref
from tests.unit.hubs.conftest import Wire

SHA = "0123456789abcdef0123456789abcdef01234567"
DIGEST = "ab" * 32
Answers = Callable[[httpx2.Request], httpx2.Response]


def lfs(path: str, size: int = 1000) -> dict[str, Any]:
    """A file the Hub keeps as LFS."""
    return {"rfilename": path, "size": size, "blobId": "x", "lfs": {"sha256": DIGEST, "size": size, "pointerSize": 9}}


def repository(*files: str, **more: Any) -> dict[str, Any]:
    """What the Hub says of a repository with these files."""
    tags = ["lora", "diffusers"]
    return {"id": "o/r", "author": "o", "sha": SHA, "tags": tags, "siblings": [lfs(file) for file in files], **more}


Session = Callable[[Answers], list[httpx2.Request]]


def site(repo: Any, card: str = "", status: int = 200) -> Answers:
    """The Hub with one repository and its card."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.startswith("/api/models/"):
            return httpx2.Response(200, content=json.dumps(repo).encode())
        return httpx2.Response(status, text=card, headers={"Content-Type": "text/plain; charset=utf-8"})

    return answer


def shown(wire: Callable[..., Wire], session: Session, answers: Answers, ref: str = "hf:o/r") -> Lora:
    """The LoRA hubsync makes of those answers."""
    session(answers)
    return wire(answers).hugging_face().lora(parse_ref(ref))
