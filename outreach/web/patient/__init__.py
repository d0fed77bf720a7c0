"""Patients' own pages."""

from fastapi import APIRouter

from outreach.web.patient import join, lost, pages, preferences, stopping, visit
from outreach.web.patient.reader import NotShown, gone, not_shown

__all__ = ["NotShown", "gone", "not_shown", "router"]

router = APIRouter()
for room in (pages, visit, preferences, stopping, join, lost):  # lost last: it takes what the others leave
    router.include_router(room.router)
