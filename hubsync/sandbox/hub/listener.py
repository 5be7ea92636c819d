"""One origin on loopback: accepts connections, answers each in a thread of its own, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import replace
from socketserver import TCPServer
from typing import Any, Protocol

from hubsync.sandbox.hub.faults import Origin, Switchboard
from hubsync.sandbox.hub.handler import Handler
from hubsync.sandbox.hub.messages import Recorded, Reply, Request


class Site(Protocol):
    """What an origin serves."""

    def answer(self, request: Request) -> Reply:
        """The real answer to a request."""


class Journal:
    """Every request of all origins in the order of arrival, safe to read while they run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[Recorded] = []
        self._traffic = 0

    def begin(self, request: Request) -> int:
        """Record a request before it is answered; returns its place."""
        entry = Recorded(
            origin=request.origin,
            method=request.method,
            path=request.path,
            query=request.query,
            headers={key.lower(): value for key, value in request.headers.items()},
        )
        with self._lock:
            self._entries.append(entry)
            return len(self._entries) - 1

    def answered(self, place: int, *, status: int, sent: int) -> None:
        """Complete a record."""
        with self._lock:
            self._entries[place] = replace(self._entries[place], status=status, sent=sent)

    def moved(self, count: int) -> None:
        """Count body bytes that left, while their answer is still being sent."""
        with self._lock:
            self._traffic += count

    def traffic(self) -> int:
        """The body bytes that left so far."""
        with self._lock:
            return self._traffic

    def entries(self) -> tuple[Recorded, ...]:
        """The requests so far."""
        with self._lock:
            return tuple(self._entries)


class Listener(TCPServer):
    """A server bound to 127.0.0.1 whose threads all end with `close`."""

    # Segmented downloads open many connections at once; the default backlog of 5 would refuse some.
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(self, origin: Origin, port: int, *, journal: Journal, switchboard: Switchboard) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.origin, self.journal, self.switchboard = origin, journal, switchboard
        self.port = self.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.storage_url = ""
        self.closed = threading.Event()
        self._site: Site | None = None
        self._open: dict[socket.socket, threading.Thread] = {}
        self._accepting = threading.Thread(target=self._accept, daemon=True)

    def serve(self, site: Site, *, storage_url: str) -> None:
        """Begin to answer."""
        self._site, self.storage_url = site, storage_url
        self._accepting.start()

    def answer(self, request: Request) -> Reply:
        """What the site replies."""
        assert self._site is not None
        return self._site.answer(request)

    def close(self) -> None:
        """Stop accepting, end every connection, and wait for their threads."""
        self.closed.set()
        # A thread that waits in accept() is woken by a connection.
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._accepting.join()
        self.server_close()
        threads = list(self._open.items())
        for connection, _thread in threads:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for _connection, thread in threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            connection, address = self.socket.accept()
            if self.closed.is_set():
                connection.close()
                return
            thread = threading.Thread(target=self._converse, args=(connection, address), daemon=True)
            self._open[connection] = thread
            thread.start()

    def _converse(self, connection: socket.socket, client_address: Any) -> None:  # noqa: ANN401
        try:
            self.finish_request(connection, client_address)
        except OSError:
            # The client went away, or the hub closed the connection under it: neither is news.
            pass
        finally:
            self.shutdown_request(connection)
            self._open.pop(connection, None)
