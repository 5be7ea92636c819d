"""Keys and signed addresses stay secret: nothing hubsync says or writes holds one, whatever goes wrong."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hubsync.sandbox.hub import Fault, FaultKind, SandboxHub
from hubsync.sandbox.hub.faults import Origin
from hubsync.sandbox.hub.scenarios import HOPELESS, SURVIVABLE
from hubsync.sandbox.playground import Playground
from tests.integration.conftest import Answer, CommandLine

CIVITAI, HUGGING_FACE = "civitai:1004", "hf:sandbox/ohwx-lora"
FAULTS = {**HOPELESS, **SURVIVABLE}
SIGNED = "http://127.0.0.1:1/files/x?Expires=1&Signature=0123456789abcdef"


@dataclass
class Witness:
    """Runs commands in a playground and remembers all they said."""

    run: CommandLine
    told: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, *arguments: str, stdin: str = "", **environ: str) -> Answer:
        """Run one command without a further try."""
        answer = self.run(*arguments, stdin=stdin, environ={"HUBSYNC_NETWORK__RETRIES": "0", **environ})
        self.hear(" ".join(arguments), answer.stdout + answer.stderr)
        return answer

    def hear(self, command: str, said: str) -> None:
        """Remember what a command said."""
        self.told.append((command, said))

    @property
    def leaks(self) -> list[str]:
        """The commands that told a secret, and the files that hold one: their content or their name."""
        ground = self.run.ground
        said = [command for command, text in self.told if self._secret_in(text.encode())]
        return said + [str(path) for path in _files(ground) if self._secret_in(path.name.encode() + path.read_bytes())]

    def _secret_in(self, content: bytes) -> bool:
        sent = (record.query for record in self.run.ground.hub.requests)
        signatures = {value for query in sent for name, value in query if name == "Signature"}
        secrets = (SandboxHub.KEY, SandboxHub.TOKEN, "Signature=", *signatures)
        return any(secret.encode() in content for secret in secrets)


def _files(ground: Playground) -> Iterator[Path]:
    """Every file of the library but the configuration, which is where a user keeps a key."""
    kept = Path(ground.environ["HUBSYNC_CONFIG"])
    return (path for path in ground.root.rglob("*") if path.is_file() and path != kept)


@pytest.fixture
def witness(hubsync: CommandLine) -> Witness:
    """The command line, overheard."""
    return Witness(hubsync)


def _key_was_sent(hub: SandboxHub) -> bool:
    return any(record.headers.get("authorization") for record in hub.requests)


def test_what_goes_well_tells_nothing(witness: Witness, hub: SandboxHub) -> None:
    """Searching, showing, installing from both hubs, settings and the doctor, for people and as JSON."""
    for more in (("-v",), ("--json",)):
        witness("search", "frame", *more)
        witness("show", CIVITAI, *more)
        witness("show", HUGGING_FACE, *more)
        assert witness("install", CIVITAI, HUGGING_FACE, "civitai:1012", "hf:sandbox/gated-lora", *more).exit == 0
        witness("config", "list", *more)
        witness("doctor", *more)
        witness("list", *more)
        witness("info", "sks_frame", *more)
    assert _key_was_sent(hub)
    assert witness.leaks == []


@pytest.mark.parametrize(
    "fault",
    ["json_401", "gone_404", "503_forever", "html_login", "corrupt", "trunc_nocl", "expired", "drop_once"],
)
def test_a_download_that_goes_wrong_tells_nothing(witness: Witness, hub: SandboxHub, fault: str) -> None:
    """The reason is told, and what is kept for going on holds no address."""
    hub.switch(*FAULTS[fault])
    witness("install", CIVITAI, HUGGING_FACE, "-v")
    witness("install", CIVITAI, HUGGING_FACE, "--json", "-v")
    assert _key_was_sent(hub)
    assert witness.leaks == []


@pytest.mark.parametrize("status", [400, 401, 500])
def test_a_server_that_repeats_what_it_was_sent_is_not_quoted(witness: Witness, hub: SandboxHub, status: int) -> None:
    """An error that holds the key or a signed address is shown without them, with its traceback too."""
    faults = []
    for origin, secret in ((Origin.CIVITAI, SandboxHub.KEY), (Origin.HUGGINGFACE, SandboxHub.TOKEN)):
        said = f"you sent Bearer {secret} ({secret}) to {SIGNED}"
        body, header = f'{{"error":"{said}","message":"{secret}"}}', {"X-Error-Message": said}
        faults.append(Fault(kind=FaultKind.STATUS, origin=origin, status=status, text=body, headers=header))
    hub.switch(*faults)
    for command in (["search", "x"], ["show", CIVITAI], ["show", HUGGING_FACE], ["install", CIVITAI, HUGGING_FACE]):
        witness(*command, "-v")
        witness(*command, "--json", "-v")
    assert witness.leaks == []


def test_a_hub_that_redirects_to_a_signed_address_is_not_quoted(witness: Witness, hub: SandboxHub) -> None:
    """Neither when the address is refused, nor when nobody answers there."""
    for place in ("{storage}/files/x?Signature=0123", "http://127.0.0.1:1/x?Signature=0123", "http://x:y/?Signature=0"):
        hub.switch(Fault(kind=FaultKind.REDIRECT, text=place))
        for ref in (CIVITAI, HUGGING_FACE):
            witness("show", ref, "-v")
            witness("install", ref, "--json", "-v")
    assert witness.leaks == []


def test_a_killed_install_leaves_no_secret(witness: Witness, hub: SandboxHub, ground: Playground) -> None:
    """What lies there in the middle of a download, and after it went on, holds neither key nor address."""
    hub.switch(Fault(kind=FaultKind.THROTTLE, rate=60_000))
    for ref in (CIVITAI, HUGGING_FACE):
        command = [sys.executable, "-m", "hubsync", "install", ref, "-v"]
        process = subprocess.Popen(
            command, env=dict(ground.environ), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
        )
        deadline, folder = time.monotonic() + 60, ground.root / "models" / "Lora"
        while not any(part.stat().st_size for part in folder.glob(".*.part")) and time.monotonic() < deadline:
            process.poll()
        process.kill()
        witness.hear("killed", process.communicate(timeout=60)[0])
        assert list(folder.glob(".*.part"))
        assert witness.leaks == []
        hub.switch()
        assert witness("install", ref, "--json").exit == 0
        hub.switch(Fault(kind=FaultKind.THROTTLE, rate=60_000))
    assert witness.leaks == []


def test_a_stored_key_is_for_its_owner_alone(witness: Witness, ground: Playground) -> None:
    """The file that holds it can be read by nobody else, also where it was open before; listing hides it."""
    path = Path(ground.environ["HUBSYNC_CONFIG"])
    path.parent.mkdir(parents=True)
    path.write_text("# mine\n", "utf-8")
    path.chmod(0o644)
    assert witness("config", "set", "civitai.api_key", SandboxHub.KEY).exit == 0
    assert witness("config", "set", "huggingface.token", SandboxHub.TOKEN, "--json").exit == 0
    assert SandboxHub.KEY in path.read_text("utf-8")
    assert path.stat().st_mode & 0o777 == 0o600
    stored = {"CIVITAI_API_KEY": "", "HF_TOKEN": ""}
    assert witness("install", "civitai:1012", **stored).exit == 0
    witness("config", **stored)
    witness("config", "set", "civitai.api_key", f"{SandboxHub.KEY}x", "-v", **stored)
    assert witness.leaks == []


@pytest.mark.parametrize("spoiled", ["{}\nX-More: 1", "\u00e9{}"])
def test_a_key_no_header_can_hold_is_not_quoted(witness: Witness, spoiled: str) -> None:
    """Copied badly, it is refused by its characters, which are not shown."""
    key, token = spoiled.format(SandboxHub.KEY), spoiled.format(SandboxHub.TOKEN)
    for ref in (CIVITAI, HUGGING_FACE):
        witness("show", ref, "-v", CIVITAI_API_KEY=key, HF_TOKEN=token)
        witness("show", ref, "-v", HUBSYNC_CIVITAI__API_KEY=key, HUBSYNC_HUGGINGFACE__TOKEN=token, HF_TOKEN="")
    witness("config", "set", "civitai.api_key", key, "-v")
    witness("config", "set", "huggingface.token", token, "-v")
    assert witness.leaks == []
