"""Samplers and schedule types as diffusers' own schedulers, beside AUTOMATIC1111's formulas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from hubsync.render.samplers import _TABLE, find_sampler

np = pytest.importorskip("numpy")
diffusers = pytest.importorskip("diffusers")
pytestmark = pytest.mark.filterwarnings(r"ignore:__array_(_|wrap__):DeprecationWarning")  # torch's arrays in diffusers

Levels: TypeAlias = Any
"""Noise levels, an array of floats."""


STEPS = 20
BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "timestep_spacing": "leading"}
"""What the Stable Diffusion checkpoints say of their noise, spacing included, which AUTOMATIC1111 does not look at."""

EXPECTED: dict[str, Callable[[Levels], Levels]] = {
    # k_diffusion/sampling.py and external.py, and AUTOMATIC1111's sd_schedulers.py; levels are those of all 1000 steps.
    "Uniform": lambda levels: _at(levels, np.linspace(999, 0, STEPS)),
    "Normal": lambda levels: _at(levels, np.linspace(999, 0, STEPS)),
    "SGM Uniform": lambda levels: _at(levels, np.linspace(999, 0, STEPS + 1)[:-1]),
    "Simple": lambda levels: levels[[-(1 + int(step * 1000 / STEPS)) for step in range(STEPS)]],
    "Karras": lambda levels: (
        (levels[-1] ** (1 / 7) + np.linspace(0, 1, STEPS) * (levels[0] ** (1 / 7) - levels[-1] ** (1 / 7))) ** 7
    ),
    "Exponential": lambda levels: np.exp(np.linspace(np.log(levels[-1]), np.log(levels[0]), STEPS)),
}


def _at(levels: Levels, times: Levels) -> Levels:
    return np.exp(np.interp(times, np.arange(1000), np.log(levels)))


@pytest.mark.parametrize("name", [f"{name} {kind}" for name, entry in _TABLE.items() for kind in entry.schedules])
def test_every_schedule_type_spaces_noise_as_automatic1111_does(name: str) -> None:
    """The scheduler diffusers makes of it takes the noise levels of AUTOMATIC1111's formula, but for rounded steps."""
    sampler = find_sampler(name)
    scheduler = getattr(diffusers, sampler.scheduler).from_config(BETAS, **sampler.options)
    scheduler.set_timesteps(STEPS)
    products = np.cumprod(1 - np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2)
    expected = EXPECTED[sampler.schedule](((1 - products) / products) ** 0.5)
    # Schedulers of second order go through every level but the first twice; the last is no noise at all.
    levels = list(dict.fromkeys(scheduler.sigmas.tolist()))
    assert levels[-1] == 0
    assert levels[:-1] == pytest.approx(list(expected), rel=0.02)


@pytest.mark.parametrize("name", _TABLE)
def test_every_sampler_can_be_made(name: str) -> None:
    """diffusers has the class and knows each option, so that none is passed over in silence."""
    sampler = find_sampler(name)
    scheduler = getattr(diffusers, sampler.scheduler).from_config(BETAS, **sampler.options)
    scheduler.set_timesteps(STEPS)
    assert len(scheduler.timesteps) >= STEPS
    assert {key: scheduler.config[key] for key in sampler.options} == dict(sampler.options)
