"""The clinic's public page, for the waiting room: choose a language, read, give a number, tick a box.

It answers the same whether or not the clinic knows the number, and never says that it was too often for one number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import phonenumbers
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup

from outreach.actions.join import HOUR, Joining, join
from outreach.actions.load import chosen
from outreach.content.formats import phone
from outreach.content.values import Values
from outreach.domain import contact, names
from outreach.domain.channel import Channel
from outreach.domain.decision import REQUEST
from outreach.errors import BadInput
from outreach.store import clinics, joins
from outreach.store.tables import Clinic
from outreach.web.forms import Posted, Wired
from outreach.web.patient.reader import In, gone, isolated, mark, sheet, unbroken
from outreach.web.tries import place
from outreach.web.views import page

router = APIRouter()
PER_PLACE = 40
"""Tries from one place in an hour: a waiting room has one address for everybody in it."""
LONGEST_NAME = 80
TRAP = "website"
"""A field that no person sees; what is written there was written by a machine."""


class Typed(NamedTuple):
    """The form as it was typed, and what is wrong with it: field to key of the words."""

    fields: Mapping[str, str]
    wrong: Mapping[str, str]


BLANK = Typed({}, {})


@router.api_route("/join/{slug}", methods=["GET", "HEAD"])
def shown(slug: str, out: Wired, wanted: In, sent: str = "") -> HTMLResponse:
    """The languages; with one chosen, the form."""
    clinic = _open(out, slug)
    return _page(out, clinic, wanted, sent=sent == "1") if clinic else gone(out)


@router.post("/join/{slug}")
def posted(slug: str, form: Posted, out: Wired, request: Request, wanted: In) -> Response:
    """Take it in. Sent twice it asks once more at most; too often from one place it is told to wait."""
    clinic, now = _open(out, slug), out.clock()
    if clinic is None:
        return gone(out)
    if wanted not in out.spoken(clinic).offered:
        return _page(out, clinic, wanted)
    with out.sessions.begin() as session:
        joins.turn(session, clinic.id)
        here = f"place {place(request)}"
        if joins.tries(session, clinic.id, here, now - HOUR) >= PER_PLACE:
            return _page(out, clinic, wanted, 429, typed=Typed(form.fields, {"": "join.wait"}))
        joins.count(session, clinic.id, [here], now)
    shown = _words(out, clinic, wanted).striptags()
    if form.fields.get("shown") != mark(shown):  # other words than those on the screen: the box must be ticked anew
        unread = {name: value for name, value in form.fields.items() if name != "read"}
        return _page(out, clinic, wanted, 409, typed=Typed(unread, {"read": "choices.read.first"}))
    name, given, wrong = _read(out, clinic, form.fields)
    if wrong:
        return _page(out, clinic, wanted, 422, typed=Typed(form.fields, wrong))
    if not form.fields.get(TRAP):
        wish = Joining(name, wanted, given, shown, mark(shown))
        with out.sessions.begin() as session:
            join(session, clinics.by_id(session, clinic.id), wish, chosen(out.sequences, None), now)
    return RedirectResponse(f"/join/{clinic.slug}?in={wanted}&sent=1", 303)


def _open(out: Wired, slug: str) -> Clinic | None:
    """None too where no language is wholly approved: nobody may be asked to join in words that nobody has read."""
    with out.sessions() as session:
        clinic = clinics.find(session, slug)
    return clinic if clinic is not None and clinic.join_open and out.spoken(clinic).offered else None


def _read(out: Wired, clinic: Clinic, fields: Mapping[str, str]) -> tuple[str, dict[Channel, str], dict[str, str]]:
    """(name, addresses in normal form, what is wrong): of a number only what anybody could see about it."""
    name, wrong = "", dict[str, str]()
    given: dict[Channel, str] = {}
    try:
        name = names.checked(fields.get("name", ""))
    except BadInput:
        wrong["name"] = "join.wrong.name"
    if len(name) > LONGEST_NAME:
        wrong["name"] = "join.wrong.name"
    number, mail = fields.get("phone", "").strip(), fields.get("email", "").strip()
    try:
        if number:
            given[Channel.SMS] = _number(out, clinic, number)
    except BadInput:
        wrong["phone"] = "join.wrong.phone"
    try:
        if mail:
            given[Channel.EMAIL] = contact.email(mail)
    except BadInput:
        wrong["email"] = "join.wrong.email"
    if not number and not mail:
        wrong["phone"] = "join.wrong.one"
    if fields.get("read") != "yes":
        wrong["read"] = "choices.read.first"
    return name, given, wrong


def _number(out: Wired, clinic: Clinic, typed: str) -> str:
    """A number of the clinic's country or of those its law lists; BadInput for others, whose texts cost most."""
    number = contact.phone(typed[:40], clinic.country)
    region = phonenumbers.region_code_for_number(phonenumbers.parse(number))
    if region not in {clinic.country, *out.laws[clinic.law].join_from}:
        raise BadInput("This country is not served.")
    return number


def _words(out: Wired, clinic: Clinic, locale: str) -> Markup:
    """The words of the request, as on its own page: what somebody agrees to be asked."""
    values = Values(clinic.name, clinic.phone, clinic.zone, emergency=clinic.emergency, frequency=clinic.most_a_week)
    html = out.spoken(clinic).words.page(REQUEST, locale, "full", values)
    number = phone(clinic.phone)
    return Markup(html.replace(number, unbroken(number)))


def _page(
    out: Wired, clinic: Clinic, wanted: str, status: int = 200, *, typed: Typed = BLANK, sent: bool = False
) -> HTMLResponse:
    spoken = out.spoken(clinic)
    offered = [out.words.language(one) for one in spoken.offered]
    known = wanted in spoken.offered
    language = out.words.language(
        wanted if known else clinic.locale if clinic.locale in spoken.offered else spoken.offered[0]
    )
    number = unbroken(phone(clinic.phone))

    def ui(key: str, **more: object) -> Markup:
        values = {"clinic": clinic.name, "phone": number, "emergency": clinic.emergency, **more}
        return isolated(spoken.words.ui(key, language.locale, **values))

    words = _words(out, clinic, language.locale) if known else Markup("")
    return page(
        "pages/join.html", status, ui=ui, sheet=sheet(), clinic=clinic, language=language, spoken=offered,
        chosen=known, sent=sent and known, words=words, mark=mark(words.striptags()), typed=typed, trap=TRAP,
        tel="".join(char for char in clinic.phone if char in "+0123456789"),
    )  # fmt: skip
