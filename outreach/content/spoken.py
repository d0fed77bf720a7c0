"""What a clinic may say: the words it has approved, and which language stands in where it has not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Literal, NamedTuple

from outreach.content import approvals, interpreters
from outreach.content.compose import Words
from outreach.domain.approval import ASIDES, LAYOUTS, NEUTRAL, OWN, TOPICS, Text, Unapproved, Unit, chain, fits
from outreach.domain.channel import SPECS, Channel
from outreach.errors import BadInput, say

CURRENT, PREVIOUS = "current", "previous"
FOR_STAFF = frozenset({"canned", "staff.escalation"})
"""Texts that no patient gets unless somebody of the staff has read them first."""
Wording = Literal["full", "neutral"]


class Kept(NamedTuple):
    """Words that a clinic approved: the row that keeps them for ever, and what they are. `units` is () where they are
    those that the catalog holds now."""

    said_id: int
    locale: str
    key: str
    units: tuple[Unit, ...] = ()
    frame: bytes = b""


class Choice(NamedTuple):
    """In which words a message goes: compose with `words` in `locale`; `said_id` is remembered with the message.
    `interpreter`: the language of a line that offers one, where the message is not in the reader's ("" else)."""

    words: Words
    locale: str
    said_id: int
    interpreter: str = ""


class Spoken:
    """A clinic's view of one snapshot of the words. Safe to share between threads; built anew when either changes."""

    def __init__(self, words: Words, kept: Sequence[Kept], home: str, rule: Unapproved) -> None:
        """`kept`: for each text and language at most one, its newest approved words. `home`: the clinic's locale."""
        self.home, self.rule = home, rule
        self._now: dict[tuple[str, str], Kept] = {}
        self._before: dict[tuple[str, str], Kept] = {}
        self._own: dict[tuple[str, str], Kept] = {}
        stale: list[Kept] = []
        for one in kept:
            if one.key.startswith(OWN):
                self._own[one.locale, one.key] = one
            elif not one.units:
                self._now[one.locale, one.key] = one
            elif one.locale in words.voices and _fitting(words, one):
                self._before[one.locale, one.key] = one
                stale.append(one)
        self.words = _with(words, stale) if stale and rule is not Unapproved.HOLD else words
        self._choices: dict[tuple[str, Channel, str, Wording], Choice | None] = {}

    def choice(self, step: str, channel: Channel, locale: str, wording: Wording) -> Choice | None:
        """The words for a message to a reader of `locale`; None: nothing may be said, the message waits. BadInput:
        there is no such message."""
        asked = step, channel, locale, wording
        try:
            return self._choices[asked]
        except KeyError:
            found = self._choices[asked] = self._chosen(*asked)
            return found

    def state(self, locale: str, key: str) -> str:
        """`current`: the words as they stand are approved; `previous`: earlier ones are said; "": none."""
        if (locale, key) in self._now:
            return CURRENT
        return PREVIOUS if (locale, key) in self._before and self.rule is not Unapproved.HOLD else ""

    def lacking(self, locale: str) -> tuple[str, ...]:
        """The texts that keep a language from being offered: a patient could come to read them, and they are not
        approved. Empty: it is offered."""
        return tuple(key for key in self.texts if key not in FOR_STAFF and not self.state(locale, key))

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The keys of all texts."""
        return tuple(approvals.grouped(self.words))

    @cached_property
    def offered(self) -> tuple[str, ...]:
        """The languages in which everything may be said that a patient could come to read."""
        return tuple(locale for locale in self.words.voices if not self.lacking(locale))

    def resolve(self, tag: str) -> str:
        """The offered locale that a written language means. BadInput: it is none, or this clinic may not offer it."""
        locale = self.words.resolve(tag)
        if locale in self.offered:
            return locale
        names = ", ".join(self.offered) or "none yet"
        raise BadInput(
            say("The clinic has not approved every message in %(locale)s yet. Approved: %(names)s.", locale=locale,
                names=names)
        )  # fmt: skip

    def instructions(self, locale: str, phone: str, topics: Sequence[str] = TOPICS) -> str:
        """The clinic's own instructions, a line or more for each topic that has any: in the reader's language, else in
        its parent's, else in the clinic's, after a line that offers an interpreter (`phone`: where one asks for it).

        An instruction that nobody reads in full costs less than one that is missing, whatever the clinic chose to do
        without approved words (HOLD too): who was not told to fast, or to come with somebody, is sent home.
        """
        lines, offered = list[str](), False
        for topic in topics:
            said, own = self._instruction(locale, OWN + topic)
            line = self._offering(own, locale) if said and not offered else ""
            if line and self.state(line, ASIDES):
                lines.append(interpreters.offer(self.words.voices[line], phone))
                offered = True
            if said:
                lines.append(said)
        return "\n".join(lines)

    def _instruction(self, locale: str, key: str) -> tuple[str, str]:
        """The words and their language; "" and "" where nothing is said."""
        for one in dict.fromkeys((locale, locale.rpartition("_")[0], self.home)):
            if found := self.own(one, key):
                return found.forms[0], one
        return "", ""

    def own(self, locale: str, key: str) -> Unit | None:
        """The instruction that is said in this very language. What is approved in the clinic's own decides: a
        translation of anything else is stale, and of nothing is gone. Said all the same, patients would be told
        different things about food or the way home."""
        home, theirs = self._own.get((self.home, key)), self._own.get((locale, key))
        if home is None or theirs is None:
            return None
        return theirs.units[0] if theirs.units[0].source == home.units[0].forms[0] else None

    def _chosen(self, step: str, channel: Channel, locale: str, wording: Wording) -> Choice | None:
        spoken = [self._spoken(step, part, wording) for part in SPECS[channel].parts]
        body = spoken[-1]
        needed = (*spoken, ASIDES, *((LAYOUTS,) if channel is not Channel.SMS else ()))
        for one in chain(step, locale, self.home, self.rule, self.words.voices):
            if all(self.state(one, key) for key in needed):
                kept = self._now.get((one, body)) or self._before[one, body]
                return Choice(self.words, one, kept.said_id, self._offering(one, locale))
        return None

    def _offering(self, said: str, read: str) -> str:
        """The reader's own language for the line about an interpreter; the message's where that is not approved."""
        if said == read or read.rpartition("_")[0] == said:
            return ""
        return read if self.state(read, ASIDES) else said

    def _spoken(self, step: str, part: str, wording: Wording) -> str:
        """The text that this part of a message comes from. BadInput: there is no such part."""
        own = self.words.parts.get(f"messages/{step}/{part}")
        if own is None:
            raise BadInput(f"The message {step!r} has no {part}.")
        return step if own.neutral or wording == "full" else NEUTRAL


def current(words: Words, locales: Sequence[str] = ()) -> Mapping[bytes, Text]:
    """Every text of these languages (none named: of all) as it stands, by its digest."""
    return {one.digest: one for locale in locales or words.voices for one in approvals.texts(words, locale).values()}


def _fitting(words: Words, one: Kept) -> bool:
    new = approvals.texts(words, one.locale).get(one.key)
    return new is not None and one.frame == new.frame and fits(one.units, new.units)


def _with(words: Words, kept: Sequence[Kept]) -> Words:
    """The words, with earlier ones in the place of these texts."""
    voices = {}
    for locale in dict.fromkeys(one.locale for one in kept):
        voice = words.voices[locale]
        forms = dict(voice.catalog.forms)
        for one in kept:
            if one.locale == locale:
                forms |= {unit.key: unit.forms for unit in one.units}
        voices[locale] = replace(voice, catalog=replace(voice.catalog, forms=forms), _environments={})
    return words.renewed(voices)
