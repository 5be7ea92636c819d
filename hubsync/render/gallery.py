"""Drawn pictures become the user's: named, with infotext inside, measured against their base, laid on a sheet."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hubsync.domain import Render, RenderKind
from hubsync.errors import NoPermission, NoSpace
from hubsync.render import wire
from hubsync.render.infotext import PNG_KEY, hash_list, infotext
from hubsync.render.plan import RenderPlan, called_in
from hubsync.render.rows import PlannedRow
from hubsync.render.samplers import name_in_full

if TYPE_CHECKING:
    from PIL import Image


def publish(
    plan: RenderPlan, pictures: Mapping[wire.Row, Path], loaded: wire.Loaded, created_at: datetime
) -> tuple[Render, ...]:
    """Put every row's picture into `plan.out` under a name of its own, with infotext; the numbers are measured here.

    Raises:
        NoSpace, NoPermission: the folder cannot be written.
    """
    return tuple(_publish(plan, row, pictures, loaded, created_at) for row in plan.rows)


def _publish(
    plan: RenderPlan, row: PlannedRow, pictures: Mapping[wire.Row, Path], loaded: wire.Loaded, created_at: datetime
) -> Render:
    from PIL import Image

    with Image.open(pictures[row.drawn]) as picture:
        size = picture.size
        text = infotext(row.prompt, row.drawn.negative, _parameters(plan, row, loaded, size))
        path = save_picture(picture, plan.out, _stem(row), text)
    base = _other(plan, row, RenderKind.BASE, lora=None)
    without = _other(plan, row, RenderKind.LORA, lora=row.lora) if row.kind is RenderKind.TRIGGERED else None
    return replace(
        plan.picture(row, path, created_at=created_at),
        size=size,
        sampler=name_in_full(loaded.sampler, loaded.schedule),
        effect=_measured(pictures, row, base),
        trigger_effect=_measured(pictures, row, without),
    )


def save_picture(picture: Image.Image, folder: Path, stem: str, text: str = "") -> Path:
    """Write a PNG under a free name, complete before it has that name; `text` is its infotext.

    Raises:
        NoSpace, NoPermission: the folder cannot be written.
    """
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    if text:
        info.add_text(PNG_KEY, text)
    aside = folder / f".{os.getpid()}.{stem}.png"
    try:
        picture.save(aside, format="PNG", pnginfo=info)
        return aside.replace(_reserved(folder, stem))
    except OSError as error:
        aside.unlink(missing_ok=True)
        kind = NoSpace if error.errno == errno.ENOSPC else NoPermission
        why = error.strerror or error
        raise kind(f"pictures cannot be written to {folder}: {why}", hint="use --out DIR") from error


def difference(one: Path, other: Path) -> float:
    """Mean absolute difference of two pictures of one size over pixels and channels, 0..1."""
    from PIL import Image, ImageChops, ImageStat

    with Image.open(one) as first, Image.open(other) as second:
        changed = ImageChops.difference(first.convert("RGB"), second.convert("RGB"))
    means: list[float] = ImageStat.Stat(changed).mean
    return sum(means) / len(means) / 255


def _measured(pictures: Mapping[wire.Row, Path], row: PlannedRow, other: PlannedRow | None) -> float | None:
    if other is None or other is row:
        return None
    return 0.0 if other.drawn == row.drawn else difference(pictures[row.drawn], pictures[other.drawn])


def _other(plan: RenderPlan, row: PlannedRow, kind: RenderKind, *, lora: str | None) -> PlannedRow | None:
    """The row of that kind with the same seed and, where a LoRA is asked for, at the same weight."""
    for other in plan.rows:
        same = other.kind is kind and other.lora == lora and other.drawn.seed == row.drawn.seed
        if same and (lora is None or other.weight == row.weight):
            return other
    return None


def _parameters(plan: RenderPlan, row: PlannedRow, loaded: wire.Loaded, size: tuple[int, int]) -> dict[str, object]:
    # By the name in the tag: that is what AUTOMATIC1111 looks for when it mends a prompt whose LoRA has another name.
    loras = {tagged: plan.loras[name].autov3 for name, tagged in row.called.items() if name in plan.loras}
    embeddings = {name: lora.sha256 for name, lora in called_in(row, plan.embeddings).items()}
    return {
        "Steps": plan.steps,
        "Sampler": loaded.sampler,
        "Schedule type": loaded.schedule,
        "CFG scale": f"{plan.cfg:g}",
        "Seed": row.drawn.seed,
        "Size": f"{size[0]}x{size[1]}",
        "Model": Path(plan.checkpoint).stem if Path(plan.checkpoint).exists() else plan.checkpoint,
        "Lora hashes": hash_list(loras),
        "TI hashes": hash_list(embeddings),
    }


def _stem(row: PlannedRow) -> str:
    """`add_detail.w0.8.s1.words2`: what the picture shows, readable and sorted by LoRA; 2 is the group of several.

    The names of LoRAs tested together may be too many for a file's.
    """
    name = row.lora if len(row.tested) < 2 else "together"
    subject = "base" if name is None else f"{name}.w{row.weight:g}"
    return f"{subject}.s{row.drawn.seed}" + (f".words{row.group or ''}" if row.kind is RenderKind.TRIGGERED else "")


def _reserved(folder: Path, stem: str) -> Path:
    """A name nobody has in `folder`, taken by an empty file: `stem.png`, else `stem-2.png` and so on."""
    number = 1
    while True:
        path = folder / (f"{stem}.png" if number == 1 else f"{stem}-{number}.png")
        try:
            path.touch(exist_ok=False)
        except FileExistsError:
            number += 1
        else:
            return path
