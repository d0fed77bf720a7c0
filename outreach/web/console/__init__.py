"""The clinic's console."""

from fastapi import APIRouter

from outreach.web.console import (
    account,
    brakes,
    doubts,
    enrol,
    patients,
    senders,
    sequences,
    signin,
    staff,
    start,
    styleguide,
    today,
    visits,
)

# enrol before patients: /patients/new is no patient's id
PARTS = (start, signin, account, staff, styleguide, today, brakes, doubts, senders, sequences, enrol, patients, visits)
router = APIRouter()
for part in PARTS:
    router.include_router(part.router)
