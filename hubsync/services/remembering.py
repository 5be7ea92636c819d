"""What ended, for whoever comes back to it: jobs outlive the program that did them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hubsync.domain.jobs import EndedJob
from hubsync.store.jobs import JobRecords

_MOST = 200
"""Jobs that are remembered: one page of Activity is 20 to 60, and nobody looks further back than a few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobService:
    """The jobs of one library that ended, in this program and in earlier ones."""

    records: JobRecords

    def ended(self) -> Sequence[EndedJob]:
        """The newest of them, oldest first."""
        return self.records.all()

    def keep(self, job: EndedJob) -> None:
        """Remember a job; one that was tried again has its last end."""
        self.records.keep(job, most=_MOST)

    def clear(self) -> None:
        """Forget them."""
        self.records.clear()
