"""Samplers by AUTOMATIC1111's names, as diffusers' schedulers. The checkpoint's own noise schedule is kept.

A name may end in a schedule type (`DPM++ 2M Karras`); without one, the type that AUTOMATIC1111 1.9 and later take
for "Automatic" is used, so that a picture's infotext means the same there.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field

from hubsync.errors import UsageError


@dataclass(frozen=True, slots=True)
class _Entry:
    scheduler: str
    options: Mapping[str, object] = field(default_factory=dict)
    schedule: str = ""
    sigmas: bool = True


_MULTISTEP = "DPMSolverMultistepScheduler"
_SDE = {"algorithm_type": "sde-dpmsolver++"}
_TABLE = {
    "DDIM": _Entry("DDIMScheduler", sigmas=False),
    "DDPM": _Entry("DDPMScheduler", sigmas=False),
    "DPM++ 2M": _Entry(_MULTISTEP, {"algorithm_type": "dpmsolver++"}, "Karras"),
    "DPM++ 2M SDE": _Entry(_MULTISTEP, _SDE, "Exponential"),
    "DPM++ 2M SDE Heun": _Entry(_MULTISTEP, {**_SDE, "solver_type": "heun"}, "Exponential"),
    "DPM++ 3M SDE": _Entry(_MULTISTEP, {**_SDE, "solver_order": 3}, "Exponential"),
    "DPM++ SDE": _Entry("DPMSolverSinglestepScheduler", _SDE, "Karras"),
    "DPM2": _Entry("KDPM2DiscreteScheduler", {}, "Karras"),
    "DPM2 a": _Entry("KDPM2AncestralDiscreteScheduler", {}, "Karras"),
    "Euler": _Entry("EulerDiscreteScheduler"),
    "Euler a": _Entry("EulerAncestralDiscreteScheduler", sigmas=False),
    "Heun": _Entry("HeunDiscreteScheduler"),
    "LCM": _Entry("LCMScheduler", sigmas=False),
    "PLMS": _Entry("PNDMScheduler", {"skip_prk_steps": True}, sigmas=False),
    "UniPC": _Entry("UniPCMultistepScheduler"),
}
_SCHEDULES = {"Karras": "use_karras_sigmas", "Exponential": "use_exponential_sigmas"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampler:
    """A sampler to use: AUTOMATIC1111's two names, diffusers' class and the options it is made with."""

    name: str
    schedule: str
    scheduler: str
    options: Mapping[str, object]


def find_sampler(text: str) -> Sampler:
    """The sampler of that name, in any case, with or without a schedule type.

    Raises:
        UsageError: no such sampler, or it has no such schedule type.
    """
    name, schedule = _split(text.strip())
    entry = _TABLE.get(name)
    if entry is None or (schedule and not entry.sigmas):
        near = difflib.get_close_matches(text, _TABLE, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(_TABLE)}"
        raise UsageError(f"there is no sampler '{text}'", hint=hint)
    schedule = schedule or entry.schedule
    spacing = {option: key == schedule for key, option in _SCHEDULES.items()} if entry.sigmas else {}
    return Sampler(name=name, schedule=schedule, scheduler=entry.scheduler, options={**entry.options, **spacing})


def name_of(scheduler: str) -> str:
    """AUTOMATIC1111's name for a checkpoint's own scheduler class; the class itself where it has none."""
    return next((name for name, entry in _TABLE.items() if entry.scheduler == scheduler), scheduler)


def _split(text: str) -> tuple[str, str]:
    """A name in the table's spelling, and the schedule type at its end."""
    spelling = {name.casefold(): name for name in _TABLE}
    schedule = next((kind for kind in _SCHEDULES if text.casefold().endswith(f" {kind.casefold()}")), "")
    bare = text[: -len(schedule)].strip() if schedule else text
    return spelling.get(bare.casefold(), bare), schedule
