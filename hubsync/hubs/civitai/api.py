"""Civitai's endpoints, each a method that returns the shape its JSON has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hubsync.errors import HubsyncError, UnexpectedResponse
from hubsync.hubs.civitai import shapes as wire
from hubsync.hubs.http import Http, json_of
from hubsync.lenient import T, read, rows, texts
from hubsync.text import clean

_MOST_HASHES = 10_000


class Api:
    """The REST API below `site`. Every method raises HubsyncError for a refusal or an answer of another shape."""

    def __init__(self, http: Http, *, site: str) -> None:
        self.site = site
        self._http = http

    def models(self, params: Sequence[tuple[str, str]], *, patience: float | None = None) -> wire.Page:
        """A page of a search; `patience` as in `Http.retrying`."""
        return self._shape(wire.Page, self._ask("GET", "models", params=params, patience=patience))

    def model(self, number: int) -> wire.Model:
        """A model with all its versions."""
        page = f"{self.site}/models/{number}"
        model = self._shape(wire.Model, self._ask("GET", f"models/{number}", page=page))
        return self._checked(model, bool(model.id))

    def version(self, path: str) -> wire.Version:
        """A version by its number, or by `by-hash/HASH`."""
        version = self._shape(wire.Version, self._ask("GET", f"model-versions/{path}"))
        return self._checked(version, bool(version.id and version.model_id))

    def needs_key(self, version: int) -> bool | None:
        """Whether a version's download wants a key, as the generators' light record tells; None if it does not."""
        try:
            mini = read(self._ask("GET", f"model-versions/mini/{version}", retries=0), wire.Mini)
        except HubsyncError:
            return None
        return mini.require_auth if mini else None

    def matches(self, sha256: Sequence[str]) -> Iterator[wire.Match]:
        """The versions that hold files with these hashes, in portions of what the route takes at once."""
        for start in range(0, len(sha256), _MOST_HASHES):
            portion = list(sha256[start : start + _MOST_HASHES])
            yield from rows(self._ask("POST", "model-versions/by-hash/ids", json=portion), wire.Match)

    def base_models(self) -> list[str]:
        """The names of base models in the site's order; none where it does not tell."""
        try:
            enums = read(self._ask("GET", "enums", retries=0), wire.Enums)
        except HubsyncError:
            return []
        raw = texts([*enums.base_model, *enums.active_base_model]) if enums else []
        return list(dict.fromkeys(name for text in raw if (name := clean(text))))

    def account(self) -> wire.Account:
        """Whose key is sent."""
        return self._shape(wire.Account, self._ask("GET", "me"))

    def _ask(self, method: str, path: str, **options: Any) -> Any:  # noqa: ANN401
        return json_of(self._http.request(method, f"{self.site}/api/v1/{path}", **options))

    def _shape(self, shape: type[T], raw: object) -> T:
        found = read(raw, shape)
        return self._checked(found or shape(), found is not None)

    def _checked(self, found: T, good: bool) -> T:  # noqa: FBT001 - the verdict on `found`
        if good:
            return found
        raise UnexpectedResponse(f"{self.site} answered with something else than was asked for", hint="try again later")
