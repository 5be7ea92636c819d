"""One prompt for four readers, and the warnings that name a culprit."""

from __future__ import annotations

import pytest

from hubsync.prompts.compose import Choice, Format, compose

_TEXT = "a \\(x\\) \\[y\\], <lora:q:0.3:0.9>, [b]"
_CHOICES = (
    Choice(name="easy (v2)", groups=(("easy (v2)",),), tag=False),
    Choice(name="n", weight=0.5, groups=(("(w:1.1)", "z [k] (l)"),)),
    Choice(name="q"),
)


@pytest.mark.parametrize(
    ("form", "prompt"),
    [
        (
            Format.A1111,
            "a \\(x\\) \\[y\\], <lora:q:0.3:0.9>, [b], easy \\(v2\\), (w:1.1), z \\[k\\] \\(l\\) <lora:n:0.5>",
        ),
        (
            Format.SWARMUI,
            "a \\(x\\) \\[y\\], <lora:q:0.9:0.3>, [b], easy \\(v2\\), (w:1.1), z \\[k\\] \\(l\\) <lora:n:0.5>",
        ),
        (Format.COMFYUI, "a \\(x\\) [y], [b], embedding:easy \\(v2\\), (w:1.1), z [k] \\(l\\)"),
        (Format.PLAIN, "a (x) [y], [b], easy (v2), (w:1.1), z [k] (l)"),
    ],
)
def test_formats(form: Format, prompt: str) -> None:
    """Tags in each tool's order or none, escapes as it reads them; the LoRAs are told in every format."""
    composed = compose(_TEXT, _CHOICES, format=form)
    assert composed.prompt == prompt
    assert [(use.name, use.te_weight, use.unet_weight) for use in composed.loras] == [("q", 0.3, 0.9), ("n", 0.5, 0.5)]
    assert all(change.text in prompt for change in composed.inserted)


def test_the_negative_prompt_is_written_for_its_reader_too() -> None:
    """Escapes go from a plain one."""
    choice = Choice(name="n", negative="bad (x)")
    assert compose("a", [choice], format=Format.PLAIN).negative_prompt == "bad (x)"
    assert compose("a", [choice]).negative_prompt == "bad \\(x\\)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a \\[b\\] (c:1.2) # BREAK", None),
        ("a [b] BREAK c AND d BREAK", "ComfyUI reads BREAK, AND, [ ] as plain text"),
    ],
)
def test_what_comfyui_does_not_know(text: str, message: str | None) -> None:
    """It is named once, and only to those who write for ComfyUI."""
    notes = compose(text, [], format=Format.COMFYUI).warnings
    assert [note.message for note in notes if note.code == "comfyui_syntax"] == ([message] if message else [])
    assert compose(text, []).warnings == ()


def _codes(text: str, *choices: Choice, negative: str = "") -> list[str]:
    return [note.code for note in compose(text, choices, negative=negative).warnings]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("a <lora:x:1>, [b:c:0.5]", []),
        ("<lora:x:1:OUTALL>", ["bad_weight"]),
        ("<lora:te=1>", ["no_name"]),
        ("<lora:x:1> <lora:x:0.5>", ["duplicate_tag"]),
        ("[<lora:x:1>:b:0.5]", ["tag_in_schedule"]),
        ("<Lora:x:1>", ["unknown_tag"]),
        ("a # <lora:x:1>", ["comment"]),
        ("<lora:x#1:1> b", ["unsafe_name"]),
        ("<lora:x#1:1> b\n<lora:y", ["unsafe_name", "unclosed_tag"]),
        ("a <lora:x#1:1", ["unclosed_tag"]),
        ("<lora:a=b:1>", ["unsafe_name"]),
        ("<lora:a=b=c:1>", []),
        ("<lora:a>b:1>", ["unsafe_name"]),
        ("<lora:x:1>, >:1>", []),
        ("<lora:x> <lora:x> [<lora:x:1>] [<lora:x:1>]", ["duplicate_tag", "tag_in_schedule"]),
        ("(hm:...)", ["bad_attention"]),
        ("hm:...)", []),
        ("a <lora:x:1", ["unclosed_tag"]),
    ],
)
def test_warnings(text: str, codes: list[str]) -> None:
    """What AUTOMATIC1111 would pass over in silence is said."""
    assert _codes(text) == codes


def test_a_tag_in_the_negative_prompt() -> None:
    """It does nothing there, and the warning names it."""
    (note,) = compose("a", [], negative="bad <lora:x:1>").warnings
    assert (note.code, "'x'" in note.message) == ("tag_in_negative", True)


@pytest.mark.parametrize("name", ["a#b", "a:b", "a>b", "a=b", ""])
def test_names_that_cannot_stand_in_a_tag(name: str) -> None:
    """The prompt is left as it is: such a tag would load another LoRA or hide what follows."""
    composed = compose("x", [Choice(name=name, groups=(("w",),))])
    assert (composed.prompt, [note.code for note in composed.warnings]) == ("x", ["unsafe_name"])


def test_words_that_cannot_stand_in_a_prompt() -> None:
    """They are left out and named; a keyword inside a word is put in and named."""
    composed = compose("x", [Choice(name="n", groups=(("c# code", "<lora:y", "BLACK AND WHITE"),))])
    assert composed.prompt == "x, BLACK AND WHITE <lora:n:0.8>"
    assert [note.code for note in composed.warnings] == ["unsafe_word", "unsafe_word", "keyword_in_word"]
