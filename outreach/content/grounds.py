"""What all languages of a folder share, as it lies on disk: templates, sample readers, facts, comments."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from outreach.content import facts, measure
from outreach.content.checker.house import House
from outreach.content.compose import SET_APART
from outreach.content.values import Values

SAMPLES = ("short", "typical", "longest")
_FILES = {"short": "shortest.yaml", "typical": "typical.yaml", "longest": "longest.yaml"}
Stamp = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Grounds:
    """`places`: the templates that a unit stands in; `comments`: what its writer tells
    translators; `rests`: the facts that it may rest on; `fits`: kept by candidate.fitting."""

    house: House
    fits: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)

    @cached_property
    def samples(self) -> dict[str, Values]:
        """Sample readers by name, in the order of SAMPLES."""
        return {name: measure.longest(self.house.root / "config" / _FILES[name]) for name in SAMPLES}

    @cached_property
    def places(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for name, part in self.house.parts.items():
            for unit in part.units:
                found[unit.key] = (*found.get(unit.key, ()), name)
        return found

    @cached_property
    def messages(self) -> frozenset[str]:
        """The folders that are messages of their own."""
        return frozenset(name.split("/")[1] for name in self.house.parts if name.startswith("messages/")) - SET_APART

    @cached_property
    def facts(self) -> dict[str, facts.Fact]:
        return facts.load_facts(self.house.root / "config" / "facts.yaml")

    @cached_property
    def rests(self) -> dict[str, tuple[str, ...]]:
        """By unit, of the facts its template names those that its own words speak of."""
        claims = facts.load_claims(self.house.root / "config" / "claims.yaml", self.facts)
        return {
            unit.key: facts.stated(unit, named, claims)
            for part in self.house.parts.values()
            for unit, named in facts.resting(part)
        }

    @cached_property
    def comments(self) -> dict[str, str]:
        """What stands above a unit in messages.pot, which is made from the templates."""
        path = self.house.root / "locales" / "messages.pot"
        if not path.is_file():
            return {}
        found, said = {}, list[str]()
        for line in path.read_text("utf-8").splitlines():
            if line.startswith("#."):
                said.append(line[2:].strip())
            elif line.startswith("msgctxt ") and said:
                found[line.split('"')[1]] = " ".join(said)
            elif not line:
                said = []
        return found


def stamp(paths: Iterable[Path]) -> Stamp:
    """Another one once a file has changed, come or gone."""
    found = []
    for path in paths:
        try:
            seen = path.stat()
            found.append((str(path), seen.st_mtime_ns, seen.st_size))
        except OSError:
            found.append((str(path), 0, 0))
    return tuple(found)
