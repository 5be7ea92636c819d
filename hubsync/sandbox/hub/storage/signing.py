"""Addresses that expire: an HMAC over path and query, and a serial number that tells each from the next."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import secrets
import threading
from collections.abc import Callable
from urllib.parse import quote, urlencode

from hubsync.sandbox.hub.messages import Request

# Both hubs sign for about an hour (Backblaze 1 h, Hugging Face's CDN about 1 h).
LIFETIME = 3600


class Signer:
    """Signs and checks; `clock` gives seconds since the epoch."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._serials = itertools.count(1)
        self._lock = threading.Lock()
        self._newest = self._revoked = 0
        self._used: set[int] = set()

    def sign(self, path: str, *, disposition: str) -> str:
        """Path and query of an address that may be used for an hour and answers with that Content-Disposition."""
        with self._lock:
            self._newest = next(self._serials)
            serial = self._newest
        query = {
            "response-content-disposition": disposition,
            "Expires": str(int(self._clock()) + LIFETIME),
            "Serial": str(serial),
        }
        quoted = quote(path)
        return f"{quoted}?{urlencode({**query, 'Signature': self._signature(quoted, query)})}"

    def refusal(self, request: Request, *, one_use: bool) -> str | None:
        """Why an address is not good: unsigned, expired, revoked, or used before where it serves once only."""
        query = {key: value for key, value in request.query if key != "Signature"}
        if not hmac.compare_digest(request.one("Signature") or "", self._signature(request.path, query)):
            return "The request signature we calculated does not match the signature you provided."
        serial = int(query["Serial"])
        with self._lock:
            again, revoked = serial in self._used, serial <= self._revoked
            self._used.add(serial)
        if revoked or (again and one_use) or float(query["Expires"]) < self._clock():
            return "Request has expired"
        return None

    def revoke(self) -> None:
        """Refuse every address signed so far."""
        with self._lock:
            self._revoked = self._newest

    def _signature(self, path: str, query: dict[str, str]) -> str:
        return hmac.new(self._secret, f"GET {path}?{urlencode(query)}".encode(), hashlib.sha256).hexdigest()
