"""Downloads against the sandbox hub while everything goes wrong that is known to: each fault is a test."""

from __future__ import annotations

import hashlib
import json
import random
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hubsync.config import Civitai, HuggingFace, Network, Settings
from hubsync.events import Event
from hubsync.limiter import Limiter
from hubsync.sandbox.hub import SandboxHub
from hubsync.sandbox.hub.scenarios import HOPELESS, SURVIVABLE
from hubsync.services.app import Hubsync, open_hubsync
from hubsync.services.install import InstallResult

SIZE = 20 << 20
STEM = "big_file"
CIVITAI, HUGGING_FACE = "civitai:10001", f"hf:sandbox/{STEM}"


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with one LoRA of 20 MiB of noise."""
    root = tmp_path_factory.mktemp("data")
    entries = {
        "__metadata__": {"ss_output_name": STEM},
        "lora_unet_mid.lora_down.weight": {"dtype": "U8", "shape": [SIZE], "data_offsets": [0, SIZE]},
    }
    header = json.dumps(entries).encode()
    (root / "loras").mkdir()
    (root / "previews").mkdir()
    file = root / "loras" / f"{STEM}.safetensors"
    file.write_bytes(struct.pack("<Q", len(header)) + header + random.Random(1).randbytes(SIZE))
    return root


@pytest.fixture(scope="module")
def sha256(content: Path) -> str:
    """The hash of the file."""
    return hashlib.sha256((content / "loras" / f"{STEM}.safetensors").read_bytes()).hexdigest()


@dataclass
class Bench:
    """A hub with faults and a hubsync that waits a hundredth of the usual time."""

    hub: SandboxHub
    root: Path
    events: list[Event] = field(default_factory=list)
    cancel: threading.Event = field(default_factory=threading.Event)
    hear: Callable[[Event], object] = lambda _: None

    def open(self) -> Hubsync:
        """A hubsync of its own, as another process would have one."""
        settings = Settings(
            root=str(self.root),
            civitai=Civitai(url=self.hub.civitai_url, api_key=self.hub.KEY),
            huggingface=HuggingFace(endpoint=self.hub.huggingface_url, token=self.hub.TOKEN),
            network=Network(timeout=2, patience=0.3),
        )
        return open_hubsync(settings, limiter=Limiter(first=0.01))

    def install(self, ref: str = CIVITAI) -> InstallResult:
        """Install one LoRA."""

        def hear(event: Event) -> None:
            self.events.append(event)
            self.hear(event)

        with self.open() as hubsync:
            plans = hubsync.install.plan([ref])
            return hubsync.install.run(plans, sink=hear, cancel=self.cancel)[0]

    @property
    def installed(self) -> Path:
        """The final name."""
        return self.root / "models" / "Lora" / f"{STEM}.safetensors"

    @property
    def left(self) -> list[str]:
        """What lies in the LoRA folder."""
        return sorted(path.name for path in self.installed.parent.glob("*"))

    @property
    def sent(self) -> int:
        """Bytes of the file that storage sent."""
        return sum(record.sent for record in self.hub.requests if record.path.startswith("/files/"))


@pytest.fixture
def bench(content: Path, tmp_path: Path) -> Iterator[Bench]:
    """A hub nobody leaks a token to."""
    with SandboxHub.start(content) as hub:
        yield Bench(hub, tmp_path)
        assert hub.leaks == ()


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("fault", ["none", *SURVIVABLE])
@pytest.mark.parametrize("ref", [CIVITAI, HUGGING_FACE])
def test_what_can_be_survived_is(bench: Bench, sha256: str, fault: str, ref: str) -> None:
    """The right bytes lie under the final name, and nothing else but their companions."""
    bench.hub.switch(*SURVIVABLE.get(fault, ()))
    result = bench.install(ref)
    assert (result.error, result.status) == (None, "installed")
    assert _hash(bench.installed) == sha256
    assert bench.left == [f"{STEM}.json", f"{STEM}.safetensors"]


REASONS = {
    "loris": "unreachable",
    "trunc_nocl": "hash_mismatch",
    "wrong_cl_short": "hash_mismatch",
    "corrupt": "hash_mismatch",
    "503_forever": "hub_error",
    "html_login": "token_invalid",
    "html_200": "not_a_model",
    "json_401": "token_invalid",
    "gone_404": "not_found",
}


@pytest.mark.parametrize("fault", HOPELESS)
def test_what_cannot_be_survived_says_why(bench: Bench, fault: str) -> None:
    """An exact reason, and nothing under the final name."""
    bench.hub.switch(*HOPELESS[fault])
    result = bench.install()
    assert result.error is not None
    assert result.error.code == REASONS[fault], result.error.message
    assert not bench.installed.exists()
    bench.hub.switch()
    assert bench.install().error is None
