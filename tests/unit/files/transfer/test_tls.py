"""Downloads over TLS: the bytes come straight from the encrypted connection, and a silent one can be ended."""

from __future__ import annotations

import hashlib
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest

from hubsync.domain import Download
from hubsync.files.transfer import Part, Transfer
from hubsync.limiter import Limiter

# Of nobody but this test: a key and a certificate for 127.0.0.1, made with `openssl req -x509 -newkey ec`.
IDENTITY = Path(__file__).parent / "loopback.pem"
BODY = bytes(range(251)) * 64_000  # 16 MB: twice what is read through the client


@dataclass
class Server:
    """What the server met, and whether its next answer falls silent in the middle."""

    url: str = ""
    silent: list[bool] = field(default_factory=list)
    ranges: list[str | None] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that speaks TLS only."""
    state, over = Server(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            state.ranges.append(asked := self.headers.get("Range"))
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
            self.send_response(206 if asked else 200)
            self.send_header("Content-Length", str(len(BODY) - start))
            if asked:
                self.send_header("Content-Range", f"bytes {start}-{len(BODY) - 1}/{len(BODY)}")
            self.end_headers()
            if state.silent and state.silent.pop():
                self.wfile.write(BODY[start : start + 10_000_000])
                over.wait(30)
            else:
                self.wfile.write(BODY[start:])

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(IDENTITY)
        http.socket = context.wrap_socket(http.socket, server_side=True)
        http.daemon_threads = True
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        state.url = f"https://127.0.0.1:{http.server_port}/file"
        yield state
        over.set()
        http.shutdown()
        thread.join()


@pytest.mark.parametrize("silent", [[], [True]], ids=["whole", "silent in the middle"])
def test_bytes_come_through_tls(server: Server, tmp_path: Path, silent: list[bool]) -> None:
    """A long body arrives whole; one that falls silent is ended from outside and gone on with."""
    server.silent = list(silent)
    sha256 = hashlib.sha256(BODY).hexdigest()
    with httpx2.Client(verify=ssl.create_default_context(cafile=IDENTITY), timeout=60) as client:
        transfer = Transfer(
            client=client, limiter=Limiter(first=0.01), check=lambda _: None, patience=0.5, connections=1
        )
        received = transfer.fetch(
            Download(url=server.url, sha256=sha256, safetensors=False),
            Part.of(sha256, folder=tmp_path, state=tmp_path),
            progress=lambda _: None,
            cancel=threading.Event(),
        )
    assert (received.hashes.sha256, received.bytes_downloaded) == (sha256, len(BODY))
    assert server.ranges == [None, *("bytes=10000000-" for _ in silent)]
