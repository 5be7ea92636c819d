"""What AUTOMATIC1111 makes of a prompt: its own recorded answers, and expectations written from its rules."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hubsync.errors import UsageError
from hubsync.prompts.schedules import schedules
from hubsync.prompts.syntax import (
    BREAK_MARK,
    LoraTag,
    attention,
    composable,
    extra_networks,
    lora_tags,
    number,
    strip_comments,
    tag,
)

_ERRORS = {"no_name": "IndexError", "bad_weight": "ValueError"}


def _schedules(case: dict[str, Any]) -> Any:
    options = {"hires_steps": case.get("hires_steps"), "old": case.get("use_old_scheduling", False)}
    return [list(stretch) for stretch in schedules(case["input"], case["steps"], **options)]


def _parsed(case: dict[str, Any]) -> Any:
    text, networks = extra_networks(case["input"])
    listed = [{"type": one.type, "positional": [*one.positional], "named": {**one.named}} for one in networks]
    return {"prompt": text, "networks": listed}


def _activated(case: dict[str, Any]) -> Any:
    tags = lora_tags(case["input"])
    if faults := [tag.fault for tag in tags if tag.fault]:
        return {"raises": _ERRORS[faults[0]]}
    return [{"name": tag.name, "te": tag.te, "unet": tag.unet, "dyn": tag.dyn} for tag in tags]


_RUN: dict[str, Callable[[dict[str, Any]], Any]] = {
    "get_learned_conditioning_prompt_schedules": _schedules,
    "parse_prompt_attention": lambda case: [list(part) for part in attention(case["input"])],
    "get_multicond_prompt_list": lambda case: [list(part) for part in composable(case["input"])],
    "extra_networks.parse_prompt": _parsed,
    "lora.activate": _activated,
    "real tag: parse + activate": lambda case: {"parse": _parsed(case), "activate": _activated(case)},
    "strip_comments": lambda case: strip_comments(case["input"]),
}


def _without_items(expected: Any) -> Any:
    """The recorded answers also list a tag's arguments unsorted, which hubsync does not keep."""
    if isinstance(expected, dict):
        return {key: _without_items(value) for key, value in expected.items() if key != "items"}
    return [_without_items(value) for value in expected] if isinstance(expected, list) else expected


@pytest.mark.parametrize("function", _RUN)
def test_every_recorded_answer(function: str, shared_data: Path) -> None:
    """Each recorded answer of AUTOMATIC1111's own function is given here too."""
    recorded = json.loads((shared_data / "a1111" / "cases.json").read_text("utf-8"))["cases"]
    cases = [case for case in recorded if case["function"] == function]
    wrong = {
        case["input"]: _RUN[function](case)
        for case in cases
        if _RUN[function](case) != _without_items(case["expected"])
    }
    assert cases
    assert wrong == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [("", 1.0)]),
        ("a (red) [dim] x", [("a ", 1.0), ("red", 1.1), (" ", 1.0), ("dim", 1 / 1.1), (" x", 1.0)]),
        ("(a:1.3)(b:1.3)", [("ab", 1.3)]),
        ("((a:1.2))", [("a", 1.2 * 1.1)]),
        ("(a: 0.5 )", [("a", 0.5)]),
        ("(a", [("a", 1.1)]),
        ("a:0.5)", [("a:0.5)", 1.0)]),
        ("soraka \\(league\\)", [("soraka (league)", 1.0)]),
        ("a  BREAK  b BREAK", [("a", 1.0), BREAK_MARK, ("b", 1.0), BREAK_MARK, ("", 1.0)]),
        ("BREAK", [("", 1.0), BREAK_MARK, ("", 1.0)]),
        ("a BREAKFAST", [("a BREAKFAST", 1.0)]),
        ("(a BREAK b:1.2)", [("a", 1.2), ("BREAK", -1.2), ("b", 1.2)]),
        ("(a [b) c]", [("a ", 1.1), ("b", 1.1 / 1.1), (" c", 1 / 1.1)]),
    ],
)
def test_attention(text: str, expected: list[tuple[str, float]]) -> None:
    """Brackets multiply, numbers set, escapes are text, BREAK parts chunks unless brackets hold it."""
    found = attention(text)
    assert [part for part, _ in found] == [part for part, _ in expected]
    assert [weight for _, weight in found] == pytest.approx([weight for _, weight in expected])


def test_a_weight_that_is_no_number_is_said() -> None:
    """Where AUTOMATIC1111 stops with an error, so does hubsync, naming the weight."""
    with pytest.raises(UsageError, match=r"1\.2\.3") as caught:
        attention("(a:1.2.3)")
    assert caught.value.hint == "write it like (word:1.2)"


@pytest.mark.parametrize(
    ("prompt", "tags"),
    [
        ("a cat", []),
        ("<lora:x>", [LoraTag(name="x", te=1.0, unet=1.0)]),
        ("<lyco:x:0.5> <lora:y:-1:2>", [LoraTag(name="x", te=0.5, unet=0.5), LoraTag(name="y", te=-1.0, unet=2.0)]),
        ("<lora:x:te=0.2:unet=0.9:dyn=8>", [LoraTag(name="x", te=0.2, unet=0.9, dyn=8)]),
        ("<lora:x:1:1:8:dyn=4>", [LoraTag(name="x", te=1.0, unet=1.0, dyn=4)]),
        ("<lora:x:1:1:full>", [LoraTag(name="x", fault="bad_weight")]),
        ("<lora:x:1:OUTALL>", [LoraTag(name="x", fault="bad_weight")]),
        ("<lora:te=1>", [LoraTag(name="", fault="no_name")]),
        ("<Lora:x:1> <hypernet:h:1> <wildcard:w>", []),
    ],
)
def test_lora_tags(prompt: str, tags: list[LoraTag]) -> None:
    """Weights as they are resolved: text encoder first, the UNet follows it, named ones win, bad ones are faults."""
    assert list(lora_tags(prompt)) == tags


@pytest.mark.parametrize(
    ("weight", "te", "text"),
    [
        (0.8, None, "<lora:n:0.8>"),
        (1.0, 1.0, "<lora:n:1>"),
        (-0.0, None, "<lora:n:0>"),
        (-0.75, None, "<lora:n:-0.75>"),
        (0.8, 0.5, "<lora:n:te=0.5:unet=0.8>"),
    ],
)
def test_a_tag_reads_back(weight: float, te: float | None, text: str) -> None:
    """A tag holds one plain number, or two named ones, in their shortest form, and is read as what was meant."""
    assert tag("n", weight, te=te) == text
    assert lora_tags(text) == (LoraTag(name="n", te=weight if te is None else te, unet=weight),)


def test_numbers_keep_every_digit() -> None:
    """The shortest text of a number is still that number."""
    values = (0.1 + 0.2, 1 / 3, 1e-7, 12345678.5, 0.65)
    assert [float(number(value)) for value in values] == list(values)
    assert number(0.65) == "0.65"


def test_comments_and_and() -> None:
    """A comment goes to the end of its line; AND in capitals parts prompts, each with a weight at its end."""
    assert strip_comments("# all\na, b # rest\nc") == "\na, b \nc"
    assert composable("a cat AND a dog :0.5 AND sANDy") == [("a cat", 1.0), (" a dog", 0.5), (" sANDy", 1.0)]
