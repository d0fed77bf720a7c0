"""A message laid out for looking up ideas: its folded words, where each stands, and which sentence it is in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from outreach.domain.folding import fold
from outreach.domain.wording import UNSPACED, Tokens

_ENDS = re.compile("[.!?;\n\u061f\u061b\u3002\uff01\uff1f\uff1b]+")
_ARABIC = re.compile("[\u0600-\u06ff]")
GAP = 3
"""A full stop keeps ideas apart as much as this many words do."""


@dataclass(frozen=True)
class Passage:
    """`words` and `marked` (with accents and tones) side by side; `begins`: of each, its first letter in `text`.

    `text`: the words with a space between; `places`: of each, counted in words, with a gap between sentences, and two
    letters of a script without spaces as one word; `sentences`: of each, which sentence it is in.
    """

    words: tuple[str, ...]
    marked: tuple[str, ...]
    begins: tuple[int, ...]
    places: tuple[int, ...]
    sentences: tuple[int, ...]
    text: str
    solid: str
    """Without spaces, for scripts that have none; empty where the message has no letter of these."""
    solid_at: tuple[int, ...]
    """Of each letter of `solid`, the word it is in."""
    unread: str
    """`text` before letters were read as others."""

    @property
    def varied(self) -> bool:
        """Whether letters were read as others."""
        return self.unread != self.text

    @classmethod
    def of(cls, text: str, variants: Mapping[int, str] | None = None) -> Passage:
        """`variants`: letters to be read as others, as traditional Chinese is read as simplified."""
        words: list[str] = []
        unread: list[str] = []
        marked: list[str] = []
        begins: list[int] = []
        places: list[int] = []
        sentences: list[int] = []
        place = letters = 0
        for sentence, part in enumerate(_ENDS.split(text)):
            plain = fold(part).split()
            tones = fold(part, marks=True).split()
            for at, word in enumerate(plain):
                unread.append(word)
                words.append(word.translate(variants) if variants else word)
                marked.append(tones[at] if len(tones) == len(plain) else word)
                begins.append(letters)
                places.append(place)
                sentences.append(sentence)
                letters += len(word) + 1
                place += max(1, len(word) // 2) if UNSPACED.search(word) else 1
            place += GAP
        unspaced = any(UNSPACED.search(word) for word in words)
        solid_at = tuple(at for at, word in enumerate(words) for _ in word) if unspaced else ()
        return cls(
            tuple(words), tuple(marked), tuple(begins), tuple(places), tuple(sentences), " ".join(words),
            "".join(words) if unspaced else "", solid_at, " ".join(unread),
        )  # fmt: skip

    def without(self, spans: Iterable[tuple[int, int]]) -> Tokens:
        """Its words without these letters of `text`; a mark in their place keeps their neighbours apart."""
        gone = {letter for begin, end in spans for letter in range(begin, end)}
        plain = "".join(
            "\u2026" if at in gone and letter != " " else letter for at, letter in enumerate(self.unread)
        ).split()
        marked = [
            tone if word == whole else word
            for word, whole, tone in zip(plain, self.unread.split(), self.marked, strict=True)
        ]
        return Tokens(tuple(plain), tuple(marked), "")

    def span(self, first: int, last: int, begin: int, end: int) -> tuple[int, int, int, int, int]:
        """The place of letters `begin` to `end` (in `text`), which are in the words `first` to `last`."""
        return begin, end, self._place(first, begin), self._place(last, end - 1), self.sentences[first]

    def _place(self, word: int, letter: int) -> int:
        """Within a word of a script without spaces, two letters count as a word."""
        inside = (letter - self.begins[word]) // 2 if UNSPACED.search(self.words[word]) else 0
        return self.places[word] + inside
