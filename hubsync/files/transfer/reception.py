"""What comes in: every answer is matched with what is here already before a byte of it is written."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace

from hubsync.domain import Download
from hubsync.errors import NoSpace, NotAModel, SizeMismatch, UnexpectedResponse
from hubsync.files.transfer.connection import Connection
from hubsync.files.transfer.journal import Journal, Known, read_journal
from hubsync.files.transfer.part import Part
from hubsync.files.transfer.segments import Segment, SegmentMap
from hubsync.files.transfer.stream import Broken, Stream, open_stream
from hubsync.files.transfer.transfer import Transfer


class Whole(Exception):
    """The whole file comes where a range was asked for: this server knows no ranges."""


class Changed(Exception):
    """The file is another one than the one whose bytes are here."""


class Beyond(Exception):
    """The range asked for lies beyond the end; `size` is where that is, if the server says."""

    def __init__(self, size: int | None) -> None:
        super().__init__(size)
        self.size = size


class Reception:
    """The part file of one download with its journal, written to by several threads."""

    def __init__(self, transfer: Transfer, download: Download, part: Part) -> None:
        """Take up what is there, as far as it belongs to this download.

        Raises:
            NoSpace: what is missing does not fit on the disk.
        """
        self._transfer, self._download, self._part = transfer, download, part
        self._lock = threading.Lock()
        self.received = 0
        known, here = read_journal(part.journal)
        length = part.data.stat().st_size if part.data.exists() else 0
        if download.sha256 is None or known.sha256 != download.sha256 or not length:
            known, here = Known(sha256=download.sha256), []
        self._known = replace(known, size=download.size or known.size)
        here = [(start, min(stop, length)) for start, stop in here]
        self.map = SegmentMap(self._known.size, here)
        part.data.parent.mkdir(parents=True, exist_ok=True)
        part.data.open("ab").close()
        self.journal = Journal(part.journal, self._known, lines=len(here))
        self._check_space()

    def start_over(self) -> None:
        """Forget what is here. No connection may be open."""
        self._known = Known(sha256=self._download.sha256, size=self._download.size)
        self.journal.close()
        self.journal = Journal(self._part.journal, self._known, lines=0)
        self.map = SegmentMap(self._known.size)
        with self._part.data.open("r+b") as file:
            file.truncate()

    def end_at(self, size: int | None) -> None:
        """The server says how long the file is.

        Raises:
            SizeMismatch: the hub promised another length. Broken: it does not say, or contradicts itself.
        """
        known = self.map.size
        if size is None or (known is not None and size > known):
            raise Broken("the server contradicts itself about the length of the file")
        if self._download.size not in {None, size}:
            raise SizeMismatch(f"the hub states {self._download.size:,} bytes, the file has {size:,}")
        self.map.end_at(size)

    def fetch(self, connection: Connection) -> None:
        """Receive a connection's segment, in its thread.

        Raises:
            Broken, Whole, Changed, Beyond: as they say.
            HubsyncError: the hub's refusal, or the bytes cannot be the file.
        """
        segment = connection.segment
        start, stop = segment.position, segment.stop
        with open_stream(
            self._transfer.client,
            connection.url,
            start=start,
            stop=None if stop == self.map.size else stop,
            validator=self._known.validator,
            patience=self._transfer.patience,
        ) as stream:
            connection.host = stream.url
            self._accept(stream, start)
            connection.stream = stream
            self._write(stream, connection)

    def _accept(self, stream: Stream, position: int) -> None:
        if stream.response.status_code == 416:
            raise Beyond(stream.size)
        self._check(stream)
        with self._lock:
            if self._known.validator and stream.validator and stream.validator != self._known.validator:
                raise Changed
            if position and not stream.partial:
                raise Whole
            if stream.first != position:
                raise Broken("the server sent another range than the one asked for")
            self._learn(stream)

    def _check(self, stream: Stream) -> None:
        """Refusals are the hub's; a web page with a good status is not the model, unless it is a known wall."""
        response = stream.response
        try:
            self._transfer.check(response)
        except UnexpectedResponse as error:
            if response.status_code < 400:
                raise NotAModel(
                    f"{response.url.host} sent a web page instead of the model",
                    hint="it may want you to log in: hubsync config set civitai.api_key KEY",
                ) from error
            raise

    def _learn(self, stream: Stream) -> None:
        """What the answer adds to what is known of the file; a length that was promised outranks Content-Length."""
        size, promised = stream.size, self._download.size
        if promised is not None:
            if stream.partial and size not in {None, promised}:
                raise SizeMismatch(f"the hub states {promised:,} bytes, the server sends {size:,}")
        elif size is not None and self.map.size is None:
            self.map.end_at(size)
            self._check_space()
        elif stream.partial and size not in {None, self.map.size}:
            raise Changed
        learned = replace(self._known, size=self.map.size, validator=self._known.validator or stream.validator)
        if learned != self._known:
            self._known = learned
            self.journal.learn(learned)

    def _check_space(self) -> None:
        if self.map.size is None:
            return
        free, needed = shutil.disk_usage(self._part.data.parent).free, self.map.size - self.map.done
        if free < needed:
            raise NoSpace(
                f"{needed:,} bytes are needed, {free:,} are free on {self._part.data.parent}",
                hint="free some space and run it again",
            )

    def _write(self, stream: Stream, connection: Connection) -> None:
        segment = connection.segment
        with self._part.data.open("r+b") as file:
            file.seek(segment.position)
            for block in stream.blocks():
                with segment.lock:
                    if segment.owner is not connection:
                        return
                    kept = block if segment.missing is None else block[: segment.missing]
                    file.write(kept)
                    file.flush()
                    segment.position += len(kept)
                    self.journal.note(connection.line, segment.start, segment.position)
                with self._lock:
                    self.received += len(kept)
                if segment.complete:
                    return
        self._end(segment)

    def _end(self, segment: Segment) -> None:
        """The body is over: where no length was announced, that is the end of the file."""
        if segment.stop is not None:
            raise Broken("the body ended early")
        with self._lock:
            self.map.end_at(segment.position)
