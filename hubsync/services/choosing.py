"""Which file of a version is meant, what comes with it, whether it may be had, and what it is called."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from hubsync.domain import Availability, Lora, LoraFile, LoraType, Scan, Version
from hubsync.errors import (
    Ambiguous,
    Archived,
    DownloadsDisabled,
    EarlyAccess,
    NotFound,
    ScanFailed,
    TokenRequired,
    UnsafeFile,
)
from hubsync.files import placement
from hubsync.refs import CivitaiRef, HuggingFaceRef, Ref, Source

# Wan 2.2 has a network for each half of the noise schedule; one alone draws noise.
_HALVES = re.compile(r"(?<![a-z])(high|low)(?=[^a-z]|noise|$)", re.IGNORECASE)


class Risk(StrEnum):
    """What is installed only when the user says so."""

    PICKLE = "pickle"
    ARCHIVE = "archive"
    FAILED_SCAN = "failed_scan"


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallOptions:
    """Options of one install. `file` and `name` make sense for one reference only.

    folder: where the files go; None: the LoRA folder, or below it as the settings' template says.
    """

    file: str | None = None
    name: str | None = None
    folder: Path | None = None
    force: bool = False
    previews: bool = True
    risks: frozenset[Risk] = frozenset()


def choose_file(version: Version, ref: Ref, name: str | None) -> LoraFile:
    """The file meant by `--file`, by the reference, or by the hub's own mark.

    Raises:
        Archived, NotFound: no such file. Ambiguous: several, and nothing says which.
    """
    if not version.files:
        raise Archived(f"{version.name} has no files any more")
    if name is not None:
        return _only([file for file in version.files if file.name.casefold() == name.casefold()], version, name)
    if isinstance(ref, CivitaiRef) and ref.file is not None:
        return _only([file for file in version.files if file.ref == ref or _id(file) == ref.file], version, str(ref))
    if isinstance(ref, HuggingFaceRef) and ref.path is not None:
        return _only([file for file in version.files if file.name == ref.path], version, ref.path)
    models = [file for file in version.files if file.kind in {"model", "embedding"}]
    if primary := [file for file in models if file.primary]:
        return primary[0]
    safe = [file for file in models if file.format == "safetensors"]
    return _only(safe or models, version, "a LoRA file")


def _id(file: LoraFile) -> int | None:
    return file.ref.file if isinstance(file.ref, CivitaiRef) else None


def _only(files: list[LoraFile], version: Version, wanted: str) -> LoraFile:
    if len(files) == 1:
        return files[0]
    names = ", ".join(file.name for file in (files or version.files)[:12])
    if files:
        raise Ambiguous(f"{version.name} holds several LoRA files: {names}", hint="choose one with --file NAME")
    raise NotFound(f"{version.name} has no file {wanted}", hint=f"it has: {names}")


def companions(version: Version, file: LoraFile) -> Sequence[LoraFile]:
    """Files that a LoRA does not work without: its pivotal embedding, or the other half of a noise pair."""
    stem = PurePosixPath(file.name).stem.casefold()
    wanted = {f"{stem}_emb", _HALVES.sub(_other_half, stem)} - {stem}
    return [
        other
        for other in version.files
        if other.format == "safetensors" and PurePosixPath(other.name).stem.casefold() in wanted
    ]


def _other_half(match: re.Match[str]) -> str:
    return "low" if match[1] == "high" else "high"


def is_embedding(lora: Lora, file: LoraFile) -> bool:
    """Whether the file is a textual-inversion embedding, which lives in a folder of its own."""
    return lora.type is LoraType.EMBEDDING or file.kind == "embedding"


def wanted_stem(lora: Lora, file: LoraFile, name: str | None) -> str:
    """The name a file would like: `--name`, its own, or its LoRA's where its own says nothing."""
    stem = placement.stem_of(file.name)
    return placement.safe_stem(placement.stem_of(name or (lora.name if placement.is_generic(stem) else stem)))


def suffixes(ref: Ref) -> tuple[str, ...]:
    """What tells two LoRAs of one name apart: the version on Civitai, the owner on Hugging Face."""
    if isinstance(ref, CivitaiRef):
        return (f"v{ref.version}",) if ref.version else ()
    return (ref.repo.split("/")[0],) if isinstance(ref, HuggingFaceRef) else ()


def check_access(version: Version, file: LoraFile, source: Source, options: InstallOptions, *, has_key: bool) -> None:
    """Refuse before a byte moves what the hub's record already rules out.

    Raises:
        Archived, DownloadsDisabled, EarlyAccess, TokenRequired: it cannot be had.
        UnsafeFile, ScanFailed: it can, but only if the user says so.
    """
    if version.availability in {Availability.ARCHIVED, Availability.TAKEN_DOWN}:
        raise Archived(f"{version.name} is {version.availability.value.replace('_', ' ')}: its files are gone")
    if not version.downloadable:
        raise DownloadsDisabled(
            f"the creator of {version.name} has switched downloads off", hint="a key does not help; ask the creator"
        )
    _check_risks(file, options)
    if has_key:
        return
    hint = f"hubsync config set {'civitai.api_key' if source is Source.CIVITAI else 'huggingface.token'} KEY"
    if version.availability is Availability.EARLY_ACCESS:
        raise EarlyAccess(
            f"{version.name} is in early access{_until(version)}", hint=f"buy it on its page, then {hint}"
        )
    if version.requires_token:
        raise TokenRequired(f"{version.name} wants a key", hint=hint)


def _check_risks(file: LoraFile, options: InstallOptions) -> None:
    if file.format == "pickle" and Risk.PICKLE not in options.risks:
        raise UnsafeFile(
            f"{file.name} is a pickle, which can run any code when it is loaded",
            hint="look for a safetensors file or version; --allow-pickle installs it all the same",
        )
    if file.format == "archive" and Risk.ARCHIVE not in options.risks:
        raise UnsafeFile(
            f"{file.name} is an archive, which no tool loads as it is",
            hint="choose another with --file; --allow-archive installs it all the same",
        )
    if file.format == "other":
        raise UnsafeFile(f"{file.name} is of a format hubsync does not know", hint="choose another with --file")
    if file.scan is Scan.DANGER and Risk.FAILED_SCAN not in options.risks:
        raise ScanFailed(
            f"the hub's malware scan calls {file.name} dangerous", hint="--allow-failed-scan installs it all the same"
        )


def cautions(version: Version, file: LoraFile) -> Iterator[str]:
    """What the user should know before a download that is possible."""
    if version.availability is Availability.EARLY_ACCESS:
        yield f"in early access{_until(version)}: only its buyers can download it"
    if file.scan is Scan.DANGER:
        yield "the hub's malware scan calls it dangerous"
    if file.scan is Scan.PENDING:
        yield "the hub has not scanned it yet"
    if file.format in {"pickle", "archive"}:
        yield f"a {file.format}: hubsync never opens it, other tools may"
    if not file.sha256:
        yield "the hub states no SHA-256: only its header can be checked"


def _until(version: Version) -> str:
    return f" until {version.early_access_ends_at:%Y-%m-%d}" if version.early_access_ends_at else ""
