"""Samplers by AUTOMATIC1111's names."""

from __future__ import annotations

import pytest

from hubsync.errors import UsageError
from hubsync.render.samplers import find_sampler, name_in_full, name_of


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
        ("DPM++ 2M SDE Heun SGM uniform", "DPM++ 2M SDE Heun", "SGM Uniform", "DPMSolverMultistepScheduler"),
        ("DPM++ 2M Automatic", "DPM++ 2M", "Karras", "DPMSolverMultistepScheduler"),
        ("euler uniform", "Euler", "Uniform", "EulerDiscreteScheduler"),
    ],
)
def test_names_are_found_in_any_case(text: str, name: str, schedule: str, scheduler: str) -> None:
    """The schedule type is the one asked for, else AUTOMATIC1111's automatic one."""
    found = find_sampler(text)
    assert (found.name, found.schedule, found.scheduler) == (name, schedule, scheduler)


@pytest.mark.parametrize(
    ("name", "schedule", "full"),
    [
        ("DPM++ 2M", "Karras", "DPM++ 2M"),
        ("DPM++ 2M", "SGM Uniform", "DPM++ 2M SGM Uniform"),
        ("Euler", "", "Euler"),
        ("FancyScheduler", "Karras", "FancyScheduler"),
    ],
)
def test_a_name_says_what_a_sampler_does_not_do_by_itself(name: str, schedule: str, full: str) -> None:
    """The schedule type, where there is another; what hubsync does not know keeps its name."""
    assert name_in_full(name, schedule) == full


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


@pytest.mark.parametrize(
    ("text", "complaint", "hint"),
    [
        ("DPM++ 2S a", "cannot draw with the sampler 'DPM++ 2S a'", "the nearest is 'DPM++ SDE'"),
        ("dpm++ 2s a karras", "cannot draw with the sampler 'DPM++ 2S a'", "the nearest is 'DPM++ SDE'"),
        ("DPM adaptive", "'DPM adaptive'", "the nearest is 'DPM++ 2M'"),
        ("LMS Karras", "'LMS'", "the nearest is 'Euler'"),
        ("Restart", "'Restart'", "the nearest is 'Heun'"),
        ("Euler a Karras", "'Euler a' cannot be drawn with the schedule type Karras", "it has Uniform, Normal, SGM"),
        ("DPM++ 2M Beta", "'DPM++ 2M' cannot be drawn with the schedule type Beta", "the nearest is SGM Uniform; it"),
        ("DPM++ 2M Normal", "'DPM++ 2M' cannot be drawn with the schedule type Normal", "it has Karras, "),
        ("Euler Align Your Steps", "the schedule type Align Your Steps", "the nearest is Karras; "),
        ("DDIM Karras", "'DDIM' cannot be drawn with the schedule type Karras", "it has its own"),
    ],
)
def test_what_has_no_equal_is_refused(text: str, complaint: str, hint: str) -> None:
    """What diffusers lacks of AUTOMATIC1111's samplers and schedule types is never drawn as another: it is told."""
    with pytest.raises(UsageError) as caught:
        find_sampler(text)
    assert complaint in caught.value.message
    assert caught.value.hint.startswith(hint)


@pytest.mark.parametrize(
    ("scheduler", "name"),
    [("PNDMScheduler", "PLMS"), ("EulerDiscreteScheduler", "Euler"), ("OddScheduler", "OddScheduler")],
)
def test_a_checkpoints_own_scheduler_has_a_name(scheduler: str, name: str) -> None:
    """AUTOMATIC1111's where it has one, else the class."""
    assert name_of(scheduler) == name
