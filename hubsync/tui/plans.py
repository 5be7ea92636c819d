"""What a pre-flight says: the plans of an install as facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hubsync.errors import Ambiguous
from hubsync.services.planning import Plan, Unplannable
from hubsync.tui.advice import advice
from hubsync.tui.describe import BLANK, base_name, hub_groups, title
from hubsync.tui.text import home, one_line, size, words
from hubsync.tui.widgets.facts import Fact

_MUTED = "$foreground-muted"


def wanted(entries: Sequence[Plan | Unplannable]) -> list[Plan]:
    """The plans among them whose files are not here yet, the same bytes once."""
    return [entry for entry in entries if isinstance(entry, Plan) and entry.existing is None and not entry.twin]


def total(plans: Sequence[Plan]) -> str:
    """How many files, and their bytes."""
    files = "1 file" if len(plans) == 1 else f"{len(plans)} files"
    return f"{files}, {size(_bytes(plans))}"


def _bytes(plans: Sequence[Plan]) -> int:
    return sum(plan.file.size or 0 for plan in plans)


def plan_facts(plans: Sequence[Plan]) -> list[Fact]:
    """What would be installed: a LoRA, and what it does not work without."""
    plan, *companions = plans
    checked = "against the hub's SHA-256" if plan.file.sha256 else "size and format only: the hub states no SHA-256"
    fields = (
        ("Version", plan.version.name),
        ("Base", plan.version.base_model or ""),
        ("File", plan.file.name),
        ("With", ", ".join(one.file.name for one in companions)),
        ("Size", f"{size(_bytes(plans))}, {size(plan.space_left)} free"),
        ("To", home(plan.target)),
        ("Checked", checked),
        *(("Note", note) for note in dict.fromkeys(note for one in plans for note in one.notes)),
    )
    return [
        *title(plan.lora.name, (f"by {plan.lora.creator}" if plan.lora.creator else "", str(plan.file.ref))),
        *(Fact(label=label, value=words(text)) for label, text in fields if text),
        Fact(label="Words", value=hub_groups(plan.version.trigger_words)),
    ]


def batch_facts(entries: Sequence[Plan | Unplannable], names: Mapping[str, str]) -> list[Fact]:
    """Every file of a batch; `names` are those of the LoRAs by what was asked for."""
    facts = [Fact(value=words(_summary(entries), "bold")), *_too_much(wanted(entries)), BLANK]
    # First what cannot be had: among a hundred others nobody would find it.
    for entry in sorted(entries, key=lambda entry: isinstance(entry, Plan)):
        facts += _plan_lines(entry) if isinstance(entry, Plan) else _refusal_lines(entry, names)
    return facts


def _summary(entries: Sequence[Plan | Unplannable]) -> str:
    missing = wanted(entries)
    refused = sum(isinstance(entry, Unplannable) for entry in entries)
    twins = sum(isinstance(entry, Plan) and bool(entry.twin) for entry in entries)
    here = len(entries) - len(missing) - refused - twins
    parts = [f"{total(missing)} to install" if missing else "Nothing to install"]
    parts += [f"{here} here already"] if here else []
    parts += [f"{twins} the same as another"] if twins else []
    parts += [f"{refused} that cannot be had"] if refused else []
    return " · ".join(parts)


def _too_much(plans: Sequence[Plan]) -> Iterator[Fact]:
    """Each plan was checked by itself: together they may need more room than there is."""
    space = min((plan.space_left for plan in plans), default=0)
    if plans and _bytes(plans) > space:
        yield Fact(value=words(f"! only {size(space)} are free: choose fewer", "$text-warning"))


def _plan_lines(plan: Plan) -> Iterator[Fact]:
    if plan.existing is not None:
        yield Fact(value=words(f"✓ {one_line(plan.file.name)}: here already, as {plan.existing.name}", _MUTED))
        return
    if plan.twin:
        yield Fact(value=words(f"= {one_line(plan.file.name)}: the same bytes as {one_line(plan.twin)}", _MUTED))
        return
    base = base_name(plan.version.base_model, next(iter(plan.lora.families), None))
    about = filter(None, (plan.file.name, size(plan.file.size), base))
    yield Fact(value=words(f"↓ {one_line(' · '.join(about))}"))
    yield Fact(value=words(f"  to {home(plan.target)}", _MUTED))
    for note in plan.notes:
        yield Fact(value=words(f"  ! {note}", "$text-warning"))


def _refusal_lines(entry: Unplannable, names: Mapping[str, str]) -> Iterator[Fact]:
    error, name = entry.error, names.get(entry.asked, entry.asked)
    several = isinstance(error, Ambiguous)
    reason = "it holds several LoRA files" if several else error.message
    hint = "install it alone to choose one" if several else advice(error.hint)
    yield Fact(value=words(f"✗ {one_line(name)}: {reason}", "$text-error"))
    if hint:
        yield Fact(value=words(f"  {hint}", _MUTED))
