"""Reads requests from stdin, one a line, and answers on stdout; whatever libraries print goes to stderr.

The end of stdin ends the process once everything is answered; nobody left to read the answers ends it at once.
"""

from __future__ import annotations

import os
import select
import sys
import threading
import traceback
from collections.abc import Callable
from typing import IO, TYPE_CHECKING

from hubsync.errors import HubsyncError
from hubsync.render.wire import Failure, Line, decode_request, encode

if TYPE_CHECKING:
    from hubsync.renderer.session import Session


def main() -> int:
    """Answer requests until stdin ends; 0 when all were done."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    threading.Thread(target=_end_unheard, args=(answers,), daemon=True).start()

    def say(line: Line) -> None:
        answers.write(encode(line))

    try:
        from hubsync.renderer.session import Session
    except (ImportError, OSError) as error:  # OSError: torch is there, a library it is linked to is not
        say(_missing(error))
        return 1
    session = Session(say)
    return max((_answer(session, line, say) for line in sys.stdin.buffer), default=0)


def _end_unheard(answers: IO[bytes]) -> None:
    """End the process, whatever it is at, when the reader of its answers is gone: hubsync was killed.

    The parent's death itself would be the wrong sign: Linux tells it (PR_SET_PDEATHSIG) when the thread ends that
    started the process, and a wrapper for the interpreter may stand between. A file or terminal never loses its reader.
    """
    if sys.platform == "win32":  # the next line it says fails there
        return
    poll = select.poll()
    poll.register(answers, 0)  # an error is reported unasked
    poll.poll()
    os._exit(1)


def _answer(session: Session, line: bytes, say: Callable[[Line], object]) -> int:
    from hubsync.renderer.drawing import is_out_of_memory

    try:
        session.answer(decode_request(line))
    except HubsyncError as error:
        say(Failure(code=error.code, message=error.message, hint=error.hint))
    except ImportError as error:
        say(_missing(error))
    except Exception as error:  # noqa: BLE001  the border of the process: a bug becomes a line, its trace goes to stderr
        traceback.print_exc()
        code = "out_of_memory" if is_out_of_memory(error) else "failed"
        say(Failure(code=code, message=f"{type(error).__name__}: {error}"))
    else:
        return 0
    return 1


def _missing(error: Exception) -> Failure:
    return Failure(
        code="renderer_missing",
        message=f"the renderer cannot start: {error}",
        hint=f"{sys.executable} -m pip install 'hubsync[render]', or set render.python to one that has it",
    )


if __name__ == "__main__":
    raise SystemExit(main())
