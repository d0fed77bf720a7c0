"""The ideas in one message: which rules it fulfils, and what in it ends besides our messages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from outreach.domain.concepts import Hit, Hits, Means, Sense, Sensed
from outreach.domain.passage import Passage
from outreach.domain.wording import Tokens

ENDS, THING = "ends", "thing"
OURS = ("send", "message", "listed")
"""What stands in a sentence that is about our messages after all."""
_PARTS = re.compile("[.!?;:,\n\u061f\u060c\u061b\u3002\uff01\uff1f\uff0c\u3001]+")
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

    def besides(self, *means: Means) -> str:
        """The text without the parts of its sentences that fulfil a rule of these meanings; all of it if none does."""
        if not any(self.sensed(each) for each in means):
            return self.text
        parts = _PARTS.split(self.text)
        kept = [part for part in parts if not any(Ideas.of(part, self.sense).sensed(each) for each in means)]
        if len(kept) == len(parts) and means == ("keep",):
            return ""  # it takes all of the message to say so: cancel Thursday, put me down for Friday
        return self.text if len(kept) == len(parts) else ". ".join(kept)

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


def _apart(end: Hit, thing: Hit) -> int:
    """The words between them; as good as endless where they overlap or are in two sentences."""
    first, second = (end, thing) if end.begin <= thing.begin else (thing, end)
    if end.sentence != thing.sentence or first.end > second.begin:
        return 99
    return second.first - first.last - 1
