"""The hub as a whole: how it starts and ends, and what it records."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import httpx2
import pytest

from hubsync.sandbox.hub import Origin, SandboxHub


def test_starts_at_once_and_leaves_no_thread(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting hashes no file, and closing ends every thread and port even with a connection open."""
    before = threading.active_count()
    with monkeypatch.context() as patched:
        patched.delattr("hubsync.sandbox.hub.blobs.Blob._sha256")
        hub = SandboxHub.start(data)
    with httpx2.Client() as client:
        assert client.get(f"{hub.civitai_url}/api/v1/enums").status_code == 200
        hub.close()
        assert threading.active_count() == before
        with pytest.raises(httpx2.TransportError):
            client.get(f"{hub.civitai_url}/api/v1/enums")


def test_the_module_serves_until_interrupted() -> None:
    """`python -m hubsync.sandbox.hub` prints where it listens, answers there, and ends cleanly on Ctrl-C."""
    command = [sys.executable, "-m", "hubsync.sandbox.hub"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip().removeprefix("HUBSYNC_CIVITAI_URL=")
        assert httpx2.get(f"{url}/api/v1/models/1020").json()["modelVersions"] == []
        process.send_signal(signal.SIGINT)
        _out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")


def test_records_every_request(hub: SandboxHub, civitai: httpx2.Client) -> None:
    """A record tells origin, method, path, query, headers, status and the bytes that were sent."""
    content = civitai.get("/api/download/models/2001", params={"fileId": "3001"}, follow_redirects=True).content
    asked, sent = hub.requests
    assert (asked.origin, asked.method, asked.path, asked.status) == (
        Origin.CIVITAI,
        "GET",
        "/api/download/models/2001",
        307,
    )
    assert (asked.query, asked.headers["user-agent"]) == ((("fileId", "3001"),), "hubsync/1.0")
    assert (sent.origin, sent.status, sent.sent) == (Origin.STORAGE, 200, len(content))


def test_notices_a_secret_in_the_wrong_place(hub: SandboxHub, civitai: httpx2.Client) -> None:
    """A token at storage is refused and recorded, and so is one hub's key at the other hub."""
    location = civitai.get("/api/download/models/2001").headers["Location"]
    refused = civitai.get(location, headers={"Authorization": "Bearer anything"})
    assert (refused.status_code, "InvalidArgument" in refused.text) == (400, True)
    assert civitai.get(location + "&token=anything").status_code == 400
    civitai.get("/api/v1/enums", headers={"Authorization": f"Bearer {hub.TOKEN}"})
    civitai.get(f"{hub.huggingface_url}/api/models", headers={"Authorization": f"Bearer {hub.KEY}"})
    assert [leak.origin for leak in hub.leaks] == [Origin.STORAGE, Origin.STORAGE, Origin.CIVITAI, Origin.HUGGINGFACE]
