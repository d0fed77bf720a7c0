"""What a reply is about, found by ideas instead of phrases: "cannot" near "breath", "no more" near "messages".

Whoever writes picks words that no list has seen together. So each language lists the words of an idea (a concept), and
a rule, the same for all languages, names the ideas that stand near one another. Config/concepts has both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from itertools import islice, pairwise, product
from typing import Literal, NamedTuple

from outreach.domain.passage import Passage
from outreach.domain.patterns import Form, Forms

Means = Literal["stop", "help", "urgent", "symptom", "calm", "keep", "helped"]
HEARD: frozenset[Means] = frozenset({"stop", "help", "urgent", "symptom"})
"""The others take words of one of these away, their own and no more."""
NEAR = 5
"""How many words may stand between two ideas of a rule, unless it says otherwise."""
GUARDED = 4
"""How near a word must stand that takes a rule's meaning away: "no pain in the chest", "the chest is better"."""
AGAIN = "again"
"""The concept that lets nothing take a rule back: "it was gone, now the chest pain is here again"."""
LOOKALIKE = "lookalike"
"""The concept of words that only look like others: "how many" holds the Chinese for "fewer", an invoice its "send"."""
LINK = "link"
"""The concept of little words that may stand inside one thing: "in the", "some"."""
MANY = 400  # ways to combine what was found, looked at for one rule: a text of one word repeated must not be for ever


@dataclass(frozen=True)
class Rule:
    """The ideas that together mean something, each near the one before.

    `each`: a concept or several of which one is enough; `ordered`: in this order; `unless`: concepts that take it
    back when they stand near it, in the same sentence; `within`: words between two of them.
    """

    means: Means
    each: tuple[tuple[str, ...], ...]
    about: str = ""
    within: int = NEAR
    ordered: bool = False
    unless: tuple[str, ...] = ()
    most: int = 0
    """The longest message, in words, that it is read in; 0: any."""
    never: tuple[str, ...] = ()
    """Concepts that must not be named anywhere in the message: "until", "but", "now"."""
    needs: tuple[str, ...] = ()
    """Concepts that the message must name as well, anywhere: a pain of last year that is "over"."""
    tight: bool = False
    """Nothing may stand between but little words (the concept `link`): "no pain in the chest", all of it one thing."""
    last: bool = False
    """Nothing but little words may follow in its sentence: "pain in the chest: none", not "none of my pills"."""
    then: tuple[str, ...] = ()
    """Concepts that must not follow it, unless they end a sentence: "no chest pain, now it is there"."""
    own: bool = False
    """`never` is asked of the language itself alone: "mas" is "but" here and "more" there."""

    @property
    def name(self) -> str:
        return " + ".join("/".join(one) for one in self.each)


class Hit(NamedTuple):
    """Words of one concept in a passage: where their letters and words begin and end, and in which sentence."""

    begin: int
    end: int
    first: int
    last: int
    sentence: int


class Sensed(NamedTuple):
    """A rule that a passage fulfils, and the languages whose words did."""

    rule: Rule
    locales: tuple[str, ...]


Hits = Mapping[str, Mapping[str, list[Hit]]]


class Sense:
    """Concepts of every language and the rules over them, ready to be looked for."""

    def __init__(
        self,
        forms: Iterable[Form] = (),
        rules: Iterable[Rule] = (),
        spared: Iterable[str] = (),
        shared: Iterable[str] = (),
        variants: Mapping[int, str] | None = None,
        also: Mapping[str, tuple[str, ...]] | None = None,
        english: tuple[Iterable[str], Iterable[str]] = ((), ()),
    ) -> None:
        """`spared`: words never taken for a misspelling; `shared`: concepts whose English words all languages use.

        `english`: little words that tell an English message, and its everyday words that are no other language's there;
        `variants`: letters read as others; `also`: languages written with the words of another, but for these letters.
        """
        self.rules = tuple(rules)
        self.variants = dict(variants or {})
        self._also = dict(also or {})
        self.shared = frozenset(shared)
        self._english, self._everyday = (frozenset(one) for one in english)
        self._known = tuple(forms)
        self._spared = frozenset(spared)
        lines = [f"{one.locale} {one.concept}: {one.text}" for one in self._known]
        said = "\n".join([*sorted(lines), *sorted(map(repr, self.rules))])
        self.digest = sha256(said.encode()).hexdigest() if lines else ""

    @cached_property
    def _forms(self) -> Forms:
        """Laid out for the first message: most processes never read one, and it is most of what loading would cost."""
        heard = {name for rule in self.rules if rule.means in HEARD for names in rule.each for name in names}
        guards = {name for rule in self.rules for names in (*rule.each, rule.unless) for name in names} - heard
        return Forms(self._known, self._spared, frozenset(guards))

    def hits(self, passage: Passage) -> Hits:
        """The concepts in a passage, by language and name."""
        found: dict[str, dict[str, list[Hit]]] = defaultdict(lambda: defaultdict(list))
        every = [(form, Hit(*hit)) for form, hit in self._forms.found_in(passage)]
        if len(self._english.intersection(passage.words)) > 1:
            ours = [hit for form, hit in every if form.locale == "en"]
            every = [one for one in every if one[0].locale == "en" or not self._is_english(passage, one[1], ours)]
        for form, hit in every:
            found[form.locale][form.concept].append(hit)
        for locale, theirs in found.items():
            if wholes := theirs.get(LOOKALIKE):
                left = {name: [hit for hit in hits if not _inside(hit, wholes)] for name, hits in theirs.items()}
                found[locale] = defaultdict(list, {name: hits for name, hits in left.items() if hits})
        english = found.get("en", {})
        for locale, theirs in found.items():
            if locale != "en":
                for name in self.shared & english.keys():
                    theirs[name] = theirs.get(name, []) + english[name]
        return found

    def _is_english(self, passage: Passage, hit: Hit, english: list[Hit]) -> bool:
        """In an English message "about" is not the Haitian for weary, nor a word of ours in English a Filipino one."""
        known = passage.text[hit.begin : hit.end] in self._everyday
        return known or any(one.begin <= hit.begin and hit.end <= one.end for one in english)

    def sensed(self, passage: Passage, hits: Hits, means: Means) -> list[Sensed]:
        """The rules of a meaning that the passage fulfils."""
        found = []
        for rule in self.rules:
            if rule.means == means and not (rule.most and len(passage.words) > rule.most):
                locales = [
                    locale
                    for locale, theirs in hits.items()
                    if not any(theirs.keys().isdisjoint(names) for names in rule.each)  # asked first: it mostly is
                    and _fulfilled(rule, theirs)
                ]
                if locales:
                    found.append(Sensed(rule, self._written(locales, passage.varied)))
        return found

    def spans(self, rule: Rule, passage: Passage, hits: Hits) -> dict[str, set[tuple[int, int]]]:
        """By language, the letters of `passage.text` that fulfil a rule."""
        unless = [hit for theirs in hits.values() for name in rule.unless for hit in theirs.get(name, ())]
        every = {
            locale: {span for hit in _together(rule, passage, theirs) for span in _letters(rule, hit)}
            for locale, theirs in hits.items()
            # A word of another language that is a little one in this ("ko") says nothing here.
            if all(are(passage.text, hit.begin, hit.end, letters_of(theirs, LINK)) for hit in unless)
        }
        return {locale: letters for locale, letters in every.items() if letters}

    def findings(self, passage: Passage, theirs: Mapping[str, list[Hit]]) -> set[tuple[int, int]]:
        """The stretches of `passage.text` that would be an alarm or a symptom in a language, each one thing."""
        told = (rule for rule in self.rules if rule.means in ("urgent", "symptom") and rule.about != "self_harm")
        tight = (replace(rule, tight=True) for rule in told)
        every = (together for rule in tight for together in _together(rule, passage, theirs))
        return {(min(hit.begin for hit in one), max(hit.end for hit in one)) for one in every}

    def _written(self, locales: Iterable[str], varied: bool) -> tuple[str, ...]:
        """The languages, and those that share their words: first, where the letters are theirs."""
        ways = [(one, *self._also.get(one, ())) for one in locales]
        return tuple(one for way in ways for one in (way[::-1] if varied else way))


def _together(rule: Rule, passage: Passage, theirs: Mapping[str, list[Hit]]) -> Iterator[tuple[Hit, ...]]:
    """Each way in which the words of a rule stand together."""
    if any(theirs.keys().isdisjoint(names) for names in rule.each):
        return
    little = letters_of(theirs, LINK) if rule.tight or rule.last else set()
    places = [[hit for name in names for hit in theirs.get(name, ())] for names in rule.each]
    for together in islice(product(*places), MANY):
        if not _stand_together(together, rule):
            continue
        first, last = min(hit.begin for hit in together), max(hit.end for hit in together)
        known = little.union(*(range(hit.begin, hit.end) for hit in together))
        if rule.tight and not are(passage.text, first, last, known):
            continue
        if not rule.last or are(passage.text, last, len(passage.text), little | letters_of(theirs, *rule.then)):
            yield together


def _inside(hit: Hit, others: Iterable[Hit]) -> bool:
    """Whether it is a part of one of the others, and not all of it."""
    return any(one.begin <= hit.begin and hit.end <= one.end and one[:2] != hit[:2] for one in others)


def letters_of(theirs: Mapping[str, list[Hit]], *names: str) -> set[int]:
    """The letters that the words of these concepts are written with, as places in the text."""
    return {at for name in names for hit in theirs.get(name, ()) for at in range(hit.begin, hit.end)}


def are(text: str, begin: int, end: int, known: Collection[int]) -> bool:
    """Whether the letters of a stretch of text are all among those known."""
    return all(at in known or text[at] == " " for at in range(begin, end))


def _letters(rule: Rule, hits: tuple[Hit, ...]) -> set[tuple[int, int]]:
    if rule.tight:
        return {(min(hit.begin for hit in hits), max(hit.end for hit in hits))}
    return {(hit.begin, hit.end) for hit in hits}


def _fulfilled(rule: Rule, theirs: Mapping[str, list[Hit]]) -> bool:
    guards = [hit for name in rule.unless for hit in theirs.get(name, ())]
    places = [[hit for name in names for hit in theirs.get(name, ())] for names in rule.each]
    for count, together in enumerate(product(*places)):
        if count > MANY:
            return False
        if _stand_together(together, rule):
            again = any(hit.sentence == one.sentence for hit in theirs.get(AGAIN, ()) for one in together)
            if again or not any(_takes_back(guard, together) for guard in guards):
                return True
    return False


def _stand_together(hits: tuple[Hit, ...], rule: Rule) -> bool:
    for one, other in pairwise(hits):
        first, second = (one, other) if one.begin <= other.begin else (other, one)
        if first.end > second.begin or (rule.ordered and first is not one):
            return False
        if second.first - first.last > rule.within + 1:
            return False
    return True


def _takes_back(guard: Hit, hits: tuple[Hit, ...]) -> bool:
    if any(hit.begin <= guard.begin and guard.end <= hit.end for hit in hits):
        return False  # it is what was found, or a part of that
    return any(
        guard.sentence == hit.sentence and max(hit.first - guard.last, guard.first - hit.last) <= GUARDED
        for hit in hits
    )  # fmt: skip
