"""What the API answers, as types: the same fields as in /api/v1/openapi.json, which a test compares."""

from __future__ import annotations

from typing import TypedDict


class Patient(TypedDict):
    id: str
    external_id: str | None
    name: str
    locale: str
    zone: str
    wording: str
    active: bool
    version: int
    created_at: str


class Enrolled(TypedDict):
    patient: Patient
    course_id: str
    planned: int
    asked: int


class Address(TypedDict):
    id: str
    channel: str
    value: str
    usable: bool
    consent: str
    allowed: bool


class AddressGiven(TypedDict):
    id: str
    changed: bool
    asked: int


class Consent(TypedDict):
    kind: str
    channel: str
    at: str
    method: str
    actor: str
    warned: bool
    locale: str
    wording_version: str
    evidence: str


class Recorded(TypedDict):
    news: bool
    consent: str
    allowed: bool
    suppressed: int


class Proof(Consent):
    id: str
    address_id: str
    purpose: str
    scope: str
    basis: str
    wording: str


class Course(TypedDict):
    id: str
    patient_id: str
    label: str
    status: str
    created_at: str


class Infusion(TypedDict):
    id: str
    course_id: str
    patient_id: str
    external_id: str | None
    starts: str
    zone: str
    minutes: int
    status: str
    version: int


class Replanned(TypedDict):
    infusion: Infusion
    planned: int
    cancelled: int
    noticed: int


class Enrolment(TypedDict):
    id: str
    course_id: str
    sequence: str
    status: str
    created_at: str


class Ended(TypedDict):
    enrolment: Enrolment
    cancelled: int


class Line(TypedDict):
    step: str
    channel: str
    due_at: str
    local: str
    zone: str
    status: str
    reason: str | None


class MovePreview(TypedDict):
    leaving: list[Line]
    coming: list[Line]


class Step(TypedDict):
    key: str
    channels: list[str]
    when: str | None
    trigger: str | None
    once_per: str
    answers: list[str]


class StepsOf(TypedDict):
    name: str
    active: bool
    steps: list[Step]


class Message(TypedDict):
    id: str
    patient_id: str
    course_id: str | None
    infusion_id: str | None
    step: str
    channel: str
    status: str
    reason: str | None
    due_at: str
    local: str
    zone: str
    useful_until: str
    locale: str | None
    wording: str | None
    segments: int
    attempts: int
    sent_at: str | None
    ended_at: str | None


class Words(TypedDict):
    id: str
    locale: str | None
    subject: str
    text: str


class Event(TypedDict):
    id: int
    at: str
    source: str
    word: str
    status: str | None
    reason: str | None
    code: str | None


class Inbound(TypedDict):
    id: str
    patient_id: str | None
    channel: str
    text: str
    understood: str
    answer: str | None
    about_message_id: str | None
    needs_person: bool
    received_at: str


class Task(TypedDict):
    id: str
    kind: str
    patient_id: str | None
    message_id: str | None
    inbound_id: str | None
    opened_at: str
    due_at: str
    taken: bool
    closed_at: str | None
    outcome: str


class Webhook(TypedDict):
    id: str
    url: str
    kinds: list[str]
    active: bool
    failures: int
    failing_since: str | None
    created_at: str


class Me(TypedDict):
    id: str
    name: str
    clinic: str
    scopes: list[str]
    expires_at: str | None


class WebhookMade(Webhook):
    secret: str


class Call(TypedDict):
    id: str
    kind: str
    state: str
    attempts: int
    status_code: int | None
    note: str
    created_at: str
    due_at: str
    done_at: str | None
