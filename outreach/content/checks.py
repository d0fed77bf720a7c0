"""What makes a translated unit unfit to be sent: the families of the checker that loading refuses by."""

from __future__ import annotations

from collections.abc import Iterator

from outreach.content.checker import characters, markup, numbers, placeholders, replies, spacing
from outreach.content.checker.findings import Fault, Pair
from outreach.content.checker.placeholders import PLACEHOLDER, RESERVED, names

__all__ = ["PLACEHOLDER", "RESERVED", "faults", "names"]


def faults(pair: Pair) -> Iterator[Fault]:
    """Everything wrong with one translated form that would reach a patient; nothing when it may be sent."""
    for family in (placeholders.faults, characters.faults, spacing.faults, markup.faults, replies.kept, numbers.faults):
        yield from (fault for fault in family(pair) if fault.blocking)
