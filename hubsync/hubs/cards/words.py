"""The trigger words of a model card: rules in order, each with the trap it was made for."""

from __future__ import annotations

import re

from hubsync.hubs.cards import tables
from hubsync.hubs.cards.names import DENIED, NAME, is_about_words, uncalled
from hubsync.hubs.cards.phrase import SERIES, listed, unique, value, words
from hubsync.hubs.cards.sections import denies, sections, words_of
from hubsync.text import clean, plain

_QUOTE = re.compile(r"^[ \t]*>[ \t]?(?:\[!\w+\])?", re.MULTILINE)
_LINK = re.compile(r"(!?)\[([^\]\n]{0,300})\]\([^)\n]{0,2000}\)")
# The signs of Chinese and Japanese text: colon, commas, semicolon, brackets, exclamation mark.
_WIDE = str.maketrans("\uff1a\uff0c\u3001\uff1b\uff08\uff09\uff01", ":,,;()!")
_CODE_LINE = re.compile(r"^```.*```$", re.MULTILINE)
_SETEXT = re.compile(r"^([^\n#|>=`-][^\n|]{0,80})\n(?:-{3,}|={3,})[ \t]*$", re.MULTILINE)
# "Trigger word: X", "| Trigger | `X` |", "The tag for the model: X", "Trigger words for the style (optional): X".
_LABEL = re.compile(
    rf"(?:{NAME}|^[^\w\n]{{0,10}}(?:keyword|token)\b)(?:[ \t]*\([^()\n]{{0,40}}\))?"
    r"(?:[ \t]+(?:for|of|to|in|used|is|are)\b[^\n:=|.,`\"]{0,40})?"
    r"[*_ \t]*(?:[:|]+|[=-]?>|=|→|\s[-\u2013—]\s)[*_ \t|]*(\S[^\n|]*)",
    re.IGNORECASE | re.MULTILINE,
)
# "The trigger word is X.", "The trigger tokens for your prompt will be `X`": X marked, or the whole short rest.
_IS = rf"{NAME}[ \t]*(?:for (?:your|this) \w+[ \t]+)?(?:\b(?:is|are|was|will be)[ \t]+|[是为は][ \t]*)"
_STATED = re.compile(rf"{_IS}({SERIES})", re.IGNORECASE)
_STATED_PLAIN = re.compile(rf"{_IS}((?:[^\s.。]+ ?){{1,4}}(?=[.。]|です|$))", re.IGNORECASE | re.MULTILINE)
_TOLD = re.compile(rf"{NAME}[*_ \t:]*(?:(?:of|like|called|named)[ \t]+)?({SERIES})", re.IGNORECASE)
# "Use `X` as trigger word", "`X` is the trigger".
_AS = re.compile(rf"({SERIES})[ \t]*(?:(?:is|as|are)[ \t]+(?:the|a|your|its)?|が|是|作为)[ \t]*{NAME}", re.IGNORECASE)
_ASKED = re.compile(
    rf"\b(?:(?:use|add|include|put|write|type|prepend|append|(?:start|begin|prefix) with)[ \t]+(?:the[ \t]+)?"
    rf"(?:words?[ \t]+|tokens?[ \t]+|keywords?[ \t]+|phrase[ \t]+)?({SERIES})[^.\n]{{0,40}}"
    rf"(?:prompt|to (?:trigger|activate|invoke|get))|(?:(?:start|begin|prefix)[ \t]+(?:your|the|every|each|all)[ \t]+"
    rf"prompts?[ \t]+with|prompts?:[ \t]*(?:add|use|include))[ \t]+({SERIES}))",
    re.IGNORECASE,
)
_TRAINED = re.compile(r"\bweights were trained (?:on|using) (.{1,300}?) using \[?DreamBooth", re.IGNORECASE)
_EXAMPLE = re.compile(r"\b(?:something like|example|e\.g\.|prompts?:?)[ \t:]*`([^`\n]+)`", re.IGNORECASE)
_NEGATIVE = re.compile(r"[`\"'“”*_ \t.:;]*\b(?:as|in|to|for)\b[^.\n]{0,20}\bnegative[ _]prompt", re.IGNORECASE)
# The example of the training scripts' own documentation.
_LEFT_OVER = re.compile(r"sksdog|a photo of (?:sks|TOK) dog", re.IGNORECASE)
_DOG = re.compile(r"dog|pup|corg", re.IGNORECASE)
_TECHNICAL = re.compile(r"[-_. ]*(?:lora|locon|dora|sdxl|flux|v?\d+(?:\.\d+)*)\b", re.IGNORECASE)
# Longer instance prompts are whole validation prompts (CogVideoX trainers).
_LONGEST_PROMPT = 12
_MOST_PLACES = 3


def trigger_words(prose: str, *, instance: str, repo: str) -> tuple[str, ...]:
    """The words a careful reader would type, in order; empty where the card has or wants none.

    `prose` is the card's text, of its code blocks only those of one short line, `instance` its `instance_prompt`.
    """
    prose = _LINK.sub(lambda link: "" if link[1] else link[2], _QUOTE.sub("", prose.translate(_WIDE)))
    prose = _SETEXT.sub(r"## \1", prose)
    denied = False
    for section in sections(prose):
        if found := words_of(section, _of_statements):
            return found
        denied = denied or denies(section)
    if denied:
        return ()
    text, found_tables = tables.split(_CODE_LINE.sub("", prose))
    told = _of_columns(found_tables) or _stated(text, _LABEL, _STATED, _TOLD, _AS)
    if not told and DENIED.search(text):
        return ()
    metadata = _of_instance(instance, repo)
    # The front matter spells a word as the trainer saw it, where prose says the same in other letters.
    same = [word.casefold() for word in told] == [word.casefold() for word in metadata]
    found = (metadata if same else told) or metadata or _stated(text, _STATED_PLAIN) or _of_requests(text)
    return _not_negative(found or _of_training(text) or _of_example(text, repo), text)


def _of_columns(found: list[tables.Table]) -> tuple[str, ...]:
    """The words in a column that is headed so."""
    cells = [
        row[index]
        for table in found
        for index, name in enumerate(table.heading)
        if is_about_words(name) and "`" not in name
        for row in table.rows
        if index < len(row)
    ]
    return unique(word for cell in cells for word in listed(value(cell)))


def _of_statements(text: str) -> tuple[str, ...]:
    """What labels and sentences call a trigger word; a sentence that says there is none states nothing."""
    return _stated(text, _LABEL, _STATED, _TOLD, _AS, _STATED_PLAIN)


def _stated(text: str, *patterns: re.Pattern[str]) -> tuple[str, ...]:
    """The words of the first pattern that finds some, at its first few places."""
    sentences = re.split(r"(?<=[.!?。])\s|\n", _CODE_LINE.sub("", text))
    said = "\n".join(sentence for sentence in sentences if not DENIED.search(sentence))
    for pattern in patterns:
        phrases = pattern.findall(said)[:_MOST_PLACES]
        if found := unique(word for phrase in phrases for word in listed(value(uncalled(value(phrase))))):
            return found
    return ()


def _of_instance(instance: str, repo: str) -> tuple[str, ...]:
    """The front matter's words: no validation prompt, no default left over, of pivotal tuning the tokens alone."""
    if len(instance.split()) > _LONGEST_PROMPT or (_LEFT_OVER.fullmatch(instance) and not _DOG.search(repo)):
        return ()
    return unique(re.findall(r"(?:<s\d+>)+", instance) or words(instance))


def _of_requests(text: str) -> tuple[str, ...]:
    return unique(word for marked in _ASKED.findall(text)[:1] for word in listed(marked[0] or marked[1]))


def _of_training(text: str) -> tuple[str, ...]:
    return unique(word for phrase in _TRAINED.findall(text)[:1] for word in words(plain(phrase)))


def _of_example(text: str, repo: str) -> tuple[str, ...]:
    """The part of an example prompt that names the repository's subject."""
    subject = _TECHNICAL.sub("", repo.rpartition("/")[2])
    if len(subject) < 4:
        return ()
    parts = [clean(part) for phrase in _EXAMPLE.findall(text) for part in phrase.split(",")]
    return unique(part for part in parts if _folded(subject) in _folded(part))[:1]


def _folded(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _not_negative(found: tuple[str, ...], text: str) -> tuple[str, ...]:
    """Without words that the card wants in the negative prompt (a LoRA of what is wrong with pictures)."""
    return tuple(
        word
        for word in found
        if not any(
            _NEGATIVE.match(text[match.end() : match.end() + 60])
            for match in re.finditer(rf"[`\"“*']{re.escape(word)}[`\"”*']", text)
        )
    )
