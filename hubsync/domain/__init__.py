"""The nouns: what hubs offer, what is installed, what was rendered. Plain frozen data, one import for all of it."""

from hubsync.domain.hub import (
    LORA_TYPES,
    Availability,
    Download,
    FileFormat,
    FileKind,
    Lora,
    LoraFile,
    LoraType,
    Nsfw,
    Page,
    Period,
    Preview,
    Query,
    Scan,
    SearchResult,
    Sort,
    Version,
)
from hubsync.domain.library import (
    DEFAULT_WEIGHT,
    Installed,
)
from hubsync.domain.renders import (
    LoraUse,
    Render,
    RenderKind,
    RenderOutcome,
)
from hubsync.domain.words import (
    Suggestion,
    TriggerGroup,
    TriggerWord,
    TriggerWords,
    WordSource,
)

__all__ = [
    "DEFAULT_WEIGHT",
    "LORA_TYPES",
    "Availability",
    "Download",
    "FileFormat",
    "FileKind",
    "Installed",
    "Lora",
    "LoraFile",
    "LoraType",
    "LoraUse",
    "Nsfw",
    "Page",
    "Period",
    "Preview",
    "Query",
    "Render",
    "RenderKind",
    "RenderOutcome",
    "Scan",
    "SearchResult",
    "Sort",
    "Suggestion",
    "TriggerGroup",
    "TriggerWord",
    "TriggerWords",
    "Version",
    "WordSource",
]
