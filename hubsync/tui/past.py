"""Jobs as they are remembered, and back."""

from __future__ import annotations

from hubsync.domain.jobs import EndedJob
from hubsync.errors import HubsyncError
from hubsync.tui.jobs import Job, JobState


def to_remember(job: Job) -> EndedJob:
    """What is remembered of a job that is over."""
    assert job.ended
    return EndedJob(
        key=job.key,
        label=job.label,
        state=job.state.value,
        note=job.note,
        error=job.error.message if job.error else "",
        hint=job.error.hint if job.error else "",
        refs=(job.ref, *job.also) if job.ref else (),
        begun=job.begun or job.ended,
        ended=job.ended,
        place=job.place,
        picture=job.picture,
    )


def remembered(job: EndedJob) -> Job:
    """A job of an earlier run: a download can be tried again by its references, nothing else."""
    ref, *also = job.refs or ("",)
    return Job(
        number=0,
        key=job.key,
        label=job.label,
        counts_bytes=bool(ref),
        ref=ref,
        also=tuple(also),
        state=JobState(job.state),
        note=job.note,
        begun=job.begun,
        ended=job.ended,
        error=HubsyncError(job.error, hint=job.hint) if job.error else None,
        place=job.place,
        picture=job.picture,
    )
