"""What a patient's reply means: stop, start, help, an answer, thanks, something urgent, or something for a person.

Words of every language count, whatever language the patient reads. The text is folded first (domain.folding), then
matched as a whole, then by its words: a message that contains a stop word stops. Wrongly stopped, a patient can say
START; wrongly written to, nobody can undo it. Urgent words are looked for apart from everything else: a message can
be both, and a false alarm costs a call while a missed one may cost more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from outreach.domain.folding import fold, one_off
from outreach.domain.wording import Lexicon, Tokens, Word

Meaning = Literal["stop", "start", "help", "answer", "urgent", "thanks", "other"]
Wish = Literal["", "change", "call"]
LONGEST = 2000
LONG = 8  # letters
INSIDE = ("urgent", "change", "call", "robot", "elsewhere")  # these count inside a longer message, all of them
REQUEST, VISIT, CHECK_IN = "consent.request", "pre.the_day", "post.check_in"
# What a plain word answers, by what was asked. "Yes" to the check-in could mean either digit: that is for a person.
_ANSWERS: dict[str, tuple[tuple[str, Literal["1", "2"]], ...]] = {
    REQUEST: (("yes", "1"),),
    VISIT: (("yes", "1"), ("come", "1"), ("no", "2"), ("change", "2")),
    CHECK_IN: (("gone", "1"), ("still", "2"), ("call", "2")),
}


@dataclass(frozen=True)
class ReplyWords:
    """The reviewed words, their digest, and the courtesies (please, thanks) that change nothing."""

    words: tuple[Word, ...]
    courtesies: frozenset[str] = frozenset()
    digest: str = ""

    @cached_property
    def polite(self) -> tuple[tuple[str, ...], ...]:
        return tuple(tuple(fold(courtesy).split()) for courtesy in sorted(self.courtesies))

    @cached_property
    def thankful(self) -> tuple[tuple[str, ...], ...]:
        """Thanks and courtesies, the longest first: a longer one must not be cut up by a shorter."""
        known = {tuple(word.folded.split()) for word in self.of("thanks") if word.folded} | set(self.polite)
        return tuple(sorted(known, key=lambda one: (-len(one), one)))

    @cached_property
    def hearts(self) -> frozenset[str]:
        """The symbols that say thanks."""
        return frozenset(word.symbol for word in self.of("thanks") if word.symbol)

    @cached_property
    def long_stops(self) -> tuple[Word, ...]:
        """Stop words of so many letters that one may be wrong: "cancer" is not "cancel"."""
        return tuple(word for word in self.of("stop") if len(word.folded) >= LONG and " " not in word.folded)

    @cached_property
    def _by_kind(self) -> dict[str, tuple[Word, ...]]:
        kinds = {word.kind for word in self.words}
        return {kind: tuple(word for word in self.words if word.kind == kind) for kind in kinds}

    @cached_property
    def _lexicons(self) -> dict[str, Lexicon]:
        inside = {kind: [word for word in of if word.anywhere or kind in INSIDE] for kind, of in self._by_kind.items()}
        return {kind: Lexicon(words) for kind, words in inside.items()}

    def inside(self, kind: str, said: Tokens) -> list[Word]:
        """The words of a kind that a longer message holds, the longest first."""
        found = self._lexicons[kind].found_in(said) if kind in self._lexicons else []
        return sorted(found, key=lambda word: (-len(word.folded), word.folded, word.locale))

    def of(self, kind: str) -> tuple[Word, ...]:
        return self._by_kind.get(kind, ())


@dataclass(frozen=True)
class Understood:
    """`locale`: of the word that decided, `locales`: every language it is in; `why`: word and rule, never the text.

    `doubtful`: obeyed, but a person should read it (a word inside a longer text, or one with another meaning).
    `urgent`: what it tells of that cannot wait, whatever else it means. `wish`: what a person should see to.
    `ambiguous`: a stop that may have meant the visit. `robot`: it holds the words of an automatic reply.
    """

    kind: Meaning
    answer: Literal["1", "2"] | None = None
    locale: str | None = None
    why: str = ""
    doubtful: bool = False
    locales: tuple[str, ...] = ()
    urgent: tuple[str, ...] = ()
    wish: Wish = ""
    ambiguous: bool = False
    robot: bool = False


def understand(text: str, words: ReplyWords, asked: str | None = None) -> Understood:
    """The meaning of a reply; `asked` is the key of the step that last asked this patient for a digit, if any."""
    said = _Said.of(text, words)
    meant = _meaning(said, words, asked)
    return replace(meant, robot=True) if words.inside("robot", said.all) else meant


def _meaning(said: _Said, words: ReplyWords, asked: str | None) -> Understood:
    alarms = words.inside("urgent", said.all)
    found = _stops(said, words) or _answers(said, words, asked) or _asks(said, words)
    if alarms:
        about = tuple(sorted({word.about for word in alarms}))
        if found is None or found.kind in ("answer", "thanks", "start", "other"):
            found = _by(alarms, "urgent", "anywhere", doubtful=True)
        return replace(found, urgent=about, doubtful=True)
    found = (
        found or _small(said, words) or _misspelt(said, words) or Understood("other", why="no word or digit we know")
    )
    return replace(found, wish=_wish(said, words)) if found.kind == "other" else found


def _stops(said: _Said, words: ReplyWords) -> Understood | None:
    """A bus may stop and a medicine be stopped: what is left of the message without that must hold the word."""
    spellings = said.spellings()
    for one in spellings:
        if found := one.whole(words.of("stop")):
            return _by(found, "stop", "the whole message", doubtful=found[0].ambiguous)
    for one in spellings:
        rest, others = one.all, words.inside("elsewhere", one.all)
        if others and (found := said.sentence(words.of("stop"))):
            return _by(found, "stop", "a sentence of its own", doubtful=True)
        for elsewhere in others:
            rest = elsewhere.without(rest)
        if found := words.inside("stop", rest):
            return _by(found, "stop", "inside a longer message", doubtful=True)
    return None


def _answers(said: _Said, words: ReplyWords, asked: str | None) -> Understood | None:
    """A digit, or a word that can only mean one digit of what was asked."""
    if (digit := " ".join(said.kept.plain)) in ("1", "2"):
        return Understood("answer", "1" if digit == "1" else "2", why="the digit alone")
    for kind, answer in _ANSWERS.get(asked or "", ()):
        if found := said.whole(words.of(kind)):
            why = f'"{found[0].text}" to {asked}'
            return Understood("answer", answer, found[0].locale, why, locales=_locales(found))
    if asked is not None and (found := said.whole(words.of("yes"))):
        # "Yes" to a question with two digits says nothing certain, and START is not what was meant.
        return Understood("other", why=f'"{found[0].text}" where a digit was asked for', doubtful=True)
    return None


def _asks(said: _Said, words: ReplyWords) -> Understood | None:
    if found := said.whole(words.of("start")):
        return _by(found, "start", "the whole message", doubtful=False)
    if found := said.whole(words.of("help")):
        return _by(found, "help", "the whole message", doubtful=False)
    if found := words.inside("help", said.all):
        return _by(found, "help", "inside a longer message", doubtful=True)
    return None


def _small(said: _Said, words: ReplyWords) -> Understood | None:
    """Thanks, OK, a heart: nothing to do."""
    rest = [one for one in said.all.symbols if one not in words.hearts]
    if rest or not (said.all.plain or said.all.symbols):
        return None
    if _without(said.all.plain, words.thankful, whole=True):
        return None
    return Understood("thanks", why="thanks or a courtesy")


def _misspelt(said: _Said, words: ReplyWords) -> Understood | None:
    """One long word alone that is a stop word but for one letter: unsubscrbe. Doubtful, so a person sees it as well."""
    if len(said.kept.plain) != 1 or len(said.kept.plain[0]) < LONG:
        return None
    found = [word for word in words.long_stops if one_off(word.folded, said.kept.plain[0])]
    return _by(found, "stop", "the whole message", doubtful=True) if found else None


def _wish(said: _Said, words: ReplyWords) -> Wish:
    for kind in ("call", "change"):
        if words.inside(kind, said.all):
            return "call" if kind == "call" else "change"
    return ""


@dataclass(frozen=True)
class _Said:
    """A reply in the forms it is looked at: `all` of it, and `kept` without its courtesies."""

    all: Tokens
    kept: Tokens
    text: str = ""

    @classmethod
    def of(cls, text: str, words: ReplyWords) -> _Said:
        whole = Tokens.of(text[:LONGEST])
        plain = _without(whole.plain, words.polite)
        marked = tuple(token for token in whole.marked if fold(token) in plain)
        return cls(whole, Tokens(plain, marked, whole.symbols), text[:LONGEST])

    def sentence(self, words: tuple[Word, ...]) -> list[Word]:
        """The words that are all of one of its sentences."""
        parts = [Tokens.of(part) for part in _SENTENCE.split(self.text)]
        return [word for part in parts for word in words if not word.symbol and word.is_all(part)]

    def spellings(self) -> tuple[_Said, ...]:
        """As it is written, and with letters for the digits that stand for them inside a word: st0p."""
        if not any(_LEET.search(token) for token in self.all.plain):
            return (self,)
        return self, _Said(_spelled(self.all), _spelled(self.kept), self.text)

    def whole(self, words: tuple[Word, ...]) -> list[Word]:
        together = "".join(self.kept.plain)  # asked first: this is asked of every word there is, several times over
        likely = (word for word in words if word.solid == together or word.symbol or word.marks_matter)
        return [word for word in likely if word.is_all(self.kept)]


_SENTENCE = re.compile("[.!?;:,\n\u061f\u060c\u061b\u3002\uff01\uff1f\uff0c\u3001]+")
# Only a digit with letters on both sides: 9am, b4 and the 3arabi of Arabic in Latin letters stay what they are.
_LEET = re.compile("(?<=[a-z])[01345](?=[a-z])")
_LETTER_OF = {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s"}


def _spelled(tokens: Tokens) -> Tokens:
    plain, marked = (tuple(_LEET.sub(lambda digit: _LETTER_OF[digit[0]], one) for one in part) for part in tokens[:2])
    return Tokens(plain, marked, tokens.symbols)


def _without(tokens: tuple[str, ...], courtesies: Iterable[tuple[str, ...]], whole: bool = False) -> tuple[str, ...]:
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


def _by(found: list[Word], kind: Meaning, where: str, *, doubtful: bool) -> Understood:
    first = found[0]
    why = f'"{first.text}" ({first.locale}), {where}'
    ambiguous = all(word.ambiguous for word in found)
    return Understood(kind, None, first.locale, why, doubtful, _locales(found), ambiguous=ambiguous)


def _locales(found: list[Word]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.locale for word in found))
