"""What a claim brought, and what is known of the lanes after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from outreach.actions.prepare import Handed
from outreach.store.due import Due
from outreach.store.turns import Lane, Turn, Wanted

LAG = timedelta(seconds=2)
"""How far a lane's mark stays behind: rows that were made due earlier may be committed a moment later."""


@dataclass
class Claim:
    """What one claim brought: messages to hand over, and what is known of the lanes after it.

    `marks`   where to go on in each lane
    `more`    lanes that have, or may have, more
    `rest`    lanes that need not be looked at for so many seconds (a switch is on, a sender is at its limit)
    `overtaken`  messages whose visit has changed since they were planned: not begun, and to be planned anew
    `counts`  ends and waits, by word
    `busy`    patients of whom a message is in the air, and lanes: the instant of the one that waits there
    """

    handed: list[Handed] = field(default_factory=list)
    marks: dict[Lane, datetime] = field(default_factory=dict)
    more: set[Lane] = field(default_factory=set)
    rest: dict[Lane, float] = field(default_factory=dict)
    busy: dict[tuple[UUID, Lane], datetime] = field(default_factory=dict)
    overtaken: list[Due] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def mark(
    claim: Claim, lanes: Wanted, lined_up: Sequence[Turn], taken: Collection[int], passed: Mapping[Lane, datetime]
) -> None:
    """A lane's mark follows what was dealt with, and stops at what was not; who gave all that was asked has more.

    `passed`: back to where a mark has passed over a message that was out of sight.
    """
    by_lane: dict[int, list[Turn]] = {}
    for turn in lined_up:
        by_lane.setdefault(id(turn.lane), []).append(turn)
    for lane, mark, most in lanes:
        of_lane = by_lane.get(id(lane), [])
        left = [turn.due_at for turn in of_lane if turn.id.int not in taken] if len(taken) < len(lined_up) else []
        claim.marks[lane] = max(mark, (min(left) if left else of_lane[-1].due_at) - LAG) if of_lane else mark
        claim.marks[lane] = min(claim.marks[lane], passed.get(lane, claim.marks[lane]))
        if len(of_lane) >= most or left:
            claim.more.add(lane)


def by_turns(found: Sequence[Due], lane_of: Mapping[int, Lane]) -> list[Due]:
    """Answers first, then the first of each lane, the second of each: where places run out, no lane waits for all of
    another's. Within a lane in due order. `lane_of`: by the message's id as a number."""
    passed = Counter[int]()
    places: list[tuple[bool, int]] = []
    for due in found:
        lane = lane_of[due.message.id.int]
        places.append((not lane.urgent, passed[id(lane)]))
        passed[id(lane)] += 1
    return [due for _, due in sorted(zip(places, found, strict=True), key=lambda one: one[0])]
