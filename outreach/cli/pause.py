"""`outreach pause on|off|list`: the kill switches. What is held back waits as long as it is useful."""

from __future__ import annotations

import getpass
import json
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer

from outreach.actions.hold import choices, hold
from outreach.cli.alerts import id_of
from outreach.cli.opened import opened
from outreach.domain.brakes import Scope
from outreach.domain.window import moment
from outreach.errors import BadInput
from outreach.store import clinics, pauses
from outreach.store.pauses import Held

Clinic = Annotated[str | None, typer.Option("--clinic", help="Its short name; without it, every clinic.")]


def register(app: typer.Typer) -> None:
    switches = typer.Typer(help="Hold messages back: everything, a clinic, a sender, a sequence, a step or a language.",
                           no_args_is_help=True)  # fmt: skip
    switches.command("on")(switch_on)
    switches.command("off")(switch_off)
    switches.command("list")(listed)
    app.add_typer(switches, name="pause")


def switch_on(
    scope: Annotated[Scope, typer.Argument(help="What to hold back.")],
    key: Annotated[str, typer.Argument(help="Which: a sender's address or id, a sequence, a step, a language.")] = "",
    reason: Annotated[str, typer.Option(help="Why; people will ask.")] = "",
    clinic: Clinic = None,
    until: Annotated[str, typer.Option(help="When it ends by itself, such as 2026-11-28T08:00 at the clinic.")] = "",
) -> None:
    """Pause; nothing more leaves from the next claim on, a second or two. Prints the id to lift it by."""
    with opened() as out, out.sessions.begin() as session:
        chosen = clinics.chosen(session, clinic) if clinic is not None else None
        ends = instant(until, chosen.zone if chosen else "") if until else None
        known = choices(session, chosen.id if chosen else None, out.sequences, out.words.locales)
        made = hold(session, chosen.id if chosen else None, scope, key, known, reason=reason, actor=who(),
                    now=out.clock(), until=ends)  # fmt: skip
    print(f"{made}  paused. Lift it with: outreach pause off {made}")


def switch_off(pause_id: Annotated[str, typer.Argument(help="From `outreach pause list`.", metavar="ID")]) -> None:
    """Lift a pause and wake what waited for it."""
    with opened() as out, out.sessions.begin() as session:
        woken = pauses.lift(session, id_of(pause_id), who(), out.clock())
    print(f"lifted; {woken} messages that waited go on")


def listed(
    clinic: Clinic = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """What is paused, since when, by whom and why."""
    with opened() as out, out.sessions() as session:
        slugs = {one.id: one.slug for one in clinics.every(session)}
        chosen = clinics.chosen(session, clinic).id if clinic is not None else None
        found = pauses.listing(session, chosen, out.clock())
    if as_json:
        print(json.dumps([_row(one, slugs) for one in found], ensure_ascii=False, indent=1))
        return
    for one in found:
        row = _row(one, slugs)
        until = f" until {one.until:%Y-%m-%d %H:%MZ}" if one.until else ""
        what = " ".join(part for part in (one.scope.value, one.key) if part)
        print(f"{one.id}  {row['clinic']}  {what}  since {one.since:%Y-%m-%d %H:%MZ}{until}  {one.actor}: {one.reason}")
    if not found:
        print("nothing is paused")


def _row(one: Held, slugs: dict[UUID, str]) -> dict[str, str | None]:
    return {
        "id": str(one.id), "clinic": slugs.get(one.clinic_id, "-") if one.clinic_id else "every",
        "scope": one.scope.value, "key": one.key, "reason": one.reason, "by": one.actor, "since": one.since.isoformat(),
        "until": one.until.isoformat() if one.until else None,
    }  # fmt: skip


def who() -> str:
    """Whose login this is; a container may have none."""
    try:
        return f"operator:{getpass.getuser()}"
    except (KeyError, OSError):
        return "operator"


def instant(text: str, zone: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f'"{text}" is no time. Write it as 2026-11-28T08:00.') from None
    if at.tzinfo is not None:
        return at.astimezone(UTC)
    if not zone:
        raise BadInput(f"{text}: for every clinic, say by which clock, such as {text}Z or {text}+01:00.")
    return moment(at, zone).at
