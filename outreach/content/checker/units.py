"""All families over one unit: what the workbench tells while somebody types, and the checker of each entry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from outreach.content.checker import (
    characters,
    glossary,
    language,
    length,
    markup,
    numbers,
    placeholders,
    replies,
    spacing,
)
from outreach.content.checker import forms as plural_forms
from outreach.content.checker.findings import Fault, Pair
from outreach.content.checker.glossary import Glossary
from outreach.content.checker.language import Tongues
from outreach.content.checker.length import Room
from outreach.content.shorteners import Shorteners


@dataclass(frozen=True)
class Standard:
    """What the words of one locale are held against. `forms`: how many plural forms there are; `choose`: which one a
    number takes. `ours`: our own templates, of which more is known than of other makers' catalogs."""

    locale: str
    forms: int
    choose: Callable[[int], int]
    tongues: Tongues
    meanings: Mapping[str, str]
    glossary: Glossary = field(default_factory=Glossary)
    room: Room | None = None
    ours: bool = True
    shorteners: Shorteners | None = None


def faults(
    source: str, plural: str, said: Sequence[str], standard: Standard, key: str = "", formatted: bool = False
) -> Iterator[Fault]:
    """Everything wrong with one unit, each fault once; nothing for a unit that is wholly empty."""
    if not any(said):
        return
    told: set[tuple[str, str]] = set()
    for fault in _all(source, plural, said, standard, key, formatted):
        if (fault.rule, fault.what) not in told:
            told.add((fault.rule, fault.what))
            yield fault


def _all(
    source: str, plural: str, said: Sequence[str], standard: Standard, key: str, formatted: bool
) -> Iterator[Fault]:
    yield from plural_forms.faults(source, plural, said, standard.forms, standard.locale)
    counted = plural_forms.numbers(standard.choose, len(said)) if plural else {}
    for index, form in enumerate(said):
        own = counted.get(index, [])
        number = own[0] if len(own) == 1 else None
        pair = Pair(
            source, plural, form, bool(plural) and (number is not None or _few(own, standard)), number, key,
            standard.locale, standard.ours, formatted,
        )  # fmt: skip
        if form:
            yield from of_form(pair, standard)


def _few(own: list[int], standard: Standard) -> bool:
    """Other makers write "one message" also where the form stands for 0 and 1."""
    return not standard.ours and own == [0, 1]


def of_form(pair: Pair, standard: Standard) -> Iterator[Fault]:
    """Everything wrong with one form of a unit, the others aside."""
    yield from placeholders.faults(pair)
    yield from characters.faults(pair)
    yield from markup.faults(pair)
    yield from markup.shortened(pair, standard.shorteners)
    yield from spacing.faults(pair)
    yield from numbers.faults(pair)
    yield from replies.faults(pair, standard.meanings)
    yield from glossary.faults(pair, standard.glossary)
    yield from language.faults(pair, standard.tongues, standard.glossary)
    yield from length.faults(pair, standard.room)
