"""The pre-flight of an install: what would come, how big, where to. Nothing is downloaded before enter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content

from hubsync.domain import Lora, LoraFile
from hubsync.errors import Ambiguous
from hubsync.services.planning import Plan, Unplannable
from hubsync.tui.asking import ask
from hubsync.tui.describe import BLANK, hub_groups, problem, title
from hubsync.tui.messages import Planned, Refused
from hubsync.tui.screens.dialog import Dialog
from hubsync.tui.session import Session
from hubsync.tui.text import home, size, words
from hubsync.tui.widgets.columns import Column
from hubsync.tui.widgets.facts import Fact
from hubsync.tui.widgets.rows import RowList


class Preflight(Dialog[Sequence[Plan]]):
    """Asks for the plans itself; the answer is what the user said yes to."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "confirm", "Install", id="preflight.confirm", tooltip="Download, verify and install it"),
    ]

    def __init__(self, session: Session, lora: Lora) -> None:
        super().__init__("Install", [Fact(value=words(lora.name, "bold")), BLANK, Fact(value=Content("checking…"))])
        self._session = session
        self._lora = lora
        self._plans: Sequence[Plan] = ()

    def on_mount(self) -> None:
        """Plan what the row means."""
        self._ask(str(self._lora.ref))

    def action_confirm(self) -> None:
        """Say yes to a plan that leads somewhere."""
        if self._plans:
            self.dismiss(self._plans)

    def _ask(self, reference: str) -> None:
        ask(self, "plan", lambda: Planned(self._session.hubsync.install.plan([reference])))

    @on(Planned)
    async def _show_plan(self, message: Planned) -> None:
        entry = message.entries[0]
        if isinstance(entry, Unplannable):
            await self._show_problem(entry)
            return
        missing = [one for one in message.entries if isinstance(one, Plan) and one.existing is None]
        if missing:
            self._plans = missing
            self.show(plan_facts(missing), keys="enter installs · esc goes back")
            return
        what = "This LoRA is" if entry.notes else "These bytes are"
        there = f"{what} in your library already, as {entry.target.stem}."
        self.show([*title(entry.lora.name, ()), Fact(value=words(there))], keys="esc goes back")

    @on(Refused)
    def _say_refused(self, message: Refused) -> None:
        message.stop()
        self.show([*title(self._lora.name, ()), *problem(message.error)], keys="esc goes back")

    async def _show_problem(self, entry: Unplannable) -> None:
        files = choices(self._lora) if isinstance(entry.error, Ambiguous) else []
        if not files:
            self.show([*title(self._lora.name, ()), *problem(entry.error)], keys="esc goes back")
            return
        several = title(self._lora.name, ("It holds several LoRA files: choose one.",))
        self.show(several[:-1], keys="enter chooses · esc goes back")
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
        self._ask(str(message.row.ref))


def choices(lora: Lora) -> Sequence[LoraFile]:
    """The files of the newest version that could be meant."""
    files = lora.versions[0].files if lora.versions else ()
    return [file for file in files if file.kind in {"model", "embedding"} and file.format == "safetensors"]


def plan_facts(plans: Sequence[Plan]) -> list[Fact]:
    """What would be installed: a LoRA, and what it does not work without."""
    plan, *companions = plans
    checked = "against the hub's SHA-256" if plan.file.sha256 else "size and format only: the hub states no SHA-256"
    fields = (
        ("Version", plan.version.name),
        ("Base", plan.version.base_model or ""),
        ("File", plan.file.name),
        ("With", ", ".join(one.file.name for one in companions)),
        ("Size", f"{size(sum(one.file.size or 0 for one in plans))}, {size(plan.space_left)} free"),
        ("To", home(plan.target)),
        ("Checked", checked),
        *(("Note", note) for note in dict.fromkeys(note for one in plans for note in one.notes)),
    )
    return [
        *title(plan.lora.name, (f"by {plan.lora.creator}" if plan.lora.creator else "", str(plan.file.ref))),
        *(Fact(label=label, value=words(text)) for label, text in fields if text),
        Fact(label="Words", value=hub_groups(plan.version.trigger_words)),
    ]
