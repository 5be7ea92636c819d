"""Settings and where they come from."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path

import pytest

from hubsync import config
from hubsync.errors import BadConfig
from hubsync.families import load_families


def _load(tmp_path: Path, text: str = "", **environ: str) -> config.Settings:
    path = tmp_path / "hubsync.toml"
    path.write_text(text)
    return config.load(environ={"HUBSYNC_CONFIG": str(path), **environ})


def test_shipped_file_states_the_defaults() -> None:
    """config/hubsync.toml names every key with the very default the code has."""
    shipped = tomllib.loads(config.shipped("hubsync.toml").read_text("utf-8"))
    assert config.flatten(config.build(shipped | {})) == config.flatten(config.Settings())
    assert set(_keys(shipped)) == set(config.flatten(config.Settings()))


def _keys(table: dict[str, object], prefix: str = "") -> list[str]:
    keys: list[str] = []
    for name, value in table.items():
        keys += _keys(value, f"{prefix}{name}.") if isinstance(value, dict) else [f"{prefix}{name}"]
    return keys


def test_families_of_the_contract_and_of_the_table_agree() -> None:
    """Every family but `other` has an entry in config/families.toml."""
    assert set(load_families().table) == set(config.FAMILIES) - {"other"}


def test_environment_beats_the_file_and_options_beat_both(tmp_path: Path) -> None:
    """Defaults < file < environment < typed options."""
    text = "[search]\nlimit = 5\nnsfw = 'none'\n[install]\njobs = 2\n"
    path = tmp_path / "hubsync.toml"
    path.write_text(text)
    environ = {"HUBSYNC_CONFIG": str(path), "HUBSYNC_SEARCH__LIMIT": "6", "HUBSYNC_SEARCH__NSFW": "x"}
    settings = config.load(environ=environ, options={"search.limit": "7"})
    assert (settings.search.limit, settings.search.nsfw, settings.install.jobs) == (7, "x", 2)


def test_first_civitai_key_wins_and_is_stripped(tmp_path: Path) -> None:
    """Of the three names the first set wins; a pasted newline would break every request."""
    settings = _load(tmp_path, CIVITAI_API_TOKEN="two", CIVITAI_API_KEY=" one\n")
    assert settings.civitai.api_key == "one"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[serach]\nlimit = 3", "serach.limit", "search.limit"),
        ("[search]\nlimit = 0", "limit", "config list"),
        ("[search]\nnsfw = 'everything'", "nsfw", "config list"),
        ("[search", "not valid TOML", "edit"),
        ("[civitai]\nurl = 'http://civitai.com'", "not an https address", "this machine"),
    ],
)
def test_wrong_settings_are_refused_with_a_hint(tmp_path: Path, text: str, message: str, hint: str) -> None:
    """An unknown key gets the nearest name; a value out of range, broken TOML and plain http are refused."""
    with pytest.raises(BadConfig) as caught:
        _load(tmp_path, text)
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_plain_http_is_fine_on_this_machine(tmp_path: Path) -> None:
    """A loopback hub needs no TLS."""
    assert _load(tmp_path, HUBSYNC_CIVITAI_URL="http://127.0.0.1:8000").civitai.url == "http://127.0.0.1:8000"


def test_writing_keeps_comments_and_hides_the_file(tmp_path: Path) -> None:
    """`config set` edits one line of the user's file and lets nobody else read it."""
    path = tmp_path / "hubsync.toml"
    path.write_text("# mine\n[civitai]  # hub\nurl = 'https://civitai.red'\n")
    environ = {"HUBSYNC_CONFIG": str(path)}
    config.write("civitai.api_key", "secret", environ=environ)
    config.write("search.limit", "7", environ=environ)
    config.write("checkpoint.sd1", "/models/x.safetensors", environ=environ)
    settings = config.load(environ=environ)
    assert path.read_text().startswith("# mine\n[civitai]  # hub\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (settings.civitai.api_key, settings.search.limit) == ("secret", 7)
    assert settings.checkpoint == {"sd1": "/models/x.safetensors"}


def test_writing_an_unknown_family_is_refused(tmp_path: Path) -> None:
    """A checkpoint goes to a family that exists."""
    with pytest.raises(BadConfig, match="sd99"):
        config.write("checkpoint.sd99", "x", environ={"HUBSYNC_CONFIG": str(tmp_path / "c.toml")})


def test_a_key_is_taken_out(tmp_path: Path) -> None:
    """Its default counts again, an action's own key too; comments stay, and no file comes into being for it."""
    path = tmp_path / "hubsync.toml"
    environ = {"HUBSYNC_CONFIG": str(path)}
    config.unset("search.limit", environ=environ)
    assert not path.exists()
    path.write_text("# mine\n[search]  # hubs\nlimit = 7\nnsfw = 'x'\n[keys]\n'app.library' = 'f8'\n")
    for key in ("search.limit", "keys.app.library", "root"):
        config.unset(key, environ=environ)
    settings = config.load(environ=environ)
    assert (settings.search.limit, settings.search.nsfw, settings.keys) == (20, "x", {})
    assert path.read_text().startswith("# mine\n[search]  # hubs\nnsfw")
    with pytest.raises(BadConfig, match="serach"):
        config.unset("serach.limit", environ=environ)


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("install.jobs", "0", "a whole number from 1 to 16"),
        ("install.jobs", "many", "a whole number from 1 to 16"),
        ("render.seed", "-1", "a whole number from 0 to 4294967295"),
        ("network.timeout", "0", "a number above 0"),
        ("render.cfg", "-1", "a number of 0 or more"),
        ("search.nsfw", "everything", "none, soft, mature or x"),
        ("install.previews", "maybe", "true or false"),
        ("prompt.default_weight", "heavy", "a number"),
    ],
)
def test_what_a_key_wants_is_said_in_words(key: str, value: str, wanted: str) -> None:
    """Nobody who types a value reads a path into a data structure."""
    with pytest.raises(BadConfig) as caught:
        config.build({key: value}, where=key)
    assert caught.value.message == f"{key} wants {wanted}"
