"""One's own account: language, telephone for tests, password, one-time codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pyotp
import segno
from babel import Locale
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup
from sqlalchemy.orm import Session

from outreach.domain import contact
from outreach.domain import password as passwords
from outreach.errors import BadInput, NotAllowed, OutreachError, say
from outreach.store import audit, codes, colleagues, staff, tries
from outreach.web.console.desk import AtDesk, Checked, Desk
from outreach.web.console.signin import WAIT, WRONG_CODE, set_session
from outreach.web.forms import Form, Wired
from outreach.web.tongue import offered
from outreach.web.tries import of_code

router = APIRouter()
DONE = {
    "kept": say("Your choices are kept."),
    "password": say("Your new password is set. Every other browser you had signed in with is signed out."),
    "codes": say("From now on you are asked for a code when you sign in."),
    "no-codes": say("No code is asked of you any more."),
}
NOT_YOURS = say("This is not your password.")


@router.get("/account")
def shown(desk: AtDesk, out: Wired, done: str = "") -> HTMLResponse:
    """What one may decide for oneself."""
    return _page(desk, out, done=done)


@router.post("/account")
def kept(desk: AtDesk, form: Checked, out: Wired) -> Response:
    """Keep language and telephone number."""
    fields, wrong = form.fields, dict[str, OutreachError]()
    locale, phone = fields.get("locale", ""), fields.get("phone", "").strip()
    if locale not in offered():
        wrong["locale"] = BadInput(say("Choose one of these languages."))
    try:
        phone = contact.phone(phone, desk.country) if phone else ""
    except BadInput as error:
        wrong["phone"] = error
    if wrong:
        return _page(desk, out, wrong, fields)
    with out.sessions.begin() as session:
        was = colleagues.own(session, desk.clinic.id, desk.signed.staff_id)
        colleagues.keep_own(session, desk.clinic.id, desk.signed.staff_id, phone=phone, locale=locale)
        if (was.phone, was.locale) != (phone, locale):
            changed = {"phone": was.phone != phone, "old": was.locale, "new": locale}
            _note(desk, session, out, "staff.account_changed", changed)
    return RedirectResponse("/account?done=kept", 303)


@router.post("/account/password")
def new_password(desk: AtDesk, form: Checked, out: Wired, request: Request) -> Response:
    """Another password: all sessions end, and this browser gets a new one."""
    fields, me = form.fields, desk.signed.staff_id
    try:
        with _one_try(desk, out, request, "current"), out.sessions.begin() as session:
            _is_mine(session, desk, fields.get("current", ""), "current")
            _fits(session, desk, form)
            staff.set_password(session, me, fields["new"])
            cookie = staff.begin_session(session, desk.clinic.id, me, out.clock())
            _note(desk, session, out, "staff.password_changed")
    except Wrong as wrong:
        return _refused(desk, out, wrong)
    answer = RedirectResponse("/account?done=password", 303)
    set_session(answer, out, cookie)
    return answer


@router.post("/account/codes")
def one_time_codes(desk: AtDesk, form: Checked, out: Wired, request: Request) -> Response:
    """Begin with codes, show the first one, or do without them again: what the button says."""
    clinic_id, me, done = desk.clinic.id, desk.signed.staff_id, ""
    try:
        field = "code" if form.fields.get("do") == "confirm" else "password"
        with _one_try(desk, out, request, field), out.sessions.begin() as session:
            if form.fields.get("do") == "confirm":
                _confirm(session, out, desk, form)
                done = "codes"
            elif form.fields.get("do") == "remove":
                if codes.waiting(session, clinic_id, me) is None:  # those in use are not a borrowed browser's to end
                    _is_mine(session, desk, form.fields.get("password", ""), "password")
                if codes.take_away(session, clinic_id, me):
                    _note(desk, session, out, "staff.codes_ended")
                    done = "no-codes"
            else:
                _is_mine(session, desk, form.fields.get("password", ""), "password")
                codes.begin(session, clinic_id, me)
    except Wrong as wrong:
        return _refused(desk, out, wrong)
    return RedirectResponse(f"/account?done={done}#codes", 303)


class Wrong(OutreachError):
    """What was typed is refused at this field; a try that counts where `key` is given."""

    def __init__(self, field: str, error: OutreachError, *, counts: bool = False) -> None:
        super().__init__(str(error))
        self.field, self.error, self.counts = field, error, counts


@contextmanager
def _one_try(desk: Desk, out: Wired, request: Request, field: str) -> Iterator[None]:
    """Counted and committed before anything is compared, so that many at once are no more than the limit.

    Given back unless what was typed turned out wrong.
    """
    with out.sessions.begin() as session:
        taken = tries.take(session, of_code(out, request, desk.signed.staff_id).limits, out.clock())
    if taken is None:
        raise Wrong(field, NotAllowed(WAIT))
    try:
        yield
    except Wrong as wrong:
        if wrong.counts:
            raise
        _give_back(out, taken)
        raise
    _give_back(out, taken)


def _give_back(out: Wired, taken: list[int]) -> None:
    with out.sessions.begin() as session:
        tries.clear(session, taken)


def _is_mine(session: Session, desk: Desk, password: str, field: str) -> None:
    if not staff.knows_password(session, desk.signed.staff_id, password):
        raise Wrong(field, BadInput(NOT_YOURS), counts=True)


def _fits(session: Session, desk: Desk, form: Form) -> None:
    new = form.fields.get("new", "")
    if new != form.fields.get("again", ""):
        raise Wrong("again", BadInput(say("The two are not the same. Please write the password twice.")))
    try:
        email = colleagues.own(session, desk.clinic.id, desk.signed.staff_id).email
        passwords.check(new, (email, desk.clinic.name), (staff.DEMO_PASSWORD,))
    except BadInput as error:
        raise Wrong("new", error) from None


def _confirm(session: Session, out: Wired, desk: Desk, form: Form) -> None:
    clinic_id, me, now = desk.clinic.id, desk.signed.staff_id, out.clock()
    if codes.waiting(session, clinic_id, me) is None:
        return  # sent twice: the first time did it
    # Again: else a browser left at the picture gives whoever finds it a code that the person themselves lacks.
    _is_mine(session, desk, form.fields.get("password", ""), "password")
    if not codes.accept(session, clinic_id, me, form.fields.get("code", ""), now):
        raise Wrong("code", BadInput(WRONG_CODE), counts=True)
    _note(desk, session, out, "staff.codes_begun")


def _refused(desk: Desk, out: Wired, wrong: Wrong) -> HTMLResponse:
    return _page(desk, out, {wrong.field: wrong.error})


def _page(
    desk: Desk,
    out: Wired,
    wrong: Mapping[str, OutreachError] | None = None,
    values: Mapping[str, str] | None = None,
    done: str = "",
) -> HTMLResponse:
    with out.sessions() as session:
        own = colleagues.own(session, desk.clinic.id, desk.signed.staff_id)
        secret = codes.waiting(session, desk.clinic.id, desk.signed.staff_id)
    shown: dict[str, Any] = {"locale": own.locale, "phone": own.phone} | dict(values or {})
    languages = [(code, Locale.parse(code).get_display_name(code) or code) for code in offered()]
    said = {name: desk.say(error) for name, error in (wrong or {}).items()}
    return desk.page(
        "account.html", 400 if wrong else 200, own=own, values=shown, wrong=said, languages=[("", languages)],
        secret=_spaced(secret), picture=_picture(secret, own.email, desk.clinic.name), done=DONE.get(done, ""),
    )  # fmt: skip


def _spaced(secret: str | None) -> str:
    """In fours, to be typed where nothing can be scanned."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)) if secret else ""


def _picture(secret: str | None, email: str, clinic: str) -> Markup:
    """The QR code as SVG in the page itself: it never is a file that somebody could ask for."""
    if secret is None:
        return Markup("")
    link = pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=clinic)
    drawn = segno.make(link, error="m").svg_inline(
        scale=5, border=4, dark="#000", light="#fff", svgclass=None, lineclass=None
    )
    return Markup(drawn)


def _note(desk: Desk, session: Session, out: Wired, action: str, detail: Mapping[str, object] | None = None) -> None:
    me = desk.signed.staff_id
    audit.note(session, clinic_id=desk.clinic.id, at=out.clock(), actor_kind="staff", actor_id=me, action=action,
               subject="staff", subject_id=me, detail=detail)  # fmt: skip
