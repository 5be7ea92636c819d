"""One connection: reads requests, lets faults have their way, asks the origin's site, writes what it replied."""

from __future__ import annotations

import gzip
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hubsync.sandbox.hub.faults import Fault, FaultKind
from hubsync.sandbox.hub.messages import Reply, Request, pairs, redirect
from hubsync.sandbox.hub.wire import Wire, delivery

if TYPE_CHECKING:
    from hubsync.sandbox.hub.listener import Listener


class Handler(BaseHTTPRequestHandler):
    """Answers every method alike; HTTP/1.1 with keep-alive, nothing logged."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Listener

    def do_GET(self) -> None:
        """Answer one request."""
        request = self._request()
        entry = self.server.journal.begin(request)
        reply = self._reply(request)
        plan = delivery(reply.length, request.faults)
        head = request.method == "HEAD"
        self.server.journal.answered(entry, status=reply.status, sent=0 if head else plan.stop)
        sent = Wire(self, self.server.closed, self.server.journal.moved).send(reply, plan, head=head)
        self.server.journal.answered(entry, status=reply.status, sent=sent)

    do_HEAD = do_POST = do_GET  # noqa: N815 - the base class looks methods up by these names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Say nothing: the journal keeps what was asked."""

    def _request(self) -> Request:
        address = urlsplit(self.path)
        origin = self.server.origin
        return Request(
            origin=origin,
            method=self.command,
            path=address.path,
            query=pairs(address.query),
            headers=self.headers,
            body=self.rfile.read(int(self.headers.get("Content-Length") or 0)),
            faults=self.server.switchboard.take(origin, self.command, address.path),
        )

    def _reply(self, request: Request) -> Reply:
        late = request.fault(FaultKind.LATENCY)
        if late:
            self.server.closed.wait(late.seconds)
        if other := request.fault(FaultKind.STATUS):
            return instead(other)
        if elsewhere := request.fault(FaultKind.REDIRECT):
            places = {"path": self.path, "host": request.header("Host"), "storage": self.server.storage_url}
            return redirect(elsewhere.text.format(**places))
        reply = self.server.answer(request)
        return compressed(reply) if request.fault(FaultKind.GZIP) else reply


def instead(fault: Fault) -> Reply:
    """The answer a STATUS fault gives; its media type follows from how the text begins."""
    kinds = {"<?": "application/xml", "{": "application/json", "<": "text/html"}
    kind = next((kind for start, kind in kinds.items() if fault.text.startswith(start)), "text/plain")
    return Reply(
        status=fault.status,
        headers={"Content-Type": f"{kind}; charset=utf-8", **fault.headers},
        body=fault.text.encode(),
    )


def compressed(reply: Reply) -> Reply:
    """The same answer in gzip, where it is JSON."""
    if not isinstance(reply.body, bytes) or "json" not in reply.headers.get("Content-Type", ""):
        return reply
    headers = {**reply.headers, "Content-Encoding": "gzip"}
    return replace(reply, headers=headers, body=gzip.compress(reply.body))
