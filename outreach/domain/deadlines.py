"""By when a person must have looked: one deadline per kind of task."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

DUE: Mapping[str, timedelta] = {
    "urgent": timedelta(minutes=15),
    "call": timedelta(hours=4),
    "change": timedelta(hours=24),
    "reply": timedelta(hours=24),
    "shared": timedelta(hours=24),
    "silence": timedelta(hours=24),
    "missed": timedelta(hours=24),
    "join": timedelta(hours=24),
    # A request to stop made to staff: the law gives days, the patient should not have to wait for them.
    "stop": timedelta(hours=24),
}
"""Every kind of task there is. A profile of the law may name another deadline for `stop`."""


def due_at(kind: str, now: datetime) -> datetime:
    """When a task of this kind that is opened now is overdue. KeyError: there is no such kind."""
    return now + DUE[kind]
