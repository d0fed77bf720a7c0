"""Messages with holes: rendered once the long way, cut where values stand, and from then on only joined."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import structlog
from jinja2 import meta

from outreach.content import forms
from outreach.content.drafts import DRAFTS, LAYOUTS
from outreach.content.formats import isolated, plain
from outreach.content.sources import environment
from outreach.content.voice import Voice
from outreach.errors import BadInput

log = structlog.get_logger()

MOST = 2048
LINKS = ("link", "unsubscribe")
MOMENTS = ("day", "time", "old_day", "old_time", "next_day", "next_time")
NAMES = ("clinic", "phone", "address", "emergency", "text")
SLOTS = (*NAMES, *MOMENTS, *LINKS, "title")
# These choose a plural or a number of paragraphs, so each of their values has a skeleton of its own.
FIXED = ("minutes", "frequency", "instructions")

# What templates could trip over: each first strong direction and none, digits as in a numbered list, and every sign
# that Markdown or HTML reads, at both ends. A skeleton that survives them does nothing to a value but place it.
_PROBES = ("Ab\\`*_{}[]()#+-.!<>&\"'|~^=:;,/?@$% 9", "(\u0663) \u05e9\u05dc\u05d5\u05dd & <b> 1. *", "7")
_PROBE_LINKS = ("https://a.example/p/x?y=1&z=%20", "http://b.example:8000/q", "https://c.example/r;s")
_SENTINEL = re.compile(r"(?:https://)?qq([ab])(\d\d)zz")

Form = Callable[[str], str]
Skeleton = tuple[tuple[list[str], tuple[tuple[int, str, Form], ...]], ...]


@dataclass(frozen=True, eq=False)
class Outline:
    """A message in one medium and language: its templates, and the names of values that make a difference to it."""

    voice: Voice
    medium: str
    parts: tuple[str, ...]
    slots: tuple[str, ...]
    fixed: tuple[str, ...]

    def draft(self, context: Mapping[str, Any]) -> tuple[str, ...]:
        """The long way: what DRAFTS of the medium tells."""
        return DRAFTS[self.medium](self.voice, self.parts, context)


def outline(voice: Voice, medium: str, parts: tuple[str, ...]) -> Outline:
    """The outline of these templates; one that reads others may use any value."""
    needs = [_needs(voice.parts[name].source) for name in (*parts, *LAYOUTS[medium])]
    used = frozenset().union(*(names for names, _reads in needs))
    if any(reads for _names, reads in needs):
        used |= {*SLOTS, *FIXED}
    chosen = [tuple(name for name in names if name in used) for names in (SLOTS[:-1], FIXED)]
    return Outline(voice, medium, parts, *chosen)


@lru_cache(MOST)
def _needs(source: str) -> tuple[frozenset[str], bool]:
    """The names that a template uses, and whether it reads others. They are the same in every language, and reading a
    template costs more than telling it: it is read once for all of them."""
    tree = environment({}).parse(source)
    return frozenset(meta.find_undeclared_variables(tree)), any(True for _ in meta.find_referenced_templates(tree))


@dataclass
class _Cell:
    """Where a skeleton is kept. None: not tried yet; empty: refused."""

    skeleton: Skeleton | None = None


@dataclass(frozen=True)
class Skeletons:
    """The skeletons made so far, the least used forgotten. Safe to share between threads: one may be made twice.

    `refused`: templates that do something to a value; they are rendered in full each time.
    """

    refused: set[tuple[str, ...]] = field(default_factory=set)
    _cell: Callable[..., _Cell] = field(default_factory=lambda: lru_cache(maxsize=MOST)(lambda *_: _Cell()), repr=False)

    def draft(self, of: Outline, context: dict[str, Any]) -> tuple[str, ...]:
        """What `of.draft(context)` gives, mostly without rendering. Adds "title" to an e-mail's context."""
        if of.medium != "sms" and not all(forms.unchanged(context[name]) for name in LINKS if name in context):
            return of.draft(context)
        present = [name in context for name in of.slots]
        cell = self._cell(of, *present, *map(context.get, of.fixed))
        if cell.skeleton:
            return _joined(cell.skeleton, context, of.medium)
        said = of.draft(context)
        if cell.skeleton is None:
            cell.skeleton = _tried(of, context, said)
            if not cell.skeleton:
                self.refused.add(of.parts)
                log.warning("template kept to the long way", place=of.parts[0], locale=of.voice.language.locale)
        return said


def _joined(skeleton: Skeleton, context: dict[str, Any], medium: str) -> tuple[str, ...]:
    made: list[str] = []
    for pieces, slots in skeleton:
        pieces = pieces.copy()
        for at, name, form in slots:
            pieces[at] = form(context[name])
        made.append("".join(pieces))
        if medium == "email":
            context["title"] = made[0]
    return tuple(made)


def _tried(of: Outline, context: Mapping[str, Any], said: tuple[str, ...]) -> Skeleton:
    """The skeleton, or () where it does not say what the long way says: of these values and of each probe."""
    inside = {**context, **_sentinels(context, "a")}
    around = {**context, **_sentinels({**context, "title": ""}, "b")}
    try:
        rendered = DRAFTS[of.medium](of.voice, of.parts, inside, around)
        made = tuple(_cut(text, places) for text, places in zip(rendered, _FORMS[of.medium], strict=True))
        probes = [_probe(of, context, which) for which in range(len(_PROBES))]
        same = all(of.draft(probe) == _joined(made, dict(probe), of.medium) for probe in probes)
    except (BadInput, ArithmeticError, LookupError, TypeError, ValueError, AttributeError):
        return ()  # a template that reckons with a value, which a sentinel or a probe is not
    return made if same and _joined(made, dict(context), of.medium) == said else ()


def _sentinels(context: Mapping[str, Any], family: str) -> dict[str, str]:
    return {
        name: f"{'https://' if name in LINKS else ''}qq{family}{at:02}zz"
        for at, name in enumerate(SLOTS)
        if name in context
    }


def _probe(of: Outline, context: Mapping[str, Any], which: int) -> dict[str, Any]:
    """The context with other values: each name's own, so that two changing places would show."""
    probe = dict(context)
    for at, name in enumerate(SLOTS):
        if name in NAMES and name in context:
            probe[name] = isolated(of.voice.language, plain(f"{_PROBES[which]}{at if which else ''}"))
        elif name in MOMENTS and name in context:
            probe[name] = f"{_PROBES[which]}{at}".replace("\n", " ")
        elif name in LINKS and name in context:
            probe[name] = f"{_PROBE_LINKS[which]}{at}"
    return probe


# By medium, for each text of its draft: the form of a value that subject or body hold, and of one the layout holds.
_FORMS: dict[str, tuple[tuple[Form, Form], ...]] = {
    "sms": ((forms.as_is, forms.as_is),),
    "page": ((forms.on_page, forms.on_page),),
    "email": ((forms.as_is, forms.as_is), (forms.flat, forms.as_is), (forms.in_mail, forms.around_mail)),
}


def _cut(text: str, places: tuple[Form, Form]) -> tuple[list[str], tuple[tuple[int, str, Form], ...]]:
    pieces: list[str] = []
    slots: list[tuple[int, str, Form]] = []
    end = 0
    for found in _SENTINEL.finditer(text):
        name = SLOTS[int(found[2])]
        slots.append((len(pieces) + 1, name, _form(name, places[found[1] == "b"])))
        pieces += [text[end : found.start()], ""]
        end = found.end()
    return [*pieces, text[end:]], tuple(slots)


def _form(name: str, form: Form) -> Form:
    if form in (forms.as_is, forms.flat):
        return forms.as_is if name in LINKS else form
    if name == "title":
        return forms.in_title
    return forms.as_address if name in LINKS else form
