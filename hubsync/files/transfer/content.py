"""What the first bytes of a download tell: whether it can be the model at all."""

from __future__ import annotations

from hubsync.errors import NotAModel
from hubsync.files.header import header_length

ENOUGH = 64
"""Bytes that tell it."""


def check_start(start: bytes, *, safetensors: bool) -> None:
    """Refuse a file by its first `ENOUGH` bytes, or all there are.

    Raises:
        NotAModel: it begins like HTML, XML or a JSON error, which servers send in place of a model.
        NotSafetensors: it is no safetensors file though it should be one.
    """
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<", b"{")):
        raise NotAModel("the server sent a text instead of the model", hint="try again later")
    if safetensors:
        header_length(start)
