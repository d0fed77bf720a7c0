"""Words that carriers act on stay as they are; words with another meaning are never asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from outreach.content.checker.findings import Fault, Pair, bare
from outreach.content.keywords import load_replies
from outreach.domain.folding import fold

# Carriers act on these words in English only: a translated one would not stop anything.
KEPT = ("STOP", "START", "HELP")
_ASKS = re.compile(r"\b(?:reply|replies|text|send|respond|answer|msg)\b", re.IGNORECASE)
_QUOTED = re.compile(r"[“„«‹「『\"]\s*([^”“»›」』\"]{1,30}?)\s*[”“»›」』\"]")
# Two letters at least, all of them capitals: how a word to be typed is written where there are capitals.
_CAPITALS = re.compile(r"(?<!\w)[^\W\d_]{2,}(?:[-’'][^\W\d_]+)*(?!\w)")


def faults(pair: Pair, meanings: Mapping[str, str]) -> Iterator[Fault]:
    """`meanings`: folded reply words of all languages and what each does; see `meaning`."""
    yield from kept(pair)
    if pair.ours or pair.sms or any(_asks(pair, word) for word in KEPT):
        english = {fold(word) for word in _offered(pair.english)}
        for word in _offered(pair.form):
            folded = fold(word)
            if word not in KEPT and folded in meanings and folded not in english:
                what = f"{word} looks like a word to send; as a reply it means {meanings[folded]}."
                yield Fault("reply.forbidden", what, "Ask for the digits of the English text, or write it small.")


def kept(pair: Pair) -> Iterator[Fault]:
    """STOP, START and HELP that are not there as they were."""
    for word in KEPT:
        if not re.search(rf"\b{word}\b", pair.english) or re.search(rf"\b{word}\b", pair.form):
            continue
        if pair.ours or _asks(pair, word):
            remedy = f"Keep {word} in Latin capitals, with spaces around it: the carrier acts on it."
            yield Fault("reply.kept", f"the word {word} is missing.", remedy)


def _asks(pair: Pair, word: str) -> bool:
    return bool(re.search(rf"\b{word}\b", pair.english) and _ASKS.search(pair.english))


def _offered(text: str) -> Iterator[str]:
    """The words of a text that look as if one was to type them: in capitals, or in quotation marks."""
    plain = bare(text)
    yield from _QUOTED.findall(plain)
    for word in _CAPITALS.findall(plain):
        if word.isupper() or (word.upper() == word and word.lower() != word):
            yield word


@lru_cache(maxsize=4)
def meaning(path: Path) -> Mapping[str, str]:
    """What each word of config/replies.yaml would do, folded."""
    words = load_replies(path)
    return {
        word.folded: f"{word.kind} ({word.locale})"
        for kind in ("stop", "start", "help", "yes")
        for word in words.of(kind)
        if word.folded and "*" not in word.text and "~" not in word.text
    }
