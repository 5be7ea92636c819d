"""How cards call trigger words, in the languages that cards are written in."""

from __future__ import annotations

import re

_WORD = r"(?:words?|phrases?|tokens?|key[ -]?words?|w[oö]rte?r?|terms?)"
KIND = rf"(?:{_WORD}|prompts?|tags?|text)"
"""What a trigger is: a word, a phrase, a tag."""

NAME = (
    rf"(?:(?:\btrigger(?:s|ing)?(?:[ \t_-]*{KIND})?\b|\b(?:activation|activating|instance)[ \t_-]*{KIND}\b"
    rf"|\b(?:trained|concept|magic)[ \t_-]+{_WORD}\b|\bconcept prompt\b|\btags? for the model\b)(?:\(s\)|/s)?"
    r"|\b(?:use|(?:trained|captioned|activated|triggered|invoked) (?:with|by|on|using))[ \t]+(?:the|this|these|a)"
    rf"[ \t]+(?:special[ \t]+|unique[ \t]+)?{_WORD}\b"
    r"|[触觸][发發](?:提示)?[词詞語语]|激活词|トリガー(?:ワード|プロンプト|タグ)?|트리거(?: ?(?:워드|단어))?"
    r"|\b(?:слов\w{1,3}[ -])?триггер\w{0,5}(?:[ -]слов\w{0,3})?|\bmots?[ -]d[ée]clencheurs?"
    r"|\bpalabras? (?:de activaci[oó]n|activadoras?|gatillo)|\bpalavras?[ -](?:gatilho|de ativa[cç][aã]o))"
)
"""A trigger word by any name."""

_ANY_NAME = re.compile(NAME, re.IGNORECASE)
_CALLED = re.compile(rf"(?:the |this |a )?(?:{NAME}|{KIND}\b)[ \t:]*", re.IGNORECASE)
_LONGEST_HEADING = 6

DENIED = re.compile(
    # "No trigger keyword require", "there is no essential trigger words", "works without a trigger".
    r"\b(?:no|without)\b(?:[ \t]+[\w-]+){0,3}[ \t]+(?:trigger|activation)s?\b"
    # "The trigger word is not required", "Trigger words: none".
    rf"|{NAME}[^.\n`:]{{0,40}}(?:\bnot\b|n't\b)[ \t]+(?:\w+[ \t]+){{0,2}}(?:need|requir|necessar|essential)"
    rf"|{NAME}\W{{0,6}}(?:none\b|n/a\b|nothing\b|not (?:needed|required|necessary))"
    r"|(?:not|n't)[ \t]+(?:need|require|have)[ \t]+(?:a[ \t]+|any[ \t]+)?(?:\w+[ \t]+)?trigger"
    r"|(?:不需要|无需|無需|没有|不用)(?:任何)?(?:触发|觸發)|トリガー\w{0,8}(?:不要|なし|ありません)",
    re.IGNORECASE,
)
"""A text that says there are no trigger words."""


def is_about_words(heading: str) -> bool:
    """Whether a heading announces trigger words."""
    return len(re.findall(r"\w+", heading)) <= _LONGEST_HEADING and _ANY_NAME.search(heading) is not None


def uncalled(text: str) -> str:
    """Without what the words are called: `the trigger word X` is X."""
    return text[match.end() :] if (match := _CALLED.match(text)) else text
