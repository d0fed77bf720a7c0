"""The clinic's console."""

from fastapi import APIRouter

from outreach.web.console import (
    account,
    audit,
    brakes,
    course,
    delivery,
    doubts,
    edit,
    enrol,
    imports,
    inbox,
    keys,
    languages,
    on_call,
    patient,
    patients,
    poster,
    proofs,
    senders,
    sequences,
    settings,
    signin,
    staff,
    start,
    styleguide,
    thread,
    today,
    visits,
    webhooks,
)

# enrol before patients: /patients/new is no patient's id
PARTS = (
    start,
    signin,
    account,
    staff,
    settings,
    poster,
    audit,
    on_call,
    styleguide,
    today,
    thread,
    inbox,
    brakes,
    course,
    delivery,
    doubts,
    senders,
    sequences,
    imports,
    languages,
    enrol,
    patients,
    patient,
    proofs,
    edit,
    visits,
    keys,
    webhooks,
)
router = APIRouter()
for part in PARTS:
    router.include_router(part.router)
