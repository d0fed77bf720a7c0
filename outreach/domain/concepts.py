"""What a reply is about, found by ideas instead of phrases: "cannot" near "breath", "no more" near "messages".

Whoever writes picks words that no list has seen together. So each language lists the words of an idea (a concept), and
a rule, the same for all languages, names the ideas that stand near one another. Config/concepts has both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import pairwise, product
from typing import Literal, NamedTuple

from outreach.domain.passage import Passage
from outreach.domain.patterns import Form, Forms

Means = Literal["stop", "help", "urgent", "symptom", "calm", "joke", "keep", "helped"]
HEARD: frozenset[Means] = frozenset({"stop", "help", "urgent", "symptom"})
"""The others take one of these away."""
NEAR = 5
"""How many words may stand between two ideas of a rule, unless it says otherwise."""
GUARDED = 4
"""How near a word must stand that takes a rule's meaning away: "no pain in the chest", "the chest is better"."""
AGAIN = "again"
"""The concept that lets nothing take a rule back: "it was gone, now the chest pain is here again"."""
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
    ) -> None:
        """`spared`: words never taken for a misspelling; `shared`: concepts whose English words all languages use.

        `variants`: letters read as others; `also`: languages written with the words of another, but for these letters.
        """
        self.rules = tuple(rules)
        self.variants = dict(variants or {})
        self._also = dict(also or {})
        self.shared = frozenset(shared)
        self._known = tuple(forms)
        self._spared = frozenset(spared)
        lines = [f"{one.locale} {one.concept}: {one.text}" for one in self._known]
        said = "\n".join([*sorted(lines), *sorted(map(repr, self.rules))])
        self.digest = sha256(said.encode()).hexdigest() if lines else ""

    @cached_property
    def _forms(self) -> Forms:
        """Laid out for the first message: most processes never read one, and it is most of what loading would cost."""
        return Forms(self._known, self._spared)

    def hits(self, passage: Passage) -> Hits:
        """The concepts in a passage, by language and name."""
        found: dict[str, dict[str, list[Hit]]] = defaultdict(lambda: defaultdict(list))
        for form, hit in self._forms.found_in(passage):
            found[form.locale][form.concept].append(Hit(*hit))
        english = found.get("en", {})
        for locale, theirs in found.items():
            if locale != "en":
                for name in self.shared & english.keys():
                    theirs[name] = theirs.get(name, []) + english[name]
        return found

    def sensed(self, passage: Passage, hits: Hits, means: Means) -> list[Sensed]:
        """The rules of a meaning that the passage fulfils."""
        found = []
        for rule in self.rules:
            if rule.means == means and not (rule.most and len(passage.words) > rule.most):
                locales = [
                    locale
                    for locale, theirs in hits.items()
                    if not any(theirs.keys().isdisjoint(names) for names in rule.each)  # asked first: it mostly is
                    and _fulfilled(rule, theirs, _guards(rule, hits, theirs))
                ]
                if locales:
                    found.append(Sensed(rule, self._written(locales, passage.varied)))
        return found

    def _written(self, locales: Iterable[str], varied: bool) -> tuple[str, ...]:
        """The languages, and those that share their words: first, where the letters are theirs."""
        ways = [(one, *self._also.get(one, ())) for one in locales]
        return tuple(one for way in ways for one in (way[::-1] if varied else way))


def _guards(rule: Rule, hits: Hits, theirs: Mapping[str, list[Hit]]) -> list[Hit]:
    """What may take a rule back. What takes an alarm away is itself taken back by a word of any language."""
    among = [theirs] if rule.means in HEARD else list(hits.values())
    return [hit for each in among for name in rule.unless for hit in each.get(name, ())]


def _fulfilled(rule: Rule, theirs: Mapping[str, list[Hit]], guards: list[Hit]) -> bool:
    places = [[hit for name in names for hit in theirs.get(name, ())] for names in rule.each]
    for count, together in enumerate(product(*places)):
        if count > MANY:
            return False
        if _stand_together(together, rule):
            again = any(hit.sentence == one.sentence for hit in theirs.get(AGAIN, ()) for one in together)
            if (again and rule.means in HEARD) or not any(_takes_back(guard, together) for guard in guards):
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
