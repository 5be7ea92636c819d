"""Samplers by AUTOMATIC1111's names."""

from __future__ import annotations

import pytest

from hubsync.errors import UsageError
from hubsync.render.samplers import find_sampler, name_of


@pytest.mark.parametrize(
    ("text", "name", "schedule", "scheduler"),
    [
        ("DPM++ 2M", "DPM++ 2M", "Karras", "DPMSolverMultistepScheduler"),
        ("dpm++ 2m sde", "DPM++ 2M SDE", "Exponential", "DPMSolverMultistepScheduler"),
        ("DPM++ 2M Exponential", "DPM++ 2M", "Exponential", "DPMSolverMultistepScheduler"),
        ("DPM++ SDE karras", "DPM++ SDE", "Karras", "DPMSolverSinglestepScheduler"),
        (" Euler a ", "Euler a", "", "EulerAncestralDiscreteScheduler"),
        ("Euler Karras", "Euler", "Karras", "EulerDiscreteScheduler"),
        ("DDIM", "DDIM", "", "DDIMScheduler"),
    ],
)
def test_names_are_found_in_any_case(text: str, name: str, schedule: str, scheduler: str) -> None:
    """The schedule type is the one asked for, else AUTOMATIC1111's automatic one."""
    found = find_sampler(text)
    assert (found.name, found.schedule, found.scheduler) == (name, schedule, scheduler)


def test_the_schedule_type_becomes_one_option() -> None:
    """Exactly one kind of spacing is on, so that a checkpoint's own setting cannot join it."""
    assert {name: value for name, value in find_sampler("DPM++ 2M").options.items() if "sigmas" in name} == {
        "use_karras_sigmas": True,
        "use_exponential_sigmas": False,
    }


@pytest.mark.parametrize(("text", "hint"), [("DPM++ 2N", "did you mean 'DPM++ 2M'?"), ("zzz", "known: DDIM, ")])
def test_an_unknown_name_gets_a_hint(text: str, hint: str) -> None:
    """The nearest name is offered, or all of them."""
    with pytest.raises(UsageError, match="there is no sampler") as caught:
        find_sampler(text)
    assert caught.value.hint.startswith(hint)


def test_a_schedule_type_the_sampler_has_not_is_refused() -> None:
    """Euler a draws its own noise and knows no Karras spacing."""
    with pytest.raises(UsageError, match="Euler a Karras"):
        find_sampler("Euler a Karras")


@pytest.mark.parametrize(
    ("scheduler", "name"),
    [("PNDMScheduler", "PLMS"), ("EulerDiscreteScheduler", "Euler"), ("OddScheduler", "OddScheduler")],
)
def test_a_checkpoints_own_scheduler_has_a_name(scheduler: str, name: str) -> None:
    """AUTOMATIC1111's where it has one, else the class."""
    assert name_of(scheduler) == name
