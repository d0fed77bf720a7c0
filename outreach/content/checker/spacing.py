"""Spaces, repeated words, and how a sentence ends."""

from __future__ import annotations

import re
from collections.abc import Iterator

from outreach.content.checker.findings import Fault, Pair, bare

_DOUBLED = re.compile(r"(?<=\S)  +(?=\S)")
_AGAIN = re.compile(r"\b([^\W\d_]{2,})\s+\1\b", re.IGNORECASE)
# Languages that say a word twice on purpose, and French, which needs "nous nous".
_REPEATING = frozenset(
    ["ar", "vi", "fil", "ht", "id", "ms", "zh", "ja", "ko", "th", "my", "km", "hi", "bn", "fa", "tr"]
)
_TWICE = frozenset(["nous", "vous", "que", "los", "las", "der", "die", "das", "sie", "es", "du"])
_ENDS = {
    ".": "stop", "。": "stop", "।": "stop", "۔": "stop", "．": "stop", "።": "stop", "։": "stop",
    "?": "question", "？": "question", "؟": "question", ";": "question",
    "!": "exclamation", "！": "exclamation", ":": "colon", "：": "colon", "…": "more",
}  # fmt: skip
_NAMES = {"stop": "a full stop", "question": "a question mark", "exclamation": "an exclamation mark",
          "colon": "a colon", "more": "three dots"}  # fmt: skip
_CLOSING = " \n\t\u00a0\u202f\"'”’»）)]}*_\u200e\u200f"
_UNENDED = frozenset(["th", "lo", "km", "my"])


def faults(pair: Pair) -> Iterator[Fault]:
    """Spaces too many (blocking), words said twice and another end of the sentence (advice)."""
    form, source = pair.form, pair.english
    if pair.ours:
        if form != form.strip() or "  " in form:
            what = "there is a space too many at an end or between two words."
            yield Fault("spacing.space", what, "Leave single spaces only.")
    else:
        yield from _ends(source, form)
        if _DOUBLED.search(form) and "  " not in source + pair.source:
            yield Fault("spacing.space", "there is a space too many between two words.", "Leave single spaces only.")
    language = pair.locale.partition("_")[0]
    found = _AGAIN.search(bare(form, " | "))
    if (
        found
        and language not in _REPEATING
        and found[1].lower() not in _TWICE
        and not _AGAIN.search(bare(source, " | "))
    ):
        yield Fault(
            "spacing.word_twice", f"the word {found[1]!r} stands there twice.", "Delete one, if it is not meant.", False
        )
    yield from _punctuation(pair, language)


def _ends(source: str, form: str) -> Iterator[Fault]:
    for side, cut in (("beginning", str.lstrip), ("end", str.rstrip)):
        outer = [text.replace(cut(text), "", 1) if text.strip() else "" for text in (source, form)]
        if ("\n" in outer[0]) != ("\n" in outer[1]):
            found = "no line break" if "\n" in outer[0] else "a line break"
            what = f"the {side} has {found}, unlike the English text."
            yield Fault("spacing.line_break", what, "Make it the same.")
        elif outer[1] and not outer[0] and " " in outer[1]:
            yield Fault("spacing.space", f"there is a space too many at the {side}.", "Delete it.")


def _punctuation(pair: Pair, language: str) -> Iterator[Fault]:
    wanted, given = _end(pair.english), _end(pair.form)
    if wanted in ("", "value") or given in (wanted, "value") or language in _UNENDED or "markup" in (wanted, given):
        return
    if ({wanted, given} == {"stop", "more"} and "..." in pair.english + pair.form) or len(pair.english.split()) < 3:
        return
    if given == "" and wanted == "stop" and not pair.ours:
        return  # many languages end labels without one
    what = f"the English text ends in {_NAMES[wanted]}, this one {_said(given)}."
    yield Fault("spacing.end", what, "End it as your language does for the same meaning.", False)


def _said(given: str) -> str:
    return f"in {_NAMES[given]}" if given else "does not"


def _end(text: str) -> str:
    stripped = text.rstrip(_CLOSING)
    if re.search(
        r"(?:%\(\w+\)[a-zA-Z]|%[a-zA-Z]|\{\w*\})$",
        text.rstrip(" \n") if not stripped else stripped + text[len(stripped) : len(stripped) + 1],
    ):
        return "value"
    if stripped.endswith("..."):
        return "more"
    return "markup" if stripped.endswith(">") else _ENDS.get(stripped[-1:], "")
