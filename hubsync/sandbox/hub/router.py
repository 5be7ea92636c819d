"""Finds the function that answers a request by its method and path."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote

from hubsync.sandbox.hub.messages import Reply, Request

Route = tuple[str, Callable[..., Reply]]


class Router:
    """Routes in order: a pattern over `METHOD /path` and the function that gets its groups, percent-decoded."""

    def __init__(self, *routes: Route) -> None:
        self._routes = [(re.compile(pattern), answer) for pattern, answer in routes]

    def answer(self, request: Request) -> Reply | None:
        """The answer of the first route that fits; None where none does."""
        target = f"{request.method} {request.path}"
        for pattern, answer in self._routes:
            if match := pattern.fullmatch(target):
                return answer(request, *(unquote(group or "") for group in match.groups()))
        return None
