"""Hinting: which texts must say at their end how to stop, because their address has not read it for so long."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from outreach.actions.prepare import Sources
from outreach.domain.decision import ANSWERS
from outreach.store import hinted
from outreach.store.due import Due
from outreach.store.rows import Ask

Owed = Callable[[Due, datetime], bool]


def hints_of(sources: Sources, ids: Sequence[UUID], now: datetime) -> list[Ask]:
    """What must be asked of the database for these messages; nothing where no profile of the law is known."""
    if not sources.laws:
        return []
    window = max(law.hint_every for law in sources.laws.values())
    return [hinted.asking_for(ids, sources.words.telling, window, now)]


def owed(sources: Sources, hints: Iterable[Sequence[Any]]) -> Owed:
    """Whether a message owes the hint: a text that is no answer, says nothing of it, and comes so long after one."""
    last = {key: at for rows in hints for key, at in hinted.told(rows).items()}

    def owes(due: Due, now: datetime) -> bool:
        message, law = due.message, sources.laws.get(due.clinic.law)
        if law is None or message.id.int not in last or message.step in ANSWERS:
            return False
        at = last[message.id.int]
        return at is None or now - at >= law.hint_every

    return owes
