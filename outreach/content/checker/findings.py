"""A fault of some words, and a finding: the same with its place in a file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

KINDS: Mapping[str, str] = {
    "file": "The file itself: its bytes, its end, marks of a merge",
    "header": "The first entry: language, charset, plural rule, dates",
    "entry": "Entries: doubled, orphaned, fuzzy, stale, untranslated",
    "placeholder": "Placeholders such as %(phone)s",
    "plural": "Plural forms",
    "number": "Numbers, times and telephone numbers",
    "reply": "Words that a patient sends or that a carrier acts on",
    "glossary": "Terms that are required, forbidden or kept",
    "language": "Another language or another alphabet",
    "character": "Characters that cannot be seen or do not belong",
    "spacing": "Spaces, repeated words and end punctuation",
    "markup": "Markup, entities and addresses",
    "length": "Segments, and sentences that were dropped",
    "fact": "Medical statements and what they rest on",
}
"""The families of rules; the part of a rule's name before the dot."""


class Fault(NamedTuple):
    """`rule` is family.name. `what` is wrong and the `remedy`: whole sentences, in a translator's words. What does not
    block is advice: it may be right as it is."""

    rule: str
    what: str
    remedy: str
    blocking: bool = True


@dataclass(frozen=True)
class Finding:
    """A fault in its place. `line` counts from 1; 0 = the whole file. `key` is the msgctxt, or the English text."""

    path: str
    line: int
    locale: str
    key: str
    fault: Fault

    def __str__(self) -> str:
        kind = "error" if self.fault.blocking else "advice"
        place = f"{self.path}:{self.line}" if self.line else self.path
        key = f" {self.key}:" if self.key else ""
        return f"{place}: {kind}:{key} {self.fault.what} {self.fault.remedy} [{self.fault.rule}]"


def is_sms(key: str) -> bool:
    """Whether the words of a key are a whole SMS: pre.tomorrow.sms, post.two_weeks.sms.next."""
    return "sms" in key.split(".")[-2:] and not key.startswith(("choices.", "page."))


@dataclass(frozen=True)
class Pair:
    """One translated form facing its English. `lone`: it stands for one number only (Arabic "two"), `number` is that.

    `ours`: words of our own templates, where only %(name)s and %% are known and no markup stands. Of other catalogs
    the English says what may stand in a translation; `formatted` is what their flags (python-format) say.
    """

    source: str
    plural: str
    form: str
    lone: bool = False
    number: int | None = None
    key: str = ""
    locale: str = ""
    ours: bool = True
    formatted: bool = False

    @property
    def english(self) -> str:
        """The English that this form is held to: the plural where there is one."""
        return self.plural or self.source

    @property
    def sms(self) -> bool:
        return is_sms(self.key)


_TOKENS = re.compile(
    r"%%|%\(\w+\)[#0 +-]*\d*(?:\.\d+)?[a-zA-Z]?|%\{\w+\}|%\d+\$[a-zA-Z]|%[a-zA-Z@]\b|\{[^{}\n]{0,40}\}|https?://\S+|<[^<>]*>|&#?\w+;|\S+@\S+\.\w+"
)


@lru_cache(maxsize=4096)
def bare(text: str, instead: str = " ") -> str:
    """A text without placeholders, markup and addresses: what was written by a person for people."""
    return _TOKENS.sub(instead, text)


def words_of(text: str) -> Iterator[str]:
    """The words of a text in small letters."""
    yield from (found.lower() for found in re.findall(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", bare(text)))
