"""The clinic's console."""

from fastapi import APIRouter

from outreach.web.console import (
    brakes,
    doubts,
    enrol,
    patients,
    senders,
    sequences,
    signin,
    start,
    styleguide,
    today,
    visits,
)

# enrol before patients: /patients/new is no patient's id
PARTS = (start, signin, styleguide, today, brakes, doubts, senders, sequences, enrol, patients, visits)
router = APIRouter()
for part in PARTS:
    router.include_router(part.router)
