"""The renderer process as seen from outside: small scripts stand in for it, good and bad ones."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Generator

import pytest

from hubsync.errors import (
    Cancelled,
    Gated,
    HubsyncError,
    NotFound,
    NotSafetensors,
    OutOfMemory,
    RendererMissing,
    UnsafeFile,
    UsageError,
    WrongFamily,
)
from hubsync.render import wire
from hubsync.render.resident import Renderer

REQUEST = wire.Request(checkpoint="/no", steps=1, cfg=1.0, rows=(wire.Row(prompt="a red cat", seed=1),), folder="/no")
PRELUDE = """
import json, os, signal, sys, threading
request = json.loads(sys.stdin.readline())
def say(type, **fields):
    print(json.dumps({"type": type, **fields}), flush=True)
"""


def listen(
    script: str, *, timeout: float = 60.0, cancel: threading.Event | None = None, prelude: str = PRELUDE
) -> Generator[wire.Line]:
    """What a child that runs `script` answers, after the note that the checkpoint is being loaded."""
    command = [sys.executable, "-c", prelude + script]
    with (
        Renderer(command, timeout=timeout) as renderer,
        renderer.ask(REQUEST, cancel=cancel or threading.Event()) as lines,
    ):
        assert next(lines) == wire.Note(message="loading no")
        yield from lines


def is_alive(pid: int) -> bool:
    """Whether there is a process of that number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_lines_come_in_their_order_up_to_done() -> None:
    """Every kind of line is decoded, and the request reached the child."""
    script = """
say("loaded", device="cpu", dtype="float32", sampler="DDIM")
say("note", message=request["rows"][0]["prompt"])
say("progress", pictures=0.5)
say("picture", row=0, path="/x.png")
say("done")
say("note", message="after the end")
"""
    assert list(listen(script)) == [
        wire.Loaded(device="cpu", dtype="float32", sampler="DDIM"),
        wire.Note(message="a red cat"),
        wire.Progress(pictures=0.5),
        wire.Picture(row=0, path="/x.png"),
        wire.Done(),
    ]


def test_a_line_that_is_not_the_renderers_is_passed_over() -> None:
    """A library that prints, half a line of JSON or bytes that are no text do not end a render."""
    script = """
print("Loading weights: 100%", flush=True)
print('{"type": "note"', flush=True)
print('{"type": "unheard of"}', flush=True)
sys.stdout.buffer.write(b"\\xff\\xfe\\n")
say("done")
"""
    assert list(listen(script)) == [wire.Done()]


def test_a_crash_says_how_and_gives_the_last_words() -> None:
    """Exit code and the end of stderr are in the message, without control characters."""
    script = "print('\\x1b[31mcannot go on', file=sys.stderr); sys.exit(3)"
    with pytest.raises(HubsyncError, match=r"ended with code 3: \[31mcannot go on$"):
        list(listen(script))


def test_an_end_without_a_word_is_an_error() -> None:
    """A child that exits with 0 but never said Done has not rendered."""
    with pytest.raises(HubsyncError, match="ended with code 0"):
        list(listen("say('note', message='bye')"))


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [("SIGSEGV", HubsyncError, "ended by SIGSEGV"), ("SIGKILL", OutOfMemory, "runs out of memory")],
)
def test_a_signal_is_named(name: str, kind: type[HubsyncError], words: str) -> None:
    """A segfault names the signal; a kill from outside is what the system does when memory is short."""
    with pytest.raises(kind, match=words):
        list(listen(f"os.kill(os.getpid(), signal.{name})"))


@pytest.mark.parametrize(
    "kind",
    [Gated, HubsyncError, NotFound, NotSafetensors, OutOfMemory, RendererMissing, UnsafeFile, UsageError, WrongFamily],
)
def test_a_reported_failure_is_raised_as_its_own_kind(kind: type[HubsyncError]) -> None:
    """Code, message and hint arrive unchanged."""
    with pytest.raises(kind, match=r"^it went wrong$") as caught:
        list(listen(f"say('failure', code='{kind.code}', message='it went wrong', hint='do this')"))
    assert (type(caught.value), caught.value.hint) == (kind, "do this")


def test_a_missing_library_is_told_from_a_crash() -> None:
    """An interpreter without msgspec or hubsync cannot even start the renderer."""
    with pytest.raises(RendererMissing, match="No module named 'not_installed_here'"):
        list(listen("import not_installed_here", prelude=""))


def test_a_command_that_is_not_there_is_a_missing_renderer() -> None:
    """render.python may name an interpreter that was removed."""
    with (
        Renderer(["/no/such/python"]) as renderer,
        renderer.ask(REQUEST, cancel=threading.Event()) as lines,
        pytest.raises(RendererMissing, match="/no/such/python cannot be started"),
    ):
        list(lines)


def test_silence_ends_the_process() -> None:
    """A child that hangs is stopped and does not stay behind."""
    lines = listen("say('note', message=str(os.getpid())); threading.Event().wait()", timeout=0.2)
    note = next(lines)
    assert isinstance(note, wire.Note)
    with pytest.raises(HubsyncError, match=r"said nothing for 0\.2 seconds"):
        next(lines)
    assert not is_alive(int(note.message))


def test_cancel_stops_a_child_that_ignores_a_polite_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancelled is raised, and the process is killed when it does not end by itself."""
    monkeypatch.setattr("hubsync.render.child.GRACE", 0.1)
    cancel = threading.Event()
    stubborn = "signal.signal(signal.SIGTERM, signal.SIG_IGN); say('note', message=str(os.getpid()))\nwhile True: pass"
    lines = listen(stubborn, cancel=cancel)
    note = next(lines)
    assert isinstance(note, wire.Note)
    cancel.set()
    with pytest.raises(Cancelled):
        next(lines)
    assert not is_alive(int(note.message))


def test_a_consumer_that_stops_listening_leaves_no_process() -> None:
    """An error in whoever handles the lines ends the child as well."""
    lines = listen("say('note', message=str(os.getpid())); threading.Event().wait()")
    note = next(lines)
    assert isinstance(note, wire.Note)
    lines.close()
    assert not is_alive(int(note.message))


def test_a_large_request_does_not_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request larger than a pipe goes through while the child is already talking."""
    rows = tuple(wire.Row(prompt="x" * 1000, seed=seed) for seed in range(500))
    monkeypatch.setattr(f"{__name__}.REQUEST", wire.Request(checkpoint="/no", steps=1, cfg=1.0, rows=rows, folder=""))
    script = "say('note', message=str(len(request['rows']))); say('done')"
    talkative = 'print("x" * 200_000, flush=True)\n' + PRELUDE
    assert list(listen(script, prelude=talkative)) == [wire.Note(message="500"), wire.Done()]


@pytest.mark.skipif(sys.platform == "win32", reason="process groups")
def test_what_a_child_leaves_running_holds_nobody_up() -> None:
    """A process it started keeps its output open: its end counts all the same, and the other is ended too."""
    before = threading.active_count()
    script = (
        "import subprocess; subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE); os._exit(3)"
    )
    with pytest.raises(HubsyncError, match="ended with code 3"):
        list(listen(script))
    assert threading.active_count() == before


def test_a_child_that_closes_its_output_and_lives_on_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can come from it any more."""
    monkeypatch.setattr("hubsync.render.child.GRACE", 0.1)
    with pytest.raises(HubsyncError, match="closed its output"):
        list(listen("os.close(1); threading.Event().wait()"))
