"""Everything that can go wrong, as a tree a caller can catch at any height.

    HubsyncError                     message, hint, code
    ├── Internal                     a bug of hubsync's, reported as such
    ├── UsageError                   the call itself is wrong
    │   ├── BadReference
    │   ├── BadConfig
    │   └── Ambiguous
    ├── NotFound
    │   └── Archived
    ├── AccessDenied                 the hub said no, or wants a key first
    │   ├── TokenRequired
    │   ├── TokenInvalid
    │   ├── EarlyAccess
    │   ├── Gated
    │   ├── DownloadsDisabled
    │   └── RegionBlocked
    ├── HubError                     the hub could not answer
    │   ├── Unreachable
    │   ├── RateLimited
    │   └── UnexpectedResponse
    ├── BadBytes                     what arrived is not what was promised
    │   ├── HashMismatch
    │   ├── SizeMismatch
    │   ├── NotSafetensors
    │   └── NotAModel
    ├── Refused                      possible, but unsafe or wrong
    │   ├── UnsafeFile
    │   ├── UnsafeName
    │   ├── ScanFailed
    │   ├── WrongFamily
    │   └── UnknownLora
    └── MachineError                 this computer
        ├── NoSpace
        ├── NoPermission
        ├── DatabaseTrouble
        ├── RendererMissing
        ├── WebMissing
        └── OutOfMemory

`Cancelled` stands beside the tree: stopping on request is not a failure.
Nothing here prints or knows an exit code; `code` is the stable name scripts see in `--json`.
"""

from __future__ import annotations

from typing import ClassVar


class HubsyncError(Exception):
    """Something went wrong: `message` says what in a user's words, `hint` the command or page that fixes it.

    `passes` tells whether the same request may succeed a little later.
    """

    code: ClassVar[str] = "failed"
    passes: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Internal(HubsyncError):
    """Something hubsync did not foresee; the original error is its cause."""

    code = "internal"


class UsageError(HubsyncError):
    """The command, option or argument is wrong."""

    code = "usage"


class BadReference(UsageError):
    """A text that is no REF."""

    code = "bad_reference"


class BadConfig(UsageError):
    """An unknown configuration key, or a value it cannot hold."""

    code = "bad_config"


class Ambiguous(UsageError):
    """A name or reference that fits several things; the message lists them."""

    code = "ambiguous"


class NotFound(HubsyncError):
    """No such model, version, file or installed LoRA."""

    code = "not_found"


class Archived(NotFound):
    """It existed; its files are gone from the hub."""

    code = "archived"


class AccessDenied(HubsyncError):
    """The hub refuses this file to this account."""

    code = "forbidden"


class TokenRequired(AccessDenied):
    """A key is needed and none was given."""

    code = "token_required"


class TokenInvalid(AccessDenied):
    """The key that was sent is not valid."""

    code = "token_invalid"


class EarlyAccess(AccessDenied):
    """The file is for buyers until a date, or for good."""

    code = "early_access"


class Gated(AccessDenied):
    """A Hugging Face repository whose conditions must be accepted on its page."""

    code = "gated"


class DownloadsDisabled(AccessDenied):
    """The creator has switched downloads off; no key helps."""

    code = "downloads_disabled"


class RegionBlocked(AccessDenied):
    """The hub does not answer in this country (HTTP 451)."""

    code = "region_blocked"


class HubError(HubsyncError):
    """The hub failed to answer properly; `retry_after` seconds are asked for, if the hub said so."""

    code = "hub_error"
    passes = True

    def __init__(self, message: str, *, hint: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class Unreachable(HubError):
    """No connection, or none in time."""

    code = "unreachable"


class RateLimited(HubError):
    """Too many requests."""

    code = "rate_limited"


class UnexpectedResponse(HubError):
    """An answer that is not what the API describes."""

    code = "unexpected_response"
    passes = False


class BadBytes(HubsyncError):
    """The bytes on disk or on the wire are wrong."""

    code = "not_a_model"


class HashMismatch(BadBytes):
    """The SHA-256 differs from the one the hub states."""

    code = "hash_mismatch"


class SizeMismatch(BadBytes):
    """The length differs from the one announced."""

    code = "size_mismatch"


class NotSafetensors(BadBytes):
    """Not a well-formed safetensors file."""

    code = "not_safetensors"


class NotAModel(BadBytes):
    """A page or an error text where a model was promised."""

    code = "not_a_model"


class Refused(HubsyncError):
    """hubsync will not do this."""

    code = "unsafe_file"


class UnsafeFile(Refused):
    """A pickle, or another format that can run code when loaded."""

    code = "unsafe_file"


class UnsafeName(Refused):
    """A name that would leave the library root or cannot exist on disk."""

    code = "unsafe_name"


class ScanFailed(Refused):
    """The hub's own malware scan found something."""

    code = "scan_failed"


class WrongFamily(Refused):
    """A LoRA of one base-model family on a checkpoint of another."""

    code = "wrong_family"


class UnknownLora(Refused):
    """A prompt or render names a LoRA that is not installed."""

    code = "unknown_lora"


class MachineError(HubsyncError):
    """This computer cannot do it now."""

    code = "permission"


class NoSpace(MachineError):
    """The disk is full, or would be."""

    code = "no_space"


class NoPermission(MachineError):
    """The operating system refuses the file or folder."""

    code = "permission"


class DatabaseTrouble(MachineError):
    """The library database is locked, damaged or made by a newer hubsync."""

    code = "database"


class RendererMissing(MachineError):
    """torch or diffusers is not installed."""

    code = "renderer_missing"


class WebMissing(MachineError):
    """What serves the TUI to a browser is not installed."""

    code = "web_missing"


class OutOfMemory(MachineError):
    """The device has too little memory for this render."""

    code = "out_of_memory"


class Cancelled(Exception):
    """The user asked to stop."""

    code: ClassVar[str] = "cancelled"
