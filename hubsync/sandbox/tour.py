"""The whole job once, in the sandbox, as the commands a user would type with their real results."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from hubsync.sandbox.playground import playground

STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Search both hubs", ("search", "frame")),
    ("Look at one LoRA before downloading it", ("show", "civitai:1004")),
    (
        "Install from Civitai and from Hugging Face, verified",
        ("install", "civitai:1004", "civitai:1002", "hf:sandbox/ohwx-lora"),
    ),
    ("The library", ("list",)),
    ("What a LoRA wants to hear", ("triggers", "sks_frame")),
    ("A prompt with the tag and the trigger word in it", ("prompt", "a blue ring", "--lora", "sks_frame")),
    (
        "Proof: the same seed without the LoRA, with it, with its words",
        ("render", "sks_frame", "ohwx-lora", "add_saturation"),
    ),
)


def take_tour(root: Path, say: Callable[[str], object]) -> int:
    """Run every step on the library at `root`; return the exit code of the first that fails, else 0."""
    say(f"# A throw-away library in {root}, both hubs on loopback")
    with playground(root) as ground:
        for title, arguments in STEPS:
            say(f"\n# {title}")
            say(f"$ hubsync {shlex.join(arguments)}")
            done = subprocess.run(  # noqa: S603  (this very program)
                [sys.executable, "-m", "hubsync", *arguments],
                env=ground.environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                check=False,
            )
            say(done.stdout.rstrip())
            if done.returncode:
                return done.returncode
    return 0
