"""Placeholders: each one of the English text stands in the translation once, written exactly so."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from outreach.content.checker.findings import Fault, Pair

PLACEHOLDER = re.compile(r"%(?:\((\w+)\)s|(%)|)")
RESERVED = frozenset({"context", "num"})
_WIDE = re.compile(r"％\s*[({a-zA-Z（]")
_FOREIGN = re.compile(
    r"%(?:\((?P<name>\w+)\))?(?:\d+\$)?[-+#0 ']*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:hh|h|ll|l|q|j|z|t)?[diouxXeEfFgGcrsa@]"
    r"|%\{\w+\}|\{\{\s*[\w.]+\s*\}\}|(?<!\{)\{[\w.]*(?:![rsa])?(?::[^{}]*)?\}"
)
_LOOSE = re.compile(r"%[ '].*")  # "20% of" looks like a placeholder with a blank in it


def names(text: str) -> Counter[str]:
    """The placeholders of a text, each with how often it stands there."""
    return Counter(found[1] for found in PLACEHOLDER.finditer(text) if found[1])


def faults(pair: Pair) -> Iterator[Fault]:
    """What is wrong with the placeholders of one form."""
    yield from _ours(pair) if pair.ours else _others(pair)
    if _WIDE.search(pair.form):
        yield Fault("placeholder.wide", "a percent sign is full-width (％).", "Type % with the plain keyboard.")


def _ours(pair: Pair) -> Iterator[Fault]:
    for found in PLACEHOLDER.finditer(pair.form):
        if not found[1] and not found[2]:
            shown = pair.form[found.start() : found.start() + 12]
            what = f"{shown!r} is neither a placeholder nor a percent sign."
            yield Fault("placeholder.broken", what, "Write %(name)s or %%.")
    wanted, given = names(pair.english), names(pair.form)
    for name in sorted(given.keys() - wanted.keys()):
        what = f"the placeholder %({name})s is not in the English text."
        yield Fault("placeholder.unknown", what, f"Use: {_listed(f'%({one})s' for one in wanted)}.")
    for name in sorted(wanted.keys() - given.keys()):
        if not (pair.lone and name not in names(pair.source)):
            remedy = f"Put %({name})s where its value belongs."
            yield Fault("placeholder.missing", f"the placeholder %({name})s is missing.", remedy)
    for name in sorted(name for name in given if given[name] > max(wanted[name], 1)):
        what = f"the placeholder %({name})s stands there {given[name]} times."
        yield Fault("placeholder.doubled", what, "Use it once.")


def _listed(wanted: Iterator[str]) -> str:
    return ", ".join(sorted(wanted)) or "none"


def _others(pair: Pair) -> Iterator[Fault]:
    """Catalogs of other makers: whatever kinds of placeholders their English text uses."""
    wanted, singular = _tokens(pair.english), _tokens(pair.source)
    active = bool(wanted or singular) or pair.formatted
    given = _tokens(pair.form)
    if not active:
        return
    known = wanted | singular
    for token in sorted(given.keys() - known.keys()):
        what = f"the placeholder {token} is not in the English text."
        yield Fault("placeholder.unknown", what, f"Use: {_listed(iter(wanted))}.")
    for token in sorted(wanted.keys() - given.keys()):
        if not (pair.lone and pair.plural):
            remedy = f"Put {token} where its value belongs."
            yield Fault("placeholder.missing", f"the placeholder {token} is missing.", remedy)
    for token in sorted(token for token in given if token in known and given[token] > known[token]):
        what = f"the placeholder {token} stands there {given[token]} times."
        yield Fault("placeholder.doubled", what, f"The English text has it {known[token]} times.")
    for token in sorted(token for token in wanted if 0 < given[token] < wanted[token]):
        what = f"the placeholder {token} stands there {given[token]} times."
        yield Fault("placeholder.missing", what, f"The English text has it {wanted[token]} times.")
    if _percents(pair.form) > max(_percents(pair.english), _percents(pair.source)):
        yield Fault(
            "placeholder.broken", "a percent sign begins no placeholder.", "Write the placeholder whole, or %%."
        )


def _tokens(text: str) -> Counter[str]:
    """The placeholders of a text, numbered ones without their numbers."""
    found = Counter[str]()
    for match in _FOREIGN.finditer(text.replace("%%", "")):
        if not _LOOSE.fullmatch(match[0]):
            found[re.sub(r"%\d+\$", "%", match[0])] += 1
    return found


def _percents(text: str) -> int:
    """How many percent signs begin no placeholder: those that stand alone, and % s."""
    loose = (found[0] if _LOOSE.fullmatch(found[0]) else "" for found in _FOREIGN.finditer(text.replace("%%", "")))
    return _FOREIGN.sub("", text.replace("%%", "")).count("%") + "".join(loose).count("%")
