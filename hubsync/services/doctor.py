"""What is installed, reachable and writable, and what to do about the rest."""

from __future__ import annotations

import importlib.util
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hubsync.config import Settings, config_path
from hubsync.domain import Query
from hubsync.errors import AccessDenied, HubsyncError
from hubsync.refs import Source
from hubsync.roots import Root

if TYPE_CHECKING:
    from hubsync.hubs.base import Hub

_RENDER_PACKAGES = ("hubsync", "torch", "diffusers", "transformers", "accelerate")

_DRIVERS = {"/proc/driver/nvidia": "NVIDIA's driver", "/dev/dxg": "a GPU of Windows", "/dev/kfd": "AMD's driver"}
"""What tells a GPU that torch may use; nvidia-smi is not everywhere the driver is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One finding: `hint` says what to do unless all is well."""

    name: str
    status: Literal["ok", "warning", "error"]
    message: str
    hint: str = ""


_NO_KEYS = {
    Source.CIVITAI: Check(
        name="civitai key",
        status="warning",
        message="none: most Civitai downloads want one",
        hint="make one on your Civitai account page, then: hubsync config set civitai.api_key",
    ),
    Source.HUGGINGFACE: Check(
        name="huggingface key",
        status="ok",
        message="none: gated and private repositories only want one",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorService:
    """Looks at the set-up; changes nothing."""

    settings: Settings
    root: Root
    hub: Callable[[Source], Hub]
    has_token: Callable[[Source], bool]
    renderer: Sequence[str]

    def run(self) -> list[Check]:
        """Every check; both hubs are asked at the same time."""
        with ThreadPoolExecutor(max_workers=2 * len(Source)) as pool:
            reached = pool.map(self._hub, Source)
            keys = pool.map(self._key, Source)
            return [*self.local(), *keys, *reached]

    def local(self) -> list[Check]:
        """The checks that ask no hub."""
        return list(self._local())

    def first_steps(self) -> list[Check]:
        """What a newcomer sets up; no hub is asked."""
        key = Check(name="civitai key", status="ok", message="set") if self.has_token(Source.CIVITAI) else None
        key = key or _NO_KEYS[Source.CIVITAI]
        return [self._writable(), key, self._render_packages(), self._device(), self._checkpoints()]

    def _local(self) -> Iterator[Check]:
        yield Check(name="python", status="ok", message=f"{platform.python_version()} at {sys.executable}")
        path = config_path()
        yield Check(name="configuration", status="ok", message=str(path) if path.exists() else f"{path} (none yet)")
        yield self._writable()
        yield self._render_packages()
        yield self._device()
        yield self._checkpoints()

    def _writable(self) -> Check:
        there = next(parent for parent in (self.root.loras, *self.root.loras.parents) if parent.exists())
        if os.access(there, os.W_OK):
            return Check(name="library", status="ok", message=f"LoRAs go to {self.root.loras}")
        return Check(
            name="library", status="error", message=f"{there} cannot be written", hint="choose another with --root"
        )

    def _key(self, source: Source) -> Check:
        """Whose key it is: hubs answer most questions alike with a bad key, a good one and none."""
        name = f"{source.value} key"
        if not self.has_token(source):
            return _NO_KEYS[source]
        try:
            return Check(name=name, status="ok", message=f"belongs to {self.hub(source).account()}")
        except AccessDenied as error:
            return Check(name=name, status="error", message=error.message, hint=error.hint)
        except HubsyncError as error:
            return Check(name=name, status="warning", message=f"set, but could not be checked: {error.message}")

    def _render_packages(self) -> Check:
        missing = self._missing_packages()
        if not missing:
            return Check(
                name="renderer", status="ok", message=f"torch and diffusers are installed ({self.renderer[0]})"
            )
        return Check(
            name="renderer",
            status="warning",
            message=f"not installed: {', '.join(missing)}",
            hint='for test renders: pip install "hubsync[render]"',
        )

    def _missing_packages(self) -> list[str]:
        if Path(self.renderer[0]) == Path(sys.executable):
            return [name for name in _RENDER_PACKAGES if importlib.util.find_spec(name) is None]
        question = (
            "import importlib.util as u, sys; "
            "print(*[name for name in sys.argv[1:] if u.find_spec(name) is None], sep='\\n')"
        )
        try:
            answer = subprocess.run(  # noqa: S603  (the interpreter the user configured)
                [self.renderer[0], "-c", question, *_RENDER_PACKAGES],
                capture_output=True,
                text=True,
                timeout=30,
                check=True,
            )
        except (OSError, subprocess.SubprocessError):
            return [f"a working interpreter at {self.renderer[0]}"]
        return answer.stdout.split()

    def _device(self) -> Check:
        """By what a driver leaves on the disk: asking torch would take seconds."""
        chosen = self.settings.render.device
        if chosen != "auto":
            return Check(name="device", status="ok", message=f"{chosen}, as render.device says")
        found = next((name for path, name in _DRIVERS.items() if Path(path).exists()), "")
        if sys.platform == "darwin" and platform.machine() == "arm64":
            found = "Apple GPU"
        if found:
            return Check(name="device", status="ok", message=f"{found} is here")
        return Check(
            name="device",
            status="warning",
            message="no GPU found: the processor renders",
            hint="with a checkpoint of full size a test takes minutes: try few LoRAs and few steps (render.steps), "
            "or use a machine with a GPU",
        )

    def _checkpoints(self) -> Check:
        listed = ", ".join(f"{family} = {where}" for family, where in sorted(self.settings.checkpoint.items()) if where)
        if listed:
            return Check(name="checkpoints", status="ok", message=listed)
        return Check(
            name="checkpoints",
            status="warning",
            message="none: test renders need one",
            hint="hubsync config set checkpoint.sd1 PATH (a .safetensors checkpoint or a diffusers folder)",
        )

    def _hub(self, source: Source) -> Check:
        try:
            self.hub(source).search(Query(limit=1))
        except HubsyncError as error:
            return Check(name=source.value, status="error", message=error.message, hint=error.hint)
        return Check(name=source.value, status="ok", message="answers")
