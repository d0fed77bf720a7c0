"""The workbench of translators: a door of the console, and an application of its own for whoever has the files."""

from fastapi import APIRouter

from outreach.web.translate import (
    frames,
    pages,
    saving,
)

router = APIRouter()
for part in (pages, saving, frames):
    router.include_router(part.router)
