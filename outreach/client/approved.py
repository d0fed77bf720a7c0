"""What the API answers about languages and approved words, as types: see shapes."""

from __future__ import annotations

from typing import TypedDict


class Language(TypedDict):
    locale: str
    name: str
    offered: bool
    lacking: list[str]
    untranslated: int


class Decision(TypedDict):
    approved: bool
    reviewer: str
    role: str
    demo: bool
    at: str


class Approval(TypedDict):
    locale: str
    text: str
    state: str
    digest: str
    decision: Decision | None
    signed_by: str | None


class Unit(TypedDict):
    key: str
    source: str
    plural: str
    forms: list[str]
    placeholders: list[str]
    errors: list[str]


class ApprovalFull(Approval):
    units: list[Unit]
