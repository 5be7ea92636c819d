"""Sidecars: the files that tools put beside a LoRA. Read all of them; write those that other tools read."""

from hubsync.files.sidecars.names import ENDINGS, beside, preview_path, sidecar_path, stem_and_ending
from hubsync.files.sidecars.told import Told, told_by
from hubsync.files.sidecars.writing import write, write_info

__all__ = [
    "ENDINGS",
    "Told",
    "beside",
    "preview_path",
    "sidecar_path",
    "stem_and_ending",
    "told_by",
    "write",
    "write_info",
]
