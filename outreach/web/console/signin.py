"""Signing in, with a code where somebody uses them, and out."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime
from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from outreach.domain.access import Role
from outreach.errors import Sentence, say
from outreach.settings import on_loopback
from outreach.store import audit, codes, staff, tries
from outreach.web.console.desk import AtDesk, Checked, cookie_name
from outreach.web.forms import Form, Posted, Wired, language_of
from outreach.web.tries import DEVICE, device_cookie, of_code, of_password
from outreach.web.views import page
from outreach.web.ways import landing

router = APIRouter()
FORM_COOKIE, HALF_COOKIE = "outreach_form", "outreach_half"
DEVICE_DAYS = 180
WRONG = say("That e-mail address and password do not belong together.")
WRONG_CODE = say("This code is not right, or it was used already. Wait for the next one.")
WAIT = say("Too many tries. Wait a quarter of an hour, then try again.")
OLD = say("The form had grown old. Please try again.")
DEMO_ONLY = say("This is a demo: one can sign in only on the machine it runs on.")


@router.get("/sign-in")
def ask(request: Request, out: Wired) -> Response:
    """The form. Its secret is in a cookie and in the form: a foreign page can send neither pair."""
    signed = _signed(request, out)
    return _form(out, request) if signed is None else RedirectResponse(landing(signed), 303)


@router.post("/sign-in")
def sign_in(request: Request, form: Posted, out: Wired) -> Response:
    """303 onwards, or the form again with one sentence that does not tell which half was wrong."""
    email, now = form.fields.get("email", ""), out.clock()
    if not _own_form(request, form):
        return _form(out, request, OLD, 403, email)
    with out.sessions.begin() as session:
        counted = of_password(out, request, email, staff.id_of(session, email))
        taken = tries.take(session, counted.limits, now)
    if taken is None:
        return _form(out, request, WAIT, 429, email)
    with out.sessions.begin() as session:
        staff.forget_old_sessions(session, now)
        known = staff.recognise(session, email, form.fields.get("password", ""))
        if known is None:
            return _form(out, request, WRONG, 403, email)
        if known.demo and not on_loopback(out.settings):
            return _form(out, request, DEMO_ONLY, 403, email)
        tries.clear(session, taken, counted.pair)
        if not known.code:
            return _enter(out, request, session, (known.clinic_id, known.staff_id, known.role), now)
        cookie = staff.begin_session(session, known.clinic_id, known.staff_id, now, half=True)
    answer = RedirectResponse("/sign-in/code", 303)
    _set(answer, out, HALF_COOKIE, cookie, "strict")
    return answer


@router.get("/sign-in/code")
def ask_code(request: Request, out: Wired) -> Response:
    """The second step, for five minutes after the password; then the first one again."""
    with out.sessions() as session:
        half = staff.half_by_cookie(session, request.cookies.get(HALF_COOKIE, ""), out.clock())
    return _code_form(request) if half else RedirectResponse("/sign-in", 303)


@router.post("/sign-in/code")
def check_code(request: Request, form: Posted, out: Wired) -> Response:
    """303 onwards with a code of now that nobody has used; the form again otherwise."""
    now = out.clock()
    with out.sessions.begin() as session:
        half = staff.half_by_cookie(session, request.cookies.get(HALF_COOKIE, ""), now)
        if half is None or not _own_form(request, form):
            return RedirectResponse("/sign-in", 303)
        counted = of_code(out, request, half.staff_id)
        taken = tries.take(session, counted.limits, now)
    if taken is None:
        return _code_form(request, WAIT, 429)
    with out.sessions.begin() as session:
        if not codes.accept(session, half.clinic_id, half.staff_id, form.fields.get("code", ""), now):
            return _code_form(request, WRONG_CODE, 403)
        tries.clear(session, taken, counted.pair)
        staff.sign_out(session, half.session_id)
        return _enter(out, request, session, (half.clinic_id, half.staff_id, half.role), now)


@router.post("/sign-out")
def sign_out(desk: AtDesk, form: Checked, out: Wired) -> Response:
    """Ends the session on the server, then in the browser."""
    with out.sessions.begin() as session:
        staff.sign_out(session, desk.signed.session_id)
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(cookie_name(out), secure=_secure(out))
    return answer


def set_session(answer: Response, out: Wired, cookie: str) -> None:
    """Give the browser its new session."""
    _set(answer, out, cookie_name(out), cookie, "lax")


def _enter(
    out: Wired, request: Request, session: Session, who: tuple[UUID, UUID, Role], now: datetime
) -> Response:  # fmt: skip
    """A session that no browser knew before; whatever session this browser brought along ends."""
    clinic_id, staff_id, role = who
    staff.end_by_cookie(session, request.cookies.get(cookie_name(out), ""))
    cookie = staff.begin_session(session, clinic_id, staff_id, now)
    audit.note(session, clinic_id=clinic_id, at=now, actor_kind="staff", actor_id=staff_id, action="staff.signed_in",
               subject="staff", subject_id=staff_id)  # fmt: skip
    answer = RedirectResponse(landing(role), 303)
    set_session(answer, out, cookie)
    _set(answer, out, DEVICE, device_cookie(out, request, staff_id), "strict", DEVICE_DAYS * 86_400)
    for name in (FORM_COOKIE, HALF_COOKIE):
        answer.delete_cookie(name, secure=_secure(out))
    return answer


def _signed(request: Request, out: Wired) -> Role | None:
    """Who this browser has signed in already, whatever they may see."""
    with out.sessions() as session:
        found = staff.by_cookie(session, request.cookies.get(cookie_name(out), ""), out.clock())
    return found[0].role if found else None


def _own_form(request: Request, form: Form) -> bool:
    secret = request.cookies.get(FORM_COOKIE, "")
    return bool(secret) and hmac.compare_digest(form.fields.get("form", "").encode(), secret.encode())


def _form(out: Wired, request: Request, wrong: Sentence | str = "", status: int = 200, email: str = "") -> HTMLResponse:
    secret = request.cookies.get(FORM_COOKIE, "") or secrets.token_urlsafe(24)
    done = say("Your password is set. Sign in with it now.") if request.query_params.get("set") else ""
    answer = page("console/sign_in.html", status, staff_locale=language_of(request), form=secret, wrong=wrong,
                  done=done, email=email, desk=None)  # fmt: skip
    _set(answer, out, FORM_COOKIE, secret, "strict")
    return answer


def _code_form(request: Request, wrong: Sentence | str = "", status: int = 200) -> HTMLResponse:
    secret = request.cookies.get(FORM_COOKIE, "")
    return page(
        "console/sign_in_code.html", status, staff_locale=language_of(request), form=secret, wrong=wrong, desk=None
    )


def _set(
    answer: Response, out: Wired, name: str, value: str, same_site: Literal["lax", "strict"], age: int | None = None
) -> None:
    answer.set_cookie(name, value, httponly=True, secure=_secure(out), samesite=same_site, path="/", max_age=age)


def _secure(out: Wired) -> bool:
    return out.settings.public_url.startswith("https:")
