"""What other software connects to."""

from fastapi import FastAPI

from outreach.web.api import app, approvals, consents, courses, enrolments, messages, patients, plans, visits, webhooks
from outreach.wiring import Outreach

PARTS = (
    plans.router,
    patients.router,
    consents.router,
    courses.router,
    enrolments.router,
    visits.router,
    messages.router,
    approvals.router,
    webhooks.router,
)


def create(out: Outreach) -> FastAPI:
    """The API as an application of its own; mount it at /api."""
    return app.create(out, PARTS)
