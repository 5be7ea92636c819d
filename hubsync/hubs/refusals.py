"""The hubs' refusals as a table: by what their text says, then by their status.

Texts and statuses: Civitai's download route and its checks in order, recorded answers of both hubs, and the headers
`huggingface_hub` tells its errors apart by. A message is one sentence; braces name words of `hubsync.hubs.failures`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from hubsync import errors


class Refusal(NamedTuple):
    """An error and how it reads. `wait`: seconds until another try is worth it, where the server names none."""

    error: type[errors.HubsyncError]
    message: str
    hint: str = ""
    wait: float | None = None


LOG_IN = Refusal(errors.TokenRequired, "{host} wants you to be logged in for this", "{set_key}")
BAD_KEY = Refusal(errors.TokenInvalid, "{host} does not accept the key that was sent", "{set_key}")
# Measured from Australia in October 2026: search answers 451 while single models and downloads work.
REGION = Refusal(
    errors.RegionBlocked, "{host} does not answer in this country", "a model's link or number may still work"
)
WEB_PAGE = Refusal(
    errors.UnexpectedResponse,
    "{host} answered with a web page instead of data (HTTP {status})",
    "{open_page}: it may be a check for browsers, or the site is closed for repairs",
)
_ARCHIVED = Refusal(errors.Archived, "the model is archived: its files are gone", "{open_page}")
_DOWN = Refusal(errors.Unreachable, "{host} is down (HTTP {status})", "try again later")
_FAILING = Refusal(errors.HubError, "{host} is overloaded or failing (HTTP {status})", "try again later")
_OTHER = Refusal(errors.UnexpectedResponse, "{host} refused the request{said}", "{open_page}")

# The first that fits decides; the texts of the two hubs do not overlap.
_BY_TEXT = (
    ("REGION_BLOCKED|not available in your region", REGION),
    (
        "GatedRepo",
        Refusal(
            errors.Gated,
            "the repository is gated: its conditions must be accepted first",
            "{open_page} and accept its conditions{first_set_key}",
        ),
    ),
    (
        "Access to this resource is disabled",
        Refusal(errors.Archived, "Hugging Face has disabled this repository", "{open_page}"),
    ),
    ("Invalid credentials in Authorization", BAD_KEY),
    (
        "RepoNotFound|Invalid username or password",
        Refusal(
            errors.NotFound,
            "there is no such repository, or it is private",
            "check the name, or log in if it is private{first_set_key}",
        ),
    ),
    ("RevisionNotFound", Refusal(errors.NotFound, "the repository has no such revision", "{open_page}")),
    ("EntryNotFound", Refusal(errors.NotFound, "the repository has no such file", "{open_page}")),
    (
        "disabled downloads",
        Refusal(
            errors.DownloadsDisabled,
            "the creator has disabled downloads of this file; no key changes that",
            "{open_page}",
        ),
    ),
    (
        "Early Access",
        Refusal(
            errors.EarlyAccess, "the file is in early access{until}: only its buyers can download it", "{open_page}"
        ),
    ),
    ("to be logged in to download", LOG_IN),
    ("Model archived", _ARCHIVED),
    (
        "do not have access to download",
        Refusal(errors.AccessDenied, "this file is not open to your account", "{open_page}"),
    ),
    (
        "unusual amount of downloading",
        Refusal(
            errors.RateLimited,
            "{host} has paused downloads for this account or address: there were too many",
            "try again in some hours",
            wait=3600.0,
        ),
    ),
    (
        "too many pages|Invalid cursor",
        Refusal(errors.UsageError, "{host} does not know this cursor", "start the search again without --cursor"),
    ),
)
_PATTERNS = tuple((re.compile(text, re.IGNORECASE), refusal) for text, refusal in _BY_TEXT)
_BY_STATUS = {
    401: LOG_IN,
    403: Refusal(errors.AccessDenied, "{host} refuses this{said}", "{open_page}"),
    404: Refusal(errors.NotFound, "{host} has nothing there{said}", "check the reference"),
    408: _FAILING,
    410: _ARCHIVED,
    425: _FAILING,
    429: Refusal(errors.RateLimited, "{host} asks for fewer requests", "try again {later}"),
    451: REGION,
    499: _FAILING,
    # Cloudflare speaks for a site it cannot reach.
    **dict.fromkeys(range(520, 525), _DOWN),
}


def by_text(text: str) -> Refusal | None:
    """The refusal a text stands for."""
    return next((refusal for pattern, refusal in _PATTERNS if pattern.search(text)), None)


def by_status(status: int) -> Refusal:
    """What a status means when the text says nothing more."""
    return _BY_STATUS.get(status) or (_FAILING if status >= 500 else _OTHER)
