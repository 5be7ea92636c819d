"""Infotext is read back with the rules by which AUTOMATIC1111 reads it."""

from __future__ import annotations

import json
import re

import pytest

from hubsync.render.infotext import hash_list, infotext

_PAIR = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
"""Its pattern for one parameter."""


def parsed(text: str) -> tuple[str, str, dict[str, str]]:
    """Prompt, negative prompt and parameters; the last line counts as such with three of them or more."""
    *lines, last = text.split("\n")
    pairs = _PAIR.findall(last)
    assert len(pairs) >= 3
    at = next((i for i, line in enumerate(lines) if line.startswith("Negative prompt: ")), len(lines))
    negative = "\n".join(lines[at:]).removeprefix("Negative prompt: ")
    values = {name: json.loads(value) if value.startswith('"') else value.strip() for name, value in pairs}
    return "\n".join(lines[:at]), negative, values


def test_everything_comes_back() -> None:
    """Prompts of several lines and every parameter survive, hubsync names itself."""
    prompt = "sks, a red circle\non blue <lora:sks_frame:0.8>"
    parameters = {
        "Steps": 8,
        "Sampler": "DPM++ 2M",
        "Schedule type": "Karras",
        "CFG scale": "7",
        "Seed": 12,
        "Size": "512x768",
        "Model": "v1-5-pruned",
        "Lora hashes": hash_list({"sks_frame": "0123456789abcdef"}),
    }
    read_prompt, negative, values = parsed(infotext(prompt, "blurry\nlow quality", parameters))
    assert (read_prompt, negative) == (prompt, "blurry\nlow quality")
    assert values.pop("Version").startswith("hubsync")
    assert values == {name: str(value) for name, value in parameters.items()} | {
        "Lora hashes": "sks_frame: 0123456789ab"
    }


@pytest.mark.parametrize("model", ["a, b", "x: y", 'quote " here, now', "Ünï, cödé", "back\\slash, comma"])
def test_a_value_that_would_break_the_line_is_quoted(model: str) -> None:
    """Commas, colons and quotes inside a checkpoint's name come back as they were."""
    values = parsed(infotext("p", "", {"Steps": 1, "Model": model, "Seed": 3}))[2]
    assert (values["Model"], values["Seed"]) == (model, "3")


def test_what_is_empty_is_left_out() -> None:
    """No `Negative prompt:` line and no empty parameter appear."""
    text = infotext("p", "", {"Steps": 1, "Schedule type": "", "Seed": 3, "Lora hashes": hash_list({"a": None})})
    assert re.fullmatch(r"p\nSteps: 1, Seed: 3, Version: hubsync.*", text)


def test_hashes_keep_names_apart() -> None:
    """A name loses colon and comma, which separate the list; a hash is twelve small digits."""
    assert hash_list({"a:b,c": "ABCDEF0123456789", "d": "0" * 64}) == "abc: abcdef012345, d: 000000000000"
