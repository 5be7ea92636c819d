"""The pre-flight of an install: what would come, how big, where to. Nothing is downloaded before enter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from hubsync.domain import Lora, LoraFile
from hubsync.errors import Ambiguous
from hubsync.refs import Ref
from hubsync.services.planning import Plan, Unplannable
from hubsync.tui.answers import Refused
from hubsync.tui.asking import ask
from hubsync.tui.describe import BLANK, problem, title
from hubsync.tui.messages import InstallConfirmed
from hubsync.tui.plans import batch_facts, plan_facts, total, wanted
from hubsync.tui.screens.dialog import Dialog
from hubsync.tui.session import Session
from hubsync.tui.text import size, words
from hubsync.tui.widgets.columns import Column
from hubsync.tui.widgets.facts import Fact
from hubsync.tui.widgets.rows import RowList

_BACK = "esc goes back"


@dataclass
class Planned(Message, bubble=False):
    """The pre-flight of one install is done: the file meant first, then what it does not work without."""

    entries: Sequence[Plan | Unplannable]


class Preflight(Dialog[Sequence[InstallConfirmed]]):
    """Asks for the plans itself; the answer is what the user said yes to, one message a LoRA.

    `ref` means one version or file of the only LoRA instead of what the hub offers first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "confirm", "Install", id="preflight.confirm", tooltip="Download, verify and install it"),
    ]

    def __init__(self, session: Session, loras: Sequence[Lora], *, ref: Ref | None = None) -> None:
        name = loras[0].name if len(loras) == 1 else f"{len(loras)} LoRAs"
        super().__init__("Install", [Fact(value=words(name, "bold")), BLANK, Fact(value=Content("checking…"))])
        self._session = session
        self._loras = loras
        self._ref = ref or loras[0].ref
        self._installs: Sequence[InstallConfirmed] = ()

    def on_mount(self) -> None:
        """Plan what the rows mean."""
        self._ask(*([self._ref] if len(self._loras) == 1 else [lora.ref for lora in self._loras]))

    def action_confirm(self) -> None:
        """Say yes to plans that lead somewhere."""
        if self._installs:
            self.dismiss(self._installs)

    def _ask(self, *refs: Ref) -> None:
        asked = [str(ref) for ref in refs]
        ask(self, "plan", lambda: Planned(self._session.hubsync.install.plan(asked)))

    @on(Planned)
    async def _show_plans(self, message: Planned) -> None:
        if len(self._loras) > 1:
            self._show_batch(message.entries)
            return
        entry = message.entries[0]
        if isinstance(entry, Unplannable):
            await self._show_problem(entry)
            return
        if missing := wanted(message.entries):
            self._installs = [InstallConfirmed(self._loras[0].ref, missing)]
            self.show(plan_facts(missing), keys=f"enter installs · {_BACK}")
            return
        what = "This LoRA is" if entry.notes else "These bytes are"
        there = f"{what} in your library already, as {entry.target.stem}."
        self.show([*title(entry.lora.name, ()), Fact(value=words(there))], keys=_BACK)

    def _show_batch(self, entries: Sequence[Plan | Unplannable]) -> None:
        """Every file, and what all of them come to."""
        loras = {str(lora.ref): lora for lora in self._loras}
        plans: dict[Ref, list[Plan]] = {}
        row = self._loras[0].ref
        for entry in entries:
            # What a LoRA does not work without follows it, under references of its own.
            row = loras[entry.asked].ref if entry.asked in loras else row
            plans.setdefault(row, []).extend(wanted([entry]))
        self._installs = [InstallConfirmed(row, missing) for row, missing in plans.items() if missing]
        keys = f"enter installs {total(wanted(entries))} · {_BACK}" if self._installs else _BACK
        self.show(batch_facts(entries, {asked: lora.name for asked, lora in loras.items()}), keys=keys)

    @on(Refused)
    def _say_refused(self, message: Refused) -> None:
        message.stop()
        self.show([*title(self._loras[0].name, ()), *problem(message.error)], keys=_BACK)

    async def _show_problem(self, entry: Unplannable) -> None:
        lora = self._loras[0]
        files = choices(lora, self._ref) if isinstance(entry.error, Ambiguous) else []
        if not files:
            self.show([*title(lora.name, ()), *problem(entry.error)], keys=_BACK)
            return
        several = title(lora.name, ("It holds several LoRA files: choose one.",))
        self.show(several[:-1], keys=f"enter chooses · {_BACK}")
        listing: RowList[LoraFile] = RowList(
            Column(text=lambda file: file.name, title="File", strong=True),
            Column(text=lambda file: size(file.size), title="Size", width=10, right=True),
            key=lambda file: file.name,
        )
        await self.query_one("#dialog").mount(listing, before="#keys")
        listing.show(files)
        listing.focus()

    @on(RowList.Chosen)
    async def _choose(self, message: RowList.Chosen) -> None:
        assert isinstance(message.row, LoraFile)
        await self.query(RowList).remove()
        self._ask(message.row.ref)


def choices(lora: Lora, ref: Ref) -> Sequence[LoraFile]:
    """The files of a version, or of the newest, that could be meant."""
    version = next((version for version in lora.versions if version.ref == ref), None)
    files = (version or lora.versions[0]).files if lora.versions else ()
    return [file for file in files if file.kind in {"model", "embedding"} and file.format == "safetensors"]
