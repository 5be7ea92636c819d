"""The commands that are compared: hubsync as an installed user runs it, the floor, and what else is installed."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hubsync.sandbox.hub import SandboxHub
from tests.benchmarks.hub import HubProcess, Offer

SCRIPTS = Path(sys.executable).parent
FLOOR = Path(__file__).with_name("floor.py")
LIBRARY = "models/Lora"
# What the user has set up would change what is measured; proxies would stand between a peer and loopback.
USERS = ("HUBSYNC_", "CIVITAI_", "HF_", "XDG_")
CHECK = 'test "$(openssl dgst -sha256 -r "$1" | cut -c1-64)" = "$2"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A command that downloads files into a folder, and the place it gives each of them there."""

    name: str
    program: str
    argv: Callable[[Path], Sequence[str]]
    files: Mapping[str, Offer]

    @property
    def installed(self) -> bool:
        """Whether it can be run here."""
        return shutil.which(self.program) is not None


def environment(hub: HubProcess, folder: Path) -> dict[str, str]:
    """Both hubs, a home of its own in `folder`, and nothing of the user's."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(USERS) and not name.lower().endswith("_proxy")
    }
    return {
        **kept,
        "HOME": str(folder / "home"),
        "HUBSYNC_CONFIG": str(folder / "home" / "hubsync.toml"),
        "HUBSYNC_CIVITAI_URL": hub.civitai_url,
        "CIVITAI_API_KEY": SandboxHub.KEY,
        "HF_ENDPOINT": hub.huggingface_url,
        "HF_TOKEN": SandboxHub.TOKEN,
        "HF_HOME": str(folder / "home" / "huggingface"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        # It would ask the package index, and wait for it.
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",
    }


def flat(offers: Sequence[Offer], folder: str = "") -> dict[str, Offer]:
    """Every file under its own name."""
    return {str(Path(folder, offer.lora.path.name)): offer for offer in offers}


def hubsync(*offers: Offer, source: str = "civitai", options: Sequence[str] = ()) -> Tool:
    """`hubsync install`, from either hub."""
    program = str(SCRIPTS / "hubsync")
    refs = [f"civitai:{offer.model}" if source == "civitai" else f"hf:{offer.repository}" for offer in offers]
    return Tool(
        name=" ".join(["hubsync", *options]) if options or len(offers) > 1 else f"hubsync {source}:",
        program=program,
        argv=lambda folder: [program, "install", *refs, "--root", str(folder), "--json", *options],
        files=flat(offers, LIBRARY),
    )


def floor(*offers: Offer) -> Tool:
    """The floor: one file after another on one connection each, hashed while written."""

    def argv(folder: Path) -> list[str]:
        triples = [(offer.url, str(folder / name), offer.lora.sha256) for name, offer in flat(offers).items()]
        return [sys.executable, str(FLOOR), *(part for triple in triples for part in triple)]

    return Tool(name="floor", program=sys.executable, argv=argv, files=flat(offers))


def curl(*offers: Offer, options: Sequence[str] = ()) -> Tool:
    """Plain curl: nothing verified; several files sixteen at a time."""
    parallel = ["-Z", "--parallel-max", "16"] if len(offers) > 1 else []

    def argv(folder: Path) -> list[str]:
        pairs = (("-o", str(folder / name), offer.url) for name, offer in flat(offers).items())
        return ["curl", "-qsSfL", *parallel, *options, *(part for pair in pairs for part in pair)]

    name = " ".join(["curl", *parallel, *options])
    return Tool(name=name, program="curl", argv=argv, files=flat(offers))


def curl_and_openssl(offer: Offer) -> Tool:
    """Curl, then openssl over the file."""
    name = offer.lora.path.name
    script = f'curl -qsSfL -o "$1" "$3" && {CHECK}'

    def argv(folder: Path) -> list[str]:
        return ["sh", "-c", script, "sh", str(folder / name), offer.lora.sha256, offer.url]

    program = "curl" if shutil.which("openssl") else "openssl"
    return Tool(name="curl && openssl", program=program, argv=argv, files=flat([offer]))


def aria2c(*offers: Offer) -> Tool:
    """aria2c with sixteen connections and a checksum; several files sixteen at a time, from a list."""
    options = ["aria2c", "--no-conf", "-q", "-x16", "-s16", "-k1M"]

    def argv(folder: Path) -> list[str]:
        listed = folder / "list"
        listed.write_text(
            "".join(
                f"{offer.url}\n  dir={folder}\n  out={name}\n  checksum=sha-256={offer.lora.sha256}\n"
                for name, offer in flat(offers).items()
            )
        )
        return [*options, *(["-j16"] if len(offers) > 1 else []), f"--input-file={listed}"]

    name = "aria2c -j16 + checksum" if len(offers) > 1 else "aria2c -x16 + checksum"
    return Tool(name=name, program="aria2c", argv=argv, files=flat(offers))


def hf(offer: Offer) -> Tool:
    """The Hub's own command; it checks the size."""
    program, name = str(SCRIPTS / "hf"), offer.lora.path.name
    return Tool(
        name="hf download",
        program=program,
        argv=lambda folder: [program, "download", offer.repository, name, "--local-dir", str(folder)],
        files=flat([offer]),
    )
