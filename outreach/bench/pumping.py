"""Floor and engine by turns in one process: bare posts through the provider, then the whole pump over due messages."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import uvloop
from sqlalchemy import func, select

from outreach.actions.dispatch import Pump, drain
from outreach.bench.ground import Ground, settle
from outreach.bench.plan import Plan, Stretch, Wrong, posting
from outreach.bench.report import Row
from outreach.bench.stock import LOCALES, STEPS, Stock, past
from outreach.content.compose import Values, Words
from outreach.domain.channel import Channel
from outreach.domain.message import Parcel
from outreach.domain.status import Status
from outreach.providers.base import Provider
from outreach.providers.twilio import TwilioProvider
from outreach.store.ids import fresh_id
from outreach.store.traffic import Message
from outreach.wiring import Outreach

CLINICS = 8
SECONDS = 300.0
CALLBACK = "/hooks/twilio/status/"


def pump_rows(ground: Ground, plan: Plan) -> list[Row]:
    """The three ratios of the pump to the bare post."""
    pairs = []
    with ground.outreach() as out, pump_of(out, plan.window) as pump:
        stock = Stock.open(out, CLINICS, datetime.now(UTC))
        small = max(50, plan.messages // 8)
        _floor(ground, pump, plan, small)  # warm-up: imports, templates, prepared statements, kept plans
        engine_stretch(ground, out, pump, stock, small)
        for number in range(plan.reps):
            plan.tell(f"pump {number + 1}/{plan.reps}")
            floor = _floor(ground, pump, plan, plan.messages)
            pairs.append((floor, engine_stretch(ground, out, pump, stock, plan.messages)))
    return _rows(pairs, plan.messages)


def engine_stretches(ground: Ground, plan: Plan, reps: int) -> list[Stretch]:
    """The pump alone, warmed up."""
    with ground.outreach() as out, pump_of(out, plan.window) as pump:
        stock = Stock.open(out, CLINICS, datetime.now(UTC))
        engine_stretch(ground, out, pump, stock, max(50, plan.messages // 8))
        return [engine_stretch(ground, out, pump, stock, plan.messages) for _ in range(reps)]


@contextmanager
def pump_of(out: Outreach, window: int) -> Iterator[Pump]:
    """The workers' pump with another window, and a carrier that keeps as many connections."""
    settings = out.settings
    provider = TwilioProvider(
        settings.twilio_account_sid, settings.twilio_auth_token, settings.twilio_base_url, out.pump().timeout, window
    )
    yield dataclasses.replace(out.pump(), window=window, providers={"twilio": provider})
    provider.close()


def _rows(pairs: list[tuple[Stretch, Stretch]], count: int) -> list[Row]:
    micro = 1e6 / count
    floors, engines = [one for one, _ in pairs], [one for _, one in pairs]
    middle = len(pairs) // 2
    bare = sorted(one.worker for one in floors)[middle] * micro
    ours = sorted(one.worker for one in engines)[middle] * micro
    database = sorted(one.postgres for one in engines)[middle] * micro
    return [
        Row.of("cpu", [ours.worker / bare.worker for bare, ours in pairs], bare_us=bare, ours_us=ours),
        Row.of("cpu_db", [(ours.worker + ours.postgres) / bare.worker for bare, ours in pairs], postgres_us=database),
        Row.of(
            "rate", [bare.wall / ours.wall for bare, ours in pairs],
            bare_per_second=count / sorted(one.wall for one in floors)[middle],
            ours_per_second=count / sorted(one.wall for one in engines)[middle],
        ),
    ]  # fmt: skip


def _floor(ground: Ground, pump: Pump, plan: Plan, count: int) -> Stretch:
    """Nothing but the provider's own send of parcels that are ready, in the same window on the same kind of loop."""
    made = list(parcels(pump.lexicon.words, count, pump.public_url))
    with posting(ground, count, plan.window, "bare posts") as used:
        uvloop.run(post_all(pump.providers["twilio"], made, plan.window))
    return used


async def post_all(provider: Provider, made: Iterable[Parcel], window: int) -> None:
    """Post through `window` lanes, each beginning its next as soon as its last is answered."""
    todo = iter(made)

    async def lane() -> None:
        for parcel in todo:
            await provider.send(parcel)

    await asyncio.gather(*(lane() for _ in range(window)))
    await provider.hang_up()


def engine_stretch(ground: Ground, out: Outreach, pump: Pump, stock: Stock, count: int) -> Stretch:
    """The pump over `count` due messages; every row must say that it was handed over."""
    ids = stock.fill(count, past())
    settle(out.engine)
    with posting(ground, count, pump.window, "pump") as used:
        drain(pump, seconds=SECONDS)
    accepted = accepted_of(out, ids)
    if accepted != count:
        raise Wrong(f"pump: of {count} rows {accepted} say that the carrier took them")
    return used


def accepted_of(out: Outreach, ids: list[UUID]) -> int:
    """How many of these messages (made one after the other, nothing else between) were handed over."""
    with out.sessions() as session:
        found = session.scalar(
            select(func.count())
            .select_from(Message)
            .where(Message.id.between(min(ids), max(ids)), Message.status == Status.ACCEPTED.value)
        )
    return found or 0


def parcels(words: Words, count: int, public_url: str) -> Iterable[Parcel]:
    """Parcels as the pump would make them: the same words in the same languages, an attempt id each."""
    now = datetime.now(UTC)
    values = Values(
        clinic="Lakeside Infusion Center", clinic_phone="+1 312-555-0100", zone="America/Chicago",
        clinic_address="1 Example Street, Chicago, IL 60601", emergency="911", visit_start=now + timedelta(days=1),
        visit_minutes=60, next_visit=now + timedelta(days=1), link=f"{public_url}/m/{'k' * 22}",
        unsubscribe=f"{public_url}/u/{'k' * 22}",
    )  # fmt: skip
    said = itertools.cycle(
        [words.compose(step, Channel.SMS, locale, "full", values) for step in STEPS for locale in LOCALES]
    )
    for number, content in zip(range(count), said, strict=False):
        attempt = fresh_id()
        yield Parcel(
            attempt_id=attempt, channel=Channel.SMS, sender="+13125550100", sender_name="Lakeside Infusion Center",
            to=f"+1{2_000_000_000 + number}", content=content, status_callback=f"{public_url}{CALLBACK}{attempt}",
        )  # fmt: skip
