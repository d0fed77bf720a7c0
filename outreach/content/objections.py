"""What speaks against approving a text: findings of the checker on its exact words."""

from __future__ import annotations

from collections.abc import Mapping

from outreach.content.checker import units
from outreach.content.checker.findings import Fault
from outreach.content.checker.house import SOURCE
from outreach.content.checker.units import Standard
from outreach.content.workbench import Shelf
from outreach.domain.approval import Text, Unit


def objections(shelf: Shelf, one: Text) -> Mapping[str, tuple[Fault, ...]]:
    """Findings by the key of the unit; units that nothing is found in are left out. The words of the text are judged,
    not those that lie on the shelf of its language by now."""
    known = _JUDGED.get(one.digest)
    if known is None or known[0] is not shelf.standard:
        found = {unit.key: _judged(shelf, unit) for unit in one.units}
        if len(_JUDGED) >= MOST:
            _JUDGED.clear()
        known = _JUDGED[one.digest] = shelf.standard, {key: faults for key, faults in found.items() if faults}
    return known[1]


_JUDGED: dict[bytes, tuple[Standard, Mapping[str, tuple[Fault, ...]]]] = {}
MOST = 2000
"""Texts whose findings are kept: judging all of a language takes a third of a second, which no page should wait for."""


def _judged(shelf: Shelf, unit: Unit) -> tuple[Fault, ...]:
    line = shelf.lines.get(unit.key)
    lies = (line.unit.text, line.unit.plural, line.forms) if line and line.state == "translated" else None
    if line and shelf.locale != SOURCE and lies == (unit.source, unit.plural, unit.forms):
        return line.faults  # the very words that lie on disk: judged when they were read
    return tuple(units.faults(unit.source, unit.plural, unit.forms, shelf.standard, unit.key))


def blocked(shelf: Shelf, one: Text) -> bool:
    """Whether the checker forbids approving it."""
    return any(fault.blocking for faults in objections(shelf, one).values() for fault in faults)
