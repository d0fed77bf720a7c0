"""Whether a machine wrote: a copy of our own words, an automatic reply, or more messages than a person sends."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Literal

from outreach.domain.folding import fold
from outreach.domain.replies import Understood

Robot = Literal["", "echo", "phrase", "many"]
WITHIN = timedelta(minutes=10)
MOST = 8
"""More messages than this from one number `WITHIN` ten minutes, and none is answered."""
A_DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MOST_A_DAY, ALIKE = 20, 3
"""More than so many in a day, or the same words so often in an hour: two machines that take their time."""
HELPS_A_DAY = 5
"""HELP is answered so often in a day to one number, and once `WITHIN` ten minutes."""
_OURS, _PART = 20, 40
"""Letters that one of our texts must have to be known again whole, and that a part of it must have."""


def long_enough(text: str) -> bool:
    """Whether a text can hold one of ours at all."""
    return len(text) >= _OURS


def echoed(text: str, ours: Iterable[str]) -> str | None:
    """What a message says beside the copy of one of our texts that it holds; None when it holds none.

    A forwarded text, a telephone's "Liked “...”", or another machine's quotation: our own "Reply STOP" in it is no
    STOP, while one that was written around it is.
    """
    said = fold(text)
    for one in ours:
        known = fold(one)
        if len(known) >= _OURS and known in said:
            return said.replace(known, " ").strip()
        if len(said) >= _PART and said in known:
            return ""
    return None


def alike(text: str, others: Iterable[str]) -> int:
    """How many messages say the same as this one, itself too. Pictures without words are not alike."""
    said = fold(text)
    return 1 + sum(fold(one) == said for one in others) if said else 1


def helped(given: Collection[datetime], now: datetime) -> bool:
    """Whether HELP needs no answer now. `given`: when it was answered to this number in a day."""
    return len(given) >= HELPS_A_DAY or any(at > now - WITHIN for at in given)


def robot(said: Understood, *, echo: bool, within: int, in_a_day: int = 1, same: int = 1) -> Robot:
    """Why this is a machine's; "" for a person's. Counts of messages from that number, this one among them: `within`
    ten minutes, `in_a_day`, and with the `same` words in an hour, where a digit that answers us does not count.

    Somebody who is driving may write that they cannot breathe: what tells of more than the word emergency, which
    automatic replies are full of, is a person's.
    """
    alarmed = bool(set(said.urgent) - {"emergency"})
    if echo and not alarmed:
        return "echo"
    if within > MOST:
        return "many"
    if said.robot and not alarmed:
        return "phrase"
    repeats = same >= ALIKE and said.kind != "answer"
    return "many" if in_a_day > MOST_A_DAY or repeats else ""
