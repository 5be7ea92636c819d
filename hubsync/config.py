"""Settings: defaults < configuration file < environment < typed options; an unknown key is refused."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct, field

from hubsync.domain import DEFAULT_WEIGHT
from hubsync.errors import BadConfig

# fmt: off
FAMILIES = (
    "sd1", "sd2", "sdxl", "sd3", "flux1", "flux2", "chroma", "pixart", "hunyuan_dit", "hunyuan_video", "wan", "ltx",
    "cogvideox", "qwen_image", "z_image", "lumina2", "auraflow", "sana", "hidream", "kolors", "cascade", "krea2",
    "anima", "other",
)
# fmt: on
"""Base-model families by the names of the command-line contract."""

SECRET_KEYS = frozenset({"civitai.api_key", "huggingface.token"})

_ADDRESSES = ("civitai.url", "huggingface.endpoint")

_ALIASES = {
    "civitai.url": ("HUBSYNC_CIVITAI_URL",),
    "civitai.api_key": ("CIVITAI_API_KEY", "CIVITAI_API_TOKEN", "CIVITAI_TOKEN"),
    "huggingface.endpoint": ("HF_ENDPOINT",),
    "huggingface.token": ("HF_TOKEN",),
}


class Civitai(Struct, frozen=True, kw_only=True):
    """How Civitai is reached."""

    url: str = "https://civitai.com"
    api_key: str = ""


class HuggingFace(Struct, frozen=True, kw_only=True):
    """How Hugging Face is reached."""

    endpoint: str = "https://huggingface.co"
    token: str = ""


class Network(Struct, frozen=True, kw_only=True):
    """`timeout` and `patience` in seconds; `retries` beyond the first try; `connections` for all downloads together."""

    timeout: Annotated[float, Meta(gt=0)] = 20.0
    patience: Annotated[float, Meta(gt=0)] = 10.0
    retries: Annotated[int, Meta(ge=0, le=20)] = 3
    connections: Annotated[int, Meta(ge=1, le=64)] = 16


class Search(Struct, frozen=True, kw_only=True):
    """What a search shows unless asked otherwise."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    nsfw: Literal["none", "soft", "mature", "x"] = "soft"


class Install(Struct, frozen=True, kw_only=True):
    """How LoRAs are installed."""

    jobs: Annotated[int, Meta(ge=1, le=16)] = 8
    previews: bool = True
    folders: str = ""


class Library(Struct, frozen=True, kw_only=True):
    """What hubsync writes beside LoRAs."""

    sidecars: bool = True


class Prompt(Struct, frozen=True, kw_only=True):
    """How trigger words enter a prompt."""

    placement: Literal["start", "end"] = "end"
    default_weight: float = DEFAULT_WEIGHT


class Render(Struct, frozen=True, kw_only=True):
    """Where and how test renders run; an empty prompt, steps and cfg 0: the family's own; `timeout` and `idle` in s."""

    device: str = "auto"
    python: str = ""
    prompt: str = ""
    steps: Annotated[int, Meta(ge=0, le=500)] = 0
    cfg: Annotated[float, Meta(ge=0)] = 0.0
    seed: Annotated[int, Meta(ge=0, lt=2**32)] = 1
    timeout: Annotated[float, Meta(gt=0)] = 3600.0
    idle: Annotated[float, Meta(ge=0, le=86_400)] = 300.0


class Ui(Struct, frozen=True, kw_only=True):
    """How the TUI looks."""

    theme: str = "textual-dark"
    images: Literal["auto", "halfcell", "off"] = "auto"


class Settings(Struct, frozen=True, kw_only=True):
    """Every setting; `config/hubsync.toml` says one line on each."""

    root: str = ""
    lora_dir: str = ""
    civitai: Civitai = Civitai()
    huggingface: HuggingFace = HuggingFace()
    network: Network = Network()
    search: Search = Search()
    install: Install = Install()
    library: Library = Library()
    prompt: Prompt = Prompt()
    render: Render = Render()
    checkpoint: dict[str, str] = field(default_factory=dict)
    ui: Ui = Ui()
    keys: dict[str, str] = field(default_factory=dict)


def flatten(settings: Settings) -> dict[str, Any]:
    """Every key with its value, `a.b` style."""
    return dict(_walk(msgspec.to_builtins(settings)))


def _walk(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _walk(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


_DEFAULTS = flatten(Settings())


def known_keys() -> tuple[str, ...]:
    """Every key that can be set."""
    return (*_DEFAULTS, *(f"checkpoint.{family}" for family in FAMILIES))


def check_key(key: str) -> None:
    """Raise BadConfig, with the nearest real key, unless `key` exists."""
    if key in known_keys() or key.startswith("keys."):
        return
    near = difflib.get_close_matches(key, known_keys(), n=1)
    hint = f"did you mean {near[0]}?" if near else "`hubsync config list` shows every key"
    raise BadConfig(f"there is no setting '{key}'", hint=hint)


def config_path(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the configuration file is, or would be."""
    if chosen := environ.get("HUBSYNC_CONFIG"):
        return Path(chosen).expanduser()
    import platformdirs

    return Path(platformdirs.user_config_dir("hubsync")) / "hubsync.toml"


def load(*, environ: Mapping[str, str] = os.environ, options: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    Raises:
        BadConfig: an unknown key, a value of the wrong kind, a file that is no TOML, or a plain-http hub elsewhere.
    """
    path = config_path(environ)
    values: dict[str, Any] = {}
    for key, value in _walk(_read(path)):
        check_key(key)
        values[key] = value
    values.update(_from_environment(environ))
    for key, text in (options or {}).items():
        check_key(key)
        values[key] = text
    settings = build(values, where=str(path))
    for key in _ADDRESSES:
        _require_safe(flatten(settings)[key])
    return settings


def build(values: Mapping[str, Any], *, where: str = "the settings") -> Settings:
    """Make Settings from flat keys; texts become the key's own type.

    Raises:
        BadConfig: a value its key cannot hold.
    """
    nested: dict[str, Any] = {}
    for key, value in values.items():
        section, name = _split(key)
        target = nested.setdefault(section, {}) if section else nested
        target[name] = value
    try:
        return msgspec.convert(nested, Settings, strict=False)
    except msgspec.ValidationError as error:
        from hubsync.wanted import refusal

        told = refusal(Settings, str(error))
        told = told if told.startswith(where) else f"{where}: {told}"
        raise BadConfig(told, hint="`hubsync config list` shows every key and its value") from error


def _split(key: str) -> tuple[str, str]:
    """Section and name. Actions of the TUI have dots in their names."""
    section, _, name = key.partition(".")
    return (section, name) if name else ("", section)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfig(f"{path} is not valid TOML: {error}", hint=f"edit {path}") from error
    except OSError as error:
        raise BadConfig(f"{path} cannot be read: {error.strerror}", hint=f"check the permissions of {path}") from error


def _from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for key in known_keys():
        names = (f"HUBSYNC_{key.upper().replace('.', '__')}", *_ALIASES.get(key, ()))
        value = next((environ[name] for name in names if environ.get(name)), None)
        if value is not None:
            # A key pasted with a newline breaks every request: Civitai takes whatever follows the first space.
            found[key] = value.strip()
    return found


def origins(environ: Mapping[str, str] = os.environ) -> Mapping[str, str]:
    """Which keys the configuration `file` and the `environment` set, the latter coming first.

    Raises:
        BadConfig: the file is no TOML.
    """
    in_file = dict.fromkeys(dict(_walk(_read(config_path(environ)))), "file")
    return {**in_file, **dict.fromkeys(_from_environment(environ), "environment")}


def is_loopback(host: str) -> bool:
    """Whether a host name is this machine."""
    return host in {"localhost", "::1"} or host.startswith("127.")


def _require_safe(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        return
    raise BadConfig(f"'{url}' is not an https address", hint="plain http is allowed to this machine only")


def write(key: str, value: str, *, environ: Mapping[str, str] = os.environ) -> Path:
    """Set one key in the configuration file, keeping its comments; the file is readable by its owner only.

    Raises:
        BadConfig: unknown key, a value it cannot hold, or a hub that would be asked by plain http.
    """
    from hubsync.tomlfile import put

    check_key(key)
    if key in _ADDRESSES:
        _require_safe(value)
    path = config_path(environ)
    current = {**dict(_walk(_read(path))), key: value}
    checked = flatten(build(current, where=key)).get(key, value)
    put(path, *_split(key), checked)
    return path


def unset(key: str, *, environ: Mapping[str, str] = os.environ) -> Path:
    """Take one key out of the configuration file, if it is there, so that its default counts.

    Raises:
        BadConfig: unknown key, or a file that is no TOML.
    """
    from hubsync.tomlfile import put

    check_key(key)
    path = config_path(environ)
    if key in dict(_walk(_read(path))):
        put(path, *_split(key), None)
    return path


def shipped(name: str) -> Path:
    """A file of `config/`: inside the installed package, or beside it in a checkout."""
    here = Path(__file__).parent
    packaged = here / "_config" / name
    return packaged if packaged.exists() else here.parent / "config" / name
