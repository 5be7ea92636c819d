"""From a repository and its card to the nouns of `hubsync.domain`: a repository is a LoRA, a commit a version."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote

from hubsync.domain import Availability, Lora, LoraFile, LoraType, Preview, Version
from hubsync.families import Families
from hubsync.hubs.cards import Card
from hubsync.hubs.cards.pictures import PICTURES, preview, suffix
from hubsync.hubs.formats import format_of
from hubsync.hubs.huggingface.shapes import Repo, Sibling
from hubsync.hubs.huggingface.weights import family_hint, kind_of, primary
from hubsync.lenient import count, moment
from hubsync.refs import HuggingFaceRef, Source
from hubsync.text import clean

TAGS = {LoraType.LORA: "lora", LoraType.DORA: "dora", LoraType.EMBEDDING: "textual_inversion"}
"""The Hub's tags for what hubsync looks for; `dora` stands instead of `lora` on cards of some training scripts."""

_NSFW = "not-for-all-audiences"
_PICTURE_TASKS = re.compile(r"(?:text|image|video)-to-(?:image|video)|unconditional-image|image-text-to-image")
_TEMPLATES = {"diffusers", "template:sd-lora", "template:diffusion-lora", "migrated"}
# Tags that name a family where the base model is somebody's own checkpoint.
_FAMILY_TAGS = {
    "stable-diffusion-xl": "sdxl",
    "stable-diffusion-xl-diffusers": "sdxl",
    "flux": "flux1",
    "krea-2": "krea2",
}
_MOST_PICTURES = 12
_X = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Turns repositories into LoRAs. `endpoint` is the Hub's address."""

    families: Families
    endpoint: str

    def lora(self, repo: Repo, card: Card, *, path: str | None = None) -> Lora:
        """A repository with its one version, at its commit; `path` is the file somebody asked for."""
        owner, _, name = repo.id.partition("/")
        bases = card.base_models or base_models(repo)
        version = self._version(repo, card, bases, path=path)
        license_tag = next((clean(tag[8:]) for tag in repo.words if tag.startswith("license:")), None)
        return Lora(
            ref=version.ref,
            source=Source.HUGGINGFACE,
            name=clean(name),
            type=type_of(repo),
            creator=clean(repo.author) or owner,
            base_models=bases,
            families=tuple(dict.fromkeys(family for base in bases if (family := self.family(base, repo)))),
            tags=tuple(clean(tag) for tag in repo.tags if isinstance(tag, str)),
            nsfw=_NSFW in repo.words,
            downloads=count(repo.downloads),
            likes=count(repo.likes),
            updated_at=moment(repo.last_modified),
            page_url=f"{self.endpoint}/{repo.id}",
            description=card.description,
            license=card.license or license_tag,
            versions=(version,),
        )

    def family(self, base: str | None, repo: Repo) -> str | None:
        """The family of a base model; of somebody's own checkpoint what the tags tell."""
        found = self.families.of(base)
        if found not in {None, "other"}:
            return found
        return next((family for tag, family in _FAMILY_TAGS.items() if tag in repo.words), found)

    def is_picture_lora(self, repo: Repo) -> bool:
        """Whether a repository is about pictures: adapters of language models carry the same tag."""
        if _PICTURE_TASKS.search(repo.pipeline_tag) or repo.library_name == "diffusers" or repo.words & _TEMPLATES:
            return True
        return any(self.families.of(base) not in {None, "other"} for base in base_models(repo))

    def _version(self, repo: Repo, card: Card, bases: Sequence[str], *, path: str | None) -> Version:
        files = self._files(repo, card, bases)
        base = self._base_of(bases, repo, path or next((_path(file) for file in files if file.primary), ""))
        closed = Availability.PRIVATE if repo.private else Availability.PUBLIC
        return Version(
            ref=HuggingFaceRef(repo=repo.id, revision=repo.sha or None),
            name=repo.sha[:7] or "main",
            base_model=base,
            family=self.family(base, repo),
            published_at=moment(repo.last_modified) or moment(repo.created_at),
            availability=Availability.TAKEN_DOWN if repo.disabled else closed,
            downloadable=not repo.disabled,
            requires_token=bool(repo.gated) or repo.private,
            raw_words=card.words,
            trigger_words=(card.words,) if card.words else (),
            suggested_weight=card.weight,
            files=files,
            previews=self._previews(repo, card),
        )

    def _base_of(self, bases: Sequence[str], repo: Repo, path: str) -> str | None:
        """The base model of a file: the only one there is, or the one its path names."""
        if len({self.family(base, repo) for base in bases}) <= 1:
            return bases[0] if bases else None
        hint = family_hint(path)
        return next((base for base in bases if hint and self.family(base, repo) == hint), None)

    def _files(self, repo: Repo, card: Card, bases: Sequence[str]) -> tuple[LoraFile, ...]:
        """The weights, the chosen one first, then other LoRAs, companions and the rest."""
        families = {family for base in bases if (family := self.family(base, repo))}
        sizes = {file.rfilename: file.bytes for file in repo.files if _is_weights(file.rfilename)}
        chosen = primary(sizes, named=card.files, families=families)
        built = [self._file(repo, file, chosen) for file in repo.files if file.rfilename in sizes]
        return tuple(
            sorted(built, key=lambda file: (not file.primary, ("model", "embedding", "other").index(file.kind)))
        )

    def _file(self, repo: Repo, file: Sibling, chosen: str | None) -> LoraFile:
        path = file.rfilename
        return LoraFile(
            ref=HuggingFaceRef(repo=repo.id, revision=repo.sha or None, path=path),
            name=clean(path),
            size=file.bytes,
            exact_size=file.bytes is not None,
            kind=kind_of(path, size=file.bytes),
            format=format_of(path),
            primary=path == chosen,
            sha256=file.sha256,
        )

    def _previews(self, repo: Repo, card: Card) -> tuple[Preview, ...]:
        """The card's pictures, else those in the repository, by address; all of a flagged repository count as X."""
        lying = [preview(file.rfilename) for file in repo.files if suffix(file.rfilename) in PICTURES]
        level = _X if _NSFW in repo.words else 0
        found = [(self._address(repo, shot.url), shot) for shot in card.previews or lying[:_MOST_PICTURES]]
        return tuple(replace(shot, url=url, nsfw_level=level) for url, shot in found if url)

    def _address(self, repo: Repo, url: str) -> str | None:
        """A picture's full address; None for one that is neither in the repository nor on the web."""
        if re.match(r"https?://", url):
            return url
        parts = [part for part in url.split("/") if part not in {"", "."}]
        if "://" in url or url.startswith("data:") or ".." in parts or not parts:
            return None
        return f"{self.endpoint}/{repo.id}/resolve/{repo.sha or 'main'}/{quote(unquote('/'.join(parts)))}"


def base_models(repo: Repo) -> tuple[str, ...]:
    """What the tags say the base models are; the Hub derives them from the card."""
    found = [tag.rpartition(":")[2] for tag in repo.tags if isinstance(tag, str) and tag.startswith("base_model:")]
    return tuple(dict.fromkeys(clean(base) for base in found))


def type_of(repo: Repo) -> LoraType:
    """The kind of network the tags tell."""
    if TAGS[LoraType.EMBEDDING] in repo.words and TAGS[LoraType.LORA] not in repo.words:
        return LoraType.EMBEDDING
    return LoraType.DORA if TAGS[LoraType.DORA] in repo.words else LoraType.LORA


def _is_weights(path: str) -> bool:
    return format_of(path) != "other" or kind_of(path) == "embedding"


def _path(file: LoraFile) -> str:
    return file.ref.path or "" if isinstance(file.ref, HuggingFaceRef) else ""
