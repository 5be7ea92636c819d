"""Which file an install takes, under which name, and how rows of two hubs are merged."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hubsync.config import Settings
from hubsync.domain import DEFAULT_WEIGHT, FileFormat, Lora, LoraFile, Nsfw, Preview, Sort, Version
from hubsync.errors import Ambiguous, Archived, NotFound, UsageError
from hubsync.refs import CivitaiRef, HuggingFaceRef, Ref, Source
from hubsync.services.choosing import choose_file
from hubsync.services.install import best_preview
from hubsync.services.search import merge
from hubsync.services.triggers import Wish

MODEL = CivitaiRef(model=1, version=2)


def _file(number: int, name: str, *, format: FileFormat = "safetensors", primary: bool = False) -> LoraFile:  # noqa: A002
    return LoraFile(ref=CivitaiRef(model=1, version=2, file=number), name=name, format=format, primary=primary)


def _version(*files: LoraFile) -> Version:
    return Version(ref=MODEL, name="v1", files=files)


ONE, TWO = _file(1, "one.safetensors"), _file(2, "Two.safetensors")
PICKLE = _file(3, "three.ckpt", format="pickle")


@pytest.mark.parametrize(
    ("files", "ref", "name", "chosen"),
    [
        ((ONE,), MODEL, None, ONE),
        ((ONE, TWO), MODEL, "two.SAFETENSORS", TWO),
        ((ONE, TWO), CivitaiRef(model=1, version=2, file=2), None, TWO),
        ((ONE, _file(4, "p.safetensors", primary=True)), MODEL, None, _file(4, "p.safetensors", primary=True)),
        ((PICKLE, TWO), MODEL, None, TWO),
        ((PICKLE,), MODEL, None, PICKLE),
        ((ONE, TWO), HuggingFaceRef(repo="a/b", path="one.safetensors"), None, ONE),
    ],
)
def test_the_file_meant_is_taken(files: tuple[LoraFile, ...], ref: Ref, name: str | None, chosen: LoraFile) -> None:
    """--file, then the reference's own file, then the hub's mark, then the only safetensors file."""
    assert choose_file(_version(*files), ref, name) == chosen


def test_several_files_are_never_guessed() -> None:
    """Choices are listed, and the option that makes one."""
    with pytest.raises(Ambiguous, match=r"one\.safetensors, Two\.safetensors") as caught:
        choose_file(_version(ONE, TWO), MODEL, None)
    assert "--file" in caught.value.hint


def test_missing_files_are_said_to_be_missing() -> None:
    """A name that is not there lists what is; no files at all is archived."""
    with pytest.raises(NotFound) as caught:
        choose_file(_version(ONE), MODEL, "other.safetensors")
    assert "one.safetensors" in caught.value.hint
    with pytest.raises(Archived):
        choose_file(_version(), MODEL, None)


def _row(name: str, source: Source, *, downloads: int = 0, likes: int = 0, day: int = 1) -> Lora:
    return Lora(
        ref=MODEL,
        source=source,
        name=name,
        downloads=downloads,
        likes=likes,
        updated_at=datetime(2026, 1, day, tzinfo=UTC),
    )


def test_rows_of_two_hubs_come_in_one_order() -> None:
    """Turn by turn for relevance, by number otherwise."""
    a = _row("a", Source.CIVITAI, downloads=5, likes=1, day=2)
    b = _row("b", Source.CIVITAI, downloads=1, likes=9, day=4)
    c = _row("c", Source.HUGGINGFACE, downloads=3, likes=2, day=3)
    pages = [(a, b), (c,)]
    order = {sort: "".join(row.name for row in merge(pages, sort)) for sort in Sort}
    assert order == {"relevance": "acb", "downloads": "acb", "likes": "bca", "rating": "bca", "newest": "bca"}


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("x", Wish(name="x")),
        ("x:0.5", Wish(name="x", weight=0.5)),
        ("x:-1:2", Wish(name="x", weight=-1.0, groups=(2,))),
        ("x::1+3", Wish(name="x", groups=(1, 3))),
    ],
)
def test_wishes_are_read(text: str, wish: Wish) -> None:
    """NAME[:WEIGHT[:GROUP]], each part optional."""
    assert Wish.parse(text) == wish


@pytest.mark.parametrize("text", ["x:heavy", "x:1:one", ":1", "x:1:1:1"])
def test_wrong_wishes_are_refused(text: str) -> None:
    """What is no number is said to be none."""
    with pytest.raises(UsageError):
        Wish.parse(text)


def test_the_best_preview_is_a_still_within_the_ceiling() -> None:
    """Videos and pictures above the ceiling are passed over."""
    video, mature = Preview(url="v", kind="video"), Preview(url="m", nsfw_level=4)
    safe = Preview(url="s", nsfw_level=1)
    assert best_preview([video, mature, safe], Nsfw.SOFT) == safe
    assert best_preview([video, mature, safe], Nsfw.MATURE) == mature
    assert best_preview([video, mature], Nsfw.SOFT) is None


def test_the_default_weight_is_the_same_everywhere() -> None:
    """Prompts and renders start from one number."""
    assert Settings().prompt.default_weight == DEFAULT_WEIGHT
