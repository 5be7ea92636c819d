"""What is printed where, and what a command exits with."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from hubsync import errors
from hubsync.cli import diagnostics, output
from hubsync.errors import Cancelled, HubsyncError, NotFound, UnsafeFile
from hubsync.events import Advanced, Event, Failed, Finished, Noted, Started, Verified


def _tree(kind: type[HubsyncError]) -> Iterator[type[HubsyncError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)


@pytest.mark.parametrize("kind", list(dict.fromkeys(_tree(HubsyncError))))
def test_every_error_has_an_exit_code(kind: type[HubsyncError]) -> None:
    """No error class is without its number, and each is in the tree drawn at the top of errors.py."""
    assert 1 <= diagnostics.exit_code(kind("x")) <= 8
    assert kind.__name__ in (errors.__doc__ or "")


def test_batches_exit_with_what_their_failures_share() -> None:
    """No failure is 0, one code its own exit, mixed failures 1."""
    assert diagnostics.batch_exit_code([]) == 0
    assert diagnostics.batch_exit_code([NotFound("a"), NotFound("b")]) == 3
    assert diagnostics.batch_exit_code([NotFound("a"), UnsafeFile("b")]) == 1
    assert diagnostics.exit_code(Cancelled()) == 130


def test_control_characters_are_never_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """A hostile name can neither move the cursor, nor colour, nor ring."""
    name = "a\x1b[31m\x07\x9b2Jb\u202e"
    output.emit(name)
    output.emit_table([(name, "x")], header=("A", "B"))
    output.emit_fields([("name", name)])
    diagnostics.say(name)
    told = capsys.readouterr()
    assert all(char.isprintable() or char == "\n" for char in told.out + told.err)


def test_tables_line_up_with_wide_characters(capsys: pytest.CaptureFixture[str]) -> None:
    """East Asian characters and emoji take two columns, combining marks none."""
    output.emit_table([("雪", "1"), ("e\u0301a", "2"), ("🎨", "3")], header=("N", "W"))
    assert capsys.readouterr().out == "N   W\n雪  1\ne\u0301a  2\n🎨  3\n"


@pytest.mark.parametrize(
    ("size", "text"), [(None, "?"), (0, "0 B"), (999, "999 B"), (1_500, "1.5 kB"), (9_400_000, "9.4 MB"), (2e9, "2 GB")]
)
def test_sizes_read_well(size: int | None, text: str) -> None:
    """Decimal units, three digits."""
    assert output.human_size(size) == text


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_a_bar_on_a_terminal_and_lines_elsewhere() -> None:
    """A pipe gets one line a fact; a terminal one line that changes."""
    events: list[Event] = [
        Started(key="r", label="add_detail", total=100),
        Advanced(key="r", done=50, total=100),
        Verified(key="r", sha256="ab" * 32),
        Noted(key="r", message="no preview"),
        Failed(key="x", error=NotFound("gone")),
        Finished(key="r", message="add_detail is installed"),
    ]
    pipe, terminal = io.StringIO(), _Terminal()
    for stream in (pipe, terminal):
        narrator = diagnostics.Narrator(stream=stream)
        for event in events:
            narrator(event)
    assert pipe.getvalue().splitlines() == [
        "add_detail: SHA-256 abababababab… verified",
        "add_detail: no preview",
        "x: gone",
    ]
    assert "\r 50% ████████████░░░░░░░░░░░░ add_detail" in terminal.getvalue()


def test_a_render_tells_pictures_and_what_is_left() -> None:
    """The bar follows the steps, the number whole pictures; nobody guesses seconds after the first step."""
    terminal = _Terminal()
    narrator = diagnostics.Narrator(stream=terminal)
    narrator(Started(key="render", label="add_detail", total=16))
    narrator(Advanced(key="render", done=0, total=16, share=0.02))
    narrator(Advanced(key="render", done=6, total=16, share=0.39, eta=72.9))
    assert terminal.getvalue().split("\r")[1:] == [
        "  2% ░░░░░░░░░░░░░░░░░░░░░░░░ 0/16 pictures  add_detail",
        " 39% █████████░░░░░░░░░░░░░░░ 6/16 pictures, 1:12 left  add_detail",
    ]


def test_quiet_says_nothing() -> None:
    """--quiet silences narration."""
    stream = io.StringIO()
    diagnostics.Narrator(quiet=True, stream=stream)(Noted(key="r", message="no preview"))
    assert stream.getvalue() == ""
