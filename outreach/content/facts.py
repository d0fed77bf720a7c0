"""What medical statements rest on: the facts, who uses them, and claims that no message may make."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from outreach.content.catalogs import Unit
from outreach.content.checker.findings import Fault, Finding, bare
from outreach.content.checker.glossary import Term, term
from outreach.content.sources import OPERATIONAL, Part
from outreach.content.yaml_lines import read_yaml
from outreach.errors import BadFile

_NOTE = re.compile(r"\{#-?\s*facts:\s*(.*?)\s*-?#\}", re.DOTALL)
CERTAINTIES = ("plain", "hedged")
_WITHOUT = ("layouts/", "messages/page/", "messages/canned/", "messages/neutral/")
"""Parts around messages: they name facts only where they make a statement."""


@dataclass(frozen=True)
class Fact:
    """`says`: our words. `documents` and `place`: where it stands. `certainty`: plain, or hedged ("may", "many")."""

    name: str
    says: str
    certainty: str
    documents: tuple[str, ...]
    place: str


@dataclass(frozen=True)
class Claims:
    """`statements`: words that make a medical statement, and the facts that one of them may rest on."""

    statements: tuple[tuple[Term, tuple[str, ...]], ...]
    forbidden: tuple[Term, ...]


def load_facts(path: Path) -> dict[str, Fact]:
    """config/facts.yaml. Raises BadFile naming the fact at fault."""
    found = {}
    for name, row in read_yaml(path).items():
        try:
            fact = Fact(str(name), row["says"], row["certainty"], tuple(map(str, row["document"])), row["place"])
        except (KeyError, TypeError) as error:
            raise BadFile(path, 0, f"{name}: {error} is missing.", "Give certainty, says, document, place.") from error
        if fact.certainty not in CERTAINTIES:
            raise BadFile(path, 0, f"{name}: certainty {fact.certainty!r}.", "Write plain or hedged.")
        found[fact.name] = fact
    return found


def load_claims(path: Path, facts: Mapping[str, Fact]) -> Claims:
    """config/claims.yaml. Raises BadFile, also for a fact that does not exist."""
    tree = read_yaml(path)
    statements = tuple(
        (term(str(word), english=True), tuple(map(str, names)))
        for word, names in (tree.get("statements") or {}).items()
    )
    for word, names in statements:
        for name in names:
            if name not in facts:
                raise BadFile(path, 0, f"{word.written}: there is no fact {name}.", "Name one of config/facts.yaml.")
    forbidden = tuple(term(str(word), says=str(why)) for word, why in (tree.get("forbidden") or {}).items())
    return Claims(statements, forbidden)


def resting(part: Part) -> Iterator[tuple[Unit, tuple[str, ...]]]:
    """Each unit of a template with the facts that the last note before it names."""
    notes = [(part.source.count("\n", 0, found.start()) + 1, found) for found in _NOTE.finditer(part.source)]
    for unit in part.units:
        line = int(unit.place.rpartition(":")[2] or 0)
        before = [found for at, found in notes if at <= line]
        yield unit, tuple(before[-1][1].split()) if before else ()


def check(parts: Mapping[str, Part], facts: Mapping[str, Fact], claims: Claims, folder: Path) -> list[Finding]:
    """Every unit without support, unknown fact and forbidden claim in the English templates under `folder`."""
    return [
        Finding(str(folder / name), int(unit.place.rpartition(":")[2] or 0), "en", unit.key, fault)
        for name, part in parts.items()
        for unit, named in resting(part)
        for fault in _faults(name, unit, named, facts, claims)
    ]


def _faults(
    name: str, unit: Unit, named: tuple[str, ...], facts: Mapping[str, Fact], claims: Claims
) -> Iterator[Fault]:
    text = bare(f"{unit.text} {unit.plural}")
    if not named and not name.startswith(_WITHOUT):
        yield Fault(
            "fact.unnamed", "the template names no facts.", "Write {# facts: … #}, or {# facts: operational #}."
        )
    for one in named:
        if one != OPERATIONAL and one not in facts:
            yield Fault("fact.unknown", f"there is no fact {one}.", "Name one of config/facts.yaml.")
    for word, needed in claims.statements:
        if (found := word.pattern.search(text)) and not set(needed) & set(named):
            what = f"“{found[0]}” is a medical statement, and none of its facts is named."
            yield Fault("fact.unsupported", what, f"Name {' or '.join(needed)}, or leave the statement out.")
    yield from claimed(text, claims)


def claimed(text: str, claims: Claims) -> Iterator[Fault]:
    """Claims in an English text that nobody may make."""
    for wrong in claims.forbidden:
        if found := wrong.pattern.search(text):
            remedy = f"{wrong.says[:1].upper()}{wrong.says[1:]}."
            yield Fault("fact.forbidden", f"“{found[0]}” must not be claimed.", remedy)


def users(parts: Mapping[str, Part]) -> dict[str, dict[str, tuple[str, ...]]]:
    """Message, then unit, and the facts each rests on. Messages that state nothing have `operational`."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for name, part in parts.items():
        folder = name.split("/")[1] if name.startswith("messages/") else name
        for unit, named in resting(part):
            found.setdefault(folder, {})[unit.key] = named or (OPERATIONAL,)
    return found


def stated(unit: Unit, named: tuple[str, ...], claims: Claims) -> tuple[str, ...]:
    """Of the facts a unit may rest on, those that its own words speak of."""
    text = bare(f"{unit.text} {unit.plural}")
    spoken = {name for word, needed in claims.statements if word.pattern.search(text) for name in needed}
    return tuple(name for name in named if name in spoken)
