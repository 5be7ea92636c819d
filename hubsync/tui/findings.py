"""What a search came to where it found nothing or not everything, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping

from textual.content import Content

from hubsync.domain import Query, SearchResult
from hubsync.errors import HubsyncError, RateLimited, TokenInvalid, TokenRequired, Unreachable
from hubsync.refs import Source
from hubsync.tui.advice import advice
from hubsync.tui.text import words

SEARCHING = "Asking the hubs …"
NO_KEY = (
    "No Civitai key yet: most downloads there want one. Make one on your account page and set civitai.api_key in "
    "Settings (esc, then 6)."
)
_NAMES = {Source.CIVITAI: "Civitai", Source.HUGGINGFACE: "Hugging Face"}
_KEY = (TokenInvalid, TokenRequired)


def down(errors: Mapping[Source, HubsyncError]) -> Content:
    """Which hubs did not answer and what to do: that once, if it is the same. F5 works in the box too."""
    steps = [_next(error) for error in errors.values()]
    once = len(steps) > 1 and len(set(steps)) == 1
    said = [f"{_NAMES[source]}: {error.message}" for source, error in errors.items()]
    if once:
        return words(f"! {' · '.join(said)}{steps[0]}", "$text-warning")
    return words("\n".join(f"! {what}{step}" for what, step in zip(said, steps, strict=True)), "$text-warning")


def _next(error: HubsyncError) -> str:
    """The next step. F5 does not shorten a wait a hub asked for."""
    hint = f" → {advice(error.hint)}" if error.hint else ""
    if isinstance(error, _KEY):
        return f"{hint} (esc, then 6: the keys)"
    wait = isinstance(error, RateLimited) and error.retry_after
    return f"{hint} (F5 asks {'now' if _is_left_alone(error) else 'again'})" if error.passes and not wait else hint


def _is_left_alone(error: HubsyncError) -> bool:
    return isinstance(error, Unreachable) and bool(error.retry_after)


def nothing(query: Query, result: SearchResult, *, narrowed: int) -> str:
    """Why a list is empty, and what to do; `narrowed` is how many filters are set."""
    errors = result.errors.values()
    if errors and len(errors) == len(query.sources):
        return _nobody_answers(query, all(isinstance(error, RateLimited) for error in errors))
    found = f"Nothing found for “{query.text}”." if query.text else "Nothing found."
    advice = "Fewer or other words may help." if query.text else ""
    if narrowed:
        advice = f"{advice} {_filters(narrowed)} set: esc, then f leads there, R takes all off.".strip()
    return f"{found} {advice}".strip()


def _filters(count: int) -> str:
    return "One filter is" if count == 1 else f"{count} filters are"


def _nobody_answers(query: Query, limited: bool) -> str:  # noqa: FBT001  (a yes or no about one sentence)
    if limited:
        return "No hub answers for now: there were too many requests.\n\nWait a little, then press F5."
    what = "No hub answers." if len(query.sources) > 1 else f"{_NAMES[query.sources[0]]} does not answer."
    return f"{what}\n\nF5 asks again. What is installed works without a connection: esc, then 2."
