"""Test renders: what a LoRA and its trigger words change, as pictures and numbers."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from hubsync.config import Settings
from hubsync.domain import Installed, LoraType, Render, RenderKind, RenderOutcome
from hubsync.errors import NotFound, UnknownLora, UsageError
from hubsync.events import Sink
from hubsync.families import Families
from hubsync.files import previews, sidecars
from hubsync.render import process
from hubsync.render.plan import RenderOptions, RenderPlan, make_plan, refusal
from hubsync.services.library import LibraryService
from hubsync.services.shelf import Shelf
from hubsync.services.triggers import Wish, with_groups
from hubsync.store.renders import RenderRecords


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderService:
    """Renders installed LoRAs. `command` starts the renderer; `folder` is where pictures go by default."""

    library: LibraryService
    shelf: Shelf
    renders: RenderRecords
    settings: Settings
    families: Callable[[], Families]
    command: Sequence[str]
    folder: Path
    now: Callable[[], datetime]

    def plan(self, wishes: Sequence[Wish], options: RenderOptions, *, everything: bool = False) -> RenderPlan:
        """What a render would do; nothing is loaded.

        Raises:
            UnknownLora: a LoRA, named or in the prompt's tags, is not installed.
            WrongFamily: a LoRA does not fit the checkpoint. UsageError: nothing to render.
        """
        loras = [(with_groups(self._installed(wish.name), wish.groups), wish.weight) for wish in wishes]
        skipped: list[str] = []
        if everything:
            fitting, skipped = self._everything(options)
            loras += [(lora, None) for lora in fitting]
        if not loras:
            raise UsageError("nothing to render", hint="name a LoRA, or use --all")
        plan = make_plan(
            loras,
            replace(options, out=options.out or self._new_folder()),
            settings=self.settings,
            families=self.families(),
            library=self._installed,
            embeddings=[lora for lora in self.library.list() if lora.type is LoraType.EMBEDDING],
        )
        return replace(plan, notes=(*plan.notes, *skipped))

    def run(self, plan: RenderPlan, *, sink: Sink, cancel: threading.Event, set_preview: bool = False) -> RenderOutcome:
        """Render a plan in the child process, record the pictures, give LoRAs without a preview one.

        Raises:
            Cancelled, RendererMissing, OutOfMemory, HubsyncError: as the renderer ends.
        """
        outcome = process.run(
            plan,
            command=self.command,
            sink=sink,
            cancel=cancel,
            now=self.now,
            timeout=self.settings.render.timeout,
            environment=self._environment(),
        )
        self.renders.save(outcome.renders)
        for render in _best(outcome.renders):
            self._adopt_preview(render, force=set_preview)
        return outcome

    def history(self, name: str | None = None) -> list[Render]:
        """The renders so far, newest first; only those with one LoRA if named.

        Raises:
            NotFound, Ambiguous: no such LoRA.
        """
        return self.renders.all(self.library.find(name).name if name else None)

    def _everything(self, options: RenderOptions) -> tuple[list[Installed], list[str]]:
        """The library's LoRAs that one checkpoint can draw, and a note on each that it cannot.

        Without --checkpoint that is the family most of them are of among those with a checkpoint set.
        """
        here = [lora for lora in self.library.list() if not lora.missing]
        families = Counter(
            lora.family for lora in here if options.checkpoint or lora.family in self.settings.checkpoint
        )
        family = next((name for name, _ in families.most_common() if name), None)
        reasons = {
            lora.name: refusal(lora) or ("" if lora.family in {family, None} else f"it is of family {lora.family}")
            for lora in here
        }
        notes = [f"{name} is left out: {reason}" for name, reason in reasons.items() if reason]
        return [lora for lora in here if not reasons[lora.name]], notes

    def _new_folder(self) -> Path:
        """A folder named by the moment; a second render within one second gets a number."""
        stamp = f"{self.now():%Y%m%dT%H%M%S}"
        names = (stamp, *(f"{stamp}-{number}" for number in range(2, 1000)))
        return next(path for name in names if not (path := self.folder / name).exists())

    def _installed(self, name: str) -> Installed:
        try:
            return self.library.find(name)
        except NotFound as error:
            raise UnknownLora(f"'{name}' is not installed, so it cannot be rendered", hint=error.hint) from error

    def _environment(self) -> dict[str, str]:
        """What the renderer needs to fetch a checkpoint from Hugging Face as the settings say."""
        hub = self.settings.huggingface
        return {"HF_ENDPOINT": hub.endpoint, **({"HF_TOKEN": hub.token} if hub.token else {})}

    def _adopt_preview(self, render: Render, *, force: bool) -> None:
        lora = self.library.find(render.loras[0].name)
        path = sidecars.preview_path(lora.path)
        if path.exists() and not force:
            return
        previews.save_preview(render.path.read_bytes(), path)
        self.shelf.change(lora.path, lambda entry: replace(entry, lora=replace(entry.lora, preview=path)))


def _best(renders: Sequence[Render]) -> list[Render]:
    """For each LoRA the picture that shows it best: with its words if it has any."""
    single = [render for render in renders if len(render.loras) == 1 and render.kind is not RenderKind.BASE]
    ranked = sorted(single, key=lambda render: render.kind is RenderKind.TRIGGERED)
    return list({render.loras[0].name: render for render in ranked}.values())
