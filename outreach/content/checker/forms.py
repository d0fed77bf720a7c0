"""Plural forms: all there, none alike where a language tells them apart, none in another's place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from outreach.content.checker.findings import Fault, bare

# In these, number words leave a noun as it is, or their forms differ in few nouns only.
_ALIKE = frozenset((
    "fa", "hi", "ur", "fil", "tl", "zh", "vi", "ko", "ja", "my", "ht", "id", "ms", "th", "tr", "hu", "ka", "az", "bn",
    "ta", "te", "ml", "kn", "mr", "gu", "ne", "si", "km", "lo",
))  # fmt: skip
_WITHOUT_S = re.compile(r"[^\W\d_]{2,}")
# Two forms, and nouns that often have one: Pixel, Zeichen, uur.
_OFTEN_ALIKE = frozenset(("de", "nl", "sv", "da", "nb", "nn", "fi"))
_ONE = re.compile("واحد")
_NOUN = re.compile(r"(?:%\(\w+\)\S?|%\S|\{\w*\})\s*(?:من\s+)?(\w[\w\u064b-\u0652]*)")
_TANWIN = re.compile("[\u064b-\u0652]")


def numbers(choose: Callable[[int], int], count: int) -> dict[int, list[int]]:
    """Per form, the first numbers up to 1000 that it stands for; two are enough to know that it is not alone."""
    found: dict[int, list[int]] = {index: [] for index in range(count)}
    for number in range(1001):
        own = found.get(choose(number))
        if own is not None and len(own) < 3:
            own.append(number)
    return found


def faults(source: str, plural: str, forms: Sequence[str], count: int, locale: str) -> Iterator[Fault]:
    """What is wrong with the forms of one unit beside each other. `count`: how many the language has."""
    yield from complete(plural, forms, count)
    if plural and len(forms) == count > 1 and all(forms):
        yield from _alike(source, plural, forms, locale)
        if locale.partition("_")[0] == "ar" and count == 6:
            yield from _arabic(forms)


def complete(plural: str, forms: Sequence[str], count: int) -> Iterator[Fault]:
    """Forms that are missing, empty or too many."""
    wanted = count if plural else 1
    there = sum(map(bool, forms))
    if len(forms) > wanted:
        what = f"{there} of {wanted} forms are there."
        yield Fault("plural.extra", what, "Delete those that the language does not have.")
    elif there < wanted:
        rule = "plural.empty" if len(forms) == wanted else "plural.missing"
        yield Fault(rule, f"{there} of {wanted} forms are there.", "Translate every form, or empty them all.")


def _alike(source: str, plural: str, forms: Sequence[str], locale: str) -> Iterator[Fault]:
    language = locale.partition("_")[0]
    if (
        len(set(forms)) > 1
        or source == plural
        or language in _ALIKE | _OFTEN_ALIKE
        or not _WITHOUT_S.search(bare(forms[0]))
    ):
        return
    # "%d MB" and "%d MB": where English differs in the number only, so may the translation.
    differ = set(_WITHOUT_S.findall(bare(source))) ^ set(_WITHOUT_S.findall(bare(plural)))
    if differ:
        what = f"all {len(forms)} forms are the same words."
        yield Fault("plural.identical", what, "Write each as its numbers need it: one, few, many.")


def _arabic(forms: Sequence[str]) -> Iterator[Fault]:
    """zero one two few (3-10) many (11-99) other (100). After 11-99 a noun stands in the singular with an ending -an,
    after 100 in the singular without, after 3-10 in the plural."""
    if (_ONE.search(forms[2]) and not _ONE.search(forms[1])) or (_ONE.search(forms[0]) and not _ONE.search(forms[1])):
        yield _swapped("1", "another number")
    few, many, other = (_noun(form) for form in forms[3:])
    if not (few and many and other):
        return
    singular = {_stem(word) for word in re.findall(r"\w[\w\u064b-\u0652]*", bare(forms[1]))}
    if singular and _stem(few) not in singular and not singular.isdisjoint({_stem(many), _stem(other)}):
        if _stem(many) == _stem(other) and _ends_in_an(other) and not _ends_in_an(many):
            yield _swapped("11 to 99", "100")
    elif _stem(few) == _stem(other) != _stem(many):
        yield _swapped("3 to 10", "11 to 99")
    elif _stem(few) == _stem(many) != _stem(other):
        yield _swapped("3 to 10", "100")
    elif _stem(many) == _stem(other) and _ends_in_an(other) and not _ends_in_an(many):
        yield _swapped("11 to 99", "100")


def _swapped(first: str, second: str) -> Fault:
    what = f"the form for {first} seems to stand in the place of that for {second}."
    return Fault("plural.swapped", what, "The order is: 0, 1, 2, 3 to 10, 11 to 99, 100.")


def _noun(form: str) -> str:
    found = _NOUN.search(form)
    return found[1] if found else ""


def _stem(noun: str) -> str:
    bare_noun = _TANWIN.sub("", noun)
    return bare_noun[:-1] if _ends_in_an(noun) and len(bare_noun) > 2 else bare_noun


def _ends_in_an(noun: str) -> bool:
    return noun.endswith(("ا", "اً", "ًا")) or ("\u064b" in noun)
