"""The renderer's own end: when stdin ends, and when hubsync is killed. A stand-in for its session needs no torch."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys

import pytest

from hubsync.render import wire

RENDERER = """
import os, sys, threading, types
from hubsync.render.wire import Done, Note
class Session:
    def __init__(self, say):
        self.say = say
    def answer(self, request):
        print("noise of a library")
        self.say(Note(message=str(os.getpid())))
        if request.checkpoint == "endless":
            threading.Event().wait()
        if request.checkpoint == "broken":
            raise LookupError("a bug")
        self.say(Done())
for name, content in {"session": {"Session": Session}, "drawing": {"is_out_of_memory": lambda error: False}}.items():
    sys.modules[f"hubsync.renderer.{name}"] = module = types.ModuleType(name)
    vars(module).update(content)
from hubsync.renderer.__main__ import main
sys.exit(main())
"""
HUBSYNC = f"""
import sys, threading
from hubsync.render.resident import Renderer
from hubsync.render.wire import Note, Request
request = Request(checkpoint=sys.argv[1], steps=1, cfg=1.0, rows=(), folder="")
with Renderer([sys.executable, "-c", {RENDERER!r}]) as renderer:
    with renderer.ask(request, cancel=threading.Event()) as lines:
        for line in lines:
            print(getattr(line, "message", "done"), flush=True)
    input()
"""


def requests(*checkpoints: str) -> bytes:
    """A line for each."""
    each = (wire.Request(checkpoint=name, steps=1, cfg=1.0, rows=(), folder="") for name in checkpoints)
    return b"".join(map(wire.encode, each))


def answered(stdin: bytes) -> tuple[list[str], int]:
    """What is answered, by kind, to requests from a pipe that ends before the first is read; and the exit code."""
    done = subprocess.run([sys.executable, "-c", RENDERER], input=stdin, capture_output=True, check=False)
    lines = [wire.decode_line(line) for line in done.stdout.splitlines()]
    return [type(line).__name__ for line in lines], done.returncode


def test_the_end_of_stdin_ends_it_after_the_last_answer() -> None:
    """`echo request | python -m hubsync.renderer` is answered whole."""
    assert answered(requests("one", "two")) == (["Note", "Done"] * 2, 0)
    assert answered(b"") == ([], 0)


def test_a_bug_or_a_line_that_is_no_request_does_not_end_it() -> None:
    """It fails that one alone, and the exit code tells."""
    assert answered(requests("broken") + b"{}\n" + requests("one")) == (
        ["Note", "Failure", "Failure", "Note", "Done"],
        1,
    )


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waits for a process that is not a child")
@pytest.mark.parametrize("checkpoint", ["endless", "idle"])
def test_it_does_not_outlive_hubsync(checkpoint: str) -> None:
    """Killed without a chance to clean up, while a picture is drawn or between two."""
    command = [sys.executable, "-c", HUBSYNC, checkpoint]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as hubsync:
        assert hubsync.stdout is not None
        assert hubsync.stdout.readline() == f"loading {checkpoint}\n"
        renderer = os.pidfd_open(int(hubsync.stdout.readline()))
        if checkpoint == "idle":
            assert hubsync.stdout.readline() == "done\n"
        assert select.select([renderer], [], [], 0)[0] == []
        hubsync.send_signal(signal.SIGKILL)
    assert select.select([renderer], [], [], 60)[0] == [renderer]
    os.close(renderer)
