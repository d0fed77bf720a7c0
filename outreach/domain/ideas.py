"""The ideas in one message: which rules it fulfils, and what in it ends besides our messages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from outreach.domain.concepts import LINK, Hit, Hits, Means, Rule, Sense, Sensed, are, letters_of
from outreach.domain.passage import Passage
from outreach.domain.wording import Tokens

ENDS, THING = "ends", "thing"
OURS = ("send", "message", "listed")
"""What stands in a sentence that is about our messages after all."""
ALARMING = frozenset({"chest", "heart", "breath", "throat"})
"""Where one of these is named besides what was taken back, nothing was: it is not sure what is meant."""
SWELLS, FACE = "swell", "face"
"""A hand may be swollen as ever: where a face is named beside it, it may be that as well."""
STRICT = frozenset({"but", "now", "past"})
"""Where the message names one of these, the next must not be named either besides what was taken back."""
BODILY = frozenset(
    {"pain", "pressure", "racing", "numb", "weak", "swell", "close", "hardship", "blue", "bleed", "droop"}
)
DENIALS = frozenset({"denial", "negated", "none_after", "none_last"})
"""What says that there is none; one reaches over a word of `nor` to the next thing that would be an alarm."""
NOR = "nor"
# What divides a sentence, so that no denial reaches over it: "no, chest pain" denies nothing.
_PARTS = re.compile(
    '[.!?;:,\n()"/|*\u2013\u2014\u2026\u061f\u060c\u061b\u3002\uff01\uff1f\uff0c\u3001\uff1a\uff1b]+|\\s-+\\s?|\\s?-+\\s'
)
OFTEN = 24
"""How often a message may name one idea and still be read for what it takes back: to read a hostile one costs much."""
BESIDE = 2
"""How many words may stand between "stop" and the medicine that is to be stopped."""


@dataclass(frozen=True)
class Ideas:
    """A message and the concepts found in it."""

    text: str
    passage: Passage
    sense: Sense

    @classmethod
    def of(cls, text: str, sense: Sense) -> Ideas:
        return cls(text, Passage.of(text, sense.variants), sense)

    @cached_property
    def hits(self) -> Hits:
        return self.sense.hits(self.passage)

    def sensed(self, means: Means) -> list[Sensed]:
        """The rules of a meaning that it fulfils."""
        return self.sense.sensed(self.passage, self.hits, means)

    def besides(self, means: Means) -> tuple[str, frozenset[str]]:
        """The text without the words that say so, and no other, and the languages of these; the text if none does.

        What is left is read for itself: a guard that took more than its own words would hide the stop or the alarm
        beside it. Each rule reads what those before it have left.
        """
        if self._endless(means):
            return self.text, frozenset()
        whole = _PARTS.split(self.text) if means == "calm" else [self.text]
        parts = [Ideas.of(part, self.sense) for part in whole if part.strip()]
        locales = set[str]()
        for rule in self.sense.rules:
            if rule.means == means and _may_say(rule, self.named):
                for at, one in enumerate(parts):
                    found = one._saying(rule)
                    for locale in [locale for locale in found if rule.own and self._barred(rule, locale)]:
                        del found[locale]
                    spans = set().union(*found.values())
                    if spans and not _followed(rule, parts[at:], max(end for _, end in spans)):
                        locales |= found.keys()
                        parts[at] = Ideas.of(" ".join(one.passage.without(spans).marked), self.sense)
        return (", ".join(one.text for one in parts), frozenset(locales)) if locales else (self.text, frozenset())

    def _endless(self, means: Means) -> bool:
        """Whether one idea that takes words away is named so often that nobody means it: then all of it is heard."""
        takes = {name for rule in self.sense.rules if rule.means == means for names in rule.each for name in names}
        return any(len(theirs.get(name, ())) > OFTEN for theirs in self.hits.values() for name in takes)

    def _barred(self, rule: Rule, locale: str) -> bool:
        """Whether a language, or English, which people mix into it, names what the rule must not stand with."""
        return any(not self.hits.get(one, {}).keys().isdisjoint(rule.never) for one in (locale, "en"))

    def _saying(self, rule: Rule) -> dict[str, set[tuple[int, int]]]:
        """By language, the letters that fulfil a rule, with all that one denial reaches: "no chest pain or fever"."""
        found = self.sense.spans(rule, self.passage, self.hits)
        forward, back = (not DENIALS.isdisjoint(rule.each[at]) for at in (0, -1))
        if forward or back:
            for locale, spans in found.items():
                theirs = self.hits[locale]
                nor = letters_of(theirs, NOR)
                little = nor | letters_of(theirs, LINK)
                for begin, end in sorted(self.sense.findings(self.passage, theirs), reverse=back) if nor else ():
                    apart = [range(last, begin) if forward else range(end, first) for first, last in spans]
                    if any(not nor.isdisjoint(one) and are(self.passage.text, one.start, one.stop, little)
                           for one in apart):  # fmt: skip
                        spans.add((begin, end))
        return found

    def alarming(self, left: Ideas, locales: Iterable[str]) -> bool:
        """Whether what is left names a place of the body that alarms follow, in one of these languages.

        Where something "but" or "now" follows, an ache of any place is enough: "no chest pain but it is tight".
        """
        places = ALARMING if STRICT.isdisjoint(self.named) else ALARMING | BODILY
        if SWELLS in self.named:
            places |= {FACE}
        return any(not places.isdisjoint(left.hits.get(locale, {})) for locale in locales)

    @cached_property
    def named(self) -> frozenset[str]:
        """The concepts that any language's words in it are of."""
        return frozenset(name for theirs in self.hits.values() for name in theirs)

    def without_other_ends(self) -> Tokens | None:
        """Its words without those that end something else: a medicine, a bus, a pain; None where nothing else ends."""
        spans = {
            (end.begin, end.end)
            for theirs in self.hits.values()
            for thing in theirs.get(THING, ())
            for end in sorted(theirs.get(ENDS, ()), key=lambda end: _apart(end, thing))[:1]  # a second one is its own
            if _apart(end, thing) <= BESIDE and not self._ours(end.sentence)
        }
        return self.passage.without(spans) if spans else None

    def ending(self, rest: Tokens) -> list[Sensed]:
        """The rules by which it ends our messages; `rest`: the message without what ends elsewhere.

        An idea of one word ("stop now") may be the bus that stops: then what is left must say it too.
        """
        found = self.sensed("stop")
        sure = any(len(one.rule.each) > 1 for one in found) or "\u2026" not in "".join(rest.plain)
        return found if sure or Ideas.of(" ".join(rest.marked), self.sense).sensed("stop") else []

    def _ours(self, sentence: int) -> bool:
        every = (hit for theirs in self.hits.values() for name in OURS for hit in theirs.get(name, ()))
        return any(hit.sentence == sentence for hit in every)


def _may_say(rule: Rule, named: frozenset[str]) -> bool:
    """Whether a message that names these concepts may fulfil the rule."""
    each = not any(named.isdisjoint(names) for names in rule.each)
    return each and (rule.own or named.isdisjoint(rule.never)) and named.issuperset(rule.needs)


def _followed(rule: Rule, parts: list[Ideas], end: int) -> bool:
    """Whether a concept that must not come after it does: in the rest of its part (from letter `end`) or a later one.

    As the last word of a part it may: "no chest pain now" says nothing else.
    """
    for at, part in enumerate(parts if rule.then else ()):
        text = part.passage.text
        for theirs in part.hits.values():
            little = letters_of(theirs, *rule.then)
            for hit in (hit for name in rule.then for hit in theirs.get(name, ())):
                if (at or hit.begin >= end) and not are(text, hit.end, len(text), little):
                    return True
    return False


def _apart(end: Hit, thing: Hit) -> int:
    """The words between them; as good as endless where they overlap or are in two sentences."""
    first, second = (end, thing) if end.begin <= thing.begin else (thing, end)
    if end.sentence != thing.sentence or first.end > second.begin:
        return 99
    return second.first - first.last - 1
