"""Delivery: what was planned, sent and delivered over some days, what went wrong, what it cost; and to take away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from babel.dates import format_skeleton
from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from outreach.domain.status import Status
from outreach.domain.window import wall_at
from outreach.errors import Sentence, say
from outreach.store import counts, senders
from outreach.web import charts, sheets
from outreach.web.console import figures
from outreach.web.console.desk import AtDesk, Desk
from outreach.web.forms import Wired
from outreach.web.views import language

router = APIRouter()
RANGES = (7, 30, 90)
LONGEST = 366
MOST_ROWS = 50_000
HEAD = ("day", "channel", "language", "message", "sender", "status", "reason", "messages", "sms_parts", "answered")
_DAY = timedelta(days=1)


class Span(NamedTuple):
    """The days that are looked at, both included; `length` of 0 where they were typed."""

    first: date
    last: date
    length: int = 0

    @property
    def query(self) -> str:
        """As it stands in an address."""
        if self.length:
            return f"days={self.length}"
        return f"days=0&first={self.first.isoformat()}&last={self.last.isoformat()}"


@dataclass(frozen=True)
class Asked:
    """What the address asks for: the span, what to tell apart by; what was typed, and what is wrong with it."""

    span: Span
    by: str
    typed: Mapping[str, str]
    wrong: Mapping[str, Sentence]


@router.get("/delivery")
def shown(desk: AtDesk, out: Wired, days: str = "", first: str = "", last: str = "", by: str = "") -> HTMLResponse:
    """All figures of the page come from tallies, in one query."""
    asked = read(days, first, last, by, wall_at(out.clock(), desk.clinic.zone).date())
    span = asked.span
    with out.sessions() as session:
        found = counts.figures(session, desk.clinic.id, span.first, span.last, asked.by)
        as_of = counts.as_of(session, desk.clinic.id, span.first, span.last)
        named = _names(session, desk)
    asking = {step.key: step for one in out.sequences.values() for step in one.steps if step.asks}
    by_step = figures.kinds(found, "step")
    shown_kinds = by_step if asked.by == "step" else figures.kinds(found, asked.by)
    answers = figures.answering(by_step, asking)
    course = figures.trend(found, asked.by, span.first, span.last)
    return desk.page(
        "delivery.html", 422 if asked.wrong else 200, asked=asked, span=span, ranges=RANGES, as_of=as_of,
        whole=figures.whole(found), cancelled=figures.cancelled(found),
        kinds=shown_kinds, course=course, rate=figures.rate, few=figures.FEW,
        hidden=figures.untold(shown_kinds, answers),
        table=[(datetime.combine(day, time()), values) for day, values in course.bars],
        plot=lambda titles: _plot(desk, course, titles), tells=named, answers=answers,
        failures=figures.causes(found, figures.TROUBLE),
        withheld=figures.causes(found, (Status.SUPPRESSED, Status.EXPIRED)),
    )  # fmt: skip


@router.get("/delivery.csv")
def as_csv(desk: AtDesk, out: Wired, days: str = "", first: str = "", last: str = "") -> Response:
    """The tallies of the days looked at, a line for each kind of message a day."""
    span = _exported(out, desk, days, first, last)
    return _file(sheets.as_csv(HEAD, _rows(desk, out, span)), "text/csv; charset=utf-8", span, "csv")


@router.get("/delivery.xlsx")
def as_xlsx(desk: AtDesk, out: Wired, days: str = "", first: str = "", last: str = "") -> Response:
    """The same as a workbook."""
    span = _exported(out, desk, days, first, last)
    return _file(sheets.as_xlsx("delivery", HEAD, _rows(desk, out, span)), sheets.XLSX, span, "xlsx")


def read(days: str, first: str, last: str, by: str, today: date) -> Asked:
    """The last 30 days where nothing, or nothing that can be read, is asked for; faults stand at their fields."""
    by = by if by in counts.BY else "channel"
    usual = Span(today - 29 * _DAY, today, 30)
    typed = {"first": first, "last": last}
    if length := next((one for one in RANGES if str(one) == days), 0):
        return Asked(Span(today - (length - 1) * _DAY, today, length), by, typed, {})
    if not first and not last:
        return Asked(usual, by, typed, {})
    wrong: dict[str, Sentence] = {}
    begin, end = _day("first", first, wrong), _day("last", last or today.isoformat(), wrong)
    if begin and end and begin > end:
        wrong["last"] = say("The last day comes before the first one.")
    elif begin and end and (end - begin).days >= LONGEST:
        wrong["first"] = say("Choose at most %(n)s days at a time.", n=LONGEST)
    return Asked(Span(begin, end) if begin and end and not wrong else usual, by, typed, wrong)


def _day(name: str, text: str, wrong: dict[str, Sentence]) -> date | None:
    try:
        found = date.fromisoformat(text.strip())
    except ValueError:
        wrong[name] = say("Write a day like 2026-11-28.")
        return None
    if not 2000 <= found.year <= 2100:
        wrong[name] = say("Write a day like 2026-11-28.")
        return None
    return found


def _names(session: Session, desk: Desk) -> dict[str, Callable[[str], str]]:
    """How what stands in tallies is called, where it is no word of ours."""
    addresses = {str(one.id): one.address for one in senders.listing(session, desk.clinic.id)}
    return {"sender": lambda key: addresses.get(key, ""), "locale": lambda key: language(key, desk.signed.locale)}


def _plot(desk: Desk, course: figures.Trend, titles: Mapping[str, str]) -> str:
    """The course of days; `titles` are the words for series and plot, made where words are: in the template."""
    bars = [(format_skeleton("MMMd", day, locale=desk.signed.locale), values) for day, values in course.bars]
    series = titles["series"].split("\n")
    return charts.stacked(charts.Bars(titles["title"], titles["about"], series, bars), desk.number)


def _exported(out: Wired, desk: Desk, days: str, first: str, last: str) -> Span:
    asked = read(days, first, last, "", wall_at(out.clock(), desk.clinic.zone).date())
    if asked.wrong:
        raise HTTPException(422, desk.say(next(iter(asked.wrong.values()))))
    return asked.span


def _rows(desk: Desk, out: Wired, span: Span) -> list[list[sheets.Cell]]:
    with out.sessions() as session:
        found = counts.rows(session, desk.clinic.id, span.first, span.last, MOST_ROWS)
        sender = _names(session, desk)["sender"]
    return [[row[0].isoformat(), *row[1:4], sender(row[4]), *row[5:]] for row in found]


def _file(body: bytes, kind: str, span: Span, ending: str) -> Response:
    name = f"delivery-{span.first.isoformat()}-{span.last.isoformat()}.{ending}"
    return Response(body, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
