"""A disk that is too small: a command run in a mount namespace of its own, with a tmpfs over one folder."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.loras import SUFFIX

SIZE = "24m"
MOUNT = 'mount -t tmpfs -o "size=$1" tmpfs "$2"'
# The namespace takes the files with it, so what is there is listed before it ends.
SCRIPT = f"""{MOUNT} || exit
folder=$2 listing=$3
shift 3
"$@"
code=$?
find "$folder" -name '*{SUFFIX}' > "$listing"
exit $code
"""


def argv(folder: Path, listing: Path, command: Sequence[str]) -> list[str]:
    """The command with a small disk at `folder`; the safetensors files it leaves there are listed in `listing`."""
    return [*_unshare(), "sh", "-c", SCRIPT, "sh", SIZE, str(folder), str(listing), *command]


@functools.cache
def available() -> bool:
    """Whether this system lets us mount one."""
    if not shutil.which("unshare"):
        return False
    tried = subprocess.run([*_unshare(), "sh", "-c", MOUNT, "sh", SIZE, "/mnt"], capture_output=True, check=False)
    return tried.returncode == 0


def _unshare() -> list[str]:
    return ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]
