"""The enrol form: what was typed, turned into an Enrol or into sentences beside the fields at fault."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from typing import TypeVar

from babel.core import get_global

from outreach.actions.enrol import Enrol, NewVisit, Paper
from outreach.domain import contact
from outreach.domain.channel import Channel
from outreach.domain.window import moment, wall_at, zone_names
from outreach.errors import BadInput
from outreach.web.console.desk import Desk
from outreach.web.console.visits import wall

FIELDS = ("name", "external", "locale", "zone", "phone", "email", "date", "time", "minutes", "consent", "signed")
LONGEST = 200
Got = TypeVar("Got")


class Reading:
    """Reads fields one by one; faults gather in `wrong`, by field, so that all are told at once."""

    def __init__(self, typed: Mapping[str, str]) -> None:
        self.typed = {name: typed.get(name, "").strip() for name in FIELDS}
        self.wrong: dict[str, str] = {}

    def get(self, name: str, read: Callable[[str], Got]) -> Got | None:
        """The field through `read`; None and a sentence in `wrong` when it raises BadInput."""
        try:
            return read(self.typed[name])
        except BadInput as error:
            self.wrong[name] = str(error)
            return None

    def fault(self, name: str, sentence: str) -> None:
        self.wrong.setdefault(name, sentence)


def read(typed: Mapping[str, str], desk: Desk, locales: tuple[str, ...], now: datetime) -> tuple[Enrol | None, Reading]:
    """(form, reading): the form is None when something is wrong."""
    form = Reading(typed)
    name = form.get("name", _name)
    locale = form.get("locale", lambda text: _one_of(text, locales, "language"))
    zone = form.get("zone", lambda text: _one_of(text, zone_names(), "time zone"))
    phone = form.get("phone", lambda text: contact.phone(text, desk.country, lenient=True) if text else "")
    email = form.get("email", lambda text: contact.email(text) if text else "")
    if not form.typed["phone"] and not form.typed["email"]:
        form.fault("phone", "Give a mobile number or an e-mail address.")
    minutes = form.get("minutes", _minutes)
    starts = _starts(form, desk.clinic.zone, now)
    paper = _paper(form, phone, email, wall_at(now, desk.clinic.zone).date())
    if form.wrong or not (name and locale and zone and starts and minutes):
        return None, form
    visit = NewVisit(starts=starts, zone=desk.clinic.zone, minutes=minutes)
    wanted = Enrol(
        clinic_id=desk.clinic.id, name=name, locale=locale, zone=zone, phone=phone or "", email=email or "",
        external=form.typed["external"][:LONGEST], visits=(visit,), paper=paper, actor=f"staff:{desk.signed.staff_id}",
    )  # fmt: skip
    return wanted, form


def starting(desk: Desk, now: datetime) -> dict[str, str]:
    """What an empty form begins with."""
    today = f"{wall_at(now, desk.clinic.zone):%Y-%m-%d}"
    return dict.fromkeys(FIELDS, "") | {
        "locale": desk.locale, "zone": desk.clinic.zone, "minutes": "60", "signed": today,
    }  # fmt: skip


@cache
def zones(country: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Groups for the zone's select: the clinic's country first, then the world by region."""
    home = sorted(set(get_global("territory_zones").get(country, ())) & zone_names())
    regions: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(zone_names() - set(home)):
        region, slash, place = name.partition("/")
        if slash and region not in ("Etc", "SystemV", "US", "Canada", "posix", "right"):
            regions.setdefault(region, []).append((name, place.replace("_", " ")))
    near = [("In this country", [(name, name.partition("/")[2].replace("_", " ")) for name in home])] if home else []
    return [*near, *regions.items(), ("Other", [("UTC", "UTC")])]


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not name:
        raise BadInput("Give the name the patient goes by.")
    if len(name) > LONGEST:
        raise BadInput(f"This is longer than {LONGEST} characters.")
    if "://" in name or not name.isprintable():
        raise BadInput("This does not look like a name.")
    return name


def _one_of(text: str, offered: tuple[str, ...] | frozenset[str], what: str) -> str:
    if text not in offered:
        raise BadInput(f"Choose a {what} from the list.")
    return text


def _minutes(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) <= 1440):
        raise BadInput("Give the length in minutes, from 1 to 1440.")
    return int(text)


def _starts(form: Reading, zone: str, now: datetime) -> datetime | None:
    try:
        starts = wall(form.typed)
    except BadInput as error:
        form.fault("time" if form.typed["date"] else "date", str(error))
        return None
    found = moment(starts, zone)
    if found.at <= now:
        form.fault("date", "This time is over. Choose one that is still to come.")
    elif found.note.startswith("gap"):
        form.fault("time", "The clocks go forward then: this hour does not exist on that day. Choose another.")
    return starts


def _paper(form: Reading, phone: str | None, email: str | None, today: date) -> Paper:
    """Consent on paper covers the addresses given on the form."""
    if form.typed["consent"] not in ("paper", "warned"):
        return Paper()
    try:
        signed = date.fromisoformat(form.typed["signed"])
    except ValueError:
        form.fault("signed", "Give the date it was signed, such as 2026-11-28.")
        return Paper()
    if signed > today:
        form.fault("signed", "This day is still to come.")
    channels = {channel for channel, value in ((Channel.SMS, phone), (Channel.EMAIL, email)) if value}
    return Paper(channels=frozenset(channels), on=signed, form="console", warned=form.typed["consent"] == "warned")
