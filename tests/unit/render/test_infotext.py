"""Infotext is read back with the rules by which AUTOMATIC1111 reads it."""

from __future__ import annotations

import json
import re

import pytest

from hubsync.render.infotext import hash_list, infotext

_PAIR = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
"""Its pattern for one parameter."""


def parsed(text: str) -> tuple[str, str, dict[str, str]]:
    """Prompt, negative prompt and parameters, as its `parse_generation_parameters` reads them.

    The last line counts as parameters with three of them or more; lines lose the space around them.
    """
    *lines, last = text.strip().split("\n")
    pairs = _PAIR.findall(last)
    if len(pairs) < 3:
        lines, pairs = [*lines, last], []
    prompts: tuple[list[str], list[str]] = ([], [])
    negative = False
    for line in map(str.strip, lines):
        negative = negative or line.startswith("Negative prompt:")
        prompts[negative].append(line.removeprefix("Negative prompt:").strip())
    values = {name: _unquoted(value) for name, value in pairs}
    return "\n".join(prompts[0]), "\n".join(prompts[1]), values


def _unquoted(value: str) -> str:
    """Its `unquote`: JSON between two quotation marks."""
    return str(json.loads(value)) if len(value) > 1 and value[0] == value[-1] == '"' else value


def mended(prompt: str, hashes: str, files: dict[str, str]) -> str:
    """The prompt with the names under which the LoRAs of these hashes lie here, as its `infotext_pasted` writes it."""
    pairs = [one.strip().split(":", 1) for one in hashes.split(",")]
    known = {name.strip(): digits.strip() for name, digits in pairs}
    return re.sub("<lora:([^:]+):", lambda tag: f"<lora:{files.get(known.get(tag[1], ''), tag[1])}:", prompt)


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


@pytest.mark.parametrize(
    "model", ["a, b", '"quoted"', "two\nlines", "x: y", 'quote " here, now', "Ünï, cödé", "back\\slash, comma"]
)
def test_a_value_that_would_break_the_line_is_quoted(model: str) -> None:
    """Commas, colons and quotes inside a checkpoint's name come back as they were."""
    values = parsed(infotext("p", "", {"Steps": 1, "Model": model, "Seed": 3}))[2]
    assert (values["Model"], values["Seed"]) == (model, "3")


@pytest.mark.parametrize(
    ("prompt", "negative"),
    [
        ('a "red" ring, (blue:1.2), [x:y:0.5]\nsteps: many, Seed: 5, Size: 64x64', "Sampler: none, a: b"),
        ("Steps: 1, Sampler: x, CFG scale: 2, Seed: 3", ""),
        ("a \\(league\\), \\n, “curly” 日本語", "Steps: 1\nSeed: 2, Size: 1x1, Model: y"),
        ("a\n\nb", "c\n\nd"),
        ("", "only, negative"),
        ("a BREAK b AND c :0.5", ""),
    ],
)
def test_any_prompt_comes_back(prompt: str, negative: str) -> None:
    """Line breaks, commas, colons, quotation marks, and what looks like parameters itself, in both prompts."""
    parameters = {"Steps": 8, "Sampler": "DPM++ 2M", "Seed": 12, "Size": "512x768", "TI hashes": "blue_ring: 012345"}
    read_prompt, read_negative, values = parsed(infotext(prompt, negative, parameters))
    assert (read_prompt, read_negative) == (prompt, negative)
    assert values == {name: str(value) for name, value in parameters.items()} | {"Version": values["Version"]}


def test_a_renamed_lora_is_found_by_its_hash() -> None:
    """The list holds the name that the tag holds, an alias too, without what would part the list."""
    text = infotext("x <lora:my, lora:1> <lora:b:1>", "", {
        "Steps": 1, "Seed": 2,
        "Lora hashes": hash_list({"my, lora": "0123456789abcdef", "b": "f" * 64}),
        "TI hashes": hash_list({"ring": "e" * 64}),
    })  # fmt: skip
    prompt, _, values = parsed(text)
    assert values["TI hashes"] == "ring: eeeeeeeeeeee"
    assert mended(prompt, values["Lora hashes"], {"f" * 12: "local"}) == "x <lora:my, lora:1> <lora:local:1>"


def test_what_is_empty_is_left_out() -> None:
    """No `Negative prompt:` line and no empty parameter appear."""
    text = infotext("p", "", {"Steps": 1, "Schedule type": "", "Seed": 3, "Lora hashes": hash_list({"a": None})})
    assert re.fullmatch(r"p\nSteps: 1, Seed: 3, Version: hubsync.*", text)


def test_hashes_keep_names_apart() -> None:
    """A name loses colon and comma, which separate the list; a hash is twelve small digits."""
    assert hash_list({"a:b,c": "ABCDEF0123456789", "d": "0" * 64}) == "abc: abcdef012345, d: 000000000000"
