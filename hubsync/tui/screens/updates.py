"""Newer versions that were found: what would come, how big, and what becomes of the old ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from hubsync.domain import Installed
from hubsync.tui.screens.dialog import Dialog
from hubsync.tui.text import size, words
from hubsync.tui.widgets.facts import Fact

if TYPE_CHECKING:
    from hubsync.services.planning import Plan


class Updates(Dialog[bool]):
    """The answer says whether old versions go to the trash; None where the user goes back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "install('')", "Install", id="updates.beside", tooltip="Install them beside the old versions"),
        Binding("t", "install('old')", "Replace", id="updates.replace", tooltip="Install, then trash the old versions"),
    ]

    def __init__(self, plans: Sequence[tuple[Installed, Plan]]) -> None:
        keys = "enter installs beside the old · t trashes the old · esc goes back"
        super().__init__(
            f"{len(plans)} newer versions" if len(plans) > 1 else "A newer version", [*_facts(plans)], keys=keys
        )

    def action_install(self, old: str) -> None:
        """Bring them; with `old` those of before go to the trash."""
        self.dismiss(bool(old))


def _facts(plans: Sequence[tuple[Installed, Plan]]) -> Iterator[Fact]:
    for lora, plan in plans:
        yield Fact(value=words(lora.name, "bold"))
        there = "here already" if plan.existing else size(plan.file.size)
        told = " · ".join(filter(None, (plan.version.name, plan.version.base_model, plan.file.name, there)))
        yield Fact(value=words(f"  {told}", "$foreground-muted"))
        yield from (Fact(value=words(f"  ! {note}", "$text-warning")) for note in plan.notes)
    total = sum(plan.file.size or 0 for _, plan in plans if not plan.existing)
    yield Fact(value=Content())
    yield Fact(value=words(f"{size(total)} to download, {size(plans[0][1].space_left)} free"))
