"""The weight a model card recommends."""

from __future__ import annotations

import re

_NUMBER = r"[`*\"']{0,4}(\d(?:\.\d+)?|\.\d+)(?![\d.]*\d)[`*\"']{0,4}"
_RANGE = rf"{_NUMBER}(?:\s*(?:-|\u2013|\u2014|~|to|and)\s*{_NUMBER})?"
_GAP = r"[^\w\n]{0,12}"
_BETWEEN = (
    r"(?:of|is|are|at|around|about|between|from|to|should|be|set|recommended|values?|for|this|the|lora|ranges?|works?|"
    r"well|best|in|start|starting|with|alpha)\b"
)
# "The recommended scale is `1.0`", "| Recommended LoRA scale | `1.0` to `1.25` |", "Weight around 1.0".
_SAID = re.compile(
    rf"(?<![\w-])(?:lora[_ ]?)?(?:weights?|scales?|strengths?){_GAP}(?:{_BETWEEN}{_GAP}){{0,8}}{_RANGE}", re.IGNORECASE
)
# "1.2 LoRA strength works better": the number comes first.
_BEFORE = re.compile(rf"(?<![\w.,-]){_RANGE}[ \t]+(?:lora[ \t]+)?(?:weight|scale|strength)\b", re.IGNORECASE)
_OTHER_SCALE = re.compile(r"(?:guidance|cfg|conditioning|true_cfg|image)[\s_-]*$", re.IGNORECASE)
_CODE = re.compile(r"(?:lora_scale|<lora:[^:<>\n]+)\s*[=:]\s*([-+]?[\d.]+)|[\"']scale[\"']\s*:\s*([\d.]+)")
_LARGEST = 2.0
# A wider range is a slider's or an experiment's, not a recommendation.
_WIDEST = 0.6


def weight_hint(prose: str, *, code: str) -> float | None:
    """The weight the text recommends, the middle of a range; else one that example code sets to something but 1.

    Scales of guidance are none, and the 1 in a card's example code is what its generator always writes.
    """
    for pattern in (_SAID, _BEFORE):
        for match in pattern.finditer(prose):
            if not _OTHER_SCALE.search(prose[max(0, match.start() - 20) : match.start()]):
                weight = _middle(match[1], match[2])
                if weight is not None:
                    return weight
    found = (_middle(first or second, None) for first, second in _CODE.findall(code))
    return next((weight for weight in found if weight not in {None, 1.0}), None)


def _middle(low: str, high: str | None) -> float | None:
    try:
        first, last = float(low), float(high or low)
    except ValueError:
        return None
    # "Weights in 2 formats" recommends nothing.
    if low.isdecimal() and first != 1:
        return None
    good = 0 < first <= last <= _LARGEST and last - first <= _WIDEST
    return round((first + last) / 2, 3) if good else None
