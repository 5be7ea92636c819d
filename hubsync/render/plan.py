"""What a test render draws: checkpoint, family, rows and numbers, decided before anything is loaded."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path

from hubsync.config import Settings
from hubsync.domain import Installed, LoraType, Render
from hubsync.errors import HubsyncError, UsageError
from hubsync.families import Families
from hubsync.prompts.schedules import schedules
from hubsync.prompts.syntax import composable, extra_networks, strip_comments
from hubsync.render import wire
from hubsync.render.checkpoint import config_folder
from hubsync.render.fitting import agree, distinct, drawable, refusal, settle
from hubsync.render.rows import PlannedRow, RowWriter, write_rows
from hubsync.render.samplers import find_sampler

_FALLBACK = "sd1"
"""The family whose defaults serve a checkpoint nothing is known about."""

_EDITED = frozenset({"StableDiffusionPipeline", "StableDiffusionXLPipeline"})
"""Pipelines that take another prompt at every step."""

_CELL = 8
"""Sides of a picture are multiples of this: one cell of the autoencoder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderOptions:
    """How to render; None and "" leave a choice to the family or the checkpoint.

    `together` tests all LoRAs as one: what is drawn is the whole prompt. `batch` False draws row by row.
    """

    prompt: str | None = None
    negative: str = ""
    weights: tuple[float, ...] = ()
    seeds: tuple[int, ...] = ()
    steps: int | None = None
    cfg: float | None = None
    size: tuple[int, int] | None = None
    sampler: str | None = None
    checkpoint: str | None = None
    device: str | None = None
    together: bool = False
    batch: bool = True
    out: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderPlan:
    """Everything decided. `family` is None where nobody knows it; `loras` are those of any row, by name.

    `notes` say what of the prompt the pictures will not show.
    """

    rows: tuple[PlannedRow, ...]
    checkpoint: str
    family: str | None
    pipeline: str
    device: str
    steps: int
    cfg: float
    size: tuple[int, int] | None
    sampler: str
    batch: bool
    out: Path
    loras: Mapping[str, Installed] = field(default_factory=dict)
    embeddings: Mapping[str, Installed] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def drawn(self) -> tuple[wire.Row, ...]:
        """The pictures to draw: rows that ask for the same, as weight 0 and base do, share one."""
        return tuple(dict.fromkeys(row.drawn for row in self.rows))

    @property
    def subjects(self) -> tuple[str, ...]:
        """What is under test, in order: LoRAs, or several as one."""
        return tuple(dict.fromkeys(row.lora for row in self.rows if row.lora is not None))

    def picture(self, row: PlannedRow, path: Path, *, created_at: datetime) -> Render:
        """A row as the picture at `path`, without what only the renderer and the pixels know."""
        return Render(
            path=path,
            kind=row.kind,
            loras=row.uses,
            trigger_words=row.trigger_words,
            prompt=row.prompt,
            negative_prompt=row.drawn.negative,
            seed=row.drawn.seed,
            steps=self.steps,
            cfg=self.cfg,
            size=self.size or (0, 0),
            sampler=self.sampler,
            checkpoint=self.checkpoint,
            family=self.family,
            created_at=created_at,
        )

    def without(self, refused: Mapping[str, HubsyncError]) -> RenderPlan:
        """The plan without the rows that have a part of a LoRA or embedding the renderer refused.

        Raises:
            HubsyncError: the first refusal, where nothing under test is left.
        """
        if not refused:
            return self
        rows = tuple(row for row in self.rows if refused.keys().isdisjoint(self._parts(row)))
        if not any(row.lora for row in rows):
            raise next(iter(refused.values()))
        return replace(self, rows=rows)

    def _parts(self, row: PlannedRow) -> set[str | None]:
        """The names of everything that a row shows beside the checkpoint."""
        return {row.lora, *(use.name for use in row.uses), *called_in(row, self.embeddings)}

    def request(self, folder: Path) -> wire.Request:
        """What the renderer is asked for; its pictures go to `folder`."""
        return wire.Request(
            checkpoint=self.checkpoint,
            config=config_folder(self.checkpoint, self.family),
            pipeline=self.pipeline,
            device=self.device,
            steps=self.steps,
            cfg=self.cfg,
            size=self.size,
            sampler=self.sampler,
            batch=0 if self.batch else 1,
            loras={name: str(lora.path) for name, lora in self.loras.items()},
            embeddings={name: str(lora.path) for name, lora in self.embeddings.items()},
            rows=self.drawn,
            folder=str(folder),
        )


def make_plan(
    loras: Sequence[tuple[Installed, float | None]],
    options: RenderOptions,
    *,
    settings: Settings,
    families: Families,
    library: Callable[[str], Installed],
    embeddings: Sequence[Installed] = (),
) -> RenderPlan:
    """Plan the test of `loras`: at the weight given or in the prompt's tag, at `--weights`, or at the suggested one.

    LoRAs of unknown family take the checkpoint's. `library` finds those the prompt's own tags name and raises for one
    it does not hold; `embeddings` are those a prompt may call by name.

    Raises:
        WrongFamily: the LoRAs, or they and the checkpoint, are of different families.
        UsageError: a size, sampler or number that cannot be.
        HubsyncError: no checkpoint is set for the family, or hubsync cannot draw with it.
    """
    _check(options)
    subjects = distinct([lora for lora, _ in loras])
    checkpoint, family = settle(list(subjects.values()), options.checkpoint, settings, families)
    defaults = families[family or _FALLBACK]
    if not defaults.pipeline:
        raise HubsyncError(f"{family} checkpoints cannot be rendered yet")
    writer = RowWriter(
        text=strip_comments((settings.render.prompt or defaults.prompt) if options.prompt is None else options.prompt),
        negative=strip_comments(options.negative),
        placement=settings.prompt.placement,
        # Of two files with one name, the one under test is meant.
        library=cache(lambda name: subjects.get(name) or library(name)),
    )
    tagged = drawable([lora for lora, _ in writer.tagged()])
    agree(checkpoint, family, tagged)
    rows = write_rows(
        writer,
        loras,
        weights=options.weights,
        seeds=options.seeds or (settings.render.seed,),
        default_weight=settings.prompt.default_weight,
        together=options.together,
    )
    return RenderPlan(
        rows=rows,
        checkpoint=checkpoint,
        family=family,
        pipeline=defaults.pipeline,
        device=options.device or settings.render.device,
        steps=options.steps or settings.render.steps or defaults.steps,
        cfg=(settings.render.cfg or defaults.cfg) if options.cfg is None else options.cfg,
        size=options.size,
        sampler=defaults.sampler if options.sampler is None else options.sampler,
        batch=options.batch,
        out=(options.out or Path()).absolute(),
        loras={use.lora: writer.library(row.called[use.lora]) for row in rows for use in row.drawn.loras},
        embeddings=_called([*embeddings, *(lora for lora, _ in loras)], rows),
        notes=(*_not_drawn(writer.text, defaults.pipeline), *_not_opened(embeddings, rows)),
    )


def _check(options: RenderOptions) -> None:
    """Refuse what no renderer can do, before anything is looked up."""
    if options.size and any(side <= 0 or side % _CELL for side in options.size):
        raise UsageError(f"--size must be multiples of {_CELL}, such as 512x768")
    if options.steps is not None and options.steps < 1:
        raise UsageError("--steps must be 1 or more")
    if not all(map(math.isfinite, (*options.weights, options.cfg or 0.0))):
        raise UsageError("weights and --cfg must be numbers")
    if any(not 0 <= seed < 1 << 63 for seed in options.seeds):
        raise UsageError("seeds must be 0 or more")
    if options.sampler:
        find_sampler(options.sampler)


def called_in(row: PlannedRow, embeddings: Mapping[str, Installed]) -> dict[str, Installed]:
    """The embeddings whose name a row's prompts hold."""
    text = f"{row.drawn.prompt}\n{row.drawn.negative}".casefold()
    return {name: lora for name, lora in embeddings.items() if name.casefold() in text}


def _called(embeddings: Sequence[Installed], rows: Sequence[PlannedRow]) -> dict[str, Installed]:
    """The embeddings whose name some prompt holds, as far as they can be opened."""
    known = {lora.name: lora for lora in embeddings if lora.type is LoraType.EMBEDDING and not refusal(lora)}
    return {name: lora for row in rows for name, lora in called_in(row, known).items()}


def _not_opened(embeddings: Sequence[Installed], rows: Sequence[PlannedRow]) -> Iterator[str]:
    """The embeddings that some prompt calls and nothing here may open."""
    words = {word for row in rows for word in re.findall(r"[\w.-]+", f"{row.drawn.prompt} {row.drawn.negative}")}
    for lora in embeddings:
        if lora.name in words and (error := refusal(lora)):
            yield f"drawn without an embedding the prompt names: {error.message}"


def _not_drawn(prompt: str, pipeline: str) -> Iterator[str]:
    """What a prompt asks for that the pictures will not show."""
    plain = extra_networks(prompt)[0]
    if len(composable(plain)) > 1:
        yield "AND is drawn as a word: prompts are not composed yet"
    if pipeline not in _EDITED and len(schedules(plain, steps=100)) > 1:
        yield "prompt editing ([from:to:when], [a|b]) is not drawn by this family: its text stands in every step"
