"""A render of a whole library: each family on its own checkpoint, what cannot be drawn left out by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hubsync.config import Settings
from hubsync.domain import Installed, LoraType, RenderOutcome
from hubsync.errors import HubsyncError, NotSafetensors, UnsafeFile
from hubsync.families import Families
from hubsync.files.glance import Glancer
from hubsync.render.checkpoint import family_of, locate
from hubsync.render.fitting import refusal
from hubsync.render.gallery import save_picture
from hubsync.render.paper import stacked

_KINDS: Mapping[str | None, type[HubsyncError]] = {"not_safetensors": NotSafetensors, "unsafe_file": UnsafeFile}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """LoRAs by family, the largest first, and a note on each that is left out."""

    families: tuple[tuple[Installed, ...], ...]
    notes: tuple[str, ...] = ()


def gather(loras: Sequence[Installed], *, checkpoint: str | None, settings: Settings, families: Families) -> Gathered:
    """Sort LoRAs by family; one of unknown family goes with the largest. A `checkpoint` draws one family alone."""
    glancer = Glancer()
    reasons = {lora.path: _reason(lora, glancer) for lora in loras}
    known = Counter(lora.family for lora in loras if lora.family and not reasons[lora.path])
    ranked: list[str | None] = [family for family, _ in known.most_common()]
    if checkpoint:
        # A checkpoint of which nobody knows the family draws the most common one.
        drawn = [family_of(locate(checkpoint), settings, families) or next(iter(ranked), None)]
    else:
        drawn = [name for name in ranked if name and settings.checkpoint.get(name) and families[name].pipeline]
    groups: dict[str | None, list[Installed]] = {family: [] for family in drawn}
    names: set[str] = set()
    notes: list[str] = []
    for lora in loras:
        family = lora.family or next(iter(drawn), None)
        misfit = "" if family in {*drawn, None} else _misfit(family or "", families, only=drawn if checkpoint else ())
        twin = f"another file has its name, and this is {lora.path}" if lora.name in names else ""
        if reason := reasons[lora.path] or misfit or twin:
            notes.append(f"{lora.name} is left out: {reason}")
            continue
        names.add(lora.name)
        groups.setdefault(family, []).append(lora)
    return Gathered(families=tuple(tuple(group) for group in groups.values() if group), notes=tuple(notes))


def check_file(lora: Installed, glancer: Glancer) -> None:
    """Refuse a file that is neither LoRA nor embedding, by its header.

    Raises:
        HubsyncError: it is none, or cannot be read.
    """
    if error := refusal(lora):
        raise error
    glance = glancer.glance(lora.path, lora.path.stat().st_size if lora.path.is_file() else 0)
    problem = f"it is {glance.problem}" if glance.code == "misfiled" else glance.problem
    if glance.code is None and (lora.type is LoraType.EMBEDDING) != (glance.kind == "embedding"):
        article = "an" if glance.kind == "embedding" else "a"
        problem = f"its header says that it is {article} {glance.kind}"
    if problem:
        raise _KINDS.get(glance.code, HubsyncError)(f"'{lora.name}' cannot be rendered: {problem}")


def _reason(lora: Installed, glancer: Glancer) -> str:
    try:
        check_file(lora, glancer)
    except HubsyncError as error:
        return error.message.removeprefix(f"'{lora.name}' cannot be rendered: ")
    return ""


def _misfit(family: str, families: Families, *, only: Sequence[str | None]) -> str:
    """Why none of the checkpoints draws a family; with `only`, a checkpoint of that family was asked for."""
    if only:
        return f"it is made for {family}"
    return f"no {family} checkpoint is set" if families[family].pipeline else f"{family} cannot be rendered yet"


def together(outcomes: Sequence[RenderOutcome], failed: Mapping[str, HubsyncError], *, folder: Path) -> RenderOutcome:
    """Outcomes of one batch as one, with the LoRAs of plans that failed; their sheets below each other in `folder`.

    Raises:
        HubsyncError: there is no outcome; of failures of one code the first, else one that tells them all.
    """
    if not outcomes:
        errors = [*failed.values()]
        if len({error.code for error in errors}) == 1:
            raise errors[0]
        raise HubsyncError(
            "; ".join(dict.fromkeys(error.message for error in errors)), hint="render the families apart"
        )
    sheets = [outcome.sheet for outcome in outcomes if outcome.sheet]
    return RenderOutcome(
        renders=tuple(render for outcome in outcomes for render in outcome.renders),
        sheet=save_picture(stacked(sheets), folder, "sheet") if len(sheets) > 1 else next(iter(sheets), None),
        device=outcomes[0].device,
        dtype=", ".join(dict.fromkeys(outcome.dtype for outcome in outcomes)),
        load_seconds=sum(outcome.load_seconds for outcome in outcomes),
        seconds=sum(outcome.seconds for outcome in outcomes),
        refused={name: error for outcome in outcomes for name, error in outcome.refused.items()} | dict(failed),
        verdicts=tuple(verdict for outcome in outcomes for verdict in outcome.verdicts),
    )
