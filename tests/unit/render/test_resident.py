"""The renderer a session keeps: who is asked, when it ends, what stays behind. The prompt is what the process does."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from hubsync.config import Settings
from hubsync.errors import Cancelled, HubsyncError, NotFound, OutOfMemory
from hubsync.render import wire
from hubsync.render.child import GRACE
from hubsync.render.resident import Renderer, renderer_of
from hubsync.roots import find_root
from hubsync.services.app import Hubsync
from tests.unit.render.test_child import is_alive

SCRIPT = """
import json, os, sys, threading
def say(type, **fields):
    print(json.dumps({"type": type, **fields}), flush=True)
def fail(code):
    say("failure", code=code, message="it went wrong")
    raise LookupError
for line in sys.stdin:
    request = json.loads(line)
    try:
        if request["checkpoint"].endswith("gone"):
            fail("not_found")
        say("loaded", device=str(os.getpid()), dtype="float32", sampler="")
        exec(request["rows"][0]["prompt"])
        say("done")
    except LookupError:
        pass
"""
COMMAND = (sys.executable, "-c", SCRIPT)
HANG = "say('note', message='here'); threading.Event().wait()"


@pytest.fixture
def renderer() -> Iterator[Renderer]:
    """One that is closed in the end, and leaves neither threads nor open files."""
    threads, files = set(threading.enumerate()), open_files()
    with Renderer(COMMAND) as renderer:
        yield renderer
    left = set(threading.enumerate()) - threads
    for thread in left:  # a timer that was told to stop needs a moment to do so
        thread.join(GRACE)
    assert not any(thread.is_alive() for thread in left)
    assert open_files() == files


def open_files() -> int:
    """How many this process has, where that can be told."""
    listed = Path("/proc/self/fd")
    return len(list(listed.iterdir())) if listed.exists() else 0


def request(script: str = "", checkpoint: str = "/models/sd1.safetensors") -> wire.Request:
    """Do this."""
    row = wire.Row(prompt=script, seed=1)
    return wire.Request(checkpoint=checkpoint, steps=1, cfg=1.0, rows=(row,), folder="")


def ask(renderer: Renderer, script: str = "", checkpoint: str = "/models/sd1.safetensors") -> list[wire.Line]:
    """Everything that is answered."""
    with renderer.ask(request(script, checkpoint), cancel=threading.Event()) as lines:
        return list(lines)


def pid_of(lines: list[wire.Line]) -> int:
    """The process that answered."""
    (pid,) = [int(line.device) for line in lines if isinstance(line, wire.Loaded)]
    return pid


def notes(lines: list[wire.Line]) -> list[str]:
    """What was noted."""
    return [line.message for line in lines if isinstance(line, wire.Note)]


def follow(lines: Iterator[wire.Line], seen: list[wire.Line], here: threading.Event) -> None:
    """Take the lines of HANG, and say when it hangs."""
    for line in lines:
        seen.append(line)
        if line == wire.Note(message="here"):
            here.set()


def test_one_process_answers_all(renderer: Renderer) -> None:
    """Loading is told once for each checkpoint in a row."""
    repository = "runwayml/stable-diffusion-v1-5"
    answers = [ask(renderer), ask(renderer), ask(renderer, checkpoint=repository), ask(renderer)]
    assert len(set(map(pid_of, answers))) == 1
    assert list(map(notes, answers)) == [
        ["loading sd1.safetensors"],
        [],
        [f"loading {repository}"],
        ["loading sd1.safetensors"],
    ]


def test_nothing_is_started_before_it_is_asked() -> None:
    """Whoever never renders pays nothing; closing twice is once."""
    renderer = Renderer(["/no/such/python"])
    renderer.close()
    renderer.close()


@pytest.mark.parametrize(
    ("code", "kind", "kept"),
    [("not_found", NotFound, True), ("out_of_memory", OutOfMemory, False), ("failed", HubsyncError, False)],
)
def test_a_failure_of_the_request_alone_keeps_the_process(
    renderer: Renderer, code: str, kind: type[HubsyncError], *, kept: bool
) -> None:
    """One that may have spoilt the process makes room for a fresh one."""
    before = pid_of(ask(renderer))
    with pytest.raises(kind, match="it went wrong"):
        ask(renderer, f"fail('{code}')")
    assert is_alive(before) is kept
    assert (pid_of(ask(renderer)) == before) is kept


def test_a_failed_load_is_told_again(renderer: Renderer) -> None:
    """The process lets go of the old checkpoint before it fails with the new one."""
    pid = pid_of(ask(renderer))
    with pytest.raises(NotFound):
        ask(renderer, checkpoint="/models/gone")
    again = ask(renderer)
    assert (pid_of(again), notes(again)) == (pid, ["loading sd1.safetensors"])


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_process_that_died_while_idle_is_started_again(renderer: Renderer, number: int) -> None:
    """Nobody hears of it."""
    before = pid_of(ask(renderer))
    os.kill(before, number)
    assert pid_of(ask(renderer)) != before


def test_a_process_that_is_about_to_end_is_started_again(renderer: Renderer) -> None:
    """It takes the next request and ends without a word."""
    before = pid_of(ask(renderer, "say('done'); sys.stdin.readline(); os._exit(0)"))
    assert pid_of(ask(renderer)) != before


@pytest.mark.parametrize("script", ["os._exit(3)", "os.kill(os.getpid(), 11)"])
def test_a_crash_is_an_error_and_the_next_request_is_answered(renderer: Renderer, script: str) -> None:
    """By a fresh process, which has to load."""
    before = pid_of(ask(renderer))
    with pytest.raises(HubsyncError, match="the renderer ended"):
        ask(renderer, script)
    after = ask(renderer)
    assert pid_of(after) != before
    assert notes(after) == ["loading sd1.safetensors"]


def test_the_last_words_are_of_the_request_that_failed(renderer: Renderer) -> None:
    """Not of those before it."""
    ask(renderer, "print('an old warning', file=sys.stderr, flush=True)")
    with pytest.raises(HubsyncError, match=r"ended with code 3: the new trouble$"):
        ask(renderer, "print('the new trouble', file=sys.stderr, flush=True); os._exit(3)")


def test_words_after_the_end_are_not_the_next_requests(renderer: Renderer) -> None:
    """What comes unasked is thrown away."""
    ask(renderer, "say('done'); say('note', message='late'); raise LookupError")
    child = renderer._child
    assert child is not None
    line = child._lines.get()
    child._lines.put(line)
    assert notes(ask(renderer)) == []


def test_an_idle_process_ends() -> None:
    """After the seconds of render.idle; its memory is for others then."""
    with Renderer(COMMAND, idle=0.0) as renderer:
        pid = pid_of(ask(renderer))
        assert renderer._timer is not None
        renderer._timer.join()
        assert not is_alive(pid)
        assert pid_of(ask(renderer)) != pid


def test_a_request_begins_the_wait_anew(renderer: Renderer) -> None:
    """The clock of the first request does not end the second."""
    pid = pid_of(ask(renderer))
    first = renderer._timer
    assert first is not None
    assert pid_of(ask(renderer)) == pid
    first.join()
    assert is_alive(pid)


def test_requests_take_turns(renderer: Renderer) -> None:
    """From many threads, one process answers one after the other, each its own."""
    heard: list[tuple[str, wire.Line]] = []

    def work(name: str) -> None:
        with renderer.ask(request(f"say('note', message='{name}')"), cancel=threading.Event()) as lines:
            heard.extend((name, line) for line in lines)

    threads = [threading.Thread(target=work, args=(str(number),)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([name for name, _ in itertools.groupby(heard, key=lambda pair: pair[0])]) == 5
    told = [(name, line.message) for name, line in heard if isinstance(line, wire.Note)]
    assert sorted(pair for pair in told if "loading" not in pair[1]) == [(str(n), str(n)) for n in range(5)]
    assert len({line.device for _, line in heard if isinstance(line, wire.Loaded)}) == 1


def test_whoever_waits_can_be_cancelled(renderer: Renderer) -> None:
    """At once, without harm to the request under way."""
    cancel = threading.Event()
    cancel.set()
    with renderer.ask(request("sys.stdin.readline()"), cancel=threading.Event()) as lines:
        assert notes([next(lines)]) == ["loading sd1.safetensors"]
        with pytest.raises(Cancelled), renderer.ask(request(), cancel=cancel):
            pass
        assert isinstance(next(lines), wire.Loaded)


def test_cancel_ends_the_process(renderer: Renderer) -> None:
    """The next request is answered by a fresh one."""
    cancel = threading.Event()
    seen: list[wire.Line] = []
    with pytest.raises(Cancelled), renderer.ask(request(HANG), cancel=cancel) as lines:
        follow(lines, seen, cancel)
    assert not is_alive(pid_of(seen))
    assert pid_of(ask(renderer)) != pid_of(seen)


def test_close_ends_a_request_under_way(renderer: Renderer) -> None:
    """In whatever thread; nothing can be asked from then on."""
    here, ended = threading.Event(), threading.Event()
    seen: list[wire.Line] = []

    def work() -> None:
        try:
            with renderer.ask(request(HANG), cancel=threading.Event()) as lines:
                follow(lines, seen, here)
        except Cancelled:
            ended.set()

    thread = threading.Thread(target=work)
    thread.start()
    here.wait()
    renderer.close()
    thread.join()
    assert ended.is_set()
    assert not is_alive(pid_of(seen))
    with pytest.raises(Cancelled), renderer.ask(request(), cancel=threading.Event()):
        pass


def test_close_does_not_wait_for_lines_nobody_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A listener that stands still, in this very thread, does not keep the process."""
    monkeypatch.setattr("hubsync.render.resident.GRACE", 0.01)
    renderer = Renderer(COMMAND)
    with renderer.ask(request(HANG), cancel=threading.Event()) as lines:
        seen = [next(lines), next(lines)]
        renderer.close()
        assert not is_alive(pid_of(seen))
        with pytest.raises(Cancelled):
            next(lines)


def test_a_session_ends_its_renderer(tmp_path: Path) -> None:
    """With everything else it holds open."""
    settings = Settings(root=str(tmp_path))
    root = find_root(settings, cwd=tmp_path, home=tmp_path)
    with Hubsync(settings, root, renderer=COMMAND) as hubsync:
        renderer = hubsync.render.renderer
        assert renderer is hubsync.render.renderer
        pid = pid_of(ask(renderer))
        assert is_alive(pid)
    assert not is_alive(pid)


def test_settings_reach_the_process() -> None:
    """Where checkpoints are fetched from, with what token, how long it may be silent or idle."""
    values = {"huggingface": {"endpoint": "https://hub.example", "token": "hf_x"}, "render": {"timeout": 7, "idle": 8}}
    renderer = renderer_of(msgspec.convert(values, Settings), COMMAND)
    with renderer:
        told = ask(renderer, "say('note', message=os.environ['HF_ENDPOINT'] + ' ' + os.environ['HF_TOKEN'])")
    assert "https://hub.example hf_x" in notes(told)
    assert (renderer._timeout, renderer._idle) == (7, 8)
