"""What a clinic may change of a sequence, and what it may not: clock times within the day, optional messages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time, timedelta
from typing import NamedTuple

from outreach.domain.sequence import Sequence, Step, adapted
from outreach.domain.timing import BadRule, parse_clock
from outreach.domain.window import QuietHours
from outreach.errors import Sentence, say

EARLIEST, LATEST = time(8), time(20)
"""Whatever a clinic's quiet hours are: nobody is written to before breakfast or into the night by a planned message."""


class Wish(NamedTuple):
    """What was typed for one step: its time of day as text, and whether it is left out."""

    at: str
    off: bool = False


class Checked(NamedTuple):
    """`changes`: what differs from the file, as it is stored. `wrong`: by step, what cannot be."""

    changes: dict[str, dict[str, object]]
    wrong: dict[str, Sentence]


def check(sequence: Sequence, wishes: Mapping[str, Wish], quiet: QuietHours) -> Checked:
    """Hold what was typed against the rules. `sequence` is the file's; steps without a wish stay as the file has them.

    A clock time lies from 08:00 to 20:00 and outside the clinic's quiet hours; days and order are never changed.
    """
    checked = Checked({}, {})
    for step in sequence.timed:
        wish = wishes.get(step.key)
        if wish is None:
            continue
        change: dict[str, object] = {"off": True} if wish.off and step.optional else {}
        if step.clock is not None and wish.at.strip():
            at, fault = _clock(wish.at.strip(), step, quiet)
            if fault is not None:
                checked.wrong[step.key] = fault
            elif at is not None:
                change["at"] = f"{at:%H:%M}"
        if change:
            checked.changes[step.key] = change
    if not checked.wrong:
        checked.wrong.update(_out_of_order(sequence, checked.changes))
    return checked


def _clock(text: str, step: Step, quiet: QuietHours) -> tuple[time | None, Sentence | None]:
    """(the time, None), (None, what is wrong), or (None, None) where it is the file's own."""
    try:
        at = parse_clock(text)
    except BadRule:
        return None, say("“%(text)s” is not a time of day. Write hours and minutes, such as 10:30.", text=text)
    if at == step.clock:
        return None, None
    if not EARLIEST <= at <= LATEST:
        return None, say("Choose a time from 08:00 to 20:00.")
    if not _open(at, quiet):
        return None, say("This is within your quiet hours: messages may go from %(opens)s until %(closes)s.",
                         opens=f"{quiet.opens:%H:%M}", closes=f"{quiet.closes:%H:%M}")  # fmt: skip
    return at, None


def _open(at: time, quiet: QuietHours) -> bool:
    return quiet.opens <= at and (quiet.closes == time(0) or at < quiet.closes)


def _out_of_order(sequence: Sequence, changes: Mapping[str, Mapping[str, object]]) -> dict[str, Sentence]:
    """Steps of one day that a change would put before the step they follow."""
    wrong: dict[str, Sentence] = {}
    latest: dict[tuple[str, timedelta], time] = {}
    for step in adapted(sequence, changes).timed:
        if step.when is None or step.clock is None:
            continue
        day = step.when.anchor, step.when.offset
        if step.clock < latest.get(day, time(0)):
            wrong[step.key] = say("This would come before the message it follows on that day.")
        latest[day] = max(step.clock, latest.get(day, time(0)))
    return wrong
