"""Writes a reply onto a connection: whole and fast by `sendfile`, or cut, reset, stalled, dripped or paced."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from hubsync.sandbox.hub.blobs import Span
from hubsync.sandbox.hub.faults import Fault, FaultKind
from hubsync.sandbox.hub.messages import Reply

ENDINGS = frozenset({FaultKind.CUT, FaultKind.RESET, FaultKind.STALL, FaultKind.DRIP})
# SO_LINGER on, zero seconds: closing sends RST and drops what the kernel still holds.
LINGER = struct.pack("ii", 1, 0)
# A paced body is written fifty times a second.
STEPS = 50


@dataclass(slots=True, kw_only=True)
class Delivery:
    """How far a body is sent, what Content-Length says (None: nothing), how fast, and how it ends."""

    stop: int
    declared: int | None
    rate: int = 0
    ending: FaultKind | None = None


def delivery(length: int, faults: Iterable[Fault]) -> Delivery:
    """What the faults make of a body of `length` bytes."""
    plan = Delivery(stop=length, declared=length)
    for fault in faults:
        stop = fault.stop(length)
        if fault.kind == FaultKind.THROTTLE:
            plan.rate = fault.rate
        elif fault.kind == FaultKind.WRONG_LENGTH:
            plan.declared, plan.stop, plan.ending = stop, min(plan.stop, stop), FaultKind.CUT
        elif fault.kind == FaultKind.NO_LENGTH:
            plan.declared, plan.stop, plan.ending = None, min(plan.stop, stop), FaultKind.CUT
        elif fault.kind in ENDINGS and (stop < length or stop == 0):
            plan.stop, plan.ending = min(plan.stop, stop), fault.kind
    return plan


class Wire:
    """One connection being answered; `closed` is set when the hub shuts down, `moved` told what left."""

    def __init__(
        self, handler: BaseHTTPRequestHandler, closed: threading.Event, moved: Callable[[int], object]
    ) -> None:
        self._handler = handler
        self._connection: socket.socket = handler.connection
        self._closed = closed
        self._moved = moved

    def send(self, reply: Reply, plan: Delivery, *, head: bool) -> int:
        """Send a reply as planned; returns the number of body bytes that left."""
        mute = plan.stop == 0 and plan.ending in {FaultKind.RESET, FaultKind.STALL}
        if not mute:
            self._head(reply, plan)
        sent = 0 if head or mute else self._body(reply, plan)
        self._end(reply, plan, sent)
        return sent

    def _head(self, reply: Reply, plan: Delivery) -> None:
        headers = {"Server": "hubsync-sandbox", "Date": self._handler.date_time_string(), **reply.headers}
        if plan.declared is not None:
            headers["Content-Length"] = str(plan.declared)
        if plan.ending:
            headers["Connection"] = "close"
        self._handler.send_response_only(reply.status)
        for key, value in headers.items():
            self._handler.send_header(key, value)
        self._handler.end_headers()

    def _body(self, reply: Reply, plan: Delivery) -> int:
        if not plan.rate:
            return self._piece(reply.body, 0, plan.stop)
        started, step = time.monotonic(), max(1, plan.rate // STEPS)
        for offset in range(0, plan.stop, step):
            self._piece(reply.body, offset, min(offset + step, plan.stop))
            ahead = started + (offset + step) / plan.rate - time.monotonic()
            if ahead > 0 and self._closed.wait(ahead):
                return offset
        return plan.stop

    def _piece(self, body: bytes | Span, start: int, stop: int) -> int:
        if isinstance(body, Span) and body.blob.path:
            return self._sendfile(body.blob.path, body.start + start, stop - start) if stop > start else 0
        data = body if isinstance(body, bytes) else body.blob.read(body.start, body.stop)
        self._connection.sendall(memoryview(data)[start:stop])
        self._moved(stop - start)
        return stop - start

    def _sendfile(self, path: Path, start: int, count: int) -> int:
        with path.open("rb") as file:
            file.seek(start)
            try:
                return self._connection.sendfile(file, start, count)
            finally:
                # The file is left where sending ended, also when the client went away.
                self._moved(file.tell() - start)

    def _end(self, reply: Reply, plan: Delivery, sent: int) -> None:
        if plan.ending is None:
            return
        self._handler.close_connection = True
        if plan.ending == FaultKind.RESET:
            self._reset()
        elif plan.ending == FaultKind.STALL:
            self._wait_for_the_client_to_go()
        elif plan.ending == FaultKind.DRIP:
            self._drip(reply, sent)

    def _reset(self) -> None:
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
        # The reader holds a reference that would keep the socket open, and an orderly shutdown would send FIN first.
        self._handler.rfile.close()
        self._connection.close()

    def _wait_for_the_client_to_go(self) -> None:
        while self._connection.recv(4096):
            pass

    def _drip(self, reply: Reply, sent: int) -> None:
        while sent < reply.length and not self._closed.wait(1.0):
            sent += self._piece(reply.body, sent, sent + 1)
