"""The enrol form: what was typed, turned into an Enrol or into sentences beside the fields at fault."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime

from outreach.actions.enrol import Enrol, Paper
from outreach.domain import contact, names
from outreach.domain.channel import Channel
from outreach.domain.window import wall_at, zone_names
from outreach.errors import BadInput, say
from outreach.web.console import visit_form
from outreach.web.console.desk import Desk
from outreach.web.console.typed import Reading, one_of

PERSON = ("name", "locale", "zone", "phone", "email")
FIELDS = (*PERSON, "external", "consent", "signed", *visit_form.FIELDS)
LONGEST = 80


def read(typed: Mapping[str, str], desk: Desk, locales: tuple[str, ...], now: datetime) -> tuple[Enrol | None, Reading]:
    """(form, reading): the form is None when something is wrong."""
    form = Reading(typed, FIELDS)
    visit_form.spread(form)
    name, locale, zone, phone, email = person(form, desk, locales)
    external = form.get("external", _external)
    visits = visit_form.read(form, desk.clinic.zone, now, desk.signed.locale)
    paper = _paper(form, phone, email, wall_at(now, desk.clinic.zone).date())
    if form.wrong:
        return None, form
    wanted = Enrol(
        clinic_id=desk.clinic.id, name=name, locale=locale, zone=zone, phone=phone, email=email,
        external=external or "", visits=visits, paper=paper, actor=f"staff:{desk.signed.staff_id}",
    )  # fmt: skip
    return wanted, form


def person(form: Reading, desk: Desk, locales: Collection[str]) -> tuple[str, str, str, str, str]:
    """Name, language, zone, phone and e-mail in normal form; "" for what is wrong or was left out."""
    name = form.get("name", names.checked) or ""
    locale = form.get("locale", lambda text: one_of(text, locales)) or ""
    zone = form.get("zone", lambda text: one_of(text, zone_names())) or ""
    phone = form.get("phone", lambda text: contact.phone(text, desk.country, lenient=True) if text else "") or ""
    email = form.get("email", lambda text: contact.email(text) if text else "") or ""
    if not form.typed["phone"] and not form.typed["email"]:
        form.fault("phone", say("Give a mobile number or an e-mail address."))
    return name, locale, zone, phone, email


def starting(desk: Desk) -> dict[str, str]:
    """What an empty form begins with. Not with a day of signing: most have not signed, and a wrong one is a proof."""
    return dict.fromkeys(FIELDS, "") | {"locale": desk.locale, "zone": desk.clinic.zone, "minutes": "60"}


def day_signed(text: str, today: date) -> date:
    """The day on a paper form; BadInput for none, and for one still to come."""
    try:
        signed = date.fromisoformat(text)
    except ValueError:
        raise BadInput(say("Give the date it was signed, such as 2026-11-28.")) from None
    if signed > today:
        raise BadInput(say("This day is still to come. Give the date it was signed."))
    return signed


def _external(text: str) -> str:
    if len(text) > LONGEST or not text.isprintable():
        raise BadInput(say("A patient number has at most %(most)s characters, all of them visible.", most=LONGEST))
    return text


def _paper(form: Reading, phone: str, email: str, today: date) -> Paper:
    """Consent on paper covers the addresses given on the form."""
    if form.typed["consent"] not in ("paper", "warned"):
        return Paper()
    signed = form.get("signed", lambda text: day_signed(text, today))
    channels = {channel for channel, value in ((Channel.SMS, phone), (Channel.EMAIL, email)) if value}
    return Paper(channels=frozenset(channels), on=signed, form="console", warned=form.typed["consent"] == "warned")
