"""`outreach staff list|add-administrator|recover`: the first administrator, and the way back in."""

from __future__ import annotations

import sys
from getpass import getpass
from typing import Annotated

import typer

from outreach.actions import invite
from outreach.cli.opened import opened
from outreach.domain import contact
from outreach.domain import password as passwords
from outreach.domain.access import Role
from outreach.errors import BadInput
from outreach.store import clinics, colleagues, staff
from outreach.store.invites import GOOD_FOR

Clinic = Annotated[str | None, typer.Option(help="Its short name; needed where there are several.")]
Email = Annotated[str, typer.Option(help="What they sign in with.")]


def register(commands: typer.Typer) -> None:
    app = typer.Typer(help="Who signs in.", no_args_is_help=True)
    app.command("list")(listed)
    app.command("add-administrator")(add_administrator)
    app.command("recover")(recover)
    commands.add_typer(app, name="staff")


def listed(clinic: Clinic = None) -> None:
    """Everybody of a clinic: id, role, and whether they can sign in. Names and addresses are not printed."""
    with opened() as out, out.sessions() as session:
        for one in colleagues.listing(session, clinics.chosen(session, clinic).id, out.clock()):
            state = "left" if not one.active else "can sign in" if one.joined else "invited"
            print(f"{one.id}  {one.role.value:<13}  {state}{', with codes' if one.codes else ''}")


def add_administrator(
    email: Email,
    clinic: Clinic = None,
    name: Annotated[str, typer.Option(help="The name that colleagues see.")] = "",
    ask: Annotated[bool, typer.Option("--password", help="Ask for a password here instead of making a link.")] = False,
) -> None:
    """Add an administrator; print a link with which they set a password, or ask for one without showing it."""
    password = _asked(email) if ask else ""
    with opened() as out, out.sessions.begin() as session:
        mine = clinics.chosen(session, clinic)
        staff_id, token = invite.invite(
            session, clinic_id=mine.id, email=email, name=name.strip() or contact.email(email).partition("@")[0],
            role=Role.ADMINISTRATOR, now=out.clock(), by=None,
        )  # fmt: skip
        if password:
            invite.accept(session, token, password, out.clock())
        slug, base = mine.slug, out.settings.public_url
    print(f"{staff_id} administers {slug}")
    if not password:
        _print_link(base, token)


def recover(email: Email) -> None:
    """A new link for somebody who lost password or telephone; no code is asked of them any more."""
    with opened() as out, out.sessions.begin() as session:
        staff_id = staff.id_of(session, email)
        if staff_id is None:
            raise BadInput("Nobody signs in with this address. `outreach staff list` shows who does.")
        token = invite.recover(session, staff.clinic_id_of(session, staff_id), staff_id, out.clock())
        base = out.settings.public_url
    _print_link(base, token)


def _asked(email: str) -> str:
    if not sys.stdin.isatty():
        raise BadInput("--password asks at a terminal, and this is none. Leave it out to get a link.")
    password = getpass("Password: ")
    passwords.check(password, (email,), (staff.DEMO_PASSWORD,))
    if getpass("The same once more: ") != password:
        raise BadInput("The two are not the same. Nothing was done.")
    return password


def _print_link(base: str, token: str) -> None:
    print(f"Hand this link over; it is good once, for {GOOD_FOR.days} days, and shown only now:\n{base}/invite/{token}")
