"""What fits together in a render: files that can be drawn, of one family, on a checkpoint of that family."""

from __future__ import annotations

from collections.abc import Sequence

from hubsync.config import Settings
from hubsync.domain import Installed, LoraType
from hubsync.errors import HubsyncError, NotFound, UnsafeFile, UsageError, WrongFamily
from hubsync.families import Families
from hubsync.render.checkpoint import choose_checkpoint, family_of, locate

_SAFE = frozenset({".safetensors", ".sft"})
"""Endings of files that hold numbers and nothing that could run."""


def refusal(lora: Installed) -> HubsyncError | None:
    """Why an installed file cannot be drawn, as far as the library knows; None where it can.

    Every network that adapts a model can, and every embedding; a checkpoint or a pickle cannot.
    """
    cannot = f"'{lora.name}' cannot be rendered"
    if lora.missing:
        return NotFound(f"{cannot}: its file is gone, {lora.path}", hint="`hubsync scan` brings the library up to date")
    if lora.path.suffix.casefold() not in _SAFE:
        return UnsafeFile(f"{cannot}: {lora.path.name} is not a safetensors file", hint="look for one in that format")
    if lora.type is LoraType.CHECKPOINT and lora.network is None:
        return HubsyncError(
            f"{cannot}: it is a checkpoint", hint="hubsync render NAME --checkpoint PATH draws with one"
        )
    return None


def distinct(loras: Sequence[Installed]) -> dict[str, Installed]:
    """The LoRAs under test by name; one may come at several weights.

    Raises:
        UsageError: two files share a name.
    """
    named: dict[str, Installed] = {}
    for lora in loras:
        if named.setdefault(lora.name, lora).path != lora.path:
            places = f"{named[lora.name].path}, {lora.path}"
            raise UsageError(f"two files are called '{lora.name}': {places}", hint="render them apart")
    return named


def drawable(loras: Sequence[Installed]) -> Sequence[Installed]:
    """The LoRAs themselves.

    Raises:
        HubsyncError: the first one's refusal.
    """
    if error := next(filter(None, map(refusal, loras)), None):
        raise error
    return loras


def settle(
    loras: Sequence[Installed], checkpoint: str | None, settings: Settings, families: Families
) -> tuple[str, str | None]:
    """The checkpoint to draw LoRAs with, the one asked for or their family's, and the family everything is of.

    Raises:
        HubsyncError: a LoRA that cannot be drawn; no checkpoint is set for the family.
        WrongFamily: the LoRAs, or they and the checkpoint, are of different families.
    """
    wanted = _common_family(drawable(loras))
    chosen = locate(checkpoint or choose_checkpoint(wanted, settings))
    actual = family_of(chosen, settings, families)
    agree(chosen, actual, loras)
    return chosen, wanted or actual


def agree(checkpoint: str, family: str | None, loras: Sequence[Installed]) -> None:
    """Refuse LoRAs made for another family than the checkpoint's, as far as both are known.

    Raises:
        WrongFamily: all of them, by name.
    """
    strangers = [lora for lora in loras if family and lora.family not in {None, "other", family}]
    if strangers:
        names, wanted = ", ".join(lora.name for lora in strangers), strangers[0].family
        hint = f"hubsync config set checkpoint.{wanted} PATH, or use --checkpoint"
        raise WrongFamily(f"{names}: made for {wanted}, but the checkpoint {checkpoint} is {family}", hint=hint)


def _common_family(loras: Sequence[Installed]) -> str | None:
    """The family all LoRAs are of, as far as theirs are known."""
    known = {lora.family: lora.name for lora in loras if lora.family not in {None, "other"}}
    if len(known) > 1:
        listed = ", ".join(f"'{name}' is {family}" for family, name in known.items())
        raise WrongFamily(
            f"LoRAs of different families cannot be rendered together: {listed}", hint="render them apart"
        )
    return next(iter(known), None)
