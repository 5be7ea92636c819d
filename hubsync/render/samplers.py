"""Samplers by AUTOMATIC1111's names, as diffusers' schedulers. The checkpoint's own noise schedule is kept.

A name may end in a schedule type (`DPM++ 2M Karras`); without one, or with `Automatic`, the type that AUTOMATIC1111 1.9
and later take by themselves is used, so that a picture's infotext means the same there. A name of theirs whose steps no
scheduler of diffusers takes is refused with the nearest that can be had, never drawn as another.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

from hubsync.errors import UsageError

Options: TypeAlias = Mapping[str, object]

_NONE: Options = MappingProxyType({})
_LINEAR: Options = MappingProxyType({"timestep_spacing": "linspace"})
_TRAILING: Options = MappingProxyType({"timestep_spacing": "trailing"})
_SIGMAS: Mapping[str, Options] = {
    "Karras": {"use_karras_sigmas": True, "use_exponential_sigmas": False},
    "Exponential": {"use_karras_sigmas": False, "use_exponential_sigmas": True},
}
_EVEN = {"use_karras_sigmas": False, "use_exponential_sigmas": False}
# k-diffusion spaces steps evenly over all 1000 ("Uniform", which "Normal" equals); SGM and "Simple" leave out the last.
_SPACED: Mapping[str, Options] = {"Uniform": _LINEAR, "Normal": _LINEAR, "SGM Uniform": _TRAILING, "Simple": _TRAILING}
_ALL = {**_SIGMAS, **{name: {**_EVEN, **options} for name, options in _SPACED.items()}}
# diffusers' DPM-Solver never steps to the last timestep: its only even spacing is that of SGM.
_SOLVER = {name: options for name, options in _ALL.items() if name not in {"Uniform", "Normal"}}
_SINGLE = {**_SIGMAS, "SGM Uniform": _EVEN, "Simple": _EVEN}


@dataclass(frozen=True, slots=True)
class _Entry:
    """A scheduler, its options, the schedule type it takes by itself, and the options of each type it has."""

    scheduler: str
    options: Options = field(default_factory=dict)
    schedule: str = ""
    schedules: Mapping[str, Options] = field(default_factory=dict)


_MULTISTEP = "DPMSolverMultistepScheduler"
_SDE = {"algorithm_type": "sde-dpmsolver++"}
_EVENLY = {**_LINEAR, **_EVEN}
_TABLE = {
    "DDIM": _Entry("DDIMScheduler"),
    "DDPM": _Entry("DDPMScheduler"),
    "DPM++ 2M": _Entry(_MULTISTEP, {"algorithm_type": "dpmsolver++"}, "Karras", _SOLVER),
    "DPM++ 2M SDE": _Entry(_MULTISTEP, _SDE, "Exponential", _SOLVER),
    "DPM++ 2M SDE Heun": _Entry(_MULTISTEP, {**_SDE, "solver_type": "heun"}, "Exponential", _SOLVER),
    "DPM++ 3M SDE": _Entry(_MULTISTEP, {**_SDE, "solver_order": 3}, "Exponential", _SOLVER),
    "DPM++ SDE": _Entry("DPMSolverSinglestepScheduler", _SDE, "Karras", _SINGLE),
    "DPM2": _Entry("KDPM2DiscreteScheduler", _EVENLY, "Karras", _ALL),
    "DPM2 a": _Entry("KDPM2AncestralDiscreteScheduler", _EVENLY, "Karras", _ALL),
    "Euler": _Entry("EulerDiscreteScheduler", _EVENLY, "", _ALL),
    "Euler a": _Entry("EulerAncestralDiscreteScheduler", _LINEAR, "", _SPACED),
    "Heun": _Entry("HeunDiscreteScheduler", _EVENLY, "", _ALL),
    "LCM": _Entry("LCMScheduler"),
    "PLMS": _Entry("PNDMScheduler", {"skip_prk_steps": True}),
    "UniPC": _Entry("UniPCMultistepScheduler", _EVEN, "", _SIGMAS),
}
_NEAREST = {
    "DPM++ 2S a": "DPM++ SDE",
    "DPM adaptive": "DPM++ 2M",
    "DPM fast": "DPM++ 2M",
    "DDIM CFG++": "DDIM",
    "LMS": "Euler",
    "Restart": "Heun",
}
"""Samplers of AUTOMATIC1111 that hubsync does not draw with, and the nearest it does.

diffusers has none of them but LMS, whose integrals want SciPy, which nothing else here does.
"""
_OTHER_SCHEDULES = {
    "Polyexponential": "Exponential",
    "KL Optimal": "Karras",
    "Align Your Steps": "Karras",
    "Beta": "SGM Uniform",
    "DDIM": "SGM Uniform",
}
"""The same of schedule types. diffusers' Beta spaces noise levels where AUTOMATIC1111's spaces steps."""

_AUTOMATIC = "Automatic"
_ENDINGS = sorted((_AUTOMATIC, *_ALL, *_OTHER_SCHEDULES), key=len, reverse=True)
"""Every schedule type; "SGM Uniform" is looked for before "Uniform"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampler:
    """A sampler to use: AUTOMATIC1111's two names, diffusers' class and the options it is made with."""

    name: str
    schedule: str
    scheduler: str
    options: Options


def find_sampler(text: str) -> Sampler:
    """The sampler of that name, in any case, with or without a schedule type.

    Raises:
        UsageError: no such sampler, or it has no such schedule type; the hint names the nearest.
    """
    name, schedule = _split(text.strip())
    if nearest := _NEAREST.get(name):
        raise UsageError(f"hubsync cannot draw with the sampler '{name}'", hint=f"the nearest is '{nearest}'")
    entry = _TABLE.get(name)
    if entry is None:
        near = difflib.get_close_matches(text, _TABLE, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"known: {', '.join(_TABLE)}"
        raise UsageError(f"there is no sampler '{text}'", hint=hint)
    schedule = entry.schedule if schedule in {"", _AUTOMATIC} else schedule
    if schedule and schedule not in entry.schedules:
        raise UsageError(f"'{name}' cannot be drawn with the schedule type {schedule}", hint=_instead(entry, schedule))
    options = {**entry.options, **entry.schedules.get(schedule, _NONE)}
    return Sampler(name=name, schedule=schedule, scheduler=entry.scheduler, options=options)


def sampler_names() -> tuple[str, ...]:
    """Every sampler there is, without schedule types."""
    return tuple(_TABLE)


def name_in_full(name: str, schedule: str) -> str:
    """What to ask for to get a sampler with a schedule type, left out where the sampler takes it by itself."""
    entry = _TABLE.get(name)
    return f"{name} {schedule}" if entry and schedule and schedule != entry.schedule else name


def name_of(scheduler: str) -> str:
    """AUTOMATIC1111's name for a checkpoint's own scheduler class; the class itself where it has none."""
    return next((name for name, entry in _TABLE.items() if entry.scheduler == scheduler), scheduler)


def _split(text: str) -> tuple[str, str]:
    """A name in AUTOMATIC1111's spelling, and the schedule type at its end."""
    spelling = {name.casefold(): name for name in (*_TABLE, *_NEAREST)}
    if known := spelling.get(text.casefold()):
        return known, ""
    schedule = next((kind for kind in _ENDINGS if text.casefold().endswith(f" {kind.casefold()}")), "")
    bare = text[: -len(schedule)].strip() if schedule else text
    return spelling.get(bare.casefold(), bare), schedule


def _instead(entry: _Entry, schedule: str) -> str:
    """What to take for a schedule type a sampler has not."""
    if not entry.schedules:
        return "it has its own: leave the schedule type out"
    nearest = _OTHER_SCHEDULES.get(schedule, "")
    known = f"it has {', '.join(entry.schedules)}"
    return f"the nearest is {nearest}; {known}" if nearest in entry.schedules else known
