"""Markup, entities, template code and addresses: words hold none of their own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from outreach.content.checker.findings import Fault, Pair
from outreach.content.shorteners import Shorteners

MARKUP = re.compile(r"<\s*[/!?a-zA-Z]|&#?\w+;|\{\{|\{%|\{#|`|\]\(|https?://")
_TAG = re.compile(r"<\s*/?\s*[a-zA-Z][\w-]*|<!--|<\?")
_ENTITY = re.compile(r"&(?:#\d+|#x[0-9a-fA-F]+|[a-zA-Z]{2,8});")
_CODE = re.compile(r"\{\{|\{%|\{#|`|\]\(")
# What stands in brackets is to be thought of: http://domain.com/[my-slug]/.
_EXAMPLE = re.compile(r"[\[{<%]")
_URL = re.compile(r"https?://\w[^\s<>\"'“”）)，。、]+")
# An address may lead to the reader's own language: en.example.org, example.org/en/, ?hl=en.
_LANGUAGE = re.compile(r"(?<=//)[a-z]{2}(?=\.)|(?<=[/=])[a-z]{2}(?:[-_][A-Za-z]{2,4})?(?=[/.&]|$)")


def faults(pair: Pair) -> Iterator[Fault]:
    """What a form holds beside words. Of other makers' catalogs: what their English text does not hold."""
    if pair.ours:
        if found := MARKUP.search(pair.form):
            remedy = "Translations hold words only; the template adds the rest."
            yield Fault("markup.added", f"{found[0]!r} is markup or an address.", remedy)
        return
    english = pair.source + "\n" + pair.plural
    has_tags = _TAG.search(english)
    for pattern, kind in ((_TAG, "tag"), (_ENTITY, "entity"), (_CODE, "code")):
        extra = _found(pattern, pair.form).keys() - _found(pattern, english).keys()
        if extra and not (kind == "entity" and (has_tags or _ENTITY.search(english))):
            what = f"{sorted(extra)[0]!r} is markup that the English text does not have."
            yield Fault("markup.added", what, "Delete it, or write the character itself.")
    yield from _addresses(pair)


def shortened(pair: Pair, shorteners: Shorteners | None) -> Iterator[Fault]:
    """A link that leads nobody knows where."""
    if shorteners and (name := shorteners.found(pair.form)):
        what = f"{name} shortens links for everybody: carriers refuse such texts, and nobody sees where it leads."
        yield Fault("markup.shortener", what, "Leave it out, or write the whole address of the clinic's own page.")


def _found(pattern: re.Pattern[str], text: str) -> Counter[str]:
    return Counter(re.sub(r"\s+", "", found).lower() for found in pattern.findall(text))


def _addresses(pair: Pair) -> Iterator[Fault]:
    wanted, given = _urls(pair.english), _urls(pair.form)
    if wanted - given and not (pair.lone and pair.plural):
        yield Fault(
            "markup.address", f"the address {min(wanted - given)} is missing.", "Copy it from the English text."
        )
    elif given - wanted - _urls(pair.source):
        what = f"the address {min(given - wanted)} is not in the English text."
        yield Fault("markup.address", what, "Delete it, or copy the English one.")


def _urls(text: str) -> set[str]:
    return {_LANGUAGE.sub("", found.rstrip(".,;:!?")) for found in _URL.findall(text) if not _EXAMPLE.search(found)}
