"""Signing in and out."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from outreach.store import staff
from outreach.web.console.desk import AtDesk, Checked, SignInFirst, at_desk, cookie_name
from outreach.web.forms import Posted, Wired
from outreach.web.tries import Tries
from outreach.web.views import page

router = APIRouter()
FORM_COOKIE = "outreach_form"
PER_PERSON, PER_ACCOUNT, PER_ADDRESS = 6, 40, 60
WRONG = "That e-mail address and password do not belong together."
WAIT = "Too many tries. Wait a quarter of an hour, then try again."


@router.get("/sign-in")
def ask(request: Request, out: Wired) -> Response:
    """The form. Its secret is in a cookie and in the form: a foreign page can send neither pair."""
    try:
        at_desk(request, out)
    except SignInFirst:
        return _form(out, request.cookies.get(FORM_COOKIE, ""))
    return RedirectResponse("/today", 303)


@router.post("/sign-in")
def sign_in(request: Request, form: Posted, out: Wired) -> Response:
    """303 to today, or the form again with one sentence that does not tell which half was wrong."""
    fields, secret = form.fields, request.cookies.get(FORM_COOKIE, "")
    if not secret or not hmac.compare_digest(fields.get("form", "").encode(), secret.encode()):
        return _form(out, "", "The form had grown old. Please try again.", 403)
    now, tries = out.clock(), _tries(request)
    keys = _keys(request, fields.get("email", ""))
    if any(tries.too_many(key, limit, now) for key, limit in keys.items()):
        return _form(out, secret, WAIT, 429)
    with out.sessions.begin() as session:
        staff.forget_old_sessions(session, now)
        cookie = staff.sign_in(session, fields.get("email", ""), fields.get("password", ""), now)
    if cookie is None:
        for key in keys:
            tries.count(key, now)
        return _form(out, secret, WRONG, 403)
    tries.clear(next(iter(keys)))
    answer = RedirectResponse("/today", 303)
    _set(answer, out, cookie_name(out), cookie, "lax")
    answer.delete_cookie(FORM_COOKIE)
    return answer


@router.post("/sign-out")
def sign_out(desk: AtDesk, form: Checked, out: Wired) -> Response:
    """Ends the session on the server, then in the browser."""
    with out.sessions.begin() as session:
        staff.sign_out(session, desk.signed.session_id)
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(cookie_name(out), secure=_secure(out))
    return answer


def _form(out: Wired, secret: str, wrong: str = "", status: int = 200) -> HTMLResponse:
    secret = secret or secrets.token_urlsafe(24)
    answer = page("console/sign_in.html", status, form=secret, wrong=wrong, desk=None)
    _set(answer, out, FORM_COOKIE, secret, "strict")
    return answer


def _set(answer: Response, out: Wired, name: str, value: str, same_site: Literal["lax", "strict"]) -> None:
    answer.set_cookie(name, value, httponly=True, secure=_secure(out), samesite=same_site, path="/")


def _secure(out: Wired) -> bool:
    return out.settings.public_url.startswith("https:")


def _tries(request: Request) -> Tries:
    tries = request.app.state.tries
    assert isinstance(tries, Tries)
    return tries


def _keys(request: Request, email: str) -> dict[str, int]:
    """What is counted, and how much is too much: this pair, this account, this address. No e-mail address is kept."""
    here = request.client.host if request.client else "?"
    account = hashlib.sha256(email.strip().casefold().encode()).hexdigest()
    return {f"pair {here} {account}": PER_PERSON, f"account {account}": PER_ACCOUNT, f"from {here}": PER_ADDRESS}
