"""Text from hubs: safe to print, and still what its author wrote."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubsync.text import clean, clean_lines, plain, unescaped, unsigned


@given(st.text())
def test_one_line_stays_one_line(text: str) -> None:
    """No control character, lone surrogate or line break survives, whatever comes in."""
    found = clean(text + "\x1b[31m\u202e\ud800\n")
    assert len(found.splitlines()) <= 1
    assert not {unicodedata.category(char) for char in found} & {"Cc", "Cs"}


@given(st.text(alphabet=st.characters() | st.sampled_from("<>&!-/\"'[]?"), max_size=200))
def test_any_markup_has_a_plain_text(markup: str) -> None:
    """No markup breaks the reader, declarations and unclosed tags included."""
    found = plain(f"<![{markup}")
    assert "\x1b" not in found
    assert found == found.strip()


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
        ("x<br>y<br/>z", "x\ny\nz"),
        ("See <a href='https://example.org/?a=1&amp;b=2'>the others</a>.", "See the others."),
        ("<h2>Title</h2>Text &amp; more&nbsp;&gt; less", "Title\nText & more > less"),
        ("<script>alert(1)</script>a<style>p {}</style>b", "ab"),
        ("keep >_< and <phigep> and <s0><s1>", "keep >_< and <phigep> and <s0><s1>"),
        ("<lora:zerg:0.8> zerg", "<lora:zerg:0.8> zerg"),
        ("<!-- hidden --><b>bold</b> <img src=x onerror=alert(1)>", "bold"),
        ("&lt;b&gt;not bold&lt;/b&gt;", "<b>not bold</b>"),
        ("\x1b[2Jcleared", "[2Jcleared"),
        ("", ""),
    ],
)
def test_html_becomes_lines(markup: str, text: str) -> None:
    """Blocks are lines, items have a dash, links their text; trigger words in angle brackets are no tags."""
    assert plain(markup) == text


def test_names_are_trimmed_and_keep_their_unicode() -> None:
    """Emoji, escaped brackets and inner blanks stay."""
    assert clean("  kira \\(style\\) ✨\u200d🎨\tx ") == "kira \\(style\\) ✨\u200d🎨 x"


def test_no_mark_that_turns_text_round_stays() -> None:
    """A name is what it looks like: every control of direction goes, the Arabic letter mark too."""
    assert clean("a\u061cb\u200e\u200f\u202a\u202e\u2066\u2069c") == "abc"


def test_addresses_lose_what_signs_them() -> None:
    """A query can be a signature or a key; the place it belongs to is told."""
    said = 'gone: https://b2.civitai.com/file/x?Authorization=3_s&b=1 "HTTP://h/?token=k" http://h/a#t why?'
    assert unsigned(said) == 'gone: https://b2.civitai.com/file/x "HTTP://h/" http://h/a why?'


def test_lines_end_in_one_way() -> None:
    """Windows and old Mac line ends become the usual one."""
    assert clean_lines("a\r\nb\rc\x07") == "a\nb\nc"


def test_entities_escaped_twice_are_resolved() -> None:
    """Some card generators escape what is already escaped."""
    assert unescaped("https:&amp;#x2F;&amp;#x2F;glif.app &amp;amp; &#39;x&#39;") == "https://glif.app & 'x'"
