"""What the detail pane says of an installed LoRA, and the marks of its row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from hubsync.config import Settings
from hubsync.domain import Installed, TriggerGroup, TriggerWord, WordSource
from hubsync.refs import CivitaiRef, HuggingFaceRef
from hubsync.tui.describe import BLANK, title
from hubsync.tui.text import day, home, number, size, words
from hubsync.tui.widgets.facts import Fact

if TYPE_CHECKING:
    from hubsync.services.library import Known

SAID_BY = {
    WordSource.USER: "you",
    WordSource.SIDECAR: "sidecar",
    WordSource.FILE_NAME: "file name",
    WordSource.CIVITAI: "Civitai",
    WordSource.CARD: "model card",
    WordSource.METADATA: "header",
    WordSource.DESCRIPTION: "description",
}
_MUTED = "$foreground-muted"
_USED = "bold $text-success"
_HASH = 10
"""Characters of a SHA-256 that tools and Civitai show."""


def installed_facts(lora: Installed, settings: Settings, known: Known | None = None) -> list[Fact]:
    """A LoRA of the library; `known` is what takes reading its files, None until that is done."""
    shape = (lora.network, lora.rank and f"rank {lora.rank}", lora.alpha and f"alpha {number(lora.alpha)}")
    proof = f"hash {lora.sha256[:_HASH]}" if lora.sha256 else "not hashed yet"
    default = number(settings.prompt.default_weight)
    return [
        *title(lora.name, (lora.title if lora.title != lora.name else "",)),
        *([*notes, BLANK] if (notes := [Fact(value=words(text, "$text-warning")) for text in marks(lora)]) else []),
        Fact(label="Words", value=word_groups(lora.groups)),
        *_text("Weight", number(lora.weight) or f"none suggested: {default} is used"),
        *_text("Negative", lora.negative or ""),
        *_text("Notes", lora.notes or ""),
        *_text("Base", _dotted(lora.base_model, lora.family)),
        *_text("Network", _dotted(*shape)),
        *_text("File", f"{home(lora.path)}\n{_dotted(size(lora.size), proof)}"),
        *(_looked_up(known) if known else []),
        *_text("Renders", str(lora.renders) if lora.renders else "none yet: r makes one"),
        *_text("From", _dotted(str(lora.ref) if lora.ref else "", day(lora.installed_at))),
        *_text("Page", page(lora, settings)),
        *_text("By", lora.creator or ""),
        *_text("Tags", ", ".join(lora.tags)),
    ]


def marks(lora: Installed) -> Iterator[str]:
    """What is to be done about a LoRA, the most urgent first: the glyph its row shows, and the words for it."""
    if lora.missing:
        yield "! its file is missing"
    if lora.outdated:
        yield "↑ outdated: U installs the newer version"
    if not lora.groups:
        yield "? no trigger words: e adds some"
    if lora.preview is None:
        yield "· no preview: r draws one"


def word_groups(groups: Sequence[TriggerGroup]) -> Content:
    """Trigger groups, a line each: whether it is inserted, its words, which of them are off, and who said them."""
    if not groups:
        return Content.styled("none", _MUTED)
    return Content("\n").join(map(_group_line, groups))


def said_by(items: Sequence[TriggerWord]) -> str:
    """Who said words, the most trusted first."""
    return ", ".join(SAID_BY[source] for source in WordSource if source in {word.source for word in items})


def page(lora: Installed, settings: Settings) -> str:
    """The address of the page a LoRA came from, empty where it came from none."""
    ref = lora.ref
    if isinstance(ref, CivitaiRef) and ref.model:
        version = f"?modelVersionId={ref.version}" if ref.version else ""
        return f"{settings.civitai.url}/models/{ref.model}{version}"
    return f"{settings.huggingface.endpoint}/{ref.repo}" if isinstance(ref, HuggingFaceRef) else ""


def _group_line(group: TriggerGroup) -> Content:
    texts = ", ".join(word.text if word.enabled else f"{word.text} (off)" for word in group.words)
    head = words(f"● {texts}", _USED) if group.enabled else words(f"○ {texts} (off)")
    return head + words(f"  {said_by(group.words)}", _MUTED)


def _looked_up(known: Known) -> list[Fact]:
    """What lies beside the file, who says anything of it, and how many words its header or a trial suggests."""
    beside = ", ".join(path.name for path in known.companions)
    says = ", ".join(SAID_BY[one.source] for one in known.statements)
    hints = len(known.suggestions)
    return [
        *_text("Sidecars", beside or "none"),
        *_text("Told by", says),
        *_text("Hints", f"{hints} words it may want: e shows them" if hints else ""),
    ]


def _dotted(*parts: object) -> str:
    return " · ".join(str(part) for part in parts if part)


def _text(label: str, text: str) -> list[Fact]:
    """A fact, left out where there is nothing to say."""
    return [Fact(label=label, value=words(text))] if text else []
