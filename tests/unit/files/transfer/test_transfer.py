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
from hubsync.errors import Cancelled, HubError, NotAModel, SizeMismatch, Unreachable
from hubsync.files.transfer import Flow, Part, Transfer
from hubsync.files.transfer.journal import Journal, Known
from hubsync.limiter import Limiter

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
    """A transfer that waits a thousandth of the usual time."""

    part: Part
    told: list[Flow] = field(default_factory=list)
    cancel: threading.Event = field(default_factory=threading.Event)

    def __call__(self, url: str, *, sha256: str | None = SHA, size: int | None = None) -> tuple[str, int, int]:
        """(hash, bytes fetched, resumed from) of one download; the part really holds that hash."""
        with httpx2.Client(timeout=5) as client:
            transfer = Transfer(client=client, limiter=Limiter(first=0.001), check=_check, patience=0.5)
            received = transfer.fetch(
                Download(url=url, sha256=sha256, size=size, safetensors=False),
                self.part,
                progress=self.told.append,
                cancel=self.cancel,
            )
        assert hashlib.sha256(self.part.data.read_bytes()).hexdigest() == received.hashes.sha256
        return received.hashes.sha256, received.bytes_downloaded, received.resumed_from

    def keep(self, content: bytes, *, sha256: str | None = SHA, size: int | None = len(BODY)) -> None:
        """Leave a part behind, as a killed process does."""
        self.part.data.parent.mkdir()
        self.part.data.write_bytes(content)
        journal = Journal(self.part.journal, Known(sha256=sha256, size=size), lines=0)
        journal.note(journal.line(), 0, len(content))
        journal.close()


def _check(response: httpx2.Response) -> None:
    if response.is_error:
        raise HubError(f"HTTP {response.status_code}")


@pytest.fixture
def fetch(tmp_path: Path) -> Fetching:
    """A download into an empty folder."""
    return Fetching(part=Part.of(SHA, folder=tmp_path / "folder", state=tmp_path / "state"))


def test_a_file_arrives_verified(server: Server, fetch: Fetching) -> None:
    """The bytes, their hash, and a last word at 100 %."""
    assert fetch(server.url, size=len(BODY)) == (SHA, len(BODY), 0)
    assert (fetch.told[-1].done, fetch.told[-1].total) == (len(BODY), len(BODY))


def test_an_unknown_length_is_fine(server: Server, fetch: Fetching) -> None:
    """A body that ends when the connection does is verified by its hash."""
    server.chunked = True
    assert fetch(server.url)[0] == SHA


def test_a_broken_connection_goes_on_where_it_broke(server: Server, fetch: Fetching) -> None:
    """Two cuts cost no byte twice."""
    server.cut_after = [300_000, 300_000]
    assert fetch(server.url) == (SHA, len(BODY), 0)
    assert server.ranges == [None, "bytes=300000-", "bytes=600000-"]


def test_a_kept_part_is_continued(server: Server, fetch: Fetching) -> None:
    """The next process fetches only what is missing."""
    fetch.keep(BODY[:700_000])
    assert fetch(server.url) == (SHA, len(BODY) - 700_000, 700_000)


def test_a_complete_part_costs_no_byte(server: Server, fetch: Fetching) -> None:
    """A process killed between the last byte and the rename has nothing left to fetch."""
    fetch.keep(BODY)
    assert fetch(server.url) == (SHA, 0, len(BODY))
    assert fetch(server.url, size=len(BODY)) == (SHA, 0, len(BODY))
    assert server.ranges == []


@pytest.mark.parametrize("sha256", [None, "0" * 64])
def test_a_foreign_part_is_started_over(server: Server, fetch: Fetching, sha256: str | None) -> None:
    """Bytes that belong to another file are not gone on with."""
    fetch.keep(b"x" * 1000, sha256=sha256)
    assert fetch(server.url) == (SHA, len(BODY), 0)


@pytest.mark.parametrize("damage", [b"", b"not JSON", b'{"format": 99}', b"\xff\xfe" * 600])
def test_a_damaged_journal_is_started_over(server: Server, fetch: Fetching, damage: bytes) -> None:
    """Without a journal nobody knows which bytes are here."""
    fetch.keep(BODY[:5000])
    fetch.part.journal.write_bytes(damage)
    assert fetch(server.url) == (SHA, len(BODY), 0)


def test_what_a_journal_claims_beyond_the_file_is_fetched(server: Server, fetch: Fetching) -> None:
    """After a power cut the journal may know more than the disk kept."""
    fetch.keep(BODY[:700_000])
    with fetch.part.data.open("r+b") as file:
        file.truncate(600_000)
    assert fetch(server.url) == (SHA, len(BODY) - 600_000, 600_000)


def test_without_a_hash_nothing_is_continued(server: Server, fetch: Fetching) -> None:
    """Old and new bytes can only be told apart by a hash."""
    fetch.keep(BODY[:5], sha256=None)
    assert fetch(server.url, sha256=None) == (SHA, len(BODY), 0)
    assert server.ranges == [None]


def test_an_ignored_range_means_the_whole_file_again(server: Server, fetch: Fetching) -> None:
    """A 200 in answer to a Range is never appended."""
    server.ignore_range = True
    server.cut_after = [300_000]
    assert fetch(server.url)[0] == SHA


def test_wrong_bytes_are_told_not_judged(server: Server, fetch: Fetching) -> None:
    """What came is described as it is: whoever asked knows what was promised, and may ask the hub again."""
    server.body = BODY[:-1] + b"!"
    assert fetch(server.url)[0] == hashlib.sha256(server.body).hexdigest()


def test_another_length_than_promised_is_refused(server: Server, fetch: Fetching) -> None:
    """The hub's exact size is compared with what the server says the file has."""
    with pytest.raises(SizeMismatch):
        fetch(server.url, sha256=None, size=len(BODY) + 1)
    assert not fetch.part.data.exists()


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
    """After the retries the user is told it can go on later."""
    with pytest.raises(Unreachable) as caught:
        fetch("http://127.0.0.1:9/file")
    assert "goes on" in caught.value.hint


def test_cancelling_keeps_the_part(server: Server, fetch: Fetching) -> None:
    """Stopping is not losing."""
    fetch.keep(BODY[:1000])
    fetch.cancel.set()
    with pytest.raises(Cancelled):
        fetch(server.url)
    assert (fetch.part.data.read_bytes(), fetch.part.done) == (BODY[:1000], 1000)
