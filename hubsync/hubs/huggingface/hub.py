"""Hugging Face: the Hub's list over REST, the rest through the official client."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote

from hubsync.config import Settings
from hubsync.domain import Download, Lora, LoraFile, Page, Period, Query
from hubsync.errors import AccessDenied, BadReference, NotFound, UnexpectedResponse, Unreachable
from hubsync.families import Families
from hubsync.hubs.base import within
from hubsync.hubs.cards import Card, read_card
from hubsync.hubs.failures import failure, unreachable
from hubsync.hubs.guard import sendable
from hubsync.hubs.http import Http, json_of, user_agent
from hubsync.hubs.huggingface.read import Reader
from hubsync.hubs.huggingface.shapes import Account, Repo, from_info
from hubsync.hubs.huggingface.walk import Walk
from hubsync.lenient import moment, read, utc_now
from hubsync.refs import HuggingFaceRef, Ref, Source
from hubsync.text import clean

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_DAYS = {Period.YEAR: 365, Period.MONTH: 30, Period.WEEK: 7, Period.DAY: 1}
_CARD = "README.md"
# The client's types are stricter than real answers, each in its own way: such an answer hubsync reads itself.
_UNREADABLE = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class HuggingFace:
    """The hub."""

    source = Source.HUGGINGFACE

    def __init__(
        self,
        http: Http,
        settings: Settings,
        families: Families,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._http = http
        self._settings = settings
        self._endpoint = settings.huggingface.endpoint.rstrip("/")
        self._families = families
        self._reader = Reader(families=families, endpoint=self._endpoint)
        self._now = now

    def search(self, query: Query, *, patience: float | None = None) -> Page:
        """One page of repositories, read from as many lists as the query needs, without repetitions.

        Raises:
            UsageError: the cursor belongs to another search.
            HubsyncError: the Hub refuses or cannot be reached.
        """
        found: dict[str, Lora] = {}
        walk = Walk(query, self._families, partial(self._list, patience=patience))
        for repo in walk:
            if repo.id not in found and (lora := self._shown(repo, query)):
                found[repo.id] = lora
            if len(found) >= query.limit:
                break
        return Page(items=tuple(found.values()), next=walk.cursor)

    def lora(self, ref: Ref) -> Lora:
        """A repository at the commit a reference leads to, with its card read; the file it names comes first.

        Raises:
            NotFound: there is no such repository, revision or file, or it is private.
            HubsyncError: the Hub refuses or cannot be reached.
        """
        if not isinstance(ref, HuggingFaceRef):
            raise NotFound(f"{ref} is not on Hugging Face")
        repo = self._repo(ref)
        lora = self._reader.lora(repo, self._card(repo), path=ref.path)
        if ref.path is None:
            return lora
        version = lora.versions[0]
        named = [file for file in version.files if isinstance(file.ref, HuggingFaceRef) and file.ref.path == ref.path]
        if not named:
            raise NotFound(f"{repo.id} has no weights file '{ref.path}'", hint=f"open {lora.page_url}/tree/main")
        others = [file for file in version.files if file not in named]
        return replace(lora, versions=(replace(version, files=(*named, *others)),))

    def account(self) -> str:
        """The user the stored token belongs to.

        Raises:
            TokenRequired: no token is stored.
            TokenInvalid: it is not valid.
        """
        answer = read(json_of(self._http.request("GET", f"{self._endpoint}/api/whoami-v2")), Account) or Account()
        return clean(answer.name)

    def download(self, file: LoraFile) -> Download:
        """The resolve address of a file, pinned to its commit."""
        ref = file.ref
        if not isinstance(ref, HuggingFaceRef) or ref.path is None:
            raise NotFound(f"{ref} names no file to download")
        from huggingface_hub import hf_hub_url

        url = hf_hub_url(ref.repo, ref.path, revision=ref.revision, endpoint=self._endpoint)
        return Download(url=url, sha256=file.sha256, size=file.size if file.exact_size else None)

    def _list(self, params: list[tuple[str, str]], *, patience: float | None) -> tuple[list[object], str | None]:
        """A page of the list, and the cursor its `Link` names; the address there is not followed."""
        url = f"{self._endpoint}/api/models"
        answer = self._http.request("GET", url, params=params, patience=patience)
        raw = json_of(answer)
        if not isinstance(raw, list):
            raise UnexpectedResponse(f"{self._endpoint} answered a search with something else")
        following = answer.links.get("next", {}).get("url", "").partition("?")[2]
        return raw, next(iter(parse_qs(following.partition("#")[0]).get("cursor", [])), None)

    def _shown(self, repo: Repo, query: Query) -> Lora | None:
        """A row as a LoRA, told from its front matter alone; None for what was not asked for."""
        if repo.disabled or not self._reader.is_picture_lora(repo):
            return None
        changed, days = moment(repo.last_modified), _DAYS.get(query.period)
        if days and (changed is None or changed < self._now() - timedelta(days=days)):
            return None
        lora = self._reader.lora(repo, read_card("", repo=repo.id, data=repo.card))
        return lora if lora.type in query.types and within(query.nsfw, level=None, nsfw=lora.nsfw) else None

    def _repo(self, ref: HuggingFaceRef) -> Repo:
        """What the Hub says of a repository, under the name it has now."""
        api = self._api()
        repo = self._http.retrying(lambda: self._info(api, ref), self._endpoint)
        if not repo.is_named:
            raise UnexpectedResponse(f"{self._endpoint} answered for {ref.repo} with something else")
        return repo

    def _info(self, api: HfApi, ref: HuggingFaceRef) -> Repo:
        import httpx2
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

        try:
            # Without a timeout of its own the call waits for ever.
            timeout = self._settings.network.timeout
            return from_info(api.model_info(ref.repo, revision=ref.revision, files_metadata=True, timeout=timeout))
        except HfHubHTTPError as error:
            meant = failure(error.response, page=f"{self._endpoint}/{ref.repo}")
            # Without its cause, which quotes addresses and whatever the server says.
            raise meant or UnexpectedResponse(f"{self._endpoint} answered with something unreadable") from None
        except httpx2.RequestError as error:
            raise unreachable(self._endpoint, error) from error
        except OfflineModeIsEnabled as error:
            raise Unreachable("Hugging Face is switched off by HF_HUB_OFFLINE", hint="unset HF_HUB_OFFLINE") from error
        except HFValidationError as error:
            raise BadReference(f"'{ref.repo}' is no name of a repository") from error
        except _UNREADABLE:
            return self._raw_info(ref)

    def _raw_info(self, ref: HuggingFaceRef) -> Repo:
        revision = f"/revision/{quote(ref.revision, safe='')}" if ref.revision else ""
        url = f"{self._endpoint}/api/models/{ref.repo}{revision}?blobs=true"
        return read(json_of(self._http.request("GET", url, retries=0)), Repo) or Repo()

    def _card(self, repo: Repo) -> Card:
        """The model card; of a closed repository only the front matter, which the Hub tells everybody."""
        text = ""
        if any(file.rfilename == _CARD for file in repo.files):
            url = f"{self._endpoint}/{repo.id}/resolve/{repo.sha or 'main'}/{_CARD}"
            try:
                text = self._http.request("GET", url).content.decode("utf-8", "replace")
            except (NotFound, AccessDenied):
                text = ""
        return read_card(text, repo=repo.id, data=repo.card)

    def _api(self) -> HfApi:
        """The official client. It asks the default endpoint about agents unless telemetry is off."""
        from huggingface_hub import HfApi, constants

        constants.HF_HUB_DISABLE_TELEMETRY = True
        name, _, version = user_agent().partition("/")
        token = sendable(self._settings.huggingface.token) or None
        return HfApi(endpoint=self._endpoint, token=token, library_name=name, library_version=version or None)
