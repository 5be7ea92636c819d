"""The Hub's refusals, each with the headers its client tells them apart by."""

from __future__ import annotations

from hubsync.sandbox.hub.messages import Reply, as_json


def error(status: int, message: str, *, code: str = "") -> Reply:
    """A refusal; `code` is what `X-Error-Code` says."""
    headers = {"X-Error-Message": message, **({"X-Error-Code": code} if code else {})}
    return as_json({"error": message}, status=status, headers=headers)


def no_repository() -> Reply:
    """There is no such repository, or the caller may not know of it."""
    return error(404, "Repository not found", code="RepoNotFound")


def no_revision(revision: str) -> Reply:
    """The repository has no such branch, tag or commit."""
    return error(404, f"Invalid rev id: {revision}", code="RevisionNotFound")


def no_entry() -> Reply:
    """The revision has no such file."""
    return error(404, "Entry not found", code="EntryNotFound")


def gated(name: str, *, signed_in: bool) -> Reply:
    """The files of a gated repository are not for this caller."""
    if signed_in:
        message = f"Access to model {name} is restricted and you are not in the authorized list. Visit its page to ask."
        return error(403, message, code="GatedRepo")
    message = f"Access to model {name} is restricted. You must have access to it and be authenticated. Please log in."
    return error(401, message, code="GatedRepo")


def disabled() -> Reply:
    """The Hub has closed this repository."""
    return error(403, "Access to this resource is disabled.")


def bad_token() -> Reply:
    """A token that is none."""
    return error(401, "Invalid credentials in Authorization header")
