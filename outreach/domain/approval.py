"""Approval: what identifies exact words, and what is said where a clinic has not approved a patient's language."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

NEUTRAL, LAYOUTS, ASIDES = "neutral", "layouts", "hint"
"""Texts that go with others: instead of clinical words, around an e-mail, at the end of a message."""
OWN = "own."
"""Before the name of a topic: a clinic's own instructions."""
TOPICS = ("arrival", "food", "escort", "belongings", "other")


class Unapproved(StrEnum):
    """What a clinic chose to send instead of words that it has not approved. Each is tried before the next.

    HOLD: nothing; PREVIOUS: the words it had approved before; DEFAULT: these, else the parent language, else the
    clinic's own language with a line that offers an interpreter.
    """

    HOLD = "hold"
    PREVIOUS = "previous"
    DEFAULT = "default"


class Unit(NamedTuple):
    """One unit of words: its key, the English (`plural` "" where the number does not matter), the translation's forms,
    and the names of the placeholders of the English."""

    key: str
    source: str
    plural: str
    forms: tuple[str, ...]
    names: tuple[str, ...] = ()


class Text(NamedTuple):
    """The words that are approved together in one language: a message, or what goes with all of them.

    `frame`: what is known of the templates that the units stand in: their order, conditions and values are part of
    what is said. b"" where there are none.
    """

    locale: str
    key: str
    units: tuple[Unit, ...]
    digest: bytes
    frame: bytes = b""

    @property
    def complete(self) -> bool:
        """Whether there is something to approve: every unit has its words."""
        return all(any(unit.forms) for unit in self.units)


def text(locale: str, key: str, units: Iterable[Unit], frame: bytes = b"") -> Text:
    """A text with its digest; in which order its units are given does not matter."""
    ordered = tuple(sorted(units))
    return Text(locale, key, ordered, digest(locale, key, ordered, frame), frame)


def digest(locale: str, key: str, units: Sequence[Unit], frame: bytes = b"") -> bytes:
    """What exactly these words are known by: 32 bytes. Any change of one letter, in the English too, is another; so is
    one of the templates around them."""
    told = json.dumps([locale, key, frame.hex(), *units], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(told.encode()).digest()


def stored(units: Iterable[Unit]) -> list[list[object]]:
    """Units as JSON keeps them; `told` reads them back."""
    return [list(unit) for unit in units]


def told(rows: Iterable[Sequence[object]]) -> tuple[Unit, ...]:
    """The inverse of `stored`."""
    return tuple(
        Unit(str(key), str(source), str(plural), tuple(map(str, forms)), tuple(map(str, names)))  # type: ignore[call-overload]
        for key, source, plural, forms, names in rows
    )


def fits(old: Sequence[Unit], new: Sequence[Unit]) -> bool:
    """Whether words approved earlier can still be put into today's template: it asks for no unit that they lack, and
    gives no unit other values."""
    had = {unit.key: unit for unit in old}
    return all(
        (before := had.get(unit.key)) is not None
        and before.names == unit.names
        and bool(before.plural) == bool(unit.plural)
        for unit in new
    )


def chain(step: str, locale: str, home: str, rule: Unapproved, known: Iterable[str]) -> tuple[str, ...]:
    """The languages to try, first to last, for a message to a reader of `locale`; `home` is the clinic's own.

    What asks for or confirms an agreement is never told in another language: who agrees must have read it. An answer
    to what the patient wrote is told in some language whatever the clinic chose, English last: silence is worse.
    """
    answering = step.startswith("reply.")
    if step.startswith("consent.") or (rule is not Unapproved.DEFAULT and not answering):
        return (locale,)
    parent = locale.rpartition("_")[0]
    wanted = (locale, parent, home, *(("en",) if answering else ()))
    among = frozenset(known)
    return tuple(dict.fromkeys(one for one in wanted if one in among))
