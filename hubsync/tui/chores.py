"""Work on the library that takes its time, as jobs: scan, identify, verify, update, move, remove, restore, try out."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from textual.message import Message
from textual.message_pump import MessagePump

from hubsync.domain import Installed
from hubsync.errors import Cancelled, HubsyncError
from hubsync.events import Advanced, Event, Noted, Sink, Started
from hubsync.tui.answers import Removed, UpdatesFound
from hubsync.tui.jobs import told
from hubsync.tui.messages import ChoreRequested

if TYPE_CHECKING:
    from hubsync.services.app import Hubsync
    from hubsync.services.planning import Plan

Thing = TypeVar("Thing")

_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of a chore, in a sentence; not `well`: it wants the user. `news` are for whoever asked."""

    note: str
    well: bool = True
    news: Message | None = None


Chore = Callable[[Sink, threading.Event], Done]
"""Does the work; raises as the services do."""


def scan(hubsync: Hubsync, loras: Sequence[Installed] = ()) -> ChoreRequested:
    """Read every folder of the library, or these LoRAs' files again, and ask Civitai what nobody named yet."""

    def work(sink: Sink, cancel: threading.Event) -> Done:
        # A file that is gone is no path to look at: only a scan of everything may find it elsewhere.
        paths = [lora.path for lora in loras if lora.path.exists()]
        if loras and not paths:
            return Done(note=f"{named(loras)}: gone; S looks through every folder", well=False)
        found = hubsync.scanning.scan(paths, sink=_telling(sink), cancel=cancel)
        counts = {"new": found.added, "changed": found.updated, "gone": found.removed, "recognised": found.identified}
        said = [f"{number} {what}" for what, number in counts.items() if number] or ["nothing new"]
        said += [f"{found.unhashed} still to hash"] if found.unhashed else []
        first = found.problems[0] if found.problems else None
        said += [f"{len(found.problems)} need you, the first: {first.path}: {first.message}"] if first else []
        return Done(note=f"Scanned: {', '.join(said)}", well=first is None)

    return ChoreRequested(f"Identifying {named(loras)}" if loras else "Scanning the library", work)


def verify(hubsync: Hubsync, loras: Sequence[Installed]) -> ChoreRequested:
    """Hash these files again and compare."""

    def work(sink: Sink, cancel: threading.Event) -> Done:
        verdicts = hubsync.checking.verify(loras, sink=_telling(sink), cancel=cancel)
        counts = Counter(one.status for one in verdicts)
        wrong = [one.lora for one in verdicts if one.status in {"changed", "missing"}]
        said = ", ".join(f"{number} {status}" for status, number in counts.items())
        return Done(note=f"Verified: {said}{': ' if wrong else ''}{named(wrong)}", well=not wrong)

    return ChoreRequested(f"Verifying {named(loras)}", work)


def find_updates(hubsync: Hubsync, loras: Callable[[], Sequence[Installed]], reply: MessagePump) -> ChoreRequested:
    """Look for newer versions; those that can be installed go to `reply`."""

    def work(sink: Sink, cancel: threading.Event) -> Done:
        from hubsync.services.planning import Unplannable

        checked = hubsync.updating.check(loras(), sink=_telling(sink), cancel=cancel)
        plans, refused = [], [one.error for one in checked if one.error]
        for lora, plan in hubsync.updating.plan(checked):
            if isinstance(plan, Unplannable):
                refused.append(plan.error)
            else:
                plans.append((lora, plan))
        newer = sum(one.status == "outdated" for one in checked)
        note = f"{newer} of {len(checked)} have a newer version (↑)" if newer else "everything is as new as it gets"
        if refused:
            note = f"{note}; {len(refused)} could not be checked or planned: {told(refused[0])}"
        return Done(note=note, well=not refused, news=UpdatesFound(plans) if plans else None)

    return ChoreRequested("Looking for newer versions", work, reply)


def update(hubsync: Hubsync, plans: Sequence[tuple[Installed, Plan]], *, replacing: bool) -> ChoreRequested:
    """Install newer versions; with `replacing` the old ones go to the trash."""

    def work(sink: Sink, cancel: threading.Event) -> Done:
        results = hubsync.updating.run(plans, replacing=replacing, sink=_summed(sink), cancel=cancel)
        failed = [result.error for result in results if result.error]
        note = f"{len(results) - len(failed)} of {len(results)} updated"
        return Done(note=f"{note}: {told(failed[0])}" if failed else note, well=not failed)

    return ChoreRequested(f"Updating {named([lora for lora, _ in plans])}", work)


def remove(hubsync: Hubsync, loras: Sequence[Installed], reply: MessagePump) -> ChoreRequested:
    """Move LoRAs to the trash; `reply` is told where they are."""

    def work(sink: Sink, cancel: threading.Event) -> Done:
        folders: list[str] = []
        error = _each(loras, lambda lora: folders.append(hubsync.relocating.remove(lora).folder.name), sink, cancel)
        done = f"{named(loras[: len(folders)])} in the trash: u brings back what was removed last" if folders else ""
        note = "; ".join(filter(None, (done, told(error) if error else "")))
        return Done(note=note or "nothing is removed", well=error is None, news=Removed(folders))

    return ChoreRequested(f"Removing {named(loras)}", work, reply)


def restore(hubsync: Hubsync, folders: Sequence[str]) -> ChoreRequested:
    """Bring back what lies in these folders of the trash, or what was removed last of all."""

    def work(sink: Sink, cancel: threading.Event) -> Done:
        # Of a LoRA whose file was gone already only what lay beside it is there: nothing that could be used.
        trash = [one for one in hubsync.relocating.trash() if (one.folder / one.places[0].name).exists()]
        there = [one.folder.name for one in trash]
        wanted = [folder for folder in folders if folder in there] or there[:1]
        loras: list[Installed] = []
        error = _each(wanted, lambda folder: loras.append(hubsync.relocating.restore(folder)), sink, cancel)
        if error:
            raise error
        return Done(note=f"{named(loras)} back from the trash" if loras else "the trash is empty")

    return ChoreRequested("Bringing back what was removed", work)


def move(hubsync: Hubsync, loras: Sequence[Installed], to: str) -> ChoreRequested:
    """Rename a LoRA, or move LoRAs into a folder that ends in a slash."""

    def work(sink: Sink, cancel: threading.Event) -> Done:
        moved: list[Installed] = []
        error = _each(loras, lambda lora: moved.append(hubsync.relocating.move(lora, to)), sink, cancel)
        if error and not moved:
            raise error
        note = f"{named(loras[: len(moved)])} moved to {to}"
        return Done(note=f"{note}; {told(error)}" if error else note, well=error is None)

    return ChoreRequested(f"Moving {named(loras)}", work)


def probe(hubsync: Hubsync, lora: Installed) -> ChoreRequested:
    """Try out which words a LoRA reacts to, with the checkpoint of its family."""

    def work(sink: Sink, cancel: threading.Event) -> Done:
        from hubsync.render.plan import RenderOptions
        from hubsync.services.triggers import Wish

        wish = Wish(name=str(lora.path))
        found = hubsync.render.probe(wish, RenderOptions(), sink=_telling(sink), cancel=cancel)
        best = ", ".join(f"{one.text} {one.score:.0%}" for one in found[:_NAMED])
        return Done(note=f"{lora.name} reacts to {best}" if best else f"{lora.name} reacts to no word it could have")

    return ChoreRequested(f"Trying out words on {lora.name}", work)


def named(loras: Sequence[Installed]) -> str:
    """A few LoRAs by name, many by their number."""
    return ", ".join(lora.name for lora in loras) if len(loras) <= _NAMED else f"{len(loras)} LoRAs"


def _each(
    things: Sequence[Thing], do: Callable[[Thing], object], sink: Sink, cancel: threading.Event
) -> HubsyncError | None:
    """Do it with each until told to stop; the error of the first that fails, after which no other is tried."""
    for done, thing in enumerate(things):
        if cancel.is_set():
            raise Cancelled
        sink(Advanced(key="chore", done=done, total=len(things)))
        try:
            do(thing)
        except HubsyncError as error:
            return error
    return None


def _telling(sink: Sink) -> Sink:
    """A sink that shows what a service is at beside how far it is: what it counts changes on the way."""

    def tell(event: Event) -> None:
        sink(event)
        if isinstance(event, Started):
            sink(Advanced(key=event.key, done=0, total=event.total))
            sink(Noted(key=event.key, message=event.label))

    return tell


def _summed(sink: Sink) -> Sink:
    """A sink for several downloads at once that shows them as one."""
    done: dict[str, int] = {}
    totals: dict[str, int] = {}
    lock = threading.Lock()

    def tell(event: Event) -> None:
        if not isinstance(event, Started | Advanced):
            return
        with lock:
            done[event.key] = event.done if isinstance(event, Advanced) else 0
            totals[event.key] = event.total or totals.get(event.key, 0)
            sink(Advanced(key="chore", done=sum(done.values()), total=sum(totals.values())))

    return tell
