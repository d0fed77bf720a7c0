"""What a patient's reply means: stop, start, help, an answer, thanks, something urgent, or something for a person.

Words of every language count, whatever language the patient reads. The text is folded first (domain.folding), then
matched as a whole, then by its words: a message that contains a stop word stops. Wrongly stopped, a patient can say
START; wrongly written to, nobody can undo it. Urgent words are looked for apart from everything else: a message can
be both, and a false alarm costs a call while a missed one may cost more.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from outreach.domain.concepts import Means, Sense, Sensed
from outreach.domain.folding import fold, one_off
from outreach.domain.ideas import Ideas
from outreach.domain.said import Said, without
from outreach.domain.wording import Lexicon, Tokens, Word

Meaning = Literal["stop", "start", "help", "answer", "urgent", "thanks", "other"]
Wish = Literal["", "change", "call"]
LONG = 8  # letters
INSIDE = ("urgent", "change", "call", "robot", "elsewhere")  # these count inside a longer message, all of them
SELF_HARM = "self_harm"
_UNKNOWN, _SYMPTOM = "no word or digit we know", "tells of a symptom"
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
    sense: Sense = field(default_factory=Sense)

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

    @cached_property
    def _alone(self) -> dict[str, tuple[dict[str, list[Word]], list[Word]]]:
        """Of each kind: the words by their letters, and those that letters alone do not tell."""
        found: dict[str, tuple[dict[str, list[Word]], list[Word]]] = {}
        for kind, of in self._by_kind.items():
            by_letters, others = found.setdefault(kind, ({}, []))
            for word in of:
                if word.symbol or word.marks_matter:
                    others.append(word)
                else:
                    by_letters.setdefault(word.solid, []).append(word)
        return found

    def whole(self, kind: str, said: Tokens) -> list[Word]:
        """The words of a kind that are all of a message."""
        by_letters, others = self._alone.get(kind, ({}, []))
        return [word for word in (*by_letters.get("".join(said.plain), ()), *others) if word.is_all(said)]

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
    `ambiguous`: a stop that may have meant the visit. `robot`: it holds the words of an automatic reply. `symptom`: it
    tells of one, which decides how soon a person looks (domain.deadlines) and nothing else.
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
    symptom: bool = False


def understand(text: str, words: ReplyWords, asked: str | None = None) -> Understood:
    """The meaning of a reply; `asked` is the key of the step that last asked this patient for a digit, if any."""
    said = Said.of(text, words.polite)
    ideas = Ideas.of(said.text, words.sense)
    meant = _meaning(said, ideas, words, asked)
    robot, symptom = bool(words.inside("robot", said.all)), bool(ideas.sensed("symptom"))
    if symptom and meant.why == _UNKNOWN:
        meant = replace(meant, why=_SYMPTOM)
    return replace(meant, robot=robot, symptom=symptom) if robot or symptom else meant


def _meaning(said: Said, ideas: Ideas, words: ReplyWords, asked: str | None) -> Understood:
    alarms, sensed = _alarms(said, ideas, words)
    wanted = _besides(said, ideas, words, "keep")
    found = _stops(*wanted, words) or _answers(said, words, asked) or _asks(said, ideas, words)
    if alarms or sensed:
        about = tuple(sorted({word.about for word in alarms} | {one.rule.about for one in sensed}))
        if found is None or found.kind in ("answer", "thanks", "start", "other"):
            found = _by(alarms, "urgent", "anywhere", doubtful=True) if alarms else _by_idea(sensed, "urgent")
        return replace(found, urgent=about, doubtful=True)
    found = found or _small(said, words) or _misspelt(said, words) or Understood("other", why=_UNKNOWN)
    return _wishing(found, said, words) if found.kind == "other" else found


def _alarms(said: Said, ideas: Ideas, words: ReplyWords) -> tuple[list[Word], list[Sensed]]:
    """What is urgent. Words right beside an alarm take it back ("no chest pain"), where nothing else rings.

    Whoever speaks of ending their life is heard, whatever stands beside it.
    """
    alarms, sensed = words.inside("urgent", said.all), ideas.sensed("urgent")
    about = {*(word.about for word in alarms), *(one.rule.about for one in sensed)}
    if not about or SELF_HARM in about:
        return alarms, sensed
    text, locales = ideas.besides("calm")
    rest, left = Said.of(text, words.polite), Ideas.of(text, words.sense)
    if not locales or words.inside("urgent", rest.all) or left.sensed("urgent") or ideas.alarming(left, locales):
        return alarms, sensed
    return [], []


def _besides(said: Said, ideas: Ideas, words: ReplyWords, means: Means) -> tuple[Said, Ideas]:
    """The message without the words that say so."""
    rest, _ = ideas.besides(means)
    return (said, ideas) if rest is ideas.text else (Said.of(rest, words.polite), Ideas.of(rest, words.sense))


def _stops(said: Said, ideas: Ideas, words: ReplyWords) -> Understood | None:
    """A bus may stop and a medicine be stopped: what is left of the message without that must hold the word."""
    spellings = said.spellings()
    for one in spellings:
        if found := words.whole("stop", one.kept):
            return _by(found, "stop", "the whole message", doubtful=found[0].ambiguous)
    for one in spellings:
        cut = ideas.without_other_ends() if one is said else None
        rest = cut or one.all
        others = words.inside("elsewhere", rest)
        if cut or others:
            for part in said.sentences():
                if found := words.whole("stop", part):
                    return _by(found, "stop", "a sentence of its own", doubtful=True)
        for elsewhere in others:
            rest = elsewhere.without(rest)
        if found := words.inside("stop", rest):
            return _by(found, "stop", "inside a longer message", doubtful=True)
    sensed = ideas.ending(rest if words.inside("elsewhere", said.all) else said.all)
    return _by_idea(sensed, "stop") if sensed else None


def _answers(said: Said, words: ReplyWords, asked: str | None) -> Understood | None:
    """A digit, or a word that can only mean one digit of what was asked."""
    if (digit := " ".join(said.kept.plain)) in ("1", "2"):
        return Understood("answer", "1" if digit == "1" else "2", why="the digit alone")
    for kind, answer in _ANSWERS.get(asked or "", ()):
        if found := words.whole(kind, said.kept):
            why = f'"{found[0].text}" to {asked}'
            return Understood("answer", answer, found[0].locale, why, locales=_locales(found))
    if asked is not None and (found := words.whole("yes", said.kept)):
        # "Yes" to a question with two digits says nothing certain, and START is not what was meant.
        return Understood("other", why=f'"{found[0].text}" where a digit was asked for', doubtful=True)
    return None


def _asks(said: Said, ideas: Ideas, words: ReplyWords) -> Understood | None:
    if found := words.whole("start", said.kept):
        return _by(found, "start", "the whole message", doubtful=False)
    if found := words.whole("help", said.kept):
        return _by(found, "help", "the whole message", doubtful=False)
    said, ideas = _besides(said, ideas, words, "helped")
    if found := words.inside("help", said.all):
        return _by(found, "help", "inside a longer message", doubtful=True)
    return _by_idea(sensed, "help") if (sensed := ideas.sensed("help")) else None


def _small(said: Said, words: ReplyWords) -> Understood | None:
    """Thanks, OK, a heart: nothing to do."""
    rest = [one for one in said.all.symbols if one not in words.hearts]
    if rest or not (said.all.plain or said.all.symbols):
        return None
    if without(said.all.plain, words.thankful, whole=True):
        return None
    return Understood("thanks", why="thanks or a courtesy")


def _misspelt(said: Said, words: ReplyWords) -> Understood | None:
    """One long word alone that is a stop word but for one letter: unsubscrbe. Doubtful, so a person sees it as well."""
    if len(said.kept.plain) != 1 or len(said.kept.plain[0]) < LONG:
        return None
    found = [word for word in words.long_stops if one_off(word.folded, said.kept.plain[0])]
    return _by(found, "stop", "the whole message", doubtful=True) if found else None


def _wishing(found: Understood, said: Said, words: ReplyWords) -> Understood:
    wishes: tuple[Wish, ...] = ("call", "change")
    for wish in wishes:
        if asking := words.inside(wish, said.all):
            why = f'"{asking[0].text}" ({asking[0].locale}), anywhere' if found.why == _UNKNOWN else found.why
            return replace(found, wish=wish, why=why)
    return found


def _by(found: list[Word], kind: Meaning, where: str, *, doubtful: bool) -> Understood:
    first = found[0]
    why = f'"{first.text}" ({first.locale}), {where}'
    ambiguous = all(word.ambiguous for word in found)
    return Understood(kind, None, first.locale, why, doubtful, _locales(found), ambiguous=ambiguous)


def _by_idea(found: list[Sensed], kind: Meaning) -> Understood:
    first = found[0]
    why = f"{first.rule.name} ({first.locales[0]}), by what it is about"
    return Understood(kind, None, first.locales[0], why, True, first.locales)


def _locales(found: list[Word]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.locale for word in found))
