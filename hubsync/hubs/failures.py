"""What a hub's refusal means: one exact sentence and the next step, told by the body where a status is not enough."""

from __future__ import annotations

import email.utils
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubsync.errors import HubError, HubsyncError, Unreachable
from hubsync.hubs.refusals import BAD_KEY, LOG_IN, REGION, WEB_PAGE, Refusal, by_status, by_text
from hubsync.lenient import moment
from hubsync.limiter import host_of
from hubsync.text import clean, unsigned

if TYPE_CHECKING:
    import httpx2

_MOST_TEXT = 64 * 1024
_LONGEST_WAIT = 24 * 3600.0


def raise_for(response: httpx2.Response, *, page: str = "") -> None:
    """Raise what a refusal means; a good answer passes. `page` is what a person would open instead."""
    if error := failure(response, page=page):
        raise error


def failure(response: httpx2.Response, *, page: str = "") -> HubsyncError | None:
    """The error a response stands for, None for a good one. HTML is never what an API or a download answers.

    Redirects were followed before: one that is left leads nowhere.
    """
    html = "text/html" in response.headers.get("Content-Type", "")
    if 200 <= response.status_code < 300 and not html:
        return None
    told = _told(response, page)
    refusal = by_text(told.text) or (_of_page(told) if html else by_status(told.status))
    if refusal is LOG_IN and told.key_sent:
        refusal = BAD_KEY
    message, hint = (text.format_map(told.words) for text in (refusal.message, refusal.hint))
    if issubclass(refusal.error, HubError):
        return refusal.error(message, hint=hint, retry_after=told.wait or refusal.wait)
    return refusal.error(message, hint=hint)


def unreachable(url: str, error: Exception) -> Unreachable:
    """The error for a connection that did not come about, or broke."""
    reason = re.sub(r"^\[Errno -?\d+\] ", "", said(error))
    what = "did not answer in time" if "Timeout" in type(error).__name__ else f"cannot be reached ({reason})"
    return Unreachable(f"{host_of(url)} {what}", hint="check the network; `hubsync doctor` tries every hub")


def said(error: Exception) -> str:
    """What an exception of the HTTP client says, fit to be shown: one line without signed addresses."""
    return clean(unsigned(str(error)))


def asked_wait(headers: Mapping[str, str], *, now: Callable[[], float] = time.time) -> float | None:
    """Seconds a hub asks to wait: `Retry-After` in either form, or Hugging Face's `RateLimit` with nothing left.

    A day at most: more than that is nonsense, and an hour already too long to wait for.
    """
    text = headers.get("Retry-After", "").strip()
    if limit := re.search(r"r\s*=\s*0\s*;\s*t\s*=\s*(\d+)", headers.get("RateLimit", "")):
        text = text or limit[1]
    if not text:
        return None
    try:
        wait = float(text) if text.isdecimal() else email.utils.parsedate_to_datetime(text).timestamp() - now()
    except (ValueError, OverflowError):
        return None
    return min(max(0.0, wait), _LONGEST_WAIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What a refusal is told by. `text` holds header codes, `error` and `message`, whichever occur."""

    site: str
    path: str
    status: int
    text: str
    deadline: str
    page: str
    key_sent: bool
    hugging_face: bool
    wait: float | None

    @property
    def words(self) -> dict[str, str]:
        """What the texts of `hubsync.hubs.refusals` may name."""
        ends = moment(self.deadline)
        key = f"create a key at {self.site}/user/account, then `hubsync config set civitai.api_key KEY`"
        if self.hugging_face:
            key = "run `hf auth login`, or `hubsync config set huggingface.token TOKEN`"
        return {
            "host": self.site.partition("://")[2],
            "open_page": f"open {self.page}" if self.page else "open its page in a browser",
            "set_key": key,
            "first_set_key": "" if self.key_sent else f"; first {key}",
            "said": f": {self.text[:300]}" if self.text else f" (HTTP {self.status})",
            "status": str(self.status),
            "until": f" until {ends:%Y-%m-%d %H:%M} UTC" if ends else "",
            "later": f"in {self.wait:.0f} seconds" if self.wait else "in a minute",
        }


def _told(response: httpx2.Response, page: str) -> _Told:
    body, headers = _body(response), response.headers
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    found = value if isinstance(value, dict) else {"error": body}
    told = [headers.get("X-Error-Code"), headers.get("X-Error-Message"), *map(found.get, ("code", "error", "message"))]
    parts = [item if isinstance(item, str) else json.dumps(item) for item in told if item]
    text, key = clean(unsigned(": ".join(dict.fromkeys(parts)))), response.request.headers.get("Authorization", "")
    return _Told(
        site=f"{response.url.scheme}://{response.url.netloc.decode()}",
        path=response.url.path,
        status=response.status_code,
        # A server may say what it was sent.
        text=text.replace(key.removeprefix("Bearer "), "…") if key else text,
        deadline=str(found.get("deadline") or ""),
        page=page,
        key_sent=bool(key),
        hugging_face="X-Error-Message" in headers or "RateLimit" in headers,
        wait=asked_wait(headers),
    )


def _body(response: httpx2.Response) -> str:
    """The text of a refusal; of one that is still streaming its beginning, for it may never end.

    Nothing of one that cannot be read: its status speaks too. No charset is believed: Python knows ones that fail.
    """
    import httpx2

    try:
        read = response.is_stream_consumed
        content = response.content if read else next(response.iter_bytes(_MOST_TEXT), b"")
    except httpx2.RequestError:
        return ""
    return content[:_MOST_TEXT].decode("utf-8", "replace")


def _of_page(told: _Told) -> Refusal:
    """A web page in an answer's place: a login wall, a block, an outage or a check for browsers."""
    if told.path.startswith("/login"):
        return LOG_IN
    if told.path.startswith("/region-blocked"):
        return REGION
    return by_status(told.status) if told.status >= 400 and told.status != 403 else WEB_PAGE
