"""Asking a service without blocking the screen: the call runs in a thread, its answer comes as a message."""

from __future__ import annotations

from collections.abc import Callable

from textual.message import Message
from textual.message_pump import MessagePump
from textual.worker import get_current_worker

from hubsync.errors import HubsyncError
from hubsync.tui.answers import Refused

FIRST_FRAME = 0.15
"""Seconds after which the first frame stands. Before it nothing is asked: a thread's imports would delay it by half."""


def ask(node: MessagePump, group: str, question: Callable[[], Message]) -> None:
    """Run `question` in a thread and post its answer, or `Refused`, to `node`.

    A later question of the same node and group takes the place of an earlier one, whose answer is dropped.
    """

    def work() -> None:
        answer: Message
        try:
            answer = question()
        except HubsyncError as error:
            answer = Refused(group, error)
        if not get_current_worker().is_cancelled:
            node.post_message(answer)

    # The app owns every worker: one handler there sees the unexpected errors of all.
    node.app.run_worker(work, name=group, group=f"{group} {id(node)}", thread=True, exclusive=True, exit_on_error=False)
