"""Enrolling a patient: the form, a rehearsal of what it would bring, and only then the real thing."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter()
