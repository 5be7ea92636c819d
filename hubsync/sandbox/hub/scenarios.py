"""Faults ready to switch on: what edges and hubs are known to answer, and the faults of the download matrix by name."""

from __future__ import annotations

from collections.abc import Mapping

from hubsync.sandbox.hub.faults import Fault, FaultKind, Origin

CHALLENGE = """<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title></head>
<body><noscript>Enable JavaScript and cookies to continue</noscript></body></html>"""
# About 9 KB, as the login pages are that downloaders have saved as models.
LOGIN = f"<!DOCTYPE html><html><head><title>Log in</title></head><body>{'<p>Please log in.</p>' * 430}</body></html>"
REGION = (
    '{"error":"Access to this service is not available in your region due to legal restrictions.",'
    '"code":"REGION_BLOCKED"}'
)
NO_KEY = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>NoSuchKey</Code><Message>Not here</Message></Error>'
NOBODY = "Invalid username or password."


def _status(status: int, text: str = "", *, path: str = "", times: int | None = None, **headers: str) -> Fault:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fault(kind=FaultKind.STATUS, status=status, text=text, path=path, times=times, headers=names)


def _first(kind: FaultKind, at: float | None = None) -> Fault:
    return Fault(kind=kind, at=at, times=1)


# To be narrowed with `dataclasses.replace(CLOUDFLARE, path="/api/*", times=1)`.
CLOUDFLARE = _status(403, CHALLENGE, Server="cloudflare", cf_mitigated="challenge")
AGENT_REFUSED = _status(403, "error code: 1010", Server="cloudflare")
ORIGIN_DOWN = _status(520, "<html><head><title>520: Web server is returning an unknown error</title></head></html>")
REGION_BLOCKED = _status(451, REGION)
TOO_MANY = _status(429, "")
TOO_MANY_WAIT = _status(429, '{"error":"Too many requests"}', Retry_After="2")
OVERLOADED = _status(503, '{"error":"Model search is temporarily overloaded — please retry."}', Retry_After="2")
LOGIN_PAGE = _status(200, LOGIN)
NO_SUCH_KEY = _status(404, NO_KEY)
# How the live Hub tells an anonymous caller of a repository that is missing or private.
ANONYMOUS_NOT_FOUND = _status(401, f'{{"error":"{NOBODY}"}}', X_Error_Message=NOBODY)

ASKED, FILES = "/api/download/*", "/files/*"
MEBIBYTE = 1 << 20


DROPPED = _first(FaultKind.RESET, 0.4)
# A download has to survive these: the right bytes under the final name.
SURVIVABLE: Mapping[str, tuple[Fault, ...]] = {
    "drop_once": (_first(FaultKind.RESET, 0.3),),
    "drop_each": (Fault(kind=FaultKind.RESET, at=8 * MEBIBYTE),),
    "fin_each": (Fault(kind=FaultKind.CUT, at=8 * MEBIBYTE),),
    "reset_early": (Fault(kind=FaultKind.RESET, at=0, times=2),),
    "429": (_status(429, path=ASKED, times=2, Retry_After="2"),),
    "429_data": (_status(429, path=FILES, times=2, Retry_After="2"),),
    "503": (_status(503, path=ASKED, times=2),),
    "503_data": (_status(503, path=FILES, times=2),),
    "stall_once": (_first(FaultKind.STALL, 0.3),),
    "trunc_nocl_once": (_first(FaultKind.NO_LENGTH, 0.6),),
    "wrong_cl_long": (Fault(kind=FaultKind.WRONG_LENGTH, at=1.1),),
    "corrupt_once": (_first(FaultKind.CORRUPT),),
    "etag_change": (_first(FaultKind.CHANGED), DROPPED),
    "expired": (_first(FaultKind.REVOKE), DROPPED),
    "expired_range": (Fault(kind=FaultKind.ONE_USE),),
    "norange_drop": (Fault(kind=FaultKind.NO_RANGE), DROPPED),
    "range_lies": (Fault(kind=FaultKind.RANGE_LIES), DROPPED),
    "head_403": (Fault(kind=FaultKind.STATUS, status=403, method="HEAD", origin=Origin.STORAGE),),
    "api_500": (_status(500, path="/api/v1/*", times=2),),
}
# These it cannot survive: it has to end in bounded time with the reason, and leave nothing under the final name.
HOPELESS: Mapping[str, tuple[Fault, ...]] = {
    "loris": (Fault(kind=FaultKind.DRIP, at=0.3),),
    "trunc_nocl": (Fault(kind=FaultKind.NO_LENGTH, at=0.6),),
    "wrong_cl_short": (Fault(kind=FaultKind.WRONG_LENGTH, at=0.6),),
    "corrupt": (Fault(kind=FaultKind.CORRUPT),),
    "503_forever": (_status(503, path=FILES),),
    "html_login": (Fault(kind=FaultKind.REDIRECT, text="/login", path=ASKED),),
    "html_200": (_status(200, path=FILES, text=LOGIN),),
    "json_401": (_status(401, path=ASKED, text='{"error":"Unauthorized","message":"Log in"}'),),
    "gone_404": (_status(404, path=FILES, text=NO_KEY),),
}
