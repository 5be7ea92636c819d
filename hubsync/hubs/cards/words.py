"""The trigger words of a model card: rules in order, each with the trap it was made for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from hubsync.hubs.text import clean, plain

_HEADING = re.compile(r"^[ \t]*#{1,6}[ \t]*(.+?)[ \t]*#*[ \t]*$", re.MULTILINE)
_KIND = r"(?:words?|phrases?|tokens?|keywords?|prompts?|tags?)"
_ABOUT_WORDS = re.compile(
    rf"\W*(?:how to )?(?:trigger(?:s|ing)?|activation)(?:\s+{_KIND})?(?:\(s\))?\W*", re.IGNORECASE
)
_NAME = rf"(?:trigger|activation|instance)[ \t]*{_KIND}?"
# "No trigger keyword require", "there is no essential trigger words", "The trigger word is not required".
_NONE = re.compile(
    rf"\b(?:no|works? without)\b(?:[ \t]+[\w-]+){{0,3}}[ \t]+(?:trigger|activation)\b"
    rf"|{_NAME}[^.\n`]{{0,40}}(?:\bnot\b|n't\b)[ \t]+(?:\w+[ \t]+){{0,2}}(?:need|requir|necessar|essential)"
    rf"|{_NAME}\W{{0,6}}(?:none\b|n/a\b|nothing\b|not (?:needed|required|necessary))"
    r"|(?:not|n't)[ \t]+(?:need|require)[ \t]+(?:a[ \t]+|any[ \t]+)?(?:\w+[ \t]+)?trigger",
    re.IGNORECASE,
)
_MARKED = r"(?:`+[^`\n]*`+|\"[^\"\n]{1,80}\"|“[^”\n]{1,80}”|\*\*[^*\n]{1,80}\*\*)"
_SERIES = rf"{_MARKED}(?:[ \t]*(?:,|and|or|,[ \t]*and|\+|&)[ \t]*{_MARKED})*"
_USE = re.compile(
    r"\buse[ \t]+(?:the[ \t]+)?(.+?)[ \t]+(?:to (?:trigger|invoke|activate)|in (?:your|the) prompts?\b)", re.IGNORECASE
)
# "Trigger word: X", "| Trigger | `X` |", "The tag for the model: X".
_LABEL = re.compile(rf"(?:{_NAME}|tags? for the model)[*_ \t]*[:=|]+[*_ \t|]*(\S[^\n|]*)", re.IGNORECASE)
# "The trigger word is X.", "The trigger tokens for your prompt will be `X`": X marked, or the whole short rest.
_STATED = re.compile(
    rf"{_NAME}[ \t]+(?:for your prompts?[ \t]+)?(?:is|are|will be)[ \t]+({_SERIES}|(?:[^\s.]+ ?){{1,4}}(?=\.|$))",
    re.IGNORECASE | re.MULTILINE,
)
_TOLD = re.compile(rf"\b{_NAME}[*_ \t:]*({_SERIES})", re.IGNORECASE)
_ASKED = re.compile(
    rf"\b(?:use|add|include|put|write|type|prefix with|start with)[ \t]+(?:the[ \t]+)?(?:words?[ \t]+|tokens?[ \t]+|"
    rf"keywords?[ \t]+|phrase[ \t]+)?({_SERIES})[^.\n]{{0,20}}(?:prompt|to (?:trigger|activate|invoke|get))",
    re.IGNORECASE,
)
_TRAINED = re.compile(r"\bweights were trained (?:on|using) (.+?) using \[?DreamBooth", re.IGNORECASE)
_EXAMPLE = re.compile(r"\b(?:something like|example|e\.g\.|prompts?:?)[ \t:]*`([^`\n]+)`", re.IGNORECASE)
_NEGATIVE = re.compile(r"\b(?:as|in|to|for)\b[^.\n]{0,20}\bnegative[ _]prompt", re.IGNORECASE)
_MARKS = re.compile(_MARKED)
_ITEM = re.compile(r"[ \t]*(?:[-*+•]|\d+[.)])[ \t]+")
# The example of the training scripts' own documentation.
_LEFT_OVER = re.compile(r"sksdog|a photo of (?:sks|TOK) dog", re.IGNORECASE)
_DOG = re.compile(r"dog|pup|corg", re.IGNORECASE)
_TECHNICAL = re.compile(r"[-_. ]*(?:lora|locon|dora|sdxl|flux|v?\d+(?:\.\d+)*)\b", re.IGNORECASE)
_LORA_TAG = re.compile(r"<(?:lora|lyco|lycoris):[^<>]*>", re.IGNORECASE)
# A weight beside the words, alone or as a range; `1950` is a word.
_SCALE = re.compile(r"[-+~]?(?:\d|\d?\.\d+)(?:\s*(?:-|to|~)\s*(?:\d|\d?\.\d+))?")
_QUOTES = "`\"'“”*_ \t.:;"
_NO_WORDS = frozenset({"", "-", "none", "null", "n/a", "na", "no", "undefined", "nothing"})
# Parts of a list are short; a part of more words makes the whole a phrase ("in the style of TOK a trtcrd, tarot").
_LONGEST_PART = 3
# Longer instance prompts are whole validation prompts (CogVideoX trainers).
_LONGEST_PROMPT = 12


def trigger_words(prose: str, *, instance: str, repo: str) -> tuple[str, ...]:
    """The words a careful reader would type, in order; empty where the card has or wants none.

    `prose` is the card's text without code blocks, `instance` its `instance_prompt`.
    """
    section = _section(prose)
    if section is not None and (words := _of_section(section)) is not None:
        return words or (() if _NONE.search(section) else _of_instance(instance, repo))
    if _NONE.search(prose):
        return ()
    told = _of_statements(prose)
    metadata = _of_instance(instance, repo)
    # The front matter spells a word as the trainer saw it, where prose says the same in other letters.
    same = [word.casefold() for word in told] == [word.casefold() for word in metadata]
    found = metadata if same or not told else told
    return _not_negative(found or _of_requests(prose) or _of_training(prose) or _of_example(prose, repo), prose)


def _section(prose: str) -> str | None:
    headings = list(_HEADING.finditer(prose))
    for index, heading in enumerate(headings):
        if _ABOUT_WORDS.fullmatch(heading[1]):
            end = headings[index + 1].start() if index + 1 < len(headings) else len(prose)
            return prose[heading.end() : end]
    return None


def _of_section(text: str) -> tuple[str, ...] | None:
    """Words of the section; empty where it says there are none, None where it is empty."""
    if not text.strip():
        return None
    if used := _USE.findall(text):
        return _unique(word for value in used for word in _listed(value))
    if _NONE.search(text) or re.search(r"\bnot (?:needed|required|necessary)|^\W*(?:none|n/a)\b", text, re.IGNORECASE):
        return ()
    return _unique(word for value in _told_in(text) for word in _words(value))


def _told_in(text: str) -> Iterator[str]:
    """Marked words: the first of each list item, else those of the first sentence with any; else short lines."""
    items = [line for line in text.splitlines() if _ITEM.match(line)]
    if first := [marked[0] for line in items if (marked := _MARKS.findall(line))]:
        yield from first
        return
    for sentence in re.split(r"(?<=\.)\s|\n", text):
        if marked := _MARKS.findall(sentence):
            yield from marked
            return
    for line in items or text.splitlines():
        if 0 < len(line.split()) <= _LONGEST_PROMPT:
            yield _value(_ITEM.sub("", line).rpartition(": ")[2])


def _of_statements(prose: str) -> tuple[str, ...]:
    labels = [_value(value) for value in _LABEL.findall(prose)]
    found = labels or _STATED.findall(prose) or _TOLD.findall(prose)
    return _unique(word for value in found[:3] for word in _listed(value))


def _of_instance(instance: str, repo: str) -> tuple[str, ...]:
    """The front matter's words: no validation prompt, no default left over, of pivotal tuning the tokens alone."""
    if len(instance.split()) > _LONGEST_PROMPT or (_LEFT_OVER.fullmatch(instance) and not _DOG.search(repo)):
        return ()
    return _unique(re.findall(r"(?:<s\d+>)+", instance) or _words(instance))


def _of_requests(prose: str) -> tuple[str, ...]:
    return _unique(word for value in _ASKED.findall(prose)[:1] for word in _listed(value))


def _of_training(prose: str) -> tuple[str, ...]:
    return _unique(word for value in _TRAINED.findall(prose)[:1] for word in _words(plain(value)))


def _of_example(prose: str, repo: str) -> tuple[str, ...]:
    """The part of an example prompt that names the repository's subject."""
    subject = _TECHNICAL.sub("", repo.rpartition("/")[2])
    if len(subject) < 4:
        return ()
    parts = [clean(part) for value in _EXAMPLE.findall(prose) for part in value.split(",")]
    return _unique(part for part in parts if _folded(subject) in _folded(part))[:1]


def _folded(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _not_negative(words: tuple[str, ...], prose: str) -> tuple[str, ...]:
    """Without words that the card wants in the negative prompt (a LoRA of what is wrong with pictures)."""
    return tuple(
        word
        for word in words
        if not any(
            _NEGATIVE.match(prose[match.end() : match.end() + 60].lstrip(_QUOTES))
            for match in re.finditer(rf"[`\"“*]{re.escape(word)}[`\"”*]", prose)
        )
    )


def _value(text: str) -> str:
    """What a label is followed by: marked words if any, else up to the end of the sentence."""
    if marked := re.match(rf"[^\w`\"“*<]*({_SERIES})", text):
        return marked[1]
    return re.split(r"\.(?:\s|$)|;|\(| (?:to|at|for|in|with|when) ", text, maxsplit=1)[0]


def _listed(value: str) -> Iterator[str]:
    for part in re.findall(_MARKED, value) or [value]:
        yield from _words(part)


def _words(value: str) -> Iterator[str]:
    """One phrase, or the parts of a comma list if all are short."""
    text = clean(_LORA_TAG.sub("", value)).strip(_QUOTES)
    parts = [part.strip(_QUOTES) for part in re.split("[,\uff0c\u3001]", text)]
    several = all(len(part.split()) <= _LONGEST_PART for part in parts)
    for word in parts if several else [text.strip(" ,")]:
        if word.casefold() not in _NO_WORDS and not _SCALE.fullmatch(word):
            yield word


def _unique(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))
