"""The usual design, kept to compare with: one Celery task per message, ORM, Jinja, the official client, two commits.

Written as tutorials write it, without waste on purpose: one client and one environment per process, no result backend.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
from typing import Any
from uuid import UUID

from babel.dates import format_date, format_time
from celery import Celery
from jinja2 import Environment, Template
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, sessionmaker
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from outreach.data_folder import master_key
from outreach.domain.status import Status
from outreach.settings import load_settings
from outreach.store.ids import fresh_id
from outreach.store.tables import Address, Clinic, Consent, Infusion, Patient
from outreach.store.traffic import Message, Sender
from outreach.store.vault import Vault

THREADS = 16
QUEUE = "usual"
TEXT = "{{ clinic }}: {{ day }}, {{ time }}. {{ address }}. {{ phone }}. {{ link }}"
"""As long as one of our messages; its words do not matter here."""

app = Celery("usual", broker=os.environ.get("OUTREACH_REDIS_URL", "redis://127.0.0.1:6379/0"))
app.conf.update(
    task_serializer="json", accept_content=["json"], task_ignore_result=True, task_default_queue=QUEUE,
    worker_send_task_events=False, worker_hijack_root_logger=False, timezone="UTC",
)  # fmt: skip


class _Elsewhere(TwilioHttpClient):  # type: ignore[misc]
    """The official client, at the stand-in's address."""

    base = ""

    def request(self, method: str, url: str, *rest: Any, **named: Any) -> Any:
        return super().request(method, url.replace("https://api.twilio.com", self.base), *rest, **named)


@cache
def _composition() -> tuple[sessionmaker[Session], Client, Template, Vault, str]:
    settings = load_settings()
    assert settings.database_url is not None
    engine = create_engine(settings.database_url, pool_size=THREADS)
    http = _Elsewhere(timeout=10)
    http.base = settings.twilio_base_url or ""
    client = Client(settings.twilio_account_sid, settings.twilio_auth_token, http_client=http)
    template = Environment(autoescape=False).from_string(TEXT)
    return sessionmaker(engine), client, template, Vault(master_key(settings)), settings.public_url


@app.task(name="usual.send")  # type: ignore[untyped-decorator]
def send(message_id: str) -> None:
    """Load, check, render, post, commit: one message."""
    sessions, client, template, vault, public = _composition()
    with sessions() as session:
        message = session.get_one(Message, UUID(message_id))
        patient, clinic = session.get_one(Patient, message.patient_id), session.get_one(Clinic, message.clinic_id)
        address, visit = session.get_one(Address, message.address_id), session.get_one(Infusion, message.infusion_id)
        agreed = session.scalars(select(Consent).where(Consent.address_id == address.id).order_by(Consent.seq)).all()
        sender = session.scalars(select(Sender).where(Sender.clinic_id == clinic.id, Sender.channel == "sms")).one()
        if message.status != Status.SCHEDULED.value or not patient.active or agreed[-1].kind != "agreed":
            return
        message.status, message.attempt_id = Status.SENDING.value, fresh_id()
        session.commit()
        text = template.render(
            clinic=clinic.name, day=format_date(visit.starts, "full", locale=patient.locale),
            time=format_time(visit.starts, "short", locale=patient.locale), address=clinic.address, phone=clinic.phone,
            link=f"{public}/m/{vault.token('message', message.id)}",
        )  # fmt: skip
        answer = client.messages.create(
            to=vault.open(address.value_sealed, "address.value", clinic.id, address.id), from_=sender.address,
            body=text, status_callback=f"{public}/hooks/twilio/status/{message.attempt_id}",
        )  # fmt: skip
        message.status, message.carrier_id = Status.ACCEPTED.value, answer.sid
        session.commit()


def publish(broker: str, message_ids: Iterable[UUID]) -> None:
    """A task for each message."""
    with app.connection_for_write(broker) as connection:
        for message_id in message_ids:
            send.apply_async((str(message_id),), connection=connection)
