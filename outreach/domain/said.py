"""What somebody wrote, in the forms it is looked at: all of it, without its courtesies, and with letters for digits."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from outreach.domain.folding import fold
from outreach.domain.wording import Tokens

LONGEST = 2000


@dataclass(frozen=True)
class Said:
    """A reply in the forms it is looked at: `all` of it, and `kept` without its courtesies."""

    all: Tokens
    kept: Tokens
    text: str = ""

    @classmethod
    def of(cls, text: str, polite: Iterable[tuple[str, ...]]) -> Said:
        whole = Tokens.of(text[:LONGEST])
        plain = without(whole.plain, polite)
        marked = tuple(token for token in whole.marked if fold(token) in plain)
        return cls(whole, Tokens(plain, marked, whole.symbols), text[:LONGEST])

    def sentences(self) -> list[Tokens]:
        """Each of its sentences alone, a comma ending one as well."""
        return [Tokens.of(part) for part in _SENTENCE.split(self.text)]

    def spellings(self) -> tuple[Said, ...]:
        """As it is written, and with letters for the digits that stand for them inside a word: st0p."""
        if not any(_LEET.search(token) for token in self.all.plain):
            return (self,)
        return self, Said(_spelled(self.all), _spelled(self.kept), self.text)


_SENTENCE = re.compile("[.!?;:,\n\u061f\u060c\u061b\u3002\uff01\uff1f\uff0c\u3001]+")
# Only a digit with letters on both sides: 9am, b4 and the 3arabi of Arabic in Latin letters stay what they are.
_LEET = re.compile("(?<=[a-z])[01345](?=[a-z])")
_LETTER_OF = {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s"}


def _spelled(tokens: Tokens) -> Tokens:
    plain, marked = (tuple(_LEET.sub(lambda digit: _LETTER_OF[digit[0]], one) for one in part) for part in tokens[:2])
    return Tokens(plain, marked, tokens.symbols)


def without(tokens: tuple[str, ...], courtesies: Iterable[tuple[str, ...]], whole: bool = False) -> tuple[str, ...]:
    """The words without courtesies at the beginning and the end; unless `whole`, all of them when nothing else is."""
    kept, least = tokens, 0 if whole else 1
    changed = True
    while changed and kept:
        changed = False
        for courtesy in courtesies:
            size = len(courtesy)
            if len(kept) >= size + least and kept[-size:] == courtesy:
                kept, changed = kept[:-size], True
            if len(kept) >= size + least and kept[:size] == courtesy:
                kept, changed = kept[size:], True
    return kept
