"""What comes with a file, and what is refused or said before it comes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hubsync.domain import Availability, FileFormat, LoraFile, Scan, Version
from hubsync.errors import EarlyAccess, HubsyncError, ScanFailed, TokenRequired, UnsafeFile
from hubsync.hubs.formats import format_of
from hubsync.refs import CivitaiRef, HuggingFaceRef, Source
from hubsync.services.choosing import InstallOptions, Risk, cautions, check_access, companions

ENDS = datetime(2026, 12, 24, tzinfo=UTC)


def _version(*names: str, availability: Availability = Availability.PUBLIC, key: bool | None = None) -> Version:
    files = tuple(
        LoraFile(ref=HuggingFaceRef(repo="a/b", path=name), name=name, format=format_of(name)) for name in names
    )
    return Version(
        ref=CivitaiRef(model=1, version=2),
        name="v1",
        files=files,
        availability=availability,
        early_access_ends_at=ENDS if availability is Availability.EARLY_ACCESS else None,
        requires_token=key,
    )


@pytest.mark.parametrize(
    ("names", "with_it"),
    [
        (["tok.safetensors", "tok_emb.safetensors"], ["tok_emb.safetensors"]),
        (["Tok.safetensors", "tok_EMB.safetensors", "other_emb.safetensors"], ["tok_EMB.safetensors"]),
        (["wan_high_noise.safetensors", "wan_low_noise.safetensors"], ["wan_low_noise.safetensors"]),
        (["style-LOW.safetensors", "style-HIGH.safetensors"], ["style-HIGH.safetensors"]),
        (["highlights.safetensors", "lowlights.safetensors"], []),
        (["tok.safetensors", "tok_emb.bin", "tok_v2.safetensors"], []),
    ],
)
def test_what_a_lora_does_not_work_without(names: list[str], with_it: list[str]) -> None:
    """Its pivotal embedding, or the other half of a pair for high and low noise."""
    version = _version(*names)
    assert [file.name for file in companions(version, version.files[0])] == with_it


def _file(*, format: FileFormat = "safetensors", scan: Scan = Scan.OK, sha256: str | None = "a" * 64) -> LoraFile:  # noqa: A002
    return LoraFile(ref=CivitaiRef(version=2), name="a.file", format=format, scan=scan, sha256=sha256)


@pytest.mark.parametrize(
    ("file", "risks", "error"),
    [
        (_file(), (), None),
        (_file(format="pickle"), (), UnsafeFile),
        (_file(format="pickle"), (Risk.PICKLE,), None),
        (_file(format="archive"), (Risk.PICKLE,), UnsafeFile),
        (_file(format="archive"), (Risk.ARCHIVE,), None),
        (_file(format="other"), tuple(Risk), UnsafeFile),
        (_file(scan=Scan.DANGER), (Risk.PICKLE,), ScanFailed),
        (_file(scan=Scan.DANGER), (Risk.FAILED_SCAN,), None),
        (_file(scan=Scan.PENDING), (), None),
    ],
)
def test_each_risk_wants_its_own_yes(file: LoraFile, risks: tuple[Risk, ...], error: type[HubsyncError] | None) -> None:
    """Pickles, archives and failed scans are refused unless just that is allowed."""
    options = InstallOptions(risks=frozenset(risks))
    if error is None:
        check_access(_version(), file, Source.CIVITAI, options, has_key=True)
        return
    with pytest.raises(error) as caught:
        check_access(_version(), file, Source.CIVITAI, options, has_key=True)
    assert caught.value.hint


def test_without_a_key_only_what_is_public_is_tried() -> None:
    """Early access and a wanted login are told apart, and both say what to do."""
    early, locked = _version(availability=Availability.EARLY_ACCESS), _version(key=True)
    for version, error in ((early, EarlyAccess), (locked, TokenRequired)):
        with pytest.raises(error, match="2026-12-24" if version is early else "wants a key"):
            check_access(version, _file(), Source.CIVITAI, InstallOptions(), has_key=False)
        check_access(version, _file(), Source.CIVITAI, InstallOptions(), has_key=True)


def test_what_should_be_known_is_said() -> None:
    """A download that is possible but not ordinary says so first."""
    assert list(cautions(_version(), _file())) == []
    early = _version(availability=Availability.EARLY_ACCESS)
    said = list(cautions(early, _file(format="pickle", scan=Scan.PENDING, sha256=None)))
    assert [line.split(":")[0] for line in said] == [
        "in early access until 2026-12-24",
        "the hub has not scanned it yet",
        "a pickle",
        "the hub states no SHA-256",
    ]
