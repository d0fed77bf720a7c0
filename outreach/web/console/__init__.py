"""The clinic's console."""

from fastapi import APIRouter

from outreach.web.console import (
    account,
    audit,
    brakes,
    doubts,
    enrol,
    imports,
    patients,
    senders,
    sequences,
    settings,
    signin,
    staff,
    start,
    styleguide,
    today,
    visits,
)

# enrol before patients: /patients/new is no patient's id
PARTS = (start, signin, account, staff, settings, audit, styleguide, today, brakes, doubts, senders, sequences, imports, enrol, patients, visits)
router = APIRouter()
for part in PARTS:
    router.include_router(part.router)
