"""What a patient's reply means: stop, start, help, a digit, or something for a person to read.

Words of every language count, whatever language the patient reads. The text is folded first (domain.folding), then
matched as a whole, then by its words: a message that contains a stop word stops. Wrongly stopped, a patient can say
START; wrongly written to, nobody can undo it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from outreach.domain.folding import fold

Kind = Literal["stop", "start", "help", "answer", "other"]
LONGEST = 2000
REQUEST = "consent.request"

# Arabic writes "and", "with", "the" onto the word: والإلغاء is و + ال + إلغاء.
_ARABIC_PREFIX = re.compile("^[وف]?[بلك]?(?:ال)?")
# These scripts put no space between words, or write endings onto them: there a word is looked for inside the text.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


@dataclass(frozen=True)
class Word:
    """One word or phrase. `anywhere`: counts inside a longer message too; `marks_matter`: a tone is another word (vi).

    `ambiguous`: may also mean something else (cancel the visit): obeyed, and shown to a person.
    """

    kind: Literal["stop", "start", "help", "yes"]
    text: str
    locale: str
    anywhere: bool = False
    marks_matter: bool = False
    ambiguous: bool = False
    reviewed: bool = False

    @cached_property
    def folded(self) -> str:
        return fold(self.text)

    @cached_property
    def marked(self) -> str:
        return fold(self.text, marks=True)


@dataclass(frozen=True)
class ReplyWords:
    """The reviewed words, their digest, and the courtesies (please, thanks) that change nothing."""

    words: tuple[Word, ...]
    courtesies: frozenset[str] = frozenset()
    digest: str = ""

    @cached_property
    def polite(self) -> tuple[tuple[str, ...], ...]:
        return tuple(tuple(fold(courtesy).split()) for courtesy in sorted(self.courtesies))

    def of(self, kind: str) -> tuple[Word, ...]:
        return tuple(word for word in self.words if word.kind == kind)


@dataclass(frozen=True)
class Understood:
    """`locale`: of the word that decided, `locales`: every language it is in; `why`: word and rule, never the text.

    `doubtful`: obeyed, but a person should read it (a word inside a longer text, or one with another meaning).
    """

    kind: Kind
    answer: Literal["1", "2"] | None = None
    locale: str | None = None
    why: str = ""
    doubtful: bool = False
    locales: tuple[str, ...] = ()


def understand(text: str, words: ReplyWords, asked: str | None = None) -> Understood:
    """The meaning of a reply; `asked` is the key of the step that last asked this patient for a digit, if any."""
    said = _Said.of(text, words)
    if found := said.whole(words.of("stop")):
        return _by(found, "stop", "the whole message", doubtful=found[0].ambiguous)
    if found := said.containing(words.of("stop")):
        return _by(found, "stop", "inside a longer message", doubtful=True)
    if said.plain in ("1", "2"):
        return Understood("answer", "1" if said.plain == "1" else "2", why="the digit alone")
    if asked is not None and (found := said.whole(words.of("yes"))):
        if asked == REQUEST:
            return Understood(
                "answer", "1", found[0].locale, f'"{found[0].text}" to the request', locales=_locales(found)
            )
        # "Yes" to a question with two digits says nothing certain, and START is not what was meant.
        return Understood("other", why=f'"{found[0].text}" where a digit was asked for', doubtful=True)
    if found := said.whole(words.of("start")):
        return _by(found, "start", "the whole message", doubtful=False)
    if found := said.whole(words.of("help")):
        return _by(found, "help", "the whole message", doubtful=False)
    if found := said.containing(words.of("help")):
        return _by(found, "help", "inside a longer message", doubtful=True)
    return Understood("other", why="no word or digit we know")


@dataclass(frozen=True)
class _Said:
    """A reply in the forms it is looked at: folded and with marks, and without its courtesies (`plain`)."""

    tokens: tuple[str, ...]
    marked: tuple[str, ...]
    plain: str
    plain_marked: str

    @classmethod
    def of(cls, text: str, words: ReplyWords) -> _Said:
        tokens = tuple(fold(text[:LONGEST]).split())
        marked = tuple(fold(text[:LONGEST], marks=True).split())
        kept = _without(tokens, words.polite)
        kept_marked = tuple(token for token in marked if fold(token) in kept)
        return cls(tokens, marked, " ".join(kept), " ".join(kept_marked))

    def whole(self, words: tuple[Word, ...]) -> list[Word]:
        """The words that are the whole message, also when spelled out or drawn apart (S T O P)."""
        return [word for word in words if self._is(word)]

    def _is(self, word: Word) -> bool:
        if word.marks_matter:
            bare = self.plain == self.plain_marked
            return self.plain_marked == word.marked or (bare and self.plain == word.folded)
        if self.plain == word.folded:
            return True
        return self.plain.replace(" ", "") == word.folded.replace(" ", "") and bool(self.plain)

    def containing(self, words: tuple[Word, ...]) -> list[Word]:
        return [word for word in words if word.anywhere and self._has(word)]

    def _has(self, word: Word) -> bool:
        tokens = self.marked if word.marks_matter else self.tokens
        wanted = (word.marked if word.marks_matter else word.folded).split()
        if _UNSPACED.search(word.folded):
            return "".join(wanted) in "".join(tokens)
        if _runs(tokens, wanted):
            return True
        bare = tuple(_ARABIC_PREFIX.sub("", token, count=1) for token in tokens)
        return len(wanted[0]) > 2 and "\u0600" <= wanted[0][0] <= "\u06ff" and _runs(bare, wanted)


def _runs(tokens: tuple[str, ...], wanted: list[str]) -> bool:
    """Do these words stand in the message, one after the other?"""
    size = len(wanted)
    return any(list(tokens[at : at + size]) == wanted for at in range(len(tokens) - size + 1))


def _without(tokens: tuple[str, ...], courtesies: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    """The words without courtesies at the beginning and the end; all of them when nothing else is said."""
    kept = tokens
    changed = True
    while changed:
        changed = False
        for courtesy in courtesies:
            size = len(courtesy)
            if len(kept) > size and kept[-size:] == courtesy:
                kept, changed = kept[:-size], True
            if len(kept) > size and kept[:size] == courtesy:
                kept, changed = kept[size:], True
    return kept


def _by(found: list[Word], kind: Literal["stop", "start", "help"], where: str, *, doubtful: bool) -> Understood:
    first = found[0]
    return Understood(kind, None, first.locale, f'"{first.text}" ({first.locale}), {where}', doubtful, _locales(found))


def _locales(found: list[Word]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.locale for word in found))
