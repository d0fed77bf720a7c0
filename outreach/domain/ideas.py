"""The ideas in one message: which rules it fulfils, and what in it ends besides our messages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from outreach.domain.concepts import Hit, Hits, Means, Rule, Sense, Sensed
from outreach.domain.passage import Passage
from outreach.domain.wording import Tokens

ENDS, THING = "ends", "thing"
OURS = ("send", "message", "listed")
"""What stands in a sentence that is about our messages after all."""
ALARMING = frozenset({"chest", "heart", "breath", "throat"})
"""Where one of these is named besides what was taken back, nothing was: it is not sure what is meant."""
# What divides a sentence, so that no denial reaches over it: "no, chest pain" denies nothing.
_PARTS = re.compile(
    '[.!?;:,\n()"/|*\u2013\u2014\u2026\u061f\u060c\u061b\u3002\uff01\uff1f\uff0c\u3001\uff1a\uff1b]+|\\s-+\\s?|\\s?-+\\s'
)
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
        text, locales = self.text, set[str]()
        for rule in self.sense.rules:
            if rule.means == means and _may_say(rule, self.named):
                kept = []
                for part in _PARTS.split(text) if means == "calm" else (text,):
                    one = Ideas.of(part, self.sense)
                    found = self.sense.spans(rule, one.passage, one.hits)
                    locales |= found.keys()
                    spans = set().union(*found.values())
                    kept.append(" ".join(one.passage.without(spans).marked) if spans else part)
                text = ", ".join(kept)
        return (text, frozenset(locales)) if locales else (self.text, frozenset())

    def alarming(self, locales: Iterable[str]) -> bool:
        """Whether a place of the body that alarms follow is named in one of these languages."""
        return any(not ALARMING.isdisjoint(self.hits.get(locale, {})) for locale in locales)

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

    def _ours(self, sentence: int) -> bool:
        every = (hit for theirs in self.hits.values() for name in OURS for hit in theirs.get(name, ()))
        return any(hit.sentence == sentence for hit in every)


def _may_say(rule: Rule, named: frozenset[str]) -> bool:
    """Whether a message that names these concepts may fulfil the rule."""
    each = not any(named.isdisjoint(names) for names in rule.each)
    return each and named.isdisjoint(rule.never) and named.issuperset(rule.needs)


def _apart(end: Hit, thing: Hit) -> int:
    """The words between them; as good as endless where they overlap or are in two sentences."""
    first, second = (end, thing) if end.begin <= thing.begin else (thing, end)
    if end.sentence != thing.sentence or first.end > second.begin:
        return 99
    return second.first - first.last - 1
