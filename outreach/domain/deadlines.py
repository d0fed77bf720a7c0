"""By when a person must have looked: one deadline per kind of task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from outreach.domain.window import wall_at

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


SYMPTOM_DUE = timedelta(hours=1)
"""By when a person must have read of a symptom soon after an infusion: "can't stop vomiting" holds no urgent word, and
must not wait for tomorrow as a question about parking may. Rules do not judge how bad it is; people do."""
SYMPTOM_DAYS = 3
"""How many days after an infusion a symptom may come of it: what is felt of one is mostly over in a day or two, and who
writes on the third tells of what has lasted. A proposal, for a clinician to confirm; longer costs only looks."""


def due_at(kind: str, now: datetime, days_after: int | None = None) -> datetime:
    """When a task of this kind that is opened now is overdue. KeyError: there is no such kind.

    `days_after`: days since an infusion, where the message that it is about tells of a symptom so soon after one.
    """
    return now + (DUE[kind] if days_after is None else min(DUE[kind], SYMPTOM_DUE))


def days_after(infusions: Iterable[datetime], zone: str, at: datetime) -> int | None:
    """How many days of the patient's calendar (`zone`) the last infusion before `at` is ago; None for no recent one.

    `infusions`: when they begin, as instants; those still to come do not count.
    """
    today = wall_at(at, zone).date()
    days = min(((today - wall_at(one, zone).date()).days for one in infusions if one <= at), default=None)
    return days if days is not None and days <= SYMPTOM_DAYS else None
