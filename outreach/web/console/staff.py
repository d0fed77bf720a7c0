"""Who works at the clinic: inviting, roles, leaving; and the page where an invited person sets a password."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

from outreach.actions import appoint, invite
from outreach.domain import contact
from outreach.domain.access import Role
from outreach.errors import BadInput, NotAllowed, NotFound, OutreachError, say
from outreach.store import colleagues, invites
from outreach.web.console.desk import AtDesk, Checked, Desk
from outreach.web.forms import Form, Posted, Wired, id_of, language_of
from outreach.web.views import page

router = APIRouter()
MOST_NAME = 120
SHOWN = 40
"""People of one page; who comes after them by name is a link away."""
DONE = {
    "role": say("The role is changed. Whoever has it signs in anew."),
    "out": say("They can no longer sign in."),
    "back": say("They can sign in again, with the role and password they had."),
    "codes": say("No code is asked of them any more. They can set up a new telephone under their account."),
}


@router.get("/staff")
def listed(desk: AtDesk, out: Wired, done: str = "", after: str = "") -> HTMLResponse:
    """Everybody of the clinic; inviting somebody is at the end of the page."""
    return _page(desk, out, done=DONE.get(done, ""), after=after)


@router.post("/staff")
def invited(desk: AtDesk, form: Checked, out: Wired) -> Response:
    """Add somebody, and show their link this once."""
    fields = form.fields
    name, email, wrong = fields.get("name", "").strip(), fields.get("email", ""), dict[str, OutreachError]()
    role = Role(fields["role"]) if fields.get("role") in set(Role) else Role.VIEWER
    if not 0 < len(name) <= MOST_NAME:
        wrong["name"] = BadInput(say("Write a name of at most %(most)s characters.", most=MOST_NAME))
    if fields.get("role") not in set(Role):
        wrong["role"] = BadInput(say("Choose what this person is to do."))
    try:
        email = contact.email(email)
        if not wrong:
            with out.sessions.begin() as session:
                staff_id, token = invite.invite(
                    session, clinic_id=desk.clinic.id, email=email, name=name, role=role, now=out.clock(),
                    by=desk.signed.staff_id, locale=desk.signed.locale,
                )  # fmt: skip
            return _link(desk, out, staff_id, token)
    except BadInput as error:
        wrong["email"] = error
    return _page(desk, out, 400, values=fields, wrong=wrong)


@router.post("/staff/{staff_id}/invite")
def invited_again(desk: AtDesk, form: Checked, staff_id: str, out: Wired) -> Response:
    """A new link for somebody who lost theirs, or their password."""
    person = id_of(staff_id)
    try:
        with out.sessions.begin() as session:
            token = invite.invite_again(session, desk.clinic.id, person, out.clock(), by=desk.signed.staff_id)
    except NotAllowed as error:
        return _page(desk, out, 409, refused=error)
    return _link(desk, out, person, token)


@router.post("/staff/{staff_id}")
def changed(desk: AtDesk, form: Checked, staff_id: str, out: Wired) -> Response:
    """Change a role, let somebody out or back in, take their codes away: what the button says."""
    done = form.fields.get("do", "")
    try:
        with out.sessions.begin() as session:
            _do(session, desk, id_of(staff_id), form, out.clock())
    except (NotAllowed, BadInput) as error:
        return _page(desk, out, 409 if isinstance(error, NotAllowed) else 400, refused=error)
    return RedirectResponse(f"/staff?done={done}", 303)


def _do(session: Session, desk: Desk, person: UUID, form: Form, now: datetime) -> None:
    clinic_id, by = desk.clinic.id, desk.signed.staff_id
    match form.fields.get("do", ""):
        case "role":
            appoint.appoint(session, clinic_id, person, _role(session, clinic_id, person, form), now, by=by)
        case "out":
            appoint.dismiss(session, clinic_id, person, now, by=by)
        case "back":
            appoint.bring_back(session, clinic_id, person, now, by=by)
        case "codes":
            appoint.take_codes(session, clinic_id, person, now, by=by)
        case _:
            colleagues.row(session, clinic_id, person)
            raise BadInput(say("This form is not one of ours. Load the page again."))


@router.get("/invite/{token}")
def open_invitation(request: Request, token: str, out: Wired) -> HTMLResponse:
    """The page on which an invited person chooses a password; the same refusal for every link that is not good."""
    return _invitation(request, out, token)


@router.post("/invite/{token}")
def take_invitation(request: Request, token: str, form: Posted, out: Wired) -> Response:
    """Sets the password; then the person signs in like everybody."""
    password = form.fields.get("password", "")
    if password != form.fields.get("again", ""):
        return _invitation(
            request, out, token, BadInput(say("The two are not the same. Please write the password twice."))
        )
    try:
        with out.sessions.begin() as session:
            invite.accept(session, token, password, out.clock())
    except BadInput as error:
        return _invitation(request, out, token, error)
    except NotFound:
        return _invitation(request, out, token)
    return RedirectResponse("/sign-in?set=1", 303)


def _page(
    desk: Desk,
    out: Wired,
    status: int = 200,
    *,
    values: dict[str, str] | None = None,
    wrong: dict[str, OutreachError] | None = None,
    refused: OutreachError | None = None,
    done: str = "",
    after: str = "",
) -> HTMLResponse:
    try:
        below = UUID(after)
    except ValueError:
        below = None  # an old or garbled address shows the first page
    with out.sessions() as session:
        people, following = colleagues.page(session, desk.clinic.id, out.clock(), SHOWN, below)
    said = {name: desk.say(error) for name, error in (wrong or {}).items()}
    return desk.page(
        "staff.html", status, people=people, roles=list(Role), values=values or {}, wrong=said,
        refused=desk.say(refused) if refused else "", done=desk.say(done) if done else "",
        following=following, after=after,
    )  # fmt: skip


def _link(desk: Desk, out: Wired, staff_id: UUID, token: str) -> HTMLResponse:
    now = out.clock()
    with out.sessions() as session:
        person = colleagues.one(session, desk.clinic.id, staff_id, now)
    link = f"{out.settings.public_url}/invite/{token}"
    return desk.page("staff_link.html", person=person, link=link, until=now + invites.GOOD_FOR)


def _invitation(request: Request, out: Wired, token: str, wrong: OutreachError | None = None) -> HTMLResponse:
    with out.sessions() as session:
        invited = invites.whose(session, token, out.clock())
    if invited is None:
        return page("console/invitation_over.html", 410, staff_locale=language_of(request), desk=None)
    return page("console/invitation.html", 400 if wrong else 200, staff_locale=language_of(request), desk=None,
                invited=invited, token=token, wrong=wrong.args[0] if wrong else "")  # fmt: skip


def _role(session: Session, clinic_id: UUID, person: UUID, form: Form) -> Role:
    if form.fields.get("role") in set(Role):
        return Role(form.fields["role"])
    colleagues.row(session, clinic_id, person)
    raise BadInput(say("Choose what this person is to do."))
