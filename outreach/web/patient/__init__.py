"""Patients' own pages."""

from fastapi import APIRouter

from outreach.web.patient import pages

router = APIRouter()
router.include_router(pages.router)
