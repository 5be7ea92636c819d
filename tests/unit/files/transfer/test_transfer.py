"""The downloader, against a real server on loopback that misbehaves on request."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest

from hubsync.domain import Download
from hubsync.errors import Cancelled, HashMismatch, HubError, NotAModel, SizeMismatch, Unreachable
from hubsync.files.transfer import Transfer

BODY = bytes(range(256)) * 4096  # 1 MiB
SHA = hashlib.sha256(BODY).hexdigest()


@dataclass
class Server:
    """What the server does next; `ranges` are the Range headers it met."""

    url: str = ""
    body: bytes = BODY
    cut_after: list[int] = field(default_factory=list)
    ignore_range: bool = False
    chunked: bool = False
    content_type: str = "application/octet-stream"
    ranges: list[str | None] = field(default_factory=list)


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            server.ranges.append(asked)
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and not server.ignore_range else 0
            total = len(server.body)
            if start >= total:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{total}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206 if start else 200)
            self.send_header("Content-Type", server.content_type)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
            if not server.chunked:
                self.send_header("Content-Length", str(total - start))
            self.end_headers()
            end = start + server.cut_after.pop(0) if server.cut_after else total
            self.wfile.write(server.body[start:end])

    return Handler


@pytest.fixture
def server() -> Iterator[Server]:
    """A server thread on loopback."""
    state = Server()
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(state)) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        state.url = f"http://127.0.0.1:{http.server_port}/file"
        yield state
        http.shutdown()
        thread.join()


@dataclass
class Fetching:
    """A transfer that notes how long it would have slept."""

    part: Path
    slept: list[float] = field(default_factory=list)
    told: list[tuple[int, int | None]] = field(default_factory=list)
    cancel: threading.Event = field(default_factory=threading.Event)

    def __call__(self, url: str, *, sha256: str | None = SHA, size: int | None = None) -> tuple[str, int, int]:
        """(hash, bytes fetched, resumed from) of one download; the part really holds that hash."""
        with httpx2.Client(timeout=5) as client:
            transfer = Transfer(client=client, check=_check, sleep=self.slept.append)
            received = transfer.fetch(
                Download(url=url, sha256=sha256, size=size),
                self.part,
                progress=lambda done, total: self.told.append((done, total)),
                cancel=self.cancel,
            )
        assert hashlib.sha256(self.part.read_bytes()).hexdigest() == received.sha256
        return received.sha256, received.bytes_downloaded, received.resumed_from


def _check(response: httpx2.Response) -> None:
    if response.is_error:
        raise HubError(f"HTTP {response.status_code}")


@pytest.fixture
def fetch(tmp_path: Path) -> Fetching:
    """A download into an empty folder."""
    return Fetching(part=tmp_path / "folder" / "lora.safetensors.part")


def test_a_file_arrives_verified(server: Server, fetch: Fetching) -> None:
    """The bytes, their hash, and a last word at 100 %."""
    assert fetch(server.url, size=len(BODY)) == (SHA, len(BODY), 0)
    assert fetch.told[-1] == (len(BODY), len(BODY))


def test_an_unknown_length_is_fine(server: Server, fetch: Fetching) -> None:
    """A body that ends when the connection does is verified by its hash."""
    server.chunked = True
    assert fetch(server.url)[0] == SHA


def test_a_broken_connection_goes_on_where_it_broke(server: Server, fetch: Fetching) -> None:
    """Two cuts cost no byte twice, and waiting starts anew after progress."""
    server.cut_after = [300_000, 300_000]
    assert fetch(server.url) == (SHA, len(BODY), 0)
    assert server.ranges == [None, "bytes=300000-", "bytes=600000-"]
    assert fetch.slept == [1.0, 1.0]


def test_a_kept_part_is_continued(server: Server, fetch: Fetching) -> None:
    """The next process fetches only what is missing."""
    fetch.part.parent.mkdir()
    fetch.part.write_bytes(BODY[:700_000])
    assert fetch(server.url) == (SHA, len(BODY) - 700_000, 700_000)


def test_a_complete_part_costs_no_byte(server: Server, fetch: Fetching) -> None:
    """A process killed between the last byte and the rename has nothing left to fetch."""
    fetch.part.parent.mkdir()
    fetch.part.write_bytes(BODY)
    assert fetch(server.url) == (SHA, 0, len(BODY))
    assert fetch(server.url, size=len(BODY)) == (SHA, 0, len(BODY))


def test_a_foreign_part_is_started_over(server: Server, fetch: Fetching) -> None:
    """Bytes of another file before ours are found out by the hash, and one clean start repairs it."""
    fetch.part.parent.mkdir()
    fetch.part.write_bytes(b"x" * 1000)
    assert fetch(server.url) == (SHA, len(BODY), 0)


def test_without_a_hash_nothing_is_continued(server: Server, fetch: Fetching) -> None:
    """Old and new bytes can only be told apart by a hash."""
    fetch.part.parent.mkdir()
    fetch.part.write_bytes(BODY[:5])
    assert fetch(server.url, sha256=None) == (SHA, len(BODY), 0)
    assert server.ranges == [None]


def test_an_ignored_range_means_the_whole_file_again(server: Server, fetch: Fetching) -> None:
    """A 200 in answer to a Range is never appended."""
    server.ignore_range = True
    server.cut_after = [300_000]
    assert fetch(server.url)[0] == SHA


def test_wrong_bytes_leave_nothing(server: Server, fetch: Fetching) -> None:
    """A hash that does not match removes the part and says both hashes."""
    server.body = BODY[:-1] + b"!"
    with pytest.raises(HashMismatch, match=SHA[:12]):
        fetch(server.url)
    assert not fetch.part.exists()


def test_another_length_than_promised_is_refused(server: Server, fetch: Fetching) -> None:
    """The hub's exact size is compared before the bytes are fetched."""
    with pytest.raises(SizeMismatch):
        fetch(server.url, size=len(BODY) + 1)
    assert not fetch.part.exists()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b"<html>log in</html>", "text/html; charset=utf-8"), (b' {"error": "no"}', "application/octet-stream")],
)
def test_a_page_is_never_a_model(server: Server, fetch: Fetching, body: bytes, content_type: str) -> None:
    """A login page or an error text with status 200 is refused, and what was kept before stays."""
    server.body, server.content_type = body, content_type
    with pytest.raises(NotAModel):
        fetch(server.url)


def test_a_dead_server_is_unreachable(fetch: Fetching) -> None:
    """After the retries, with growing pauses, the user is told it can go on later."""
    with pytest.raises(Unreachable) as caught:
        fetch("http://127.0.0.1:9/file")
    assert "goes on" in caught.value.hint
    assert fetch.slept == [2.0, 4.0, 8.0]


def test_cancelling_keeps_the_part(server: Server, fetch: Fetching) -> None:
    """Stopping is not losing."""
    fetch.part.parent.mkdir()
    fetch.part.write_bytes(BODY[:1000])
    fetch.cancel.set()
    with pytest.raises(Cancelled):
        fetch(server.url)
    assert fetch.part.read_bytes() == BODY[:1000]
