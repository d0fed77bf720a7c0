"""The templates as they stand on disk: parts, what they declare about themselves, and the units of words in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined, TemplateSyntaxError
from jinja2.ext import extract_from_ast

from outreach.content.catalogs import Unit
from outreach.content.checks import RESERVED, names
from outreach.errors import BadFile

PARTS = ("sms.txt", "subject.txt", "body.md")
_NOTE = re.compile(r"\{#-?\s*(facts|wording):\s*(.*?)\s*-?#\}", re.DOTALL)
OPERATIONAL = "operational"


@dataclass(frozen=True)
class Part:
    """One template. `facts` are the ids its medical statements rest on; `neutral`: fit for a locked screen as it is."""

    name: str
    source: str
    facts: tuple[str, ...]
    neutral: bool
    units: tuple[Unit, ...]


def environment(sources: Mapping[str, str]) -> Environment:
    """The one way templates are read. Words never hold markup of their own: each place of use escapes for itself."""
    made = Environment(
        loader=DictLoader(dict(sources)),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        autoescape=False,  # voice.py escapes every output, for Markdown or for HTML
        auto_reload=False,
        cache_size=-1,
    )
    # With newstyle_gettext the calls carry their values by name, and our own pgettext fills them in.
    made.newstyle_gettext = True  # type: ignore[attr-defined]
    made.policies["ext.i18n.trimmed"] = True
    return made


@cache
def _reader() -> Environment:
    return environment({})


def read(folder: Path) -> dict[str, Part]:
    """Every template under `messages` and `layouts`, by its name (`messages/pre.the_day/sms.txt`)."""
    parts: dict[str, Part] = {}
    for kind in ("messages", "layouts"):
        for path in sorted(folder.glob(f"{kind}/**/*.*")):
            if path.is_file():
                name = path.relative_to(folder).as_posix()
                parts[name] = _part(path, name)
    if not parts:
        raise BadFile(folder, 0, "no templates are there.", "Expected messages/ and layouts/ in this folder.")
    return parts


def units(parts: Mapping[str, Part], folder: Path) -> dict[str, Unit]:
    """All units by key; a key stands for one text only."""
    found: dict[str, Unit] = {}
    for part in parts.values():
        for unit in part.units:
            first = found.setdefault(unit.key, unit)
            if (first.text, first.plural) != (unit.text, unit.plural):
                what = f"the key {unit.key} stands for another text in {first.place}."
                raise BadFile(folder / part.name, 0, what, "Give each text its own key.")
    return found


def _part(path: Path, name: str) -> Part:
    try:
        source = path.read_text("utf-8")
        calls = _calls(source)
    except UnicodeDecodeError as error:
        raise BadFile(path, 0, "the template is not UTF-8.", "Save it as UTF-8.") from error
    except TemplateSyntaxError as error:
        raise BadFile(
            path, error.lineno, f"the template cannot be read: {error.message}.", "Mend this line."
        ) from error
    if not source.strip():  # an editor that empties a file before it writes it; then nobody would be told anything
        raise BadFile(path, 0, "the template is empty: there are no words in it.", "Put its words back, or delete it.")
    notes = {kind: value.split() for kind, value in _NOTE.findall(source)}
    facts = tuple(notes.get("facts", []))
    found = tuple(_unit(path, name, line, function, args) for line, function, args in calls)
    return Part(name, source, facts, notes.get("wording") == ["neutral"], found)


@lru_cache(2048)
def _calls(source: str) -> tuple[tuple[int, str, Any], ...]:
    """The texts of a template: line, function, arguments. Words are read anew when one file changes; the others say
    what they said."""
    tree = _reader().parse(source)
    found = tuple(extract_from_ast(tree))
    _reader().compile(tree, raw=True)  # some faults show only here
    return found


def _unit(path: Path, name: str, line: int, function: str, args: str | tuple[str | None, ...] | None) -> Unit:
    if not function.endswith("pgettext") or not isinstance(args, tuple):
        raise BadFile(path, line, "a text has no key.", 'Write {% trans "message.unit" %}…{% endtrans %}.')
    key, text, plural = str(args[0]), str(args[1]), str(args[2]) if function == "npgettext" else ""
    taken = RESERVED & names(text + plural).keys()
    if taken:
        raise BadFile(path, line, f"{key}: {', '.join(taken)} is taken by gettext.", "Choose another name.")
    return Unit(key, text, plural, f"{name}:{line}")
