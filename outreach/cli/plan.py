"""`outreach plan`: what a patient would get and when, for an infusion at a given time; nothing is stored or sent."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from outreach.actions.load import SEQUENCE
from outreach.content import sequences
from outreach.content.yaml_lines import suggest
from outreach.domain import plan as planner
from outreach.domain.channel import Channel
from outreach.domain.message import Planned
from outreach.domain.sequence import Sequence
from outreach.domain.window import moment, tz_version, wall_at
from outreach.domain.window import zone as timezone_of
from outreach.errors import BadInput, OutreachError
from outreach.settings import ROOT

NOBODY = UUID(int=0)


def register(app: typer.Typer) -> None:
    app.command("plan")(plan)


def plan(
    start: Annotated[str, typer.Option(help="The infusion's local time, such as 2026-11-28T10:00.")],
    zone: Annotated[str, typer.Option(help="The patient's time zone, such as America/Vancouver.")],
    clinic_zone: Annotated[str | None, typer.Option(help="The clinic's time zone, where it differs.")] = None,
    minutes: Annotated[int, typer.Option(help="How long the infusion takes.")] = 60,
    sequence: Annotated[str, typer.Option(help="A file of config/sequences, without .yaml.")] = SEQUENCE,
    now: Annotated[str | None, typer.Option(help="Plan as if it were this time (patient's zone unless given).")] = None,
    channels: Annotated[str, typer.Option(help="The channels the patient has.")] = "sms,email",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Print the messages around one infusion: step, channel, local time, UTC, offset, and the rule used."""
    try:
        visit = planner.Visit(NOBODY, NOBODY, _wall(start), clinic_zone or zone, _length(minutes))
        messages = planner.plan(_sequence(sequence), [visit], zone, _channels(channels), _now(now, zone))
    except OutreachError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    rows = [_row(message) for message in messages]
    if as_json:
        about = {"tz_version": tz_version(), "sequence": sequence, "zone": zone}
        typer.echo(json.dumps(about | {"messages": rows}, indent=2))
    else:
        Console(width=None if Console().is_terminal else 160).print(_table(rows, sequence, zone))


def _sequence(name: str) -> Sequence:
    folder = ROOT / "templates" / "messages"
    known = {path.name for path in folder.glob("*.*") if path.is_dir()}
    return sequences.load(sequences.find(ROOT / "config" / "sequences", name), known or None)


def _wall(text: str) -> datetime:
    time = _time(text, "--start", "2026-11-28T10:00")
    if time.tzinfo is not None:
        raise BadInput(f'--start "{text}" carries an offset. Write the local time alone, such as 2026-11-28T10:00.')
    return time


def _now(text: str | None, zone: str) -> datetime:
    if text is None:
        return datetime.now(UTC)
    time = _time(text, "--now", "2026-11-20T09:00 or 2026-11-20T17:00Z")
    return time if time.tzinfo else moment(time, zone).at


def _time(text: str, option: str, example: str) -> datetime:
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadInput(f'{option} "{text}" is not a date and time. Write it like {example}.') from None
    if len(text.strip()) <= len("2026-11-28"):
        raise BadInput(f'{option} "{text}" has no time of day. Write it like {example}.')
    if not 2000 <= time.year <= 2100:
        raise BadInput(f'{option} "{text}" is not a year we plan for. Write it like {example}.')
    return time


def _length(minutes: int) -> int:
    if not 0 < minutes <= 24 * 60:
        raise BadInput(f"--minutes {minutes} is not the length of an infusion. Give 1 to 1440.")
    return minutes


def _channels(text: str) -> frozenset[Channel]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    known = [channel.value for channel in Channel]
    if wrong := [name for name in names if name not in known]:
        raise BadInput(f'--channels: "{wrong[0]}" is not a channel. {suggest(wrong[0], known)}')
    if not names:
        raise BadInput(f"--channels is empty. Give some of: {', '.join(known)}.")
    return frozenset(Channel(name) for name in names)


def _row(message: Planned) -> dict[str, Any]:
    local = message.due_at.astimezone(timezone_of(message.zone))
    return {
        "step": message.step,
        "channel": message.channel.value,
        "local": message.wall.isoformat(timespec="minutes"),
        "zone": message.zone,
        "utc": message.due_at.strftime("%Y-%m-%dT%H:%MZ"),
        "offset": local.strftime("%z")[:3] + ":" + local.strftime("%z")[3:5],
        "rule": message.rule,
        "useful_until": wall_at(message.useful_until, message.zone).isoformat(timespec="minutes"),
        "status": message.status.value,
        "reason": message.reason.value if message.reason else None,
    }


def _table(rows: list[dict[str, Any]], sequence: str, zone: str) -> Table:
    table = Table(title=f"{sequence}, for a patient in {zone} (zone data {tz_version()})", title_justify="left")
    for column in ("Step", "Channel", "Local time", "UTC", "Offset", "Rule", "Status"):
        table.add_column(column, overflow="fold")  # a narrow terminal breaks a time, never cuts it
    for row in rows:
        ended = row["status"] + (f" ({row['reason'].replace('_', ' ')})" if row["reason"] else "")
        local = datetime.fromisoformat(row["local"]).strftime("%a %Y-%m-%d %H:%M")
        table.add_row(row["step"], row["channel"], local, row["utc"], row["offset"], row["rule"], ended)
    return table
