"""Tokens by chunks, and infotexts taken apart."""

from __future__ import annotations

import pytest

from hubsync.prompts.chunks import chunks, told
from hubsync.prompts.infotext import parted

WORDS = "red hat, " * 25
"""75 tokens."""


@pytest.mark.parametrize(
    ("prompt", "counts", "shown"),
    [
        ("", (0,), "0/75"),
        ("a <lora:x:1> # and a comment", (1,), "1/75"),
        ("(a:1.2) [b]", (2,), "2/75"),
        (WORDS, (75,), "75/75"),
        (f"{WORDS} a b", (75, 2), "75 + 2/150"),
        (f"a b BREAK {WORDS} c", (2, 75, 1), "2 + 75 + 1/225"),
        ("a BREAK", (1, 0), "1 + 0/150"),
        ("a AND b c d", (3,), "3/75"),
        ("[a:b c:10] d", (3,), "3/75"),
        ("(a:1.2.3)", (9,), "9/75"),
        ("a " * 20_000, (75,) * 266 + (50,), None),
    ],
)
def test_a_prompt_in_chunks(prompt: str, counts: tuple[int, ...], shown: str | None) -> None:
    """Tags, comments, brackets and weights are no tokens; of several texts the longest counts; any has an answer."""
    assert chunks(prompt) == counts
    assert shown in {None, told(counts)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a cat <lora:x:1>\n", ("a cat <lora:x:1>\n", "", "")),
        ("(a:1.2), (b:1), (c:2),", ("(a:1.2), (b:1), (c:2),", "", "")),
        ("a\nb\nSteps: 20, Size: 8x8", ("a\nb", "", "Steps: 20, Size: 8x8")),
        ("a\rNegative prompt: b\rc\rSteps: 4", ("a", "b\nc", "Steps: 4")),
        ("Negative prompt:b", ("", "b", "")),
        ("", ("", "", "")),
    ],
)
def test_an_infotext_is_parted(text: str, expected: tuple[str, str, str]) -> None:
    """Prompt, negative prompt, settings; a prompt alone stays as it is, weights and all."""
    assert parted(text) == expected
