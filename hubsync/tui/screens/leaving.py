"""The question before a program ends whose work would be lost."""

from __future__ import annotations

from collections.abc import Sequence

from hubsync.tui.jobs import Job
from hubsync.tui.screens.confirm import Confirm
from hubsync.tui.standing import draws


class Leaving(Confirm):
    """Names the jobs that cannot be gone on with."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        renders = sum(draws(job) for job in jobs)
        counted = (_counted(renders, "render"), _counted(len(jobs) - renders, "other job" if renders else "job"))
        said = " and ".join(filter(None, counted))
        running = f"{said} {'is' if len(jobs) == 1 else 'are'} running, and would be stopped:"
        super().__init__("Leave hubsync?", [running, *(job.label for job in jobs)], verb="leaves")
        self._keys = "enter leaves · esc stays"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}" if number else ""
