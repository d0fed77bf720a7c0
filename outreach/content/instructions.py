"""A clinic's own instructions as words: what identifies one, and the faults that keep it from being said."""

from __future__ import annotations

from collections.abc import Iterator

from outreach.content.checker import characters, glossary, language, markup, numbers, replies, spacing
from outreach.content.checker.findings import Fault, Pair
from outreach.content.checker.house import House
from outreach.content.checker.units import Standard
from outreach.content.facts import claimed, load_claims, load_facts
from outreach.domain.approval import OWN, Text, Unit, text

_ADVICE = "the clinic's own instruction"
LONGEST = 600
"""Characters of one instruction: what is longer is not read on the day before."""


def as_text(topic: str, locale: str, said: str, home: str) -> Text:
    """An instruction as it is approved. `home`: the same in the clinic's own language: where that changes, what was
    translated from it has to be read again."""
    return text(locale, OWN + topic, [Unit(OWN + topic, home, "", (said,))])


def objected(house: House, one: Text, home: str) -> tuple[Fault, ...]:
    """What the checker says of an instruction as it is approved. `home`: the clinic's own locale."""
    [unit] = one.units
    return tuple(faults(house, one.locale, unit.forms[0], unit.source, one.locale == home))


def faults(house: House, locale: str, said: str, home: str, own: bool) -> Iterator[Fault]:
    """What is wrong with an instruction, by the families that every translation goes through.

    `own`: it is in the clinic's own language, so there is nothing to compare it with. No value is put into it: a
    percent sign is one.
    """
    if len(said) > LONGEST:
        yield Fault("length.long", f"the text has {len(said)} characters.", f"Say it in {LONGEST} at most.")
    standard = house.standard(locale)
    shown, against = (one.replace("%", "%%") for one in (said, said if own else home))
    pair = Pair(against, "", shown, key=OWN, locale=locale)
    for found in _families(pair, standard, own):
        yield found._replace(what=found.what.replace("%%", "%"), remedy=found.remedy.replace("%%", "%"))
    if locale == "en":
        claims = load_claims(house.root / "config" / "claims.yaml", load_facts(house.root / "config" / "facts.yaml"))
        # Advice on food, driving and medicines is what instructions are for: it is ours that may not be given.
        yield from (found for found in claimed(said, claims) if _ADVICE not in found.remedy.lower())


def _families(pair: Pair, standard: Standard, own: bool) -> Iterator[Fault]:
    yield from characters.faults(pair)
    yield from markup.faults(pair)
    yield from markup.shortened(pair, standard.shorteners)
    yield from spacing.faults(pair)
    yield from replies.faults(pair, standard.meanings)
    yield from glossary.faults(pair, standard.glossary)
    if not own:
        yield from numbers.faults(pair)
        yield from language.faults(pair, standard.tongues, standard.glossary)
