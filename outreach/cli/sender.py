"""`outreach sender list|add|set|retire`: the numbers, messaging services and mailboxes that clinics write from."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

import phonenumbers
import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session

from outreach.actions import twice
from outreach.cli.opened import opened
from outreach.content.yaml_lines import suggest
from outreach.domain import contact
from outreach.domain.channel import Channel
from outreach.errors import BadInput, NotAllowed, NotFound
from outreach.store import clinics, senders
from outreach.store.senders import CARRIERS, Entry
from outreach.wiring import Outreach

Clinic = Annotated[str | None, typer.Option(help="Its short name; needed where there are several.")]
Kind = Annotated[Channel, typer.Option(help="What it sends.")]
Address = Annotated[str, typer.Option(help="+12025550143, a messaging service (MG…) or a short code; or a mailbox.")]
Carrier = Annotated[str | None, typer.Option(help="One of those in the settings; twilio or smtp unless said.")]
Weight = Annotated[int | None, typer.Option(min=1, help="Its share of the patients: proportional to --per-second.")]
PerSecond = Annotated[
    float | None, typer.Option(min=0, help="Segments (SMS) or mails it may carry each second; 0: no limit.")
]
Burst = Annotated[float | None, typer.Option(min=1, help="How many of them at once after a rest.")]


def register(commands: typer.Typer) -> None:
    app = typer.Typer(help="What clinics write from, and how much each may carry.", no_args_is_help=True)
    app.command("list")(listed)
    app.command("add")(add)
    app.command("set")(change)
    app.command("retire")(retire)
    commands.add_typer(app, name="sender")


def listed(
    clinic: Annotated[str | None, typer.Option(help="Its short name; every clinic's without it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Every sender: channel, address, carrier, share of the patients, limit."""
    with opened() as out, out.sessions() as session:
        names = {one.id: one.slug for one in clinics.every(session)}
        found = senders.listing(session, clinics.chosen(session, clinic).id if clinic is not None else None)
    if as_json:
        print(json.dumps([_plain(one, names) for one in found], indent=1))
    elif found:
        Console(width=None if Console().is_terminal else 140).print(_table(found, names))
    else:
        print("There is no sender. Add one: outreach sender add --channel sms --address +12025550143")


def add(
    channel: Kind,
    address: Address,
    clinic: Clinic = None,
    carrier: Carrier = None,
    weight: Weight = None,
    per_second: PerSecond = None,
    burst: Burst = None,
) -> None:
    """Add a sender, or bring back a retired one. Only the patients who fall to it change their sender."""
    with opened() as out, out.sessions.begin() as session:
        mine = clinics.chosen(session, clinic)
        wanted = address_of(channel, address)
        name = _carrier(out, channel, carrier)
        known = {one.clinic_id: one for one in senders.owner(session, channel, wanted)}
        if channel is Channel.SMS and known.keys() - {mine.id}:
            raise BadInput("Another clinic writes from this number. A STOP that comes back to it can be for one only.")
        values = _limits(weight, per_second, burst)
        if mine.id not in known:
            senders.add(session, mine.id, channel, wanted, carrier=name, **values)
        elif known[mine.id].active:
            raise BadInput(f"{mine.slug} has this sender already. Change it with `outreach sender set`.")
        else:
            senders.change(session, known[mine.id].id, active=True, carrier=name, **values)
        share = next(one.share for one in senders.listing(session, mine.id) if one.address == wanted and one.active)
        who = _who_answers(session, out, mine.id, mine.slug, channel, name)
    print(f"{wanted} sends for {mine.slug}, to {share:.0%} of its patients with {_spoken(channel)}{who}")


def change(
    channel: Kind,
    address: Address,
    clinic: Clinic = None,
    carrier: Carrier = None,
    weight: Weight = None,
    per_second: PerSecond = None,
    burst: Burst = None,
) -> None:
    """Change what is named; the rest stays. The next claim, within a second, goes by it."""
    with opened() as out, out.sessions.begin() as session:
        mine = clinics.chosen(session, clinic)
        one = _sender(session, mine.id, channel, address)
        values = _limits(weight, per_second, burst)
        if carrier is not None:
            values["carrier"] = _carrier(out, channel, carrier)
        if not values:
            raise BadInput("Nothing to change. Give --weight, --per-second, --burst or --carrier.")
        senders.change(session, one.id, **values)
        who = _who_answers(session, out, mine.id, mine.slug, channel, values["carrier"]) if carrier is not None else ""
    told = ", ".join(f"{key.replace('_', ' ')} {_shown(value)}" for key, value in values.items())
    print(f"{one.address}: {told}{who}")


def retire(
    channel: Kind,
    address: Address,
    clinic: Clinic = None,
    force: Annotated[
        bool, typer.Option("--force", help="Even if it is the clinic's last one of this channel.")
    ] = False,
) -> None:
    """Send nothing more from it. What patients write to it is still heard; they hear from another sender now."""
    with opened() as out, out.sessions.begin() as session:
        mine = clinics.chosen(session, clinic)
        one = _sender(session, mine.id, channel, address)
        others = [o for o in senders.listing(session, mine.id) if o.active and o.channel is channel and o.id != one.id]
        waiting = senders.waiting(session, mine.id, channel)
        if not others and not force:
            raise NotAllowed(
                f"{one.address} is the last sender of {mine.slug} for {_spoken(channel)}: {waiting} planned messages"
                " would wait for another one, and expire when they are of no use any more. Add another first, or give"
                " --force."
            )
        senders.change(session, one.id, active=False)
    what = f"{waiting} planned messages go by {len(others)} other{'s' * (len(others) != 1)}"
    print(f"{one.address} is retired; {what if others else f'{waiting} planned messages wait for another sender'}")


def address_of(channel: Channel, text: str) -> str:
    """A sender's address in normal form; BadInput says what would be right."""
    given = text.strip()
    if channel is Channel.EMAIL:
        return contact.email(given)
    if re.fullmatch(r"MG[0-9a-f]{32}|\d{5,6}", given):
        return given
    if given.startswith("MG"):
        raise BadInput(f'"{given}" is not a messaging service: MG is followed by 32 digits or letters a to f.')
    try:
        number = phonenumbers.parse(given)
    except phonenumbers.NumberParseException:
        number = None
    # Not contact.phone: patients cannot have a toll-free number, senders can.
    if number is None or not phonenumbers.is_possible_number(number) or number.extension:
        raise BadInput(f'"{given}" is not a number to send from. Write it with + and the country code: +12025550143.')
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _sender(session: Session, clinic_id: UUID, channel: Channel, address: str) -> Entry:
    wanted = address_of(channel, address)
    mine = [one for one in senders.listing(session, clinic_id) if one.active and one.channel is channel]
    found = next((one for one in mine if one.address == wanted), None)
    if found is None:
        there = ", ".join(one.address for one in mine) or "none"
        raise NotFound(f"The clinic does not send {_spoken(channel)} from {wanted}. Its senders: {there}.")
    return found


def _who_answers(session: Session, out: Outreach, clinic_id: UUID, slug: str, channel: Channel, name: str) -> str:
    """Who answers STOP and HELP now that a sender goes by this carrier; "" where nothing is to be said."""
    if name not in out.answering:
        if channel is Channel.SMS and twice.left_alone(session, clinic_id, out.answering):
            return (
                f"\nThe settings of {slug} say that the carrier answers STOP and HELP. {name} does not do so by itself:"
                " have it switched on with them, or change the setting, or patients get no answer."
            )
        return ""
    if twice.expect(session, clinic_id, out.answering, out.clock()):
        return (
            f"\n{name} answers STOP, START and HELP by itself, so {slug} no longer does. If you have that switched off"
            " with them, say so in the settings of the clinic."
        )
    if twice.answered_twice(session, clinic_id, out.answering):
        return (
            f"\n{name} answers STOP, START and HELP by itself unless you had that switched off, and {slug} does as"
            " well: patients may get two answers. The settings of the clinic say who answers."
        )
    return ""


def _carrier(out: Outreach, channel: Channel, name: str | None) -> str:
    """The carrier's name, if it is configured and carries this channel."""
    known = {key: provider.channel for key, provider in out.providers.items()}
    if out.settings.sandbox:
        known = {"twilio": Channel.SMS, "smtp": Channel.EMAIL} | known  # the sandbox plays both
    able = sorted(key for key, carries in known.items() if carries is channel)
    wanted = name or CARRIERS[channel]
    if wanted not in able:
        what = f'"{wanted}" carries no {_spoken(channel)}' if wanted in known else f'There is no carrier "{wanted}"'
        remedy = suggest(wanted, able) if able else "Configure one first; see the settings of carriers."
        raise BadInput(f"{what}. {remedy}")
    return wanted


def _limits(weight: int | None, per_second: float | None, burst: float | None) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if weight is not None:
        given["weight"] = weight
    if per_second is not None:
        given["per_second"] = per_second or None
    if burst is not None:
        given["burst"] = burst
    return given


def _plain(one: Entry, names: Mapping[UUID, str]) -> dict[str, Any]:
    return asdict(one) | {"id": str(one.id), "clinic_id": str(one.clinic_id), "channel": one.channel.value,
                          "clinic": names.get(one.clinic_id, "?"), "share": round(one.share, 4)}  # fmt: skip


def _table(found: list[Entry], names: Mapping[UUID, str]) -> Table:
    table = Table(title="Senders", title_justify="left")
    for column in ("Clinic", "Channel", "Address", "Carrier", "Weight", "Patients", "A second", "At once", ""):
        table.add_column(column, overflow="fold")
    for one in found:
        table.add_row(
            names.get(one.clinic_id, "?"), one.channel.value, one.address, one.carrier, str(one.weight),
            f"{one.share:.0%}", _shown(one.per_second), f"{one.burst:g}", "" if one.active else "retired",
        )  # fmt: skip
    return table


def _shown(value: object) -> str:
    return "no limit" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _spoken(channel: Channel) -> str:
    return "texts" if channel is Channel.SMS else "e-mail" if channel is Channel.EMAIL else channel.value
