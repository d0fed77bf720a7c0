"""One word or phrase that patients use, and whether a folded message holds it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from outreach.domain.folding import fold, symbols

Kind = Literal[
    "stop",
    "start",
    "help",
    "yes",
    "no",
    "come",
    "change",
    "call",
    "gone",
    "still",
    "urgent",
    "thanks",
    "robot",
    "elsewhere",
]
ALARMS = ("breathing", "chest", "fainting", "confusion", "swelling", "self_harm", "emergency")
LETTERS = 3
NEAR = 6
"""How many words apart the halves of `chest ~ pain` may stand."""

# Arabic and Persian write "and", "with", "the" onto the word: والإلغاء is و + ال + إلغاء.
ARABIC_PREFIX = re.compile("^[وف]?[بلك]?(?:ال)?")
# These scripts put no space between words, or write endings onto them: there a word is looked for inside the text.
UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


_GONE = "…"


class Tokens(NamedTuple):
    """A message as it is looked at: folded, with its accents and tones, and its symbols (emoji) alone."""

    plain: tuple[str, ...]
    marked: tuple[str, ...]
    symbols: str

    @classmethod
    def of(cls, text: str) -> Tokens:
        return cls(tuple(fold(text).split()), tuple(fold(text, marks=True).split()), symbols(text))


@dataclass(frozen=True)
class Word:
    """A word, phrase or symbol. In `text`, `breath*` is every word that begins so, `chest ~ pain` both near each other.

    `anywhere`: counts inside a longer message too; `marks_matter`: with another tone it is another word (vi);
    `bare`: counts only in a message without any accent or tone, whose writer left them out throughout;
    `ambiguous`: may also mean something else (cancel the visit): obeyed, and shown to a person; `about`: what an
    urgent word tells of (breathing, chest, fainting, confusion, swelling, self_harm, emergency).
    """

    kind: Kind
    text: str
    locale: str
    anywhere: bool = False
    marks_matter: bool = False
    bare: bool = False
    ambiguous: bool = False
    reviewed: bool = False
    about: str = ""

    @cached_property
    def folded(self) -> str:
        return fold(self.text)

    @cached_property
    def solid(self) -> str:
        """Without its spaces."""
        return self.folded.replace(" ", "")

    @cached_property
    def marked(self) -> str:
        return fold(self.text, marks=True)

    @cached_property
    def symbol(self) -> str:
        """The emoji that this word is, where it has no letters."""
        return "" if self.folded else symbols(self.text)

    @cached_property
    def halves(self) -> tuple[tuple[str, ...], ...]:
        """The parts to be found, each a run of words; a trailing * is kept."""
        return tuple(_tokens(half, self.marks_matter) for half in self.text.split("~"))

    def is_all(self, said: Tokens) -> bool:
        """Whether this is the whole message, also when spelled out or drawn apart (S T O P)."""
        if self.symbol:
            return not said.plain and self.symbol in said.symbols
        if len(self.halves) > 1 or "*" in self.text:
            return False
        if self.marks_matter and said.plain != said.marked:
            return " ".join(said.marked) == self.marked
        together = "".join(said.plain)
        return bool(together) and together == self.solid

    def without(self, said: Tokens) -> Tokens:
        """The message without the first half of this phrase, once for each time that the other half stands near it."""
        if not self.is_in(said):
            return said
        plain = tuple(tuple(fold(one) + "*" * one.endswith("*") for one in half) for half in self.halves)
        marked = self.halves if self.marks_matter else plain
        return Tokens(_cut(said.plain, plain), _cut(said.marked, marked), said.symbols)

    def is_in(self, said: Tokens) -> bool:
        """Whether the message holds this word."""
        if self.symbol:
            return self.symbol in said.symbols
        if self.bare and said.plain != said.marked:
            return False
        tokens = said.marked if self.marks_matter else said.plain
        places = [_places(tokens, half) for half in self.halves]
        if len(places) == 1:
            return bool(places[0])
        return any(abs(one - other) <= NEAR for one in places[0] for other in places[1])


def _tokens(half: str, marks: bool) -> tuple[str, ...]:
    """A half of a phrase as the words it is looked for by: folded as messages are, a trailing * kept."""
    found: list[str] = []
    for word in half.split():
        tokens = fold(word, marks=marks).split()
        found += [*tokens[:-1], tokens[-1] + "*"] if word.endswith("*") else tokens
    return tuple(found)


def _places(tokens: tuple[str, ...], wanted: tuple[str, ...]) -> list[int]:
    """Where a run of words begins. In scripts without spaces: where its letters stand in the whole text."""
    if UNSPACED.search(wanted[0]):
        return _inside("".join(tokens), "".join(wanted).replace("*", ""))
    found = _runs(tokens, wanted)
    if not found and len(wanted[0]) > 1 and "\u0600" <= wanted[0][0] <= "\u06ff":
        bare = tuple(ARABIC_PREFIX.sub("", token, count=1) for token in tokens)
        found = _runs(bare, wanted)
    return found


def _runs(tokens: tuple[str, ...], wanted: tuple[str, ...]) -> list[int]:
    first, last = wanted[0], len(tokens) - len(wanted)
    if first[-1] != "*" and first not in tokens:  # nearly always: thousands of words are looked for in each message
        return []
    head = first.removesuffix("*")  # asked of each token before anything is cut out: this is most of the work
    return [at for at in range(last + 1) if tokens[at].startswith(head) and _run(tokens[at : at + len(wanted)], wanted)]


def _cut(tokens: tuple[str, ...], halves: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    """The words without the first half; a mark in its place keeps its neighbours apart."""
    first, near = halves[0], NEAR
    if unspaced := bool(UNSPACED.search(first[0])):
        tokens, near = tuple("".join(tokens)), 2 * NEAR
        halves = tuple(tuple("".join(half).replace("*", "")) for half in halves)
        first = halves[0]
    places = [_runs(tokens, half) if unspaced else _places(tokens, half) for half in halves]
    found = set(places[0])
    if len(places) > 1 and found:
        close = [min(found, key=lambda at: abs(at - other)) for other in places[1]]
        found = {at for at, other in zip(close, places[1], strict=True) if abs(at - other) <= near}
    kept = list(tokens)
    for at in sorted(found, reverse=True):
        kept[at : at + len(first)] = [" " if unspaced else _GONE]
    return tuple("".join(kept).split()) if unspaced else tuple(kept)


def _run(tokens: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    for token, word in zip(tokens, wanted, strict=True):
        if token != word and not (word[-1] == "*" and token.startswith(word[:-1])):
            return False
    return True


def _inside(text: str, part: str) -> list[int]:
    found, at = list[int](), text.find(part) if part else -1
    while at >= 0:
        found.append(at // 2)  # two letters of these scripts are about a word
        at = text.find(part, at + 1)
    return found


class Lexicon:
    """Words that can be looked up by what a message holds, so that thousands cost as little as a few."""

    def __init__(self, words: Iterable[Word]) -> None:
        self._by_letters: dict[str, list[Word]] = {}
        self._always: list[Word] = []
        self._unspaced: dict[str, list[Word]] = {}
        for word in words:
            first = word.halves[0][0] if word.halves and word.halves[0] else ""
            letters = first.rstrip("*")[:LETTERS]
            if UNSPACED.search(first) and not word.symbol:
                self._unspaced.setdefault(first[0], []).append(word)
            elif len(letters) < LETTERS - 1 or word.symbol:
                self._always.append(word)
            else:
                self._by_letters.setdefault(letters, []).append(word)

    def found_in(self, said: Tokens) -> list[Word]:
        """Every word that the message holds, in no particular order."""
        bare = {ARABIC_PREFIX.sub("", token, count=1) for token in said.plain if "\u0600" <= token[0] <= "\u06ff"}
        starts = {token[:size] for token in {*said.plain, *said.marked, *bare} for size in (LETTERS - 1, LETTERS)}
        likely = [word for start in sorted(starts) for word in self._by_letters.get(start, ())]
        # A word of these scripts begins anywhere: with any letter of the message.
        letters = sorted(set().union(*said.plain, *said.marked))
        unspaced = [word for letter in letters for word in self._unspaced.get(letter, ())]
        return [word for word in [*self._always, *unspaced, *likely] if word.is_in(said)]
