"""The written forms of an idea, and finding thousands of them in a message at the cost of a few."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from outreach.domain.folding import fold, one_off
from outreach.domain.passage import Passage
from outreach.domain.wording import ARABIC_PREFIX, UNSPACED

HEAD = 3
LEAST = 5
"""Letters that a word must have to be recognised with one of them wrong."""
TONAL = frozenset({"vi"})
"""Languages where another tone is another word: tones are compared where they are written."""
# Letters that only Vietnamese has: what other languages write without their accents is not what it looks like here.
_THEIRS = re.compile("[\u0103\u0111\u01a1\u01b0\u1ea0-\u1ef9]")
_SPELT = re.compile("[a-z]+|[\u0430-\u044f]+")  # a letter less makes another word in Arabic
Span = tuple[int, int, int, int, int]


@dataclass(frozen=True)
class Form:
    """One way to write a concept. `breath*`: every word that begins so; `*hinga*`: every word that holds it."""

    concept: str
    locale: str
    text: str
    toned: bool = False
    """Whether it counts only where its tones are written: without them it is an everyday word ("co" for "neck")."""

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Folded, without asterisks."""
        return tuple(fold(self.text.replace("*", "")).split())

    @cached_property
    def marked(self) -> tuple[str, ...]:
        return tuple(fold(self.text.replace("*", ""), marks=True).split())

    @cached_property
    def second(self) -> str:
        """The word that must come second; none where there is one word, or the second may go on."""
        return self.words[1] if len(self.words) > 1 + self.open else ""

    @cached_property
    def open(self) -> bool:
        """Whether its last word may go on."""
        return self.text.endswith("*")

    @property
    def held(self) -> bool:
        """Whether it may stand anywhere inside a word."""
        return self.text.startswith("*") or bool(UNSPACED.search(self.words[0]))


ByWords = defaultdict[str, defaultdict[str, list[Form]]]
"""Forms by first and second word: hundreds begin with "no", and some messages repeat it hundreds of times."""


class Forms:
    """Forms that can be looked up by what a message holds."""

    def __init__(self, forms: Iterable[Form], spared: frozenset[str], exact: frozenset[str] = frozenset()) -> None:
        """`exact`: concepts that only take meaning away: a word that merely looks like one of these takes nothing."""
        self._spared = spared
        self._guards = exact
        self._exact: ByWords = defaultdict(lambda: defaultdict(list))
        self._open: dict[str, list[Form]] = defaultdict(list)
        self._held: dict[str, list[Form]] = defaultdict(list)
        self._solid: dict[str, list[Form]] = defaultdict(list)
        self._near: ByWords = defaultdict(lambda: defaultdict(list))
        for form in forms:
            self._add(form)

    def _add(self, form: Form) -> None:
        first = form.words[0]
        if UNSPACED.search(first):
            self._solid[first[0]].append(form)
        elif form.held:
            self._held[first[:2]].append(form)
        elif form.open and len(form.words) == 1:
            self._open[first[:HEAD]].append(form)
        else:
            self._exact[first][form.second].append(form)
        if not form.held and len(first) >= LEAST and form.concept not in self._guards:
            for short in _shorter(first):
                self._near[short][form.second].append(form)

    def found_in(self, passage: Passage) -> Iterator[tuple[Form, Span]]:
        """Every form in the passage, with its place."""
        for at, word in enumerate(passage.words):
            known = set()
            for form, last in self._at(passage, at, word):
                known.add(form.locale)
                yield form, _span(passage, at, last)
            if word not in self._spared:
                for form, last in self._misspelt(passage, at, word):
                    if form.locale not in known:  # a word of a language is no other word of it, misspelt
                        yield form, _span(passage, at, last)
        yield from self._inside(passage)

    def _at(self, passage: Passage, at: int, word: str) -> Iterator[tuple[Form, int]]:
        """The forms that begin with this word, and the word they end with."""
        for one in _stems(word):
            for form in _going_on(self._exact.get(one), passage, at):
                last = at + len(form.words) - 1
                if last < len(passage.words) and self._is(form, passage, at, one):
                    yield form, last
            for size in (HEAD, HEAD - 1):
                for form in self._open.get(one[:size], ()):
                    begins = one.startswith(form.words[0]) and (size == HEAD or len(form.words[0]) == size)
                    if begins and self._is(form, passage, at, one):
                        yield form, at

    def _is(self, form: Form, passage: Passage, at: int, first: str) -> bool:
        words = (first, *passage.words[at + 1 : at + len(form.words)])
        ends = words[-1] == form.words[-1] or (form.open and words[-1].startswith(form.words[-1]))
        if not ends or words[:-1] != form.words[:-1]:
            return False
        marked = passage.marked[at : at + len(words)]
        if form.locale in TONAL:
            return _toned(form, marked, words)
        return marked == words or not any(_THEIRS.search(word) for word in marked)

    def _misspelt(self, passage: Passage, at: int, word: str) -> Iterator[tuple[Form, int]]:
        """Forms of one word, or whose first word, is this but for a letter."""
        if len(word) < LEAST or not _SPELT.fullmatch(word) or _THEIRS.search(passage.marked[at]):
            return
        seen: set[tuple[str, str, str]] = set()
        for size in range(LEAST, len(word) + 1):
            head = word[:size]
            for short in (head, *_shorter(head)):
                for form in _going_on(self._near.get(short), passage, at):
                    key = (form.concept, form.locale, form.text)
                    if key in seen or not (size == len(word) or (len(head) > LEAST and _goes_on(form, head))):
                        continue
                    last = at + len(form.words) - 1
                    if last >= len(passage.words) or not _but_for_a_letter(form.words[0], head):
                        continue
                    if self._is(form, passage, at, form.words[0]):
                        seen.add(key)
                        yield form, last

    def _inside(self, passage: Passage) -> Iterator[tuple[Form, Span]]:
        """Forms that may stand anywhere: inside words, and in scripts without spaces."""
        if self._held:
            for at, word in enumerate(passage.words):
                for begin in range(len(word) - 1):
                    for form in self._held.get(word[begin : begin + 2], ()):
                        if word.startswith(form.words[0], begin):
                            yield form, _span(passage, at, at)
        for begin, letter in enumerate(passage.solid):
            for form in self._solid.get(letter, ()):
                solid = "".join(form.words)
                if passage.solid.startswith(solid, begin):
                    first, last = passage.solid_at[begin], passage.solid_at[begin + len(solid) - 1]
                    # Between the letters of `solid` and of `text` stand as many spaces as words before.
                    yield form, passage.span(first, last, begin + first, begin + len(solid) + last)


def _going_on(begun: Mapping[str, list[Form]] | None, passage: Passage, at: int) -> Iterable[Form]:
    """Those of the forms that may go on as the passage does after this word."""
    if begun is None:
        return ()
    after = passage.words[at + 1] if at + 1 < len(passage.words) else ""
    return (*begun.get("", ()), *begun.get(after, ())) if after else begun.get("", ())


def _span(passage: Passage, first: int, last: int) -> Span:
    return passage.span(first, last, passage.begins[first], passage.begins[last] + len(passage.words[last]))


def _stems(word: str) -> tuple[str, ...]:
    """The word, and without what Arabic and Persian write onto it."""
    if not "\u0600" <= word[0] <= "\u06ff":
        return (word,)
    bare = ARABIC_PREFIX.sub("", word, count=1)
    return (word, bare) if bare and bare != word else (word,)


def _toned(form: Form, marked: tuple[str, ...], plain: tuple[str, ...]) -> bool:
    """Whether each word has the tone of the form, or none at all unless it must."""
    if len(form.marked) != len(marked):
        return True
    return all(
        word == tone or (word == bare and not form.toned) or (form.open and word.startswith(tone))
        for word, tone, bare in zip(marked, form.marked, plain, strict=True)
    )


def _goes_on(form: Form, head: str) -> bool:
    """Whether this is how a word of the form begins, wrongly spelt: "desmai*" is not "demain"."""
    return form.open and len(form.words) == 1 and len(form.words[0]) > LEAST and head[-1] == form.words[0][-1]


def _but_for_a_letter(right: str, written: str) -> bool:
    """In a word of five letters none may be another: "heard" is not "heart", "Marie" not "marre"."""
    if right[0] != written[0] or (len(right) == len(written) == LEAST and sorted(right) != sorted(written)):
        return False
    return one_off(right, written)


def _shorter(word: str) -> set[str]:
    """The word itself, and without each of its letters: two words one letter apart share one of these."""
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}
