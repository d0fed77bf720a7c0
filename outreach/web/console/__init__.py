"""The clinic's console."""

from fastapi import APIRouter

from outreach.web.console import enrol, patients, signin, start, today, visits

router = APIRouter()
# enrol before patients: /patients/new is no patient's id
for part in (start, signin, today, enrol, patients, visits):
    router.include_router(part.router)
