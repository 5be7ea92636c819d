"""The tables of one library by what they hold; all share its one database."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from hubsync.store.database import Database
from hubsync.store.records import Records

if TYPE_CHECKING:
    from hubsync.store.jobs import JobRecords
    from hubsync.store.prompts import PromptRecords
    from hubsync.store.queue import Queue
    from hubsync.store.renders import RenderRecords
    from hubsync.store.scanning import ScanRecords


class Tables:
    """Each is made when first asked for: `list` reads one of five."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.records = Records(database=database)

    @cached_property
    def rows(self) -> ScanRecords:
        """Files as scans find them."""
        from hubsync.store.scanning import ScanRecords

        return ScanRecords(database=self._database)

    @cached_property
    def queue(self) -> Queue:
        """Downloads that are not done."""
        from hubsync.store.queue import Queue

        return Queue(database=self._database)

    @cached_property
    def renders(self) -> RenderRecords:
        """Pictures rendered so far."""
        from hubsync.store.renders import RenderRecords

        return RenderRecords(database=self._database)

    @cached_property
    def prompts(self) -> PromptRecords:
        """Prompts kept under a name."""
        from hubsync.store.prompts import PromptRecords

        return PromptRecords(database=self._database)

    @cached_property
    def jobs(self) -> JobRecords:
        """Work that is over."""
        from hubsync.store.jobs import JobRecords

        return JobRecords(database=self._database)

    def close(self) -> None:
        """Close the connection that is kept."""
        self._database.close()
