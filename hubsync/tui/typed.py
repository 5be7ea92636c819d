"""What was typed into the form of a test, read: options for the renderer, or what is wrong with which field."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hubsync.errors import HubsyncError, Refused, UsageError
from hubsync.render.plan import RenderOptions
from hubsync.render.samplers import find_sampler
from hubsync.services.triggers import Wish
from hubsync.tui.drafts import Trial
from hubsync.tui.jobs import told
from hubsync.tui.text import number

TOGETHER = "all in one picture"
"""What is chosen to test the LoRAs as one."""

_MOST_STEPS = 500
_CELL = 8  # sides of a picture are multiples of this: one cell of the autoencoder


def read(test: Trial) -> tuple[Sequence[Wish], RenderOptions, Mapping[str, str]]:
    """The LoRAs of a test, its options, and a sentence for each field that cannot be read.

    Weights that were typed are those of all LoRAs. The disk is asked whether a checkpoint is there.
    """
    found: dict[str, Any] = {"prompt": test.prompt, "negative": test.typed.get("negative", "").strip()}
    errors: dict[str, str] = {}
    for name, parse in _PARSERS.items():
        if text := test.typed.get(name, "").strip():
            try:
                found[name] = parse(text)
            except UsageError as error:
                errors[name] = told(error)
    options = RenderOptions(**found)
    if not options.weights:
        return test.wishes, options, errors
    return [replace(wish, weight=None) for wish in {one.name: one for one in test.wishes}.values()], options, errors


def fill(test: Trial, wishes: Sequence[Wish], options: RenderOptions) -> None:
    """Put an earlier test into the form."""
    test.take(wishes)
    test.prompt = options.prompt
    texts = {
        "together": TOGETHER if options.together else "",
        "weights": ", ".join(map(number, options.weights)),
        "seeds": ", ".join(map(str, options.seeds)),
        "negative": options.negative,
        "steps": str(options.steps or ""),
        "cfg": number(options.cfg),
        "size": "{}x{}".format(*options.size) if options.size else "",
        "sampler": options.sampler or "",
        "checkpoint": options.checkpoint or "",
    }
    test.typed = {name: text for name, text in texts.items() if text}


def field_of(error: HubsyncError) -> str:
    """The field at which a plan's error is told: LoRAs that do not fit or are not there; "" is the whole form."""
    return "loras" if isinstance(error, Refused) else ""


def _weights(text: str) -> tuple[float, ...]:
    return tuple(_number(part, "weights are numbers, such as -1, -0.5, 0, 0.5, 1") for part in _parts(text))


def _seeds(text: str) -> tuple[int, ...]:
    seeds = [_whole(part, "seeds are whole numbers, such as 1, 2, 3") for part in _parts(text)]
    if any(seed >= 1 << 63 for seed in seeds):
        raise UsageError("a seed is at most 9223372036854775807")
    return tuple(seeds)


def _steps(text: str) -> int:
    wanted = f"steps are a whole number, 1 to {_MOST_STEPS}"
    steps = _whole(text, wanted)
    if not 1 <= steps <= _MOST_STEPS:
        raise UsageError(wanted)
    return steps


def _cfg(text: str) -> float:
    return _number(text, "guidance is a number, such as 7 or 4.5")


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([0-9]{1,5})\s*[xX×]\s*([0-9]{1,5})", text)  # noqa: RUF001  (the sign for sizes)
    sides = (int(match[1]), int(match[2])) if match else (0, 0)
    if any(side == 0 or side % _CELL for side in sides):
        raise UsageError(f"a size is two multiples of {_CELL}, such as 512x768")
    return sides


def _sampler(text: str) -> str:
    find_sampler(text)
    return text


def _checkpoint(text: str) -> str:
    path = Path(text).expanduser()
    if not path.exists() and (path.is_absolute() or text.startswith((".", "~")) or text.endswith(".safetensors")):
        raise UsageError("there is no such file or folder")
    return text


def _parts(text: str) -> list[str]:
    return [part for part in re.split(r"[,\s]+", text) if part]


def _number(text: str, wanted: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise UsageError(wanted) from error
    if not math.isfinite(value):
        raise UsageError(wanted)
    return value


def _whole(text: str, wanted: str) -> int:
    if not re.fullmatch(r"[0-9]{1,20}", text):
        raise UsageError(wanted)
    return int(text)


_PARSERS: Mapping[str, Callable[[str], object]] = {
    "together": bool,
    "weights": _weights,
    "seeds": _seeds,
    "steps": _steps,
    "cfg": _cfg,
    "size": _size,
    "sampler": _sampler,
    "checkpoint": _checkpoint,
}
