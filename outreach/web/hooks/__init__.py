"""Carriers' hooks."""

from fastapi import APIRouter

from outreach.web.hooks import twilio

router = APIRouter(prefix="/hooks")
router.include_router(twilio.router)
