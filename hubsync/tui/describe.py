"""What a detail pane says of a thing: domain objects as facts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from textual.content import Content

from hubsync.domain import (
    Availability,
    Lora,
    LoraFile,
    LoraType,
    Render,
    RenderKind,
    Scan,
    TriggerGroup,
    TriggerWords,
    Version,
)
from hubsync.domain.renders import Finding, Verdict
from hubsync.errors import HubsyncError
from hubsync.tui.advice import advice
from hubsync.tui.text import count, day, home, number, size, words
from hubsync.tui.widgets.facts import Fact

BLANK = Fact(value=Content())
_MUTED = "$foreground-muted"
_USED = "bold $text-success"
_TYPES = {LoraType.LORA: "LoRA", LoraType.LOCON: "LoCon", LoraType.DORA: "DoRA", LoraType.EMBEDDING: "embedding"}
_MOST_VERSIONS = 4  # lines in the pane; the dialog of versions has all
_FINDINGS = {
    Finding.NEEDS_WORDS: "✓ needs words",
    Finding.HELPED_BY_WORDS: "✓ words help",
    Finding.WORKS_WITHOUT: "✓ works alone",
    Finding.WORKS: "✓ works",
    Finding.NOTHING: "✗ no effect",
}
_KINDS = {RenderKind.BASE: "base", RenderKind.LORA: "LoRA", RenderKind.TRIGGERED: "LoRA + words"}


def base_name(name: str | None, family: str | None) -> str:
    """A base model in a few letters: Hugging Face names whole repositories, whose family says as much."""
    if name and "/" in name:
        return family or name.rpartition("/")[2]
    return name or family or ""


def lora_facts(lora: Lora) -> list[Fact]:
    """A hub's LoRA: what decides about it first, its description last."""
    newest = lora.versions[0] if lora.versions else None
    return [
        *title(lora.name, ("✓ installed" if lora.installed else "", f"by {lora.creator}" if lora.creator else "")),
        *_text("Type", _TYPES.get(lora.type, lora.type.value)),
        *_text("Base", ", ".join(lora.base_models)),
        Fact(label="Words", value=hub_groups(lora.trigger_words)),
        *_text("Weight", number(newest.suggested_weight) + " suggested" if newest and newest.suggested_weight else ""),
        *_text("Access", access(newest) if newest else "no version is published"),
        *_text("Files", "\n".join(file_line(file) for version in lora.versions[:1] for file in version.files)),
        *_text("Versions", "\n".join(_versions(lora.versions))),
        *_text("Licence", lora.license or ""),
        *_text("Numbers", " · ".join(_numbers(lora))),
        *_text("Tags", ", ".join(tag for tag in lora.tags if ":" not in tag)),
        *_text("Page", lora.page_url),
        *([BLANK, Fact(value=words(lora.description))] if lora.description else []),
    ]


def render_facts(render: Render, verdict: Verdict | None = None) -> list[Fact]:
    """One picture of a test, and what the test says of its LoRA."""
    return [
        *title(render_name(render), (kind(render), moment(render))),
        *effects(render),
        *_text("Verdict", advice(verdict.sentence) if verdict else ""),
        *_text("Prompt", render.prompt),
        *_text("Negative", render.negative_prompt),
        *_text("Words", ", ".join(render.trigger_words)),
        *_text("Seed", str(render.seed)),
        *_text("Steps", f"{render.steps} · cfg {number(render.cfg)} · {render.sampler}"),
        *_text("Size", f"{render.size[0]} × {render.size[1]}"),  # noqa: RUF001  (the sign for sizes)
        *_text("Model", Path(render.checkpoint).name),
        *_text("File", home(render.path)),
    ]


def effects(render: Render) -> list[Fact]:
    """How much a picture differs from the base, and from the one without words, 1 being full contrast."""
    return [
        *_text("Effect", difference(render.effect)),
        *_text("Of words", difference(render.trigger_effect)),
    ]


def title(name: str, notes: Iterable[str]) -> list[Fact]:
    """The heading of a description."""
    second = words(" · ".join(filter(None, notes)), _MUTED)
    return [Fact(value=words(name, "bold")), *([Fact(value=second)] if second else []), BLANK]


def problem(error: HubsyncError) -> list[Fact]:
    """An error and what to do about it here."""
    return [
        Fact(value=words(f"! {error.message}", "$text-error")),
        *([BLANK] if error.hint else []),
        *([Fact(value=words(advice(error.hint)))] if error.hint else []),
    ]


def kind(render: Render) -> str:
    """Which of a test's pictures this is."""
    return _KINDS[render.kind]


def render_name(render: Render) -> str:
    """The LoRAs of a picture with their weights."""
    return ", ".join(f"{use.name} {number(use.weight)}" for use in render.loras) or "without a LoRA"


def moment(render: Render) -> str:
    """When a picture was drawn, in the clock of this place."""
    return f"{render.created_at.astimezone():%Y-%m-%d %H:%M}"


def finding(verdict: Verdict | None) -> str:
    """A verdict in two words, with a sign; empty where there is none."""
    return _FINDINGS[verdict.finding] if verdict else ""


def difference(share: float | None) -> str:
    """A pixel difference of 0..1, written as verdicts and contact sheets write it."""
    return "" if share is None else f"{share:.3f}"


def hub_groups(groups: TriggerWords) -> Content:
    """Trigger groups as a hub states them; the first is used unless another is chosen."""
    return _groups([(", ".join(group), index == 0) for index, group in enumerate(groups)])


def library_groups(groups: Sequence[TriggerGroup]) -> Content:
    """Trigger groups of an installed LoRA; the enabled ones are inserted."""
    return _groups([(", ".join(word.text for word in group.words), group.enabled) for group in groups])


def _groups(groups: Sequence[tuple[str, bool]]) -> Content:
    if not groups:
        return Content.styled("none stated", _MUTED)
    if len(groups) == 1:
        return words(groups[0][0], _USED)
    return Content("\n").join(
        words(f"● {text} (default)", _USED) if used else words(f"○ {text}") for text, used in groups
    )


def access(version: Version) -> str:
    """Whether the files can be had, and what it takes."""
    until = f" until {day(version.early_access_ends_at)}" if version.early_access_ends_at else ""
    state = {
        Availability.PUBLIC: "public",
        Availability.EARLY_ACCESS: f"early access{until}",
        Availability.PRIVATE: "private",
        Availability.ARCHIVED: "archived: the files are gone",
        Availability.TAKEN_DOWN: "taken down",
    }[version.availability]
    return " · ".join(
        filter(None, (state, "wants a key" if version.requires_token else "",
                      "" if version.downloadable else "downloads are switched off"))
    )  # fmt: skip


def file_line(file: LoraFile) -> str:
    """A file a version offers."""
    warning = "! the hub's scan calls it dangerous" if file.scan is Scan.DANGER else ""
    shape = file.format if file.format != "safetensors" else ""
    return " · ".join(filter(None, (file.name, size(file.size), shape, warning)))


def version_line(version: Version) -> str:
    """A release."""
    return " · ".join(filter(None, (version.name, day(version.published_at), version.base_model)))


def _versions(versions: Sequence[Version]) -> Iterable[str]:
    """The newest releases, and how many there are."""
    if len(versions) > 1:
        yield f"{len(versions)}: v lists them with their files"
    yield from map(version_line, versions[:_MOST_VERSIONS])
    if len(versions) > _MOST_VERSIONS:
        yield f"and {len(versions) - _MOST_VERSIONS} more"


def _numbers(lora: Lora) -> Iterable[str]:
    if lora.downloads is not None:
        yield f"{count(lora.downloads)} {'download' if lora.downloads == 1 else 'downloads'}"
    if lora.likes is not None:
        yield f"{count(lora.likes)} {'like' if lora.likes == 1 else 'likes'}"


def _text(label: str, text: str) -> list[Fact]:
    """A fact about someone else's text, left out where there is none."""
    return [Fact(label=label, value=words(text))] if text else []
