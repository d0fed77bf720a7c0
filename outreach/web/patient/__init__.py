"""Patients' own pages."""

from fastapi import APIRouter

from outreach.web.patient import join, lost, pages, preferences, stopping, visit

router = APIRouter()
for room in (pages, visit, preferences, stopping, join, lost):  # lost last: it takes what the others leave
    router.include_router(room.router)
