"""Test renders: what a LoRA and its trigger words change, as pictures and numbers."""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from hubsync.config import Settings
from hubsync.domain import Installed, LoraType, Render, RenderKind, RenderOutcome, Suggestion
from hubsync.errors import HubsyncError, NotFound, UnknownLora, UsageError
from hubsync.events import Sink
from hubsync.families import Families
from hubsync.files import previews, sidecars
from hubsync.files.glance import Glancer
from hubsync.files.metadata import candidates
from hubsync.prompts.words import key
from hubsync.render import process
from hubsync.render.infotext import read_infotext
from hubsync.render.plan import RenderOptions, RenderPlan, make_plan
from hubsync.render.resident import Renderer
from hubsync.render.verdict import verdicts
from hubsync.services.batching import check_file, gather, together
from hubsync.services.history import Drawn, History, again, seen, sheet_of
from hubsync.services.library import LEAST_REACTION, LibraryService
from hubsync.services.naming import Naming
from hubsync.services.shelf import Shelf
from hubsync.services.triggers import Wish, with_groups
from hubsync.store.renders import RenderRecords

_MOST_WORDS = 120
"""Words tried out at once: four passes of a checkpoint alone and four with the LoRA, in two contexts."""

_NAME_PARTS = re.compile(r"[^\W_]{2,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderService:
    """Renders installed LoRAs with `renderer`; `folder` is where pictures go by default."""

    library: LibraryService
    shelf: Shelf
    renders: RenderRecords
    settings: Settings
    families: Callable[[], Families]
    renderer: Renderer
    folder: Path
    now: Callable[[], datetime]

    def plan(self, wishes: Sequence[Wish], options: RenderOptions) -> RenderPlan:
        """What a render would do; nothing is loaded.

        Raises:
            UnknownLora: a LoRA, named or in the prompt's tags, is not installed.
            WrongFamily: a LoRA does not fit the checkpoint. UsageError: nothing to render.
            HubsyncError: a file that is neither LoRA nor embedding.
        """
        if not wishes:
            raise UsageError("nothing to render", hint="name a LoRA, or use --all")
        loras, glancer = [(self._wanted(wish), wish.weight) for wish in wishes], Glancer()
        for lora, _ in loras:
            check_file(lora, glancer)
        return self._plan(loras, replace(options, out=options.out or self._new_folder()))

    def plan_all(self, wishes: Sequence[Wish], options: RenderOptions) -> tuple[RenderPlan, ...]:
        """A plan for each family of the library that a checkpoint is set for; the first one notes what is left out.

        `wishes` say how some of the LoRAs are wanted. Several plans have a folder each, called as the family.

        Raises:
            UnknownLora, WrongFamily, UsageError, HubsyncError: as of `plan`.
        """
        if options.together:
            raise UsageError("a whole library is not tested together", hint="name the LoRAs")
        wanted = defaultdict[Path, list[tuple[Installed, float | None]]](list)
        for wish in wishes:
            lora = self._wanted(wish)
            wanted[lora.path].append((lora, wish.weight))
        found = gather(
            self.library.list(), checkpoint=options.checkpoint, settings=self.settings, families=self.families()
        )
        if not found.families:
            raise UsageError("nothing to render", hint=next(iter(found.notes), "hubsync install REF brings LoRAs"))
        options = replace(options, out=options.out or self._new_folder())
        uses = ([use for lora in group for use in wanted.get(lora.path, [(lora, None)])] for group in found.families)
        first, *others = [self._plan(loras, options) for loras in uses]
        plans = (replace(first, notes=(*first.notes, *found.notes)), *others)
        return plans if not others else tuple(replace(plan, out=plan.out / (plan.family or "other")) for plan in plans)

    def run(self, plan: RenderPlan, *, sink: Sink, cancel: threading.Event, set_preview: bool = False) -> RenderOutcome:
        """Render a plan in the child process, record the pictures, give LoRAs without a preview one.

        Raises:
            Cancelled, RendererMissing, OutOfMemory, HubsyncError: as the renderer ends.
        """
        outcome = process.run(plan, renderer=self.renderer, sink=sink, cancel=cancel, now=self.now)
        self.renders.save(outcome.renders)
        for render in _best(outcome.renders, self._usual_weights(plan)):
            self._adopt_preview(render, render.loras[0].name, force=set_preview)
        return replace(outcome, verdicts=verdicts(plan.without(outcome.refused).rows, outcome.renders))

    def run_all(
        self, plans: Sequence[RenderPlan], *, sink: Sink, cancel: threading.Event, set_preview: bool = False
    ) -> RenderOutcome:
        """Render plans one after the other as one batch: LoRAs of a plan that fails are refused, the others go on.

        Raises:
            Cancelled: what was drawn by then is recorded.
            HubsyncError: no plan could be rendered.
        """
        outcomes: list[RenderOutcome] = []
        failed: dict[str, HubsyncError] = {}
        for plan in plans:
            try:
                outcomes.append(self.run(plan, sink=sink, cancel=cancel, set_preview=set_preview))
            except HubsyncError as error:
                failed |= dict.fromkeys(plan.subjects, error)
        return together(outcomes, failed, folder=plans[0].out.parent)

    def probe(
        self, wish: Wish, options: RenderOptions, *, words: Sequence[str] = (), sink: Sink, cancel: threading.Event
    ) -> tuple[Suggestion, ...]:
        """Try out which words a LoRA was trained on: `words`, its own, and all its header and name hold.

        Those it reacts to, best first; they become its suggestions. Raises as `plan` and `run` do.
        """
        plan = self.plan([wish], options)
        lora = self._wanted(wish)
        own = (word.text for group in lora.groups for word in group.words)
        texts = (*words, *own, *candidates(self.library.header(lora)), *_NAME_PARTS.findall(lora.name))
        words_by_key: dict[str, str] = {}
        for text in texts:
            words_by_key.setdefault(key(text), text)
        tried = tuple(words_by_key.values())[:_MOST_WORDS]
        scores = process.probe(plan, tried, renderer=self.renderer, sink=sink, cancel=cancel)
        ranked = sorted(zip(tried, scores, strict=True), key=lambda pair: -pair[1])
        found = tuple(Suggestion(text=text, score=round(score, 3), source="render") for text, score in ranked)
        self.library.records.suggest(lora.path, found)
        return tuple(one for one in found if one.score >= LEAST_REACTION)

    def history(self, name: str | None = None) -> list[Render]:
        """The renders so far, newest first; only those with one LoRA if named.

        Raises:
            NotFound, Ambiguous: no such LoRA.
        """
        return self.renders.all(self.library.find(name).name if name else None)

    def page(self, text: str = "", *, limit: int, offset: int = 0) -> History:
        """A page of the pictures with a LoRA or a prompt that holds `text`, newest first, judged by whole tests."""
        renders = self.renders.page(text, limit=limit, offset=offset)
        known = {one.render.path: one for test in self.renders.tests(renders) for one in seen(test)}
        pictures = tuple(known[one.path] for one in renders if one.path in known)
        return History(pictures=pictures, total=self.renders.count(text))

    def test(self, render: Render) -> tuple[Drawn, ...]:
        """Everything drawn in one test with `render`, judged.

        Raises:
            NotFound: it is not recorded any more.
        """
        return seen(self._test(render))

    def sheet(self, render: Render) -> Path:
        """The contact sheet of the test that `render` belongs to.

        Raises:
            NotFound: it is gone.
        """
        sheet = sheet_of(self._test(render))
        if sheet is None:
            raise NotFound(f"there is no contact sheet in {render.path.parent}", hint="r draws the test again")
        return sheet

    def again(self, render: Render) -> tuple[list[Wish], RenderOptions]:
        """What to ask `plan` for to draw the test of `render` again.

        Raises:
            NotFound, Ambiguous: a LoRA of it is not installed any more. UsageError: it shows none.
        """
        return again(self._test(render), self.library.find)

    def set_preview(self, render: Render) -> str:
        """Make a picture the preview of the LoRA it shows, even if that has one; gives its name.

        Raises:
            UsageError: it shows no LoRA, or several. NotFound: the LoRA or the picture is gone.
            NoSpace, NoPermission: as files go.
        """
        tested = next(one.tested for one in self.test(render) if one.render.path == render.path)
        if len(tested) != 1:
            how = "with several LoRAs" if tested else "without a LoRA"
            raise UsageError(f"a picture {how} is nobody's preview", hint="choose one of the others")
        if not render.path.exists():
            raise NotFound(f"the picture is gone: {render.path}")
        self._adopt_preview(render, tested[0].name, force=True)
        return tested[0].name

    def infotext(self, render: Render) -> str:
        """The text in a picture from which other programs draw it again.

        Raises:
            NotFound: the picture is gone.
        """
        return read_infotext(render.path)

    def _test(self, render: Render) -> Sequence[Render]:
        (found,) = self.renders.tests([render])
        if not found:
            raise NotFound(f"nothing is known of the picture {render.path}")
        return found

    def _plan(self, loras: Sequence[tuple[Installed, float | None]], options: RenderOptions) -> RenderPlan:
        naming = Naming.of(self.library)

        def tagged(name: str) -> Installed:
            if (lora := naming.loaded(name)) is None:
                raise UnknownLora(naming.unknown(name), hint="`hubsync list` shows what is installed")
            return lora

        return make_plan(
            loras,
            options,
            settings=self.settings,
            families=self.families(),
            library=tagged,
            embeddings=self.library.records.of_type(LoraType.EMBEDDING),
        )

    def _wanted(self, wish: Wish) -> Installed:
        try:
            return with_groups(self.library.find(wish.name), wish)
        except NotFound as error:
            raise UnknownLora(f"'{wish.name}' is not installed, so it cannot be rendered", hint=error.hint) from error

    def _new_folder(self) -> Path:
        """A folder named by the moment; a second render within one second gets a number."""
        stamp = f"{self.now():%Y%m%dT%H%M%S}"
        names = (stamp, *(f"{stamp}-{number}" for number in range(2, 1000)))
        return next(path for name in names if not (path := self.folder / name).exists())

    def _usual_weights(self, plan: RenderPlan) -> Mapping[str, float]:
        """The weight that each LoRA under test is used at."""
        default = self.settings.prompt.default_weight
        return {name: plan.loras[name].weight or default for name in plan.subjects if name in plan.loras}

    def _adopt_preview(self, render: Render, name: str, *, force: bool) -> None:
        lora = self.library.find(name)
        path = sidecars.preview_path(lora.path)
        if path.exists() and not force:
            return
        previews.save_preview(render.path.read_bytes(), path)
        self.shelf.change(lora.path, lambda entry: replace(entry, lora=replace(entry.lora, preview=path)))


def _best(renders: Sequence[Render], usual: Mapping[str, float]) -> list[Render]:
    """For each LoRA the picture that shows it best: with its words if it has any, near its usual weight, never at 0."""

    def rank(render: Render) -> tuple[bool, float]:
        use = render.loras[0]
        return render.kind is not RenderKind.TRIGGERED, abs(use.weight - usual.get(use.name, 1.0))

    single = [one for one in renders if one.kind is not RenderKind.BASE and len(one.loras) == 1 and one.loras[0].weight]
    best: dict[str, Render] = {}
    for render in sorted(single, key=rank):
        best.setdefault(render.loras[0].name, render)
    return list(best.values())
