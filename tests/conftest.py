"""What every test shares: nothing of the user's own set-up is seen, and the recorded data may be absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# A worker a core: torch's second thread would wait for the other worker's in a busy loop, 4 to 14 times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@pytest.fixture(autouse=True)
def clean_environment(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No key, root or configuration of whoever runs the tests; HOME is empty."""
    for name in list(os.environ):
        if name.startswith(("HUBSYNC_", "CIVITAI_", "HF_")):
            monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("HF_HOME", str(home / "huggingface"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")


@pytest.fixture
def shared_data() -> Path:
    """Recorded answers and files, kept beside a developer's checkout; tests skip where they are not."""
    path = Path(__file__).parents[2] / "shared" / "data"
    if not path.is_dir():
        pytest.skip("the recorded data is not here")
    return path
