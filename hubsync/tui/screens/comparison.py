"""One test: base, LoRA and LoRA with words side by side, at every weight and seed, with what they change in numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from hubsync.domain import Render, RenderKind
from hubsync.refs import Ref
from hubsync.services.history import Drawn, seen
from hubsync.tui.advice import advice
from hubsync.tui.answers import Refused
from hubsync.tui.asking import ask
from hubsync.tui.grid import Grid
from hubsync.tui.jobs import Job, JobState, told
from hubsync.tui.live import Live
from hubsync.tui.screens.pictured import Pictured
from hubsync.tui.session import Session
from hubsync.tui.text import home, number, words
from hubsync.tui.widgets.activity import Activity
from hubsync.tui.widgets.facts import Fact, Facts
from hubsync.tui.widgets.frame import Frame
from hubsync.tui.widgets.keyline import KeyLine
from hubsync.tui.widgets.masthead import Masthead

_READ_AGAIN = "read again"


@dataclass
class SheetFound(Message, bubble=False):
    """A test's contact sheet is there."""

    path: Path


@dataclass
class TestRead(Message, bubble=False):
    """The pictures of one test, judged."""

    pictures: Sequence[Drawn]


class ComparisonScreen(Pictured):
    """The pictures of one test. `sheet` is the contact sheet, where one was just made; `at` a picture to begin with.

    With the number of the `job` that draws it the pictures come up as they are drawn.
    """

    CSS_PATH = "renders.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sheet", "Sheet", id="comparison.sheet", tooltip="See the contact sheet"),
        Binding("left,h", "weight(-1)", "Weight before", show=False, id="comparison.lighter", tooltip="Weight before"),
        Binding("right,l", "weight(1)", "Next weight", show=False, id="comparison.heavier", tooltip="Weight after"),
        Binding("up,k", "line(-1)", "Line before", show=False, id="comparison.up", tooltip="Words, seed, LoRA before"),
        Binding("down,j", "line(1)", "Next line", show=False, id="comparison.down", tooltip="Next words, seed, LoRA"),
        Binding("pageup", "lora(-1)", "LoRA before", show=False, id="comparison.back_lora", tooltip="The LoRA before"),
        Binding("pagedown", "lora(1)", "Next LoRA", show=False, id="comparison.next_lora", tooltip="The next LoRA"),
        Binding("delete", "remove", "Remove", show=False, id="comparison.remove", tooltip="Move it to the trash"),
        Binding("escape", "app.pop_screen", "Back", show=False, id="comparison.back", tooltip="Back to the list"),
    ]

    where = getters.query_one("#where", Static)
    common = getters.query_one("#common", Facts)

    def __init__(
        self,
        session: Session,
        renders: Sequence[Render],
        *,
        sheet: Path | None = None,
        at: Render | None = None,
        job: int | None = None,
    ) -> None:
        super().__init__()
        self.session = session
        self._job = None if job is None else session.jobs.get(job)
        pictures = self._live.pictures if self._live else seen(renders)
        self.grid = Grid(pictures, weight=session.hubsync.settings.prompt.default_weight)
        self._sheet = sheet
        self._gone = False
        if picture := next((one for one in self.grid.pictures if at and one.render.path == at.path), None):
            self.grid.go_to(picture)

    @property
    def pictured(self) -> Drawn | None:
        """The picture that is looked at, once its test is drawn."""
        return None if self._live else self._framed

    @property
    def _framed(self) -> Drawn | None:
        """The picture in the frame that has the focus, else the last one."""
        if isinstance(self.focused, Frame):
            return self.focused.drawn
        return next(reversed(self.grid.shown()), None)

    @property
    def _live(self) -> Live | None:
        """The test, while it is drawn."""
        return self._job.test if self._job else None

    def compose(self) -> ComposeResult:
        """Where one is, the pictures, what they have in common."""
        yield Masthead(self.app.current_mode, root=home(self.session.hubsync.root.path))
        yield Static(id="where")
        with Horizontal(id="frames"):
            kinds = {one.render.kind for one in self.grid.pictures}
            for _ in kinds:
                yield Frame(self.session)
        yield Facts(id="common")
        yield Activity(self.session.jobs)
        yield KeyLine()

    def on_mount(self) -> None:
        """Show the first pictures; keys mean the last of them."""
        self._show()
        self._focus_last()
        self.session.library_changed.subscribe(self, self._read_again)
        if self._job:
            self.session.jobs.changed.subscribe(self, self._follow)

    def on_screen_resume(self) -> None:
        """A test that went away meanwhile is left."""
        self._close()

    def action_weight(self, by: int) -> None:
        """To the weight beside."""
        self.grid.step_weight(by)
        self._show()

    def action_line(self, by: int) -> None:
        """To the words, seed or LoRA beside."""
        self.grid.step_line(by)
        self._show()

    def action_lora(self, by: int) -> None:
        """To the LoRA beside."""
        self.grid.step_lora(by)
        self._show()

    def action_magnify(self) -> None:
        """See a picture in full size."""
        if (one := self._framed) is not None and not self._state(one):
            self._look(one.render.path)

    def action_remove(self) -> None:
        """Move the picture to the trash, once confirmed."""
        self.plan_removal(whole=False)

    def action_sheet(self) -> None:
        """See the contact sheet."""
        if self._sheet is not None:
            self._look(self._sheet)
            return
        render, service = self.grid.pictures[0].render, self.session.hubsync.render
        ask(self, "sheet", lambda: SheetFound(service.sheet(render)))

    @on(SheetFound)
    def _show_sheet(self, message: SheetFound) -> None:
        self._sheet = message.path
        self._look(message.path)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The contact sheet comes last."""
        return super().check_action(action, parameters) and not (action == "sheet" and self._live)

    @on(Refused)
    def _say_refused(self, message: Refused) -> None:
        message.stop()
        if message.group == _READ_AGAIN:
            self._leave()
        else:
            self.notify(told(message.error), severity="error", markup=False)

    def _follow(self, _: Sequence[Job]) -> None:
        """Show the pictures that came; leave a test that came to nothing: its pictures are gone."""
        before = self._job
        if before is None:
            return
        job = self.session.jobs.get(before.number)
        if job is None or (job.over and job.state is not JobState.DONE):
            self._leave()
            return
        self._job = None if job.over else job
        if job.test and (job.test != before.test or job.over):
            self.grid.renew(job.test.pictures)
            self._show()

    def _read_again(self, _: Ref | None) -> None:
        """Pictures may have been removed, or be back."""
        if self._live is None and self.grid.pictures:
            render, service = self.grid.pictures[0].render, self.session.hubsync.render
            ask(self, _READ_AGAIN, lambda: TestRead(service.test(render)))

    @on(TestRead)
    def _renew(self, message: TestRead) -> None:
        if [one.render for one in message.pictures] != [one.render for one in self.grid.pictures]:
            self.grid.renew(message.pictures)
            self._show()

    def _leave(self) -> None:
        """Back to the list, now or once nothing stands above."""
        self._job, self._gone = None, True
        self._close()

    def _close(self) -> None:
        if self._gone and self.is_current:
            self._gone = False
            self.dismiss()

    def _state(self, drawn: Drawn) -> str:
        """What is to be said of a picture that is not there."""
        return self._live.state(drawn.render) if self._live else ""

    def _focus_last(self) -> None:
        [*self.query(Frame)][len(self.grid.shown()) - 1].focus()

    def _look(self, path: Path) -> None:
        from hubsync.tui.screens.sheet import SheetScreen

        self.app.push_screen(SheetScreen(self.session, path))

    def _show(self) -> None:
        shown = [*self.grid.shown()]
        for index, frame in enumerate(self.query(Frame)):
            one = shown[index] if index < len(shown) else None
            frame.show(one, self._state(one) if one else "")
        if isinstance(self.focused, Frame) and self.focused.drawn is None:
            self._focus_last()
        self.where.update(_position(self.grid))
        self.common.show([*_common(shown, self._sheet)])
        self.refresh_bindings()


def _position(grid: Grid) -> Content:
    """Where one is, and the keys that lead elsewhere, where there is an elsewhere."""
    line, weight = grid.line, grid.weight
    if line is None:
        return words("without a LoRA")
    shared = grid.shown()[-1].weight
    weighs = [] if shared is None else [words(f"weight {number(shared)}")]
    parts = [words(line.lora, "bold"), *weighs, words(f"seed {line.seed}")]
    if line.words:
        parts.append(words(", ".join(line.words)))
    if weight is not None and len(grid.weights) > 1:
        parts.append(_hint(f"← → weight {grid.weights.index(weight) + 1} of {len(grid.weights)}"))
    if len(grid.lines) > 1:
        parts.append(_hint(f"↑ ↓ line {grid.row + 1} of {len(grid.lines)}"))
    return Content("  ").join(parts)


def _size(render: Render) -> str:
    """Width and height, once they are known."""
    return "{} × {}".format(*render.size) if all(render.size) else ""  # noqa: RUF001  (the sign for sizes)


def _hint(text: str) -> Content:
    return words(text, "$foreground-muted")


def _common(shown: Sequence[Drawn], sheet: Path | None) -> Iterable[Fact]:
    """What the pictures have in common, the verdict first."""
    last = shown[-1]
    render, verdict = last.render, last.verdict
    worded = render.kind is RenderKind.TRIGGERED
    texts = (
        ("Verdict", advice(verdict.sentence) if verdict else ""),
        ("Prompt", render.prompt),
        ("Words", ", ".join(render.trigger_words) if worded else ""),
        (
            "Drawn",
            " · ".join(
                filter(None, (_size(render), f"{render.steps} steps", f"cfg {number(render.cfg)}", render.sampler))
            ),
        ),
        ("Sheet", home(sheet) if sheet else ""),
    )
    return [Fact(label=label, value=words(text)) for label, text in texts if text]
