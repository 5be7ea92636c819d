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
from hubsync.refs import CivitaiRef, HuggingFaceRef
from hubsync.tui.answers import Moved, Removed, UpdatesFound
from hubsync.tui.jobs import told
from hubsync.tui.messages import ChoreRequested
from hubsync.tui.text import number

if TYPE_CHECKING:
    from hubsync.services.app import Hubsync
    from hubsync.services.planning import Plan
    from hubsync.services.relocating import Trashed

Thing = TypeVar("Thing")

_NAMED = 3

_NAMESAKES = frozenset({"same_stem", "alias_collision"})
"""Problems a scan tells that do not hinder recognising a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of a chore, in a sentence; not `well`: it wants the user. `news` are for whoever asked."""

    note: str
    well: bool = True
    news: Message | None = None


Chore = Callable[[Sink, threading.Event], Done]
"""Does the work; raises as the services do."""


def scan(hubsync: Hubsync) -> ChoreRequested:
    """Read every folder of the library, and ask Civitai what nobody named yet."""

    def work(sink: Sink, cancel: threading.Event) -> Done:
        found = hubsync.scanning.scan(sink=_telling(sink), cancel=cancel)
        counts = {"new": found.added, "changed": found.updated, "gone": found.removed, "recognised": found.identified}
        said = [f"{number} {what}" for what, number in counts.items() if number] or ["nothing new"]
        said += [f"{found.unhashed} still to hash"] if found.unhashed else []
        first = found.problems[0] if found.problems else None
        said += [f"{len(found.problems)} need you, the first: {first.path}: {first.message}"] if first else []
        return Done(note=f"Scanned: {', '.join(said)}", well=first is None)

    return ChoreRequested("Scanning the library", work)


def identify(hubsync: Hubsync, loras: Sequence[Installed]) -> ChoreRequested:
    """Read these LoRAs' files again, and ask Civitai what nobody named yet."""

    def work(sink: Sink, cancel: threading.Event) -> Done:
        # A file that is gone is no path to look at: only a scan of everything may find it elsewhere.
        paths = [lora.path for lora in loras if lora.path.exists()]
        if not paths:
            return Done(note=f"{named(loras)}: gone; S looks through every folder", well=False)
        found = hubsync.scanning.scan(paths, sink=_telling(sink), cancel=cancel)
        # Of the folder it is told that Civitai does not answer; of a file, that it cannot be read.
        places = {*paths, hubsync.root.loras}
        wrong = [one for one in found.problems if one.code not in _NAMESAKES and hubsync.root.path / one.path in places]
        if wrong:
            return Done(note=f"Not all was identified: {wrong[0].message}", well=False)
        return Done(note=_recognised([hubsync.library.find(str(path)) for path in paths]))

    return ChoreRequested(f"Identifying {named(loras)}", work)


def _recognised(loras: Sequence[Installed]) -> str:
    """What Civitai knows; of a LoRA from Hugging Face nobody asks."""
    known = [lora for lora in loras if isinstance(lora.ref, CivitaiRef)]
    elsewhere = sum(isinstance(lora.ref, HuggingFaceRef) for lora in loras)
    if len(loras) > 1:
        others = f"; from Hugging Face: {elsewhere}" if elsewhere else ""
        return f"Civitai knows {len(known)} of {len(loras)}{others}"
    if known:
        return f"Civitai knows {known[0].name}: {known[0].title}"
    return f"{loras[0].name} is from Hugging Face" if elsewhere else f"Civitai does not know {loras[0].name}"


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
    """Move LoRAs to the trash; `reply` is told in which folders of it they are."""

    def work(sink: Sink, cancel: threading.Event) -> Done:
        folders: list[str] = []
        error = _each(loras, lambda lora: folders.append(hubsync.relocating.remove(lora).folder.name), sink, cancel)
        done = f"{named(loras[: len(folders)])} in the trash: u brings back what was removed last" if folders else ""
        note = "; ".join(filter(None, (done, told(error) if error else "")))
        return Done(note=note or "nothing is removed", well=error is None, news=Removed(folders))

    return ChoreRequested(f"Removing {named(loras)}", work, reply)


def restore_last(hubsync: Hubsync, together: Sequence[str]) -> ChoreRequested:
    """Bring back what was removed last, whatever removed it; if it is one of these folders, all of them `together`."""

    def work(sink: Sink, cancel: threading.Event) -> Done:
        last, *older = [one.folder.name for one in hubsync.relocating.trash() if one.usable] or [""]
        along = [folder for folder in older if folder in together] if last in together else []
        return _brought_back(hubsync, [last, *along] if last else [], sink, cancel)

    return ChoreRequested("Bringing back what was removed last", work)


def restore(hubsync: Hubsync, trashed: Sequence[Trashed]) -> ChoreRequested:
    """Bring these back from the trash."""

    def work(sink: Sink, cancel: threading.Event) -> Done:
        return _brought_back(hubsync, [one.folder.name for one in trashed], sink, cancel)

    return ChoreRequested(f"Bringing back {_few([one.name for one in trashed])}", work)


def _brought_back(hubsync: Hubsync, folders: Sequence[str], sink: Sink, cancel: threading.Event) -> Done:
    """Bring back what can come; of what cannot, the first reason is told."""
    loras: list[Installed] = []

    def bring(folder: str) -> None:
        loras.append(hubsync.relocating.restore(folder))

    error = _each(folders, bring, sink, cancel, going_on=True)
    note = f"{named(loras)} back from the trash" if loras else ""
    trouble = f"{told(error)}; T shows what is in the trash" if error else ""
    return Done(note="; ".join(filter(None, (note, trouble))) or "the trash is empty", well=error is None)


def move(hubsync: Hubsync, loras: Sequence[Installed], to: str, reply: MessagePump) -> ChoreRequested:
    """Rename a LoRA, or move LoRAs into a folder that ends in a slash; `reply` is told where each is."""

    def work(sink: Sink, cancel: threading.Event) -> Done:
        moved: list[Installed] = []
        error = _each(loras, lambda lora: moved.append(hubsync.relocating.move(lora, to)), sink, cancel)
        if error and not moved:
            raise error
        note = f"{named(loras[: len(moved)])} moved to {to}"
        here = {before.path: after for before, after in zip(loras, moved, strict=False)}
        return Done(note=f"{note}; {told(error)}" if error else note, well=error is None, news=Moved(here))

    return ChoreRequested(f"Moving {named(loras)}", work, reply)


def weigh(hubsync: Hubsync, loras: Sequence[Installed], weight: float) -> ChoreRequested:
    """Give LoRAs a weight."""

    def work(sink: Sink, cancel: threading.Event) -> Done:
        if error := _each(loras, lambda lora: hubsync.editing.weigh(lora, weight), sink, cancel):
            raise error
        return Done(note=f"{named(loras)}: weight {number(weight)}")

    return ChoreRequested(f"Weighing {named(loras)}", work)


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
    return _few([lora.name for lora in loras])


def _few(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= _NAMED else f"{len(names)} LoRAs"


def _each(
    things: Sequence[Thing],
    do: Callable[[Thing], object],
    sink: Sink,
    cancel: threading.Event,
    *,
    going_on: bool = False,
) -> HubsyncError | None:
    """Do it with each until told to stop; the error of the first that fails, with which it ends unless `going_on`."""
    first: HubsyncError | None = None
    for done, thing in enumerate(things):
        if cancel.is_set():
            raise Cancelled
        sink(Advanced(key="chore", done=done, total=len(things)))
        try:
            do(thing)
        except HubsyncError as error:
            first = first or error
            if not going_on:
                break
    return first


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
