"""Pages: Jinja2 with autoescape over templates/, and the few filters that turn stored values into what people read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from babel.dates import format_datetime, format_skeleton
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from outreach.domain.window import zone as zone_of
from outreach.settings import ROOT

STATIC = Path(__file__).parent / "static"
_DESK = "en_US"  # the console speaks English; patients' pages take theirs from the message


def page(name: str, /, status: int = 200, **values: Any) -> HTMLResponse:
    """Render templates/NAME. A missing value is a bug and raises (StrictUndefined)."""
    return HTMLResponse(_templates().get_template(name).render(**values), status_code=status)


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals["style"] = f"/static/style.css?v={_digest(STATIC / 'style.css')}"
    filters: dict[str, Callable[..., str]] = {"day": day, "clock": clock, "moment": moment_in, "city": city}
    templates.filters.update(filters)
    return templates


def day(wall: datetime) -> str:
    """Sat, Nov 28, 2026: the weekday catches a wrong date before the patient does."""
    return format_skeleton("yMMMEd", wall.replace(tzinfo=None), locale=_DESK)


def clock(wall: datetime) -> str:
    """10:00 AM."""
    return format_datetime(wall.replace(tzinfo=None), "short", locale=_DESK).rpartition(", ")[2]


def moment_in(at: datetime, zone: str) -> str:
    """An instant on the calendar and clock of `zone`."""
    wall = at.astimezone(zone_of(zone))
    return f"{day(wall)}, {clock(wall)}"


def city(zone: str) -> str:
    """America/Argentina/Buenos_Aires → Buenos Aires."""
    return zone.rpartition("/")[2].replace("_", " ")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
