"""The app: modes, keys, dialogs, palette."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.markup import escape
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

from hubsync.domain import ListFilter
from hubsync.errors import RendererMissing
from hubsync.services.app import Hubsync
from hubsync.tui.answers import LibraryCounted, Refused
from hubsync.tui.asking import ask
from hubsync.tui.jobs import told
from hubsync.tui.messages import (
    ComparisonRequested,
    InstallConfirmed,
    InstallRequested,
    JobStopped,
    PromptRequested,
    RenderPlanned,
    SettingChanged,
    SettingRequested,
    StepsMissing,
)
from hubsync.tui.modes import screens
from hubsync.tui.styles import Styles
from hubsync.tui.terminal import graphics_widget
from hubsync.tui.text import plain
from hubsync.tui.workshop import Workshop

if TYPE_CHECKING:
    from hubsync.tui.screens.settings import SettingsScreen

_THREADS = 64  # asyncio's own pool has 6 on 2 cores: as many questions to a hub that hangs would stop all others


class HubsyncApp(Workshop):
    """hubsync in a terminal."""

    TITLE = "hubsync"
    CSS_PATH = "hubsync.tcss"
    DEFAULT_MODE = "discover"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "mode('discover')", "Discover", show=False, id="app.discover", tooltip="Find LoRAs on both hubs"),
        Binding("2", "mode('library')", "Library", show=False, id="app.library", tooltip="What is installed"),
        Binding("3", "mode('prompt')", "Prompt", show=False, id="app.prompt", tooltip="Write a prompt with LoRAs"),
        Binding(
            "4", "mode('renders')", "Renders", show=False, id="app.renders", tooltip="Test renders, so far and new"
        ),
        Binding("5", "mode('activity')", "Activity", show=False, id="app.activity", tooltip="Downloads and jobs"),
        Binding(
            "6", "mode('settings')", "Settings", show=False, id="app.settings", tooltip="Keys, checkpoints, doctor"
        ),
        Binding("x", "stop", "Stop", show=False, id="app.stop", tooltip="Stop the newest job, then clear the rest"),
        Binding("z", "pause", "Pause", show=False, id="app.pause", tooltip="Pause the downloads, or go on with them"),
        Binding("f2", "doctor", "Doctor", show=False, id="app.doctor", tooltip="What is set up, what is reachable"),
        Binding("question_mark,f1", "help", "Help", id="app.help", tooltip="Every key that works now"),
        Binding("ctrl+q", "quit", "Quit", show=False, priority=True, id="app.quit", tooltip="Leave hubsync"),
    ]

    def __init__(self, hubsync: Hubsync, *, graphics: type[Widget] | None = None) -> None:
        super().__init__(hubsync, graphics=graphics)
        self.stylesheet = Styles(variables=self.get_css_variables())
        self.threads = ThreadPoolExecutor(_THREADS, "question")
        self.set_keymap(hubsync.settings.keys)
        self._led: set[str] = set()
        for mode, screen in screens(self.session).items():
            self.add_mode(mode, screen)

    def on_load(self) -> None:
        """Theme and threads, before the first screen asks for either."""
        theme = self.hubsync.settings.ui.theme
        if theme in self.available_themes:
            self.theme = theme
        asyncio.get_running_loop().set_default_executor(self.threads)

    def on_ready(self) -> None:
        """Greet whoever has nothing yet, once the first frame stands."""
        # What is there by now stays: going through it again and again stopped the screen for 60 to 90 ms.
        gc.freeze()
        gc.enable()
        if self.is_web:
            # Textual's driver takes the focus away at the start, after the page may have said that it has it.
            self.call_later(self.post_message, events.AppFocus())
        settings = self.hubsync.settings
        if not any(
            (settings.root, settings.civitai.api_key, settings.huggingface.token, *settings.checkpoint.values())
        ):
            ask(self, "library", lambda: LibraryCounted(self.hubsync.library.count(ListFilter())))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every action of the screen and the app, also those whose key the search box takes for a letter."""
        taken: set[str] = set()
        for node in (screen, self):
            for binding in declared(node):
                if node.check_action(binding.action.partition("(")[0], ()):
                    action = partial(self.run_action, binding.action, node)
                    title = binding.description if binding.description not in taken else f"Go to {binding.description}"
                    taken.add(title)
                    yield SystemCommand(title, self._with_keys(binding), action)
        yield from (command for command in super().get_system_commands(screen) if command.title not in {"Keys", "Quit"})

    def _with_keys(self, binding: Binding) -> str:
        """What an action is for, after its keys."""
        from hubsync.tui.actions import keys_of, named

        return escape(f"{named(keys_of(binding, self.hubsync.settings.keys))} · {binding.tooltip}")

    def search_themes(self) -> None:
        """Textual's own list of themes, where the one that is chosen is kept."""
        themes = [(name, partial(self._keep_theme, name)) for name in sorted(self.available_themes)]
        self.search_commands(themes, "Search for themes…")

    def _keep_theme(self, name: str) -> None:
        from hubsync.services.settings import change

        self.theme = name
        ask(self.screen, "theme", lambda: SettingChanged("ui.theme", change(self.hubsync, "ui.theme", name)))

    def check_action(self, action: str, _: tuple[object, ...]) -> bool | None:
        """`x` and `z` are offered only where they do something; the list of jobs has an `x` of its own."""
        if action == "stop" and self.current_mode == "activity":
            return False
        if action == "pause":
            return any(job.ref for job in (*self.jobs.running(), *self.jobs.paused))
        return action != "stop" or bool(self.jobs.all)

    def action_mode(self, mode: str) -> None:
        """Go to a mode; in it already, to its first screen."""
        if mode != self.current_mode:
            self.switch_mode(mode)
            return
        while len(self.screen_stack) > 1:
            self.pop_screen()

    def action_stop(self) -> None:
        """Stop the newest job."""
        self.stop_newest()

    def action_pause(self) -> None:
        """Pause the downloads, or go on."""
        self.pause_or_go_on()

    def action_help(self) -> None:
        """Show the keys of the screen and the focused widget."""
        from hubsync.tui.screens.help import Keys

        self.push_screen(Keys(self.active_bindings.values()))

    async def action_doctor(self) -> None:
        """Look at the set-up, which may take the hubs' patience."""
        (await self._settings()).action_examine()

    async def action_quit(self) -> None:
        """Stop every job first: part files stay for the next time. What cannot go on then is asked about, once."""
        from hubsync.tui.screens.leaving import Leaving

        lost = [job for job in self.jobs.running() if not job.ref]
        if lost and not isinstance(self.screen, Leaving):
            self.push_screen(Leaving(lost), self._leave)
        else:
            self._leave(yes=True)

    def _leave(self, yes: bool | None) -> None:  # noqa: FBT001  (an answer)
        if yes:
            self.jobs.cancel_all()
            self.exit()

    @on(LibraryCounted)
    def _greet(self, message: LibraryCounted) -> None:
        if not message.count:
            self._lead("", "Welcome to hubsync")

    @on(JobStopped)
    def _help_rendering(self, message: JobStopped) -> None:
        """A render that something is missing for leads to it, the first time."""
        hint = (message.error and message.error.hint) or ""
        if isinstance(message.error, RendererMissing):
            self._lead("renderer", "Test renders need torch and diffusers")
        elif "config set checkpoint." in hint and not any(self.hubsync.settings.checkpoint.values()):
            self._lead("checkpoints", "Test renders need a checkpoint")

    def _lead(self, first: str, title: str) -> None:
        if first not in self._led:
            self._led.add(first)
            ask(self, "steps", lambda: StepsMissing(self.hubsync.doctor.first_steps(), title, first))

    @on(StepsMissing)
    def _show_steps(self, message: StepsMissing) -> None:
        """Whoever is typing or deciding something is not interrupted."""
        from hubsync.tui.screens.welcome import Welcome

        def chosen(key: str | None) -> None:
            if key:
                self.post_message(SettingRequested(key))

        box = self.focused if isinstance(self.focused, Input) else None
        if len(self.screen_stack) == 1 and not (box and box.value):
            self.push_screen(Welcome(message.checks, title=message.title, first=message.first), chosen)

    @on(SettingRequested)
    async def _show_setting(self, message: SettingRequested) -> None:
        (await self._settings()).reveal(message.key)

    @on(SettingChanged)
    def _go_by_setting(self, message: SettingChanged) -> None:
        """Theme and keys count at once; the services have theirs already. Settings says itself what is to be known."""
        for note in () if self.current_mode == "settings" else message.stored.notes:
            self.notify(note, markup=False)
        settings = self.hubsync.settings
        if settings.ui.theme in self.available_themes:
            self.theme = settings.ui.theme
        self.set_keymap(settings.keys)

    async def _settings(self) -> SettingsScreen:
        from hubsync.tui.screens.settings import SettingsScreen

        await self.switch_mode("settings")
        screen = self.screen_stack[0]
        assert isinstance(screen, SettingsScreen)
        return screen

    @on(InstallRequested)
    def _show_preflight(self, message: InstallRequested) -> None:
        from hubsync.tui.screens.preflight import Preflight

        asking = self.screen

        def confirmed(installs: Sequence[InstallConfirmed] | None) -> None:
            for install in installs or ():
                asking.post_message(install)

        self.push_screen(Preflight(self.session, message.loras), confirmed)

    @on(PromptRequested)
    def _show_prompt(self, message: PromptRequested) -> None:
        """The LoRAs go into the prompt as it stands."""
        self.session.draft.wish(*message.wishes)
        self.switch_mode("prompt")

    @on(RenderPlanned)
    def _show_form(self, message: RenderPlanned) -> None:
        """The LoRAs go into the form of the next test."""
        from hubsync.tui.screens.trial import TrialScreen

        self.session.test.take(message.wishes, prompt=message.prompt, negative=message.negative)
        self.switch_mode("renders")
        if isinstance(self.screen, TrialScreen):
            self.screen.fill()
        else:
            self.push_screen(TrialScreen(self.session))

    @on(ComparisonRequested)
    def _show_comparison(self, message: ComparisonRequested) -> None:
        from hubsync.tui.screens.comparison import ComparisonScreen

        self.push_screen(ComparisonScreen(self.session, message.renders, sheet=message.sheet, at=message.at))

    @on(Refused)
    def _say_refused(self, message: Refused) -> None:
        """Where no screen has a place for it."""
        self.notify(plain(told(message.error)), severity="error", markup=False)


def declared(node: DOMNode) -> Iterable[Binding]:
    """The bindings hubsync itself declares for a node, whatever has the focus."""
    bindings = (binding for kind in type(node).__mro__ for binding in vars(kind).get("BINDINGS", ()))
    return (binding for binding in bindings if isinstance(binding, Binding) and binding.id)


def run(hubsync: Hubsync) -> None:
    """Open the terminal face on a library; returns when the user quits."""
    app = HubsyncApp(hubsync, graphics=graphics_widget(hubsync.settings.ui.images))
    # `asyncio.run` would wait for every thread before it returns: up to 20 s for a question to a hub that hangs.
    loop = asyncio.new_event_loop()
    with closing(loop):
        app.run(loop=loop)
