"""Settings for people: what is listed, what is stored, and what is doubted about checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from hubsync import config
from hubsync.config import Settings
from hubsync.errors import BadConfig
from hubsync.refs import Source
from hubsync.roots import find_root
from hubsync.sandbox.playground import CHECKPOINT
from hubsync.services.doctor import DoctorService
from hubsync.services.settings import Kind, doubt, listed, store, unset


@pytest.fixture
def environ(tmp_path: Path) -> Mapping[str, str]:
    """A configuration file that is not there yet."""
    return {"HUBSYNC_CONFIG": str(tmp_path / "hubsync.toml")}


def test_every_key_is_listed_with_what_it_is_for(environ: Mapping[str, str]) -> None:
    """Kind, choices in the order of the code, default and origin; of a secret only whether it is set."""
    config.write("civitai.api_key", "secret", environ=environ)
    environ = {**environ, "HUBSYNC_SEARCH__NSFW": "x"}
    found = {one.key: one for one in listed(config.load(environ=environ), environ=environ)}
    assert set(found) == set(config.known_keys())
    assert all(one.about for one in found.values())
    nsfw, key, previews = found["search.nsfw"], found["civitai.api_key"], found["install.previews"]
    assert (nsfw.kind, nsfw.choices, nsfw.origin) == (Kind.CHOICE, ("none", "soft", "mature", "x"), "environment")
    assert (nsfw.value, nsfw.default) == ("x", "soft")
    assert (key.kind, key.value, key.origin) == (Kind.HIDDEN, "set", "file")
    assert (previews.kind, previews.value, previews.origin) == (Kind.SWITCH, "true", "default")


def test_what_is_stored_is_checked_first(environ: Mapping[str, str]) -> None:
    """A value out of range and a hub by plain http leave the file as it was; an environment variable is mentioned."""
    for key, value in (("search.limit", "1000"), ("civitai.url", "http://civitai.com"), ("serach.limit", "3")):
        with pytest.raises(BadConfig):
            store(key, value, settings=Settings, environ=environ)
    assert not config.config_path(environ).exists()
    stored = store("search.limit", " 7 ", settings=Settings, environ={**environ, "HUBSYNC_SEARCH__LIMIT": "9"})
    assert stored.overruled
    assert "comes first" in stored.notes[0]
    assert config.load(environ=environ).search.limit == 7


def test_a_default_gives_way_to_the_environment(environ: Mapping[str, str]) -> None:
    """A key that is taken out comes from the default, unless a variable sets it, which is mentioned."""
    store("search.limit", "7", settings=Settings, environ=environ)
    stored = unset("search.limit", environ=environ)
    assert (stored.unset, stored.overruled, stored.notes) == (True, False, ())
    found = {one.key: one for one in listed(config.load(environ=environ), environ=environ)}["search.limit"]
    assert (found.value, found.origin) == ("20", "default")
    assert unset("search.limit", environ={**environ, "HUBSYNC_SEARCH__LIMIT": "9"}).overruled


@pytest.mark.parametrize(
    ("family", "checkpoint", "reason"),
    [
        ("sd1", str(CHECKPOINT), ""),
        ("sdxl", "stabilityai/stable-diffusion-xl-base-1.0", ""),
        ("sd1", "/nowhere/model.safetensors", "there is nothing at /nowhere/model.safetensors"),
        ("sd1", str(CHECKPOINT.parent), "no model_index.json"),
        ("sd1", "black-forest-labs/FLUX.1-dev", "of the family flux1, not sd1"),
    ],
)
def test_doubts_about_a_checkpoint(family: str, checkpoint: str, reason: str) -> None:
    """Nothing at a path, a folder that is no checkpoint, another family."""
    found = doubt(family, checkpoint)
    assert reason in found
    assert bool(found) is bool(reason)


def test_first_steps_ask_no_hub(tmp_path: Path) -> None:
    """Library, key, renderer, device and checkpoints are looked at without a connection."""

    def no_hub(_: Source) -> object:
        raise AssertionError

    doctor = DoctorService(
        settings=Settings(),
        root=find_root(Settings(root=str(tmp_path)), cwd=tmp_path, home=tmp_path),
        hub=no_hub,  # type: ignore[arg-type]
        has_token=lambda _: False,
        renderer=("no-such-interpreter",),
    )
    steps = {step.name: step for step in doctor.first_steps()}
    assert list(steps) == ["library", "civitai key", "renderer", "device", "checkpoints"]
    assert [name for name, step in steps.items() if step.status == "ok"][:1] == ["library"]
    assert all(steps[name].hint for name in ("civitai key", "renderer", "checkpoints"))
    assert {check.name for check in doctor.local()} > {"python", "configuration"}
