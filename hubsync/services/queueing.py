"""The queue of downloads as services and faces see it: what was asked for and is not here yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hubsync.errors import HubError, HubsyncError, MachineError, NotFound, UsageError
from hubsync.files.transfer import Part
from hubsync.services.choosing import InstallOptions, Risk
from hubsync.services.planning import Plan
from hubsync.store.queue import Queue, Queued


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """A download that is not done: `done` of `size` bytes are here; `busy` if some hubsync fetches it now.

    `error` is what went wrong last; None: it was interrupted.
    """

    ref: str
    name: str
    done: int
    size: int | None
    options: InstallOptions
    error: str | None
    busy: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadQueue:
    """Keeps unfinished downloads; `now` stamps them."""

    queue: Queue
    now: Callable[[], datetime]

    def add(self, plans: Iterable[Plan]) -> None:
        """These are about to be fetched."""
        self.queue.add(self._entry(plan) for plan in plans)

    def done(self, plan: Plan) -> None:
        """It is here."""
        self.queue.remove(str(plan.file.ref))

    def failed(self, plan: Plan, error: HubsyncError) -> None:
        """It is kept if going on may help: a hub that was down, a full disk. A refusal or wrong bytes end it."""
        ref = str(plan.file.ref)
        if isinstance(error, HubError | MachineError):
            self.note(ref, error)
        else:
            self.queue.remove(ref)

    def note(self, ref: str, error: HubsyncError | None) -> None:
        """Why one did not go on."""
        self.queue.fail(ref, error.message if error else "")

    def unfinished(self) -> Sequence[Unfinished]:
        """All of them, oldest first."""
        return [
            Unfinished(
                ref=entry.ref,
                name=entry.name,
                done=_part(entry).done,
                size=entry.size,
                options=_options(entry),
                error=entry.error,
                busy=_part(entry).busy,
            )
            for entry in self.queue.all()
        ]

    def find(self, names: Sequence[str]) -> Sequence[Unfinished]:
        """Those of the names or references given, or all.

        Raises:
            NotFound: no download is called so.
        """
        entries = self.unfinished()
        for name in names:
            if not any(_is_called(entry, name) for entry in entries):
                raise NotFound(f"no unfinished download is called '{name}'", hint="`hubsync downloads` lists them")
        return [entry for entry in entries if not names or any(_is_called(entry, name) for name in names)]

    def cancel(self, ref: str) -> None:
        """Nobody wants it any more: what came of it is removed.

        Raises:
            UsageError: some hubsync fetches it now.
        """
        for entry in self.queue.all():
            if entry.ref != ref:
                continue
            part = _part(entry)
            if part.busy:
                raise UsageError(f"{entry.name} is being downloaded now", hint="stop that hubsync first")
            part.discard()
            part.lock.unlink(missing_ok=True)
            self.queue.remove(ref)

    def _entry(self, plan: Plan) -> Queued:
        options = {
            "name": plan.options.name,
            "folder": str(plan.options.folder) if plan.options.folder else None,
            "force": plan.options.force,
            "previews": plan.options.previews,
            "risks": sorted(plan.options.risks),
        }
        return Queued(
            ref=str(plan.file.ref),
            name=plan.target.stem,
            size=plan.file.size,
            options=options,
            data=plan.part.data,
            journal=plan.part.journal,
            lock=plan.part.lock,
            added_at=self.now(),
        )


def _part(entry: Queued) -> Part:
    return Part(data=entry.data, journal=entry.journal, lock=entry.lock)


def _options(entry: Queued) -> InstallOptions:
    """The options it was asked for with; the reference names the file."""
    stored = entry.options
    return InstallOptions(
        name=stored.get("name"),
        folder=Path(stored["folder"]) if stored.get("folder") else None,
        force=bool(stored.get("force")),
        previews=bool(stored.get("previews", True)),
        risks=frozenset(Risk(name) for name in stored.get("risks", ()) if name in list(Risk)),
    )


def _is_called(entry: Unfinished, name: str) -> bool:
    return name.casefold() in {entry.name.casefold(), entry.ref.casefold()}
