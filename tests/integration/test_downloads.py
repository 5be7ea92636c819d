"""Downloads against the sandbox hub while everything goes wrong that is known to: each fault is a test."""

from __future__ import annotations

import hashlib
import json
import os
import random
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from hubsync.config import Civitai, HuggingFace, Network, Settings
from hubsync.errors import Cancelled
from hubsync.events import Advanced, Event, Noted
from hubsync.limiter import Limiter
from hubsync.sandbox.hub import Fault, FaultKind, SandboxHub
from hubsync.sandbox.hub.scenarios import FILES, HOPELESS, SURVIVABLE
from hubsync.services.app import Hubsync
from hubsync.services.install import InstallResult
from hubsync.services.opening import open_hubsync
from hubsync.services.planning import Plan

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
    timeout: float = 2

    def open(self) -> Hubsync:
        """A hubsync of its own, as another process would have one."""
        settings = Settings(
            root=str(self.root),
            civitai=Civitai(url=self.hub.civitai_url, api_key=self.hub.KEY),
            huggingface=HuggingFace(endpoint=self.hub.huggingface_url, token=self.hub.TOKEN),
            network=Network(timeout=self.timeout, patience=0.3),
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
    info = [f"{STEM}.civitai.info"] if ref == CIVITAI else []
    assert bench.left == [*info, f"{STEM}.json", f"{STEM}.safetensors"]


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


def test_wrong_bytes_are_kept_apart(bench: Bench, sha256: str) -> None:
    """After two tries they lie in the quarantine, under no name a tool loads, and both hashes are said."""
    bench.hub.switch(*HOPELESS["corrupt"])
    result = bench.install()
    [kept] = (bench.root / ".hubsync" / "quarantine").iterdir()
    assert kept.suffix == ".bad"
    assert result.error is not None
    assert sha256 in result.error.message
    assert _hash(kept) in result.error.message
    assert bench.left == []


def test_a_silent_replacement_is_accepted(bench: Bench, sha256: str) -> None:
    """Where the hub meanwhile promises just the bytes that came, they are installed, and fetched once."""
    with bench.open() as hubsync:
        [plan] = hubsync.install.plan([CIVITAI])
        assert isinstance(plan, Plan)
        outdated = replace(plan, file=replace(plan.file, sha256="0" * 64))
        [result] = hubsync.install.run([outdated], sink=bench.events.append, cancel=bench.cancel)
    assert result.installed is not None
    assert result.installed.sha256 == sha256
    assert bench.hub.traffic < 1.1 * SIZE
    assert any(isinstance(event, Noted) and "replaced" in event.message for event in bench.events)


def test_slow_connections_are_joined(bench: Bench, sha256: str) -> None:
    """Where a server throttles each connection there are soon many, and every byte is sent about once."""
    bench.hub.switch(Fault(kind=FaultKind.THROTTLE, rate=8_000_000))
    assert bench.install().error is None
    assert _hash(bench.installed) == sha256
    advanced = [event for event in bench.events if isinstance(event, Advanced)]
    assert max(event.connections or 0 for event in advanced) >= 4
    assert advanced[-1].done == advanced[-1].total
    assert bench.hub.traffic < 1.1 * SIZE
    assert sum(record.path.startswith("/api/download") for record in bench.hub.requests) == 1


def test_pausing_keeps_every_byte(bench: Bench, sha256: str) -> None:
    """Stopped in the middle of many connections, it goes on where each of them was."""
    bench.hub.switch(Fault(kind=FaultKind.THROTTLE, rate=8_000_000))

    def pause(event: Event) -> None:
        if isinstance(event, Advanced) and event.done > SIZE // 2:
            bench.cancel.set()

    bench.hear = pause
    with pytest.raises(Cancelled):
        bench.install()
    with bench.open() as hubsync:
        [waiting] = hubsync.downloads.unfinished()
    assert waiting.done > SIZE // 2
    bench.cancel.clear()
    bench.hear = lambda _: None
    bench.hub.switch()
    result = bench.install()
    assert result.received is not None
    assert result.received.resumed_from == waiting.done
    assert result.received.resumed_from + result.received.bytes_downloaded == bench.installed.stat().st_size
    assert _hash(bench.installed) == sha256
    with bench.open() as hubsync:
        assert hubsync.downloads.unfinished() == []


@pytest.mark.parametrize("path", ["/api/download/*", "/files/*"])
def test_a_silent_server_does_not_hold_who_wants_to_leave(bench: Bench, path: str) -> None:
    """Cancelling ends a download at once, whatever its threads still wait for."""
    bench.hub.switch(Fault(kind=FaultKind.STALL, at=0, path=path))
    bench.timeout = 600
    ended = threading.Event()

    def install() -> None:
        with suppress(Cancelled):
            bench.install()
        ended.set()

    threading.Thread(target=install, daemon=True).start()
    while not any(fnmatchcase(record.path, path) for record in bench.hub.requests):
        assert not ended.wait(0.01)
    bench.cancel.set()
    assert ended.wait(30)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "none", place], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("only root can make a small disk")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def test_a_full_disk_is_found_first(bench: Bench, small_disk: Path) -> None:
    """What does not fit is not begun."""
    bench.root = small_disk
    (small_disk / "filler").write_bytes(bytes(10 << 20))
    result = bench.install()
    assert result.error is not None
    assert result.error.code == "no_space"
    assert not any(record.path.startswith("/files/") for record in bench.hub.requests)


def test_a_disk_that_fills_meanwhile_loses_nothing(bench: Bench, small_disk: Path, sha256: str) -> None:
    """The download ends with the reason, and goes on when there is space again."""
    bench.root, filler = small_disk, small_disk / "filler"
    bench.hub.switch(Fault(kind=FaultKind.THROTTLE, rate=8_000_000))

    def fill(event: Event) -> None:
        if isinstance(event, Advanced) and event.done > SIZE // 4:
            with suppress(OSError):
                filler.write_bytes(bytes(24 << 20))

    bench.hear = fill
    result = bench.install()
    assert result.error is not None
    assert result.error.code == "no_space"
    assert not bench.installed.exists()
    filler.unlink()
    bench.hear = lambda _: None
    again = bench.install()
    assert again.received is not None
    assert again.received.resumed_from > SIZE // 4
    assert _hash(bench.installed) == sha256


@dataclass(frozen=True)
class CommandLine:
    """Starts `hubsync` in processes of their own."""

    bench: Bench

    def __call__(self, *arguments: str) -> subprocess.Popen[str]:
        """Start one command."""
        return subprocess.Popen(
            [sys.executable, "-m", "hubsync", *arguments, "--json"],
            env={
                **os.environ,
                "HUBSYNC_ROOT": str(self.bench.root),
                "HUBSYNC_CIVITAI_URL": self.bench.hub.civitai_url,
                "HF_ENDPOINT": self.bench.hub.huggingface_url,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def answer(self, *arguments: str) -> Any:
        """What a command that succeeds prints."""
        process = self(*arguments)
        output, errors = process.communicate(timeout=100)
        assert process.returncode == 0, output + errors
        return json.loads(output)


def test_two_processes_fetch_a_file_once(bench: Bench, sha256: str) -> None:
    """One downloads, the other waits and finds it."""
    bench.hub.switch(Fault(kind=FaultKind.THROTTLE, rate=8_000_000))
    run = CommandLine(bench)
    processes = [run("install", CIVITAI) for _ in range(2)]
    answers = [json.loads(process.communicate(timeout=100)[0])["results"][0] for process in processes]
    assert sorted(answer["status"] for answer in answers) == ["already_installed", "installed"]
    assert {answer["sha256"] for answer in answers} == {sha256}
    assert bench.hub.traffic < 1.1 * SIZE


def test_what_is_being_downloaded_is_not_given_up(bench: Bench) -> None:
    """Another process's bytes are not taken from under it."""
    bench.hub.switch(Fault(kind=FaultKind.THROTTLE, rate=400_000))
    run = CommandLine(bench)
    process = run("install", CIVITAI)
    while bench.hub.traffic < SIZE // 50:
        assert process.poll() is None
    [waiting] = run.answer("downloads")["items"]
    refused = run("downloads", "cancel", STEM)
    assert (refused.communicate(timeout=60)[1].startswith("error: big_file is being"), refused.returncode) == (True, 2)
    process.communicate(timeout=60)
    assert (waiting["state"], process.returncode, bench.installed.exists()) == ("running", 0, True)


def test_a_kill_costs_nothing(bench: Bench, sha256: str) -> None:
    """Killed in the middle, the download is in the queue, and goes on with what was there."""
    bench.hub.switch(Fault(kind=FaultKind.THROTTLE, rate=4_000_000))
    run = CommandLine(bench)
    process = run("install", CIVITAI)
    while bench.hub.traffic < SIZE // 2:
        assert process.poll() is None
    process.kill()
    process.communicate()
    bench.hub.switch()
    [waiting] = run.answer("downloads")["items"]
    assert (waiting["state"], waiting["name"]) == ("interrupted", STEM)
    assert 0.4 * SIZE < waiting["done"] < waiting["size"]
    [result] = run.answer("downloads", "resume")["results"]
    assert (result["status"], result["sha256"], _hash(bench.installed)) == ("installed", sha256, sha256)
    assert result["resumed_from"] == waiting["done"]
    assert bench.hub.traffic < 1.1 * SIZE
    assert run.answer("downloads")["items"] == []


def test_a_download_is_given_up(bench: Bench) -> None:
    """What was wanted no more is removed, queue and bytes."""
    bench.hub.switch(Fault(kind=FaultKind.STATUS, status=503, path=FILES))
    assert bench.install().error is not None
    run = CommandLine(bench)
    [waiting] = run.answer("downloads")["items"]
    assert (waiting["state"], bool(waiting["error"])) == ("failed", True)
    assert run.answer("downloads", "cancel", STEM)["cancelled"] == [waiting["ref"]]
    assert (run.answer("downloads")["items"], bench.left) == ([], [])


def test_a_kill_between_the_name_and_the_row_is_put_right(bench: Bench, content: Path) -> None:
    """A file that has its name and no row is taken in by the next resume, without a byte, and leaves the queue."""
    with bench.open() as hubsync:
        [plan] = hubsync.install.plan([CIVITAI])
        assert isinstance(plan, Plan)
        hubsync.downloads.add([plan])
    bench.installed.parent.mkdir(parents=True)
    bench.installed.write_bytes((content / "loras" / f"{STEM}.safetensors").read_bytes())
    with bench.open() as hubsync:
        [result] = hubsync.install.resume(hubsync.downloads.unfinished(), sink=bench.hear, cancel=bench.cancel)
        assert result.received is not None
        assert (result.status, result.received.bytes_downloaded) == ("installed", 0)
        assert hubsync.downloads.unfinished() == []
        assert [lora.name for lora in hubsync.library.list()] == [STEM]
