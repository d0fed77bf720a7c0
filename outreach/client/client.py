"""The client: one method for each thing the API does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Self

from outreach.client.approved import Approval, ApprovalFull, Language
from outreach.client.shapes import (
    Address,
    AddressGiven,
    Call,
    Consent,
    Course,
    Ended,
    Enrolled,
    Enrolment,
    Event,
    Inbound,
    Infusion,
    Line,
    Me,
    Message,
    MovePreview,
    Patient,
    Proof,
    Recorded,
    Replanned,
    StepsOf,
    Task,
    Webhook,
    WebhookMade,
    Words,
)
from outreach.client.wire import Wire


class Client:
    """The API of one clinic. Problem: it said no. Unanswered: nothing came back, also after trying again.

    Wall times are text such as "2026-12-03T09:30", instants ISO 8601 with Z. Safe to share between threads.
    """

    def __init__(
        self, url: str, key: str, *, timeout: float = 15.0, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self.wire = Wire(url, key, timeout, sleep)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.wire.close()

    def me(self) -> Me:
        """Which key this is, and what it may do."""
        found: Me = self.wire.get("/me")
        return found

    def patients(self, limit: int = 100) -> Iterator[Patient]:
        """Every patient, newest first."""
        return self.wire.pages("/patients", limit=limit)

    def find_patients(self, *, external_id: str = "", phone: str = "", email: str = "") -> list[Patient]:
        """By exactly one of the three."""
        given = {"external_id": external_id, "phone": phone, "email": email}
        found: list[Patient] = self.wire.post("/patients/search", {k: v for k, v in given.items() if v})["items"]
        return found

    def patient(self, patient_id: str) -> Patient:
        found: Patient = self.wire.get(f"/patients/{patient_id}")
        return found

    def enrol(self, *, idempotency_key: str | None = None, **patient: object) -> Enrolled:
        """The fields of a new patient: name, locale, phone, email, external_id, zone, wording, infusions, sequence.

        Sent with an Idempotency-Key of its own where none is given, so that a try that was not answered adds nobody.
        """
        done: Enrolled = self.wire.post("/patients", patient, idempotency_key)
        return done

    def change_patient(self, patient: Patient, **news: object) -> Patient:
        """Change what was read; Problem 412 when somebody else did meanwhile."""
        done: Patient = self.wire.patch(f"/patients/{patient['id']}", news, patient["version"])
        return done

    def addresses(self, patient_id: str) -> list[Address]:
        found: list[Address] = self.wire.get(f"/patients/{patient_id}/addresses")["items"]
        return found

    def give_address(self, patient_id: str, channel: str, value: str) -> AddressGiven:
        done: AddressGiven = self.wire.put(f"/patients/{patient_id}/addresses/{channel}", {"value": value})
        return done

    def consents(self, patient_id: str) -> list[Consent]:
        found: list[Consent] = self.wire.get(f"/patients/{patient_id}/consents")["items"]
        return found

    def export_consents(self, patient_id: str) -> list[Proof]:
        """The same with the words shown, as proof; the clinic's audit tells that it was read."""
        found: list[Proof] = self.wire.get(f"/patients/{patient_id}/consents/export")["items"]
        return found

    def record_consent(self, patient_id: str, **agreement: object) -> Recorded:
        """channel, method, evidence, at; perhaps warned, wording, wording_version, locale."""
        done: Recorded = self.wire.post(f"/patients/{patient_id}/consents", agreement)
        return done

    def revoke_consent(self, patient_id: str, channel: str, evidence: str) -> Recorded:
        body = {"channel": channel, "evidence": evidence}
        done: Recorded = self.wire.post(f"/patients/{patient_id}/consents/revoke", body)
        return done

    def courses(self, patient_id: str) -> list[Course]:
        found: list[Course] = self.wire.get(f"/patients/{patient_id}/courses")["items"]
        return found

    def enrolments(self, patient_id: str) -> list[Enrolment]:
        found: list[Enrolment] = self.wire.get(f"/patients/{patient_id}/enrolments")["items"]
        return found

    def end_enrolment(self, enrolment_id: str) -> Ended:
        """For good: nothing more is sent of its course."""
        done: Ended = self.wire.post(f"/enrolments/{enrolment_id}/end")
        return done

    def infusions(self, course_id: str) -> list[Infusion]:
        found: list[Infusion] = self.wire.get(f"/courses/{course_id}/infusions")["items"]
        return found

    def infusion(self, infusion_id: str) -> Infusion:
        found: Infusion = self.wire.get(f"/infusions/{infusion_id}")
        return found

    def add_infusion(self, patient_id: str, *, idempotency_key: str | None = None, **visit: object) -> Replanned:
        done: Replanned = self.wire.post(f"/patients/{patient_id}/infusions", visit, idempotency_key)
        return done

    def preview_move(self, infusion_id: str, **change: object) -> MovePreview:
        found: MovePreview = self.wire.post(f"/infusions/{infusion_id}/preview", change)
        return found

    def move_infusion(self, infusion: Infusion, **change: object) -> Replanned:
        """Move what was read; Problem 412 when somebody else did meanwhile."""
        done: Replanned = self.wire.patch(f"/infusions/{infusion['id']}", change, infusion["version"])
        return done

    def cancel_infusion(self, infusion_id: str) -> Replanned:
        done: Replanned = self.wire.post(f"/infusions/{infusion_id}/cancel")
        return done

    def plan(self, infusions: Sequence[dict[str, object]], **given: object) -> list[Line]:
        """What such a course would bring; nothing is written."""
        found: list[Line] = self.wire.post("/plan", {"infusions": list(infusions), **given})["items"]
        return found

    def sequences(self) -> list[StepsOf]:
        """Which sequences there are, and their steps as this clinic has them."""
        found: list[StepsOf] = self.wire.get("/sequences")["items"]
        return found

    def sequence(self, name: str) -> StepsOf:
        found: StepsOf = self.wire.get(f"/sequences/{name}")
        return found

    def messages(self, limit: int = 100, **filters: object) -> Iterator[Message]:
        """Filters: patient_id, status (one or a list), channel, step, due_from, due_to."""
        return self.wire.pages("/messages", limit=limit, **filters)

    def message(self, message_id: str) -> Message:
        found: Message = self.wire.get(f"/messages/{message_id}")
        return found

    def words(self, message_id: str) -> Words:
        found: Words = self.wire.get(f"/messages/{message_id}/words")
        return found

    def events(self, message_id: str) -> list[Event]:
        found: list[Event] = self.wire.get(f"/messages/{message_id}/events")["items"]
        return found

    def languages(self) -> list[Language]:
        """Which languages patients may be enrolled in, and what is lacking in the others."""
        found: list[Language] = self.wire.get("/languages")["items"]
        return found

    def approvals(self, limit: int = 100, **filters: object) -> Iterator[Approval]:
        """Filters: locale, state."""
        return self.wire.pages("/approvals", limit=limit, **filters)

    def approval(self, locale: str, text: str) -> ApprovalFull:
        """With its exact words."""
        found: ApprovalFull = self.wire.get(f"/approvals/{locale}/{text}")
        return found

    def approve(self, read: Approval, *, reviewer: str, role: str) -> ApprovalFull:
        """Approve what was read; Problem 409 when the words are others by now."""
        body = {"locale": read["locale"], "text": read["text"], "digest": read["digest"]}
        done: ApprovalFull = self.wire.post("/approvals", {**body, "reviewer": reviewer, "role": role})
        return done

    def withdraw_approval(self, locale: str, text: str, *, reviewer: str, role: str) -> ApprovalFull:
        body = {"locale": locale, "text": text, "reviewer": reviewer, "role": role}
        done: ApprovalFull = self.wire.post("/approvals/withdraw", body)
        return done

    def inbound(self, limit: int = 100, **filters: object) -> Iterator[Inbound]:
        """What patients wrote. Filters: patient_id, needs_person."""
        return self.wire.pages("/inbound", limit=limit, **filters)

    def tasks(self, state: str = "open", limit: int = 100) -> Iterator[Task]:
        """What needs a person: open, closed or all."""
        return self.wire.pages("/tasks", limit=limit, state=state)

    def add_webhook(self, url: str, kinds: Sequence[str]) -> WebhookMade:
        """Keep its secret: it is shown this once."""
        made: WebhookMade = self.wire.post("/webhooks", {"url": url, "kinds": list(kinds)})
        return made

    def webhooks(self) -> list[Webhook]:
        found: list[Webhook] = self.wire.get("/webhooks")["items"]
        return found

    def webhook(self, webhook_id: str) -> Webhook:
        found: Webhook = self.wire.get(f"/webhooks/{webhook_id}")
        return found

    def change_webhook(self, webhook_id: str, **change: object) -> Webhook:
        """Fields: url, kinds, active. Switching on makes the calls that waited."""
        done: Webhook = self.wire.patch(f"/webhooks/{webhook_id}", change)
        return done

    def remove_webhook(self, webhook_id: str) -> None:
        self.wire.delete(f"/webhooks/{webhook_id}")

    def calls(self, webhook_id: str, limit: int = 100) -> Iterator[Call]:
        return self.wire.pages(f"/webhooks/{webhook_id}/calls", limit=limit)

    def replay(self, webhook_id: str, call_id: str) -> Webhook:
        done: Webhook = self.wire.post(f"/webhooks/{webhook_id}/calls/{call_id}/replay")
        return done
