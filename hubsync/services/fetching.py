"""Bringing one planned file under its name: held against others, fetched, compared with the promise, or kept apart."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hubsync.domain import Installed
from hubsync.errors import BadBytes, HashMismatch
from hubsync.events import Advanced, Noted, Sink, Verified
from hubsync.files import header, placement
from hubsync.files.hashes import hash_file
from hubsync.files.relocation import move_file
from hubsync.files.transfer import Flow, Received, Transfer
from hubsync.services.planning import Plan, Planner


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetcher:
    """Fetches planned files; bytes that are wrong end up in `quarantine`. `held`: locks this very process holds."""

    planner: Planner
    transfer: Callable[[], Transfer]
    quarantine: Path
    held: set[Path] = field(default_factory=set)

    def bring(self, plan: Plan, *, sink: Sink, cancel: threading.Event) -> tuple[Plan, Received] | Installed:
        """The file at its target, or what another process installed of it meanwhile; the plan as it turned out.

        Raises:
            Cancelled: what came stays for the next time.
            HashMismatch: twice the bytes were not what the hub promises; they lie in the quarantine.
            HubsyncError: it could not be had.
        """
        if plan.adopted:
            plan.part.discard()  # of a process killed after it had given the file its name
            size = plan.target.stat().st_size
            here = Received(hashes=hash_file(plan.target), size=size, bytes_downloaded=0, resumed_from=size)
            return plan, here

        def wait() -> None:
            who = "it is being downloaded" if plan.part.lock in self.held else "another hubsync downloads it"
            sink(Noted(key=plan.asked, message=f"{who} already: waiting for it"))

        with plan.part.held(cancel, waiting=wait), self._holding(plan.part.lock):
            if not plan.options.force and (installed := self.planner.same(plan.file)):
                return installed
            plan, received = self._fetch(plan, sink, cancel)
            if plan.file.format == "safetensors":
                self._check_header(plan)
            if plan.file.sha256:
                sink(Verified(key=plan.asked, sha256=received.hashes.sha256))
            placement.place(plan.part.data, plan.target)
            plan.part.discard()
        plan.part.lock.unlink(missing_ok=True)
        return plan, received

    @contextmanager
    def _holding(self, lock: Path) -> Iterator[None]:
        self.held.add(lock)
        try:
            yield
        finally:
            self.held.discard(lock)

    def _fetch(self, plan: Plan, sink: Sink, cancel: threading.Event) -> tuple[Plan, Received]:
        def tell(flow: Flow) -> None:
            sink(
                Advanced(
                    key=plan.asked,
                    done=flow.done,
                    total=flow.total,
                    rate=flow.rate,
                    eta=flow.eta,
                    connections=flow.connections,
                )
            )

        transfer = self.transfer()
        received = transfer.fetch(self.planner.download(plan), plan.part, progress=tell, cancel=cancel)
        if _is_right(plan, received):
            return plan, received
        plan = self.planner.asked_again(plan)
        if _is_right(plan, received):
            sink(Noted(key=plan.asked, message="the uploader has replaced the file: this is the new one"))
            return plan, received
        sink(Noted(key=plan.asked, message="the bytes are not what the hub promises: fetching them once more"))
        download = self.planner.download(plan)
        received = transfer.fetch(download, plan.part, progress=tell, cancel=cancel, whole=True)
        if _is_right(plan, received):
            return plan, received
        raise self._put_apart(plan, received)

    def _put_apart(self, plan: Plan, received: Received) -> HashMismatch:
        """Keep wrong bytes where nothing loads them, for whoever wants to see what came."""
        kept = self.quarantine / f"{plan.target.stem}-{received.hashes.autov2}.bad"
        move_file(plan.part.data, kept)
        plan.part.discard()
        return HashMismatch(
            f"the bytes do not match: the hub states SHA-256 {plan.file.sha256}, the file has {received.hashes.sha256}",
            hint=f"nothing was installed; the bytes are kept in {kept}; report the file to the hub",
        )

    def _check_header(self, plan: Plan) -> None:
        try:
            header.read_header(plan.part.data)
        except BadBytes:
            plan.part.discard()
            raise


def _is_right(plan: Plan, received: Received) -> bool:
    return plan.file.sha256 is None or plan.file.sha256.lower() == received.hashes.sha256
