"""A clinic of one's own, from a file with the lines of config/sample/clinic.yaml: nobody in it, nothing approved."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from outreach.actions.sample import read_clinic
from outreach.actions.twice import expect
from outreach.content.yaml_lines import line_of, read_yaml
from outreach.domain import contact
from outreach.domain.channel import Channel
from outreach.domain.law import Law
from outreach.errors import BadFile, BadInput
from outreach.store import audit, clinics, senders
from outreach.store.tables import Clinic

SLUG = re.compile(r"[a-z][a-z0-9-]{1,39}")
SERVICE = re.compile(r"MG[0-9a-f]{32}")
EMERGENCY = re.compile(r"\d{2,6}")


def establish(
    session: Session,
    path: Path,
    laws: Mapping[str, Law],
    locales: Collection[str],
    by_themselves: Collection[str],
    now: datetime,
) -> Clinic:
    """Begin it. BadFile names the line and what would be right; BadInput: its short name is taken. `locales`: those
    there are words for; `by_themselves`: carriers that answer STOP and HELP."""
    values = _checked(path, read_clinic(path, laws), locales)
    if senders.owner(session, Channel.SMS, values["sms_sender"]):
        raise BadInput("Another clinic writes from this number. A STOP that comes back to it can be for one only.")
    clinic = clinics.add(session, **values)
    expect(session, clinic.id, by_themselves, now)
    audit.note(session, clinic_id=clinic.id, at=now, actor_kind="operator", actor_id=None, action="clinic.established",
               subject="clinic", subject_id=clinic.id)  # fmt: skip
    return clinic


def _checked(path: Path, values: dict[str, Any], locales: Collection[str]) -> dict[str, Any]:
    """In normal form: what patients call and what they get texts from must not be found wrong by them."""
    region = values["country"]
    checks: dict[str, Callable[[str], str]] = {
        "slug": lambda text: _like(SLUG, text, "small letters, digits and hyphens, such as lakeside"),
        "country": lambda text: _like(re.compile("[A-Z]{2}"), text, "two capital letters, such as US"),
        "locale": lambda text: _one_of(text, locales),
        "wording": lambda text: _one_of(text, ("full", "neutral")),
        "phone": lambda text: contact.call(text, region),
        "emergency": lambda text: text if EMERGENCY.fullmatch(text) else contact.call(text, region),
        "sms_sender": lambda text: text if SERVICE.fullmatch(text) else contact.phone(text, region, lenient=True),
        "email_sender": contact.email,
    }
    for key, check in checks.items():
        try:
            values[key] = check(values[key])
        except BadInput as error:
            raise BadFile(path, line_of(read_yaml(path), key), f'"{key}": {error}') from None
    return values


def _like(pattern: re.Pattern[str], text: str, right: str) -> str:
    if not pattern.fullmatch(text):
        raise BadInput(f"Write {right}.")
    return text


def _one_of(text: str, known: Collection[str]) -> str:
    if text not in known:
        raise BadInput(f"Choose one of {', '.join(known)}.")
    return text
