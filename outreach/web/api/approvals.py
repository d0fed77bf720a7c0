"""Approved words: how each text of each language stands at the clinic, its exact words, approving and taking back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID, uuid5

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy.orm import Session

from outreach.actions.approve import Reviewer, withdraw
from outreach.actions.review import Changed, Read, Stand, State, every, review, reviewer, stands
from outreach.content.checker.findings import Fault
from outreach.content.instructions import objected
from outreach.content.objections import objections
from outreach.content.spoken import Spoken
from outreach.domain.approval import OWN, Text
from outreach.errors import NotFound
from outreach.store.kept import Answer
from outreach.web.api import cursors
from outreach.web.api.cursors import After, Cursor, Limit, Page
from outreach.web.api.door import AtDoor, Caller, IdempotencyKey, said
from outreach.web.api.fields import Asked, At, Line, Locale
from outreach.web.api.problems import Trouble

router = APIRouter(prefix="/v1", tags=["approvals"])
_PLACES = UUID("7f0f7f4e-40f5-4a43-8a4b-6a9f9f2f6f0e")
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
NO_TEXT = "There is no such text in that language."
Key = Annotated[str, StringConstraints(max_length=60, pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)*$")]
InPath = Annotated[str, Path(max_length=60, pattern=r"^[A-Za-z0-9_.-]+$")]


class LanguageOut(BaseModel):
    """A language, and whether patients may be enrolled in it."""

    locale: str = Field(examples=["es"])
    name: str
    offered: bool = Field(description="Everything is approved that a patient could come to read.")
    lacking: list[str] = Field(description="The texts that keep it from being offered.")
    untranslated: int = Field(description="Sentences without a translation of the English as it is now.")


class Languages(BaseModel):
    """Every language there is."""

    items: list[LanguageOut]


class DecisionOut(BaseModel):
    """What the clinic decided on words."""

    approved: bool
    reviewer: str
    role: str
    demo: bool = Field(description="Demo data: nobody has read the words.")
    at: At


class ApprovalOut(BaseModel):
    """A text in a language. `digest` names its exact words as they stand."""

    locale: str = Field(examples=["es"])
    text: str = Field(examples=["pre.tomorrow"])
    state: State
    digest: str = Field(examples=["058888c08462b567…"])
    decision: DecisionOut | None = Field(description="The one that made it so; null: there is none.")
    signed_by: str | None = Field(description="The reviewer whom the shared words name; null: a machine draft.")


class UnitOut(BaseModel):
    """Words that stand together; `forms`: one, or one for each plural form of the language."""

    key: str
    source: str
    plural: str
    forms: list[str]
    placeholders: list[str]
    errors: list[str] = Field(description="What the checker says must be mended before it can be approved.")


class ApprovalFull(ApprovalOut):
    """The same with its exact words."""

    units: list[UnitOut]


class ApprovalIn(Asked):
    """Somebody has read exactly these words and answers for them."""

    locale: Locale
    text: Key = Field(examples=["pre.tomorrow"])
    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] = Field(
        description="As you read it: 409 if the words are others by now."
    )
    reviewer: Line = Field(examples=["Ana Ruiz"])
    role: Line = Field(examples=["certified medical translator"])


class WithdrawalIn(Asked):
    """Who takes it back."""

    locale: Locale
    text: Key = Field(examples=["pre.tomorrow"])
    reviewer: Line
    role: Line


@router.get("/languages")
def languages(caller: AtDoor) -> Languages:
    """Which languages the clinic offers, and what is lacking in the others."""
    with caller.out.sessions() as session:
        spoken = caller.out.speakers.view(session, caller.clinic(session), caller.out.words)
    return Languages(
        items=[
            LanguageOut(locale=locale, name=voice.language.name, offered=not spoken.lacking(locale),
                        lacking=list(spoken.lacking(locale)), untranslated=len(caller.out.words.missing(locale)))
            for locale, voice in caller.out.words.voices.items()
        ]
    )  # fmt: skip


@router.get("/approvals")
def listed(
    caller: AtDoor, limit: Limit = 50, cursor: Cursor = None,
    locale: Annotated[Locale | None, Query(description="Of one language only.")] = None,
    state: Annotated[State | None, Query(description="In this state only.")] = None,
) -> Page[ApprovalOut]:  # fmt: skip
    """How each text of each language stands, by language; after the shared ones the clinic's own instructions
    (`own.…`)."""
    question = f"approvals|{locale}|{state}"
    begin = cursors.read(caller.out.vault, caller.clinic_id, question, cursor)
    out = caller.out
    locales = [one for one in out.words.voices if locale in (None, one)]
    with out.sessions() as session:
        clinic = caller.clinic(session)
        spoken = out.speakers.view(session, clinic, out.words)
        wanted = every(session, clinic.id, clinic.locale, out.words, locales)
        standing = stands(session, caller.clinic_id, spoken, out.bench, wanted)
    found = [one for one in standing if state in (None, one.state)]
    places = [_place(one.text) for one in found]
    first = places.index(begin.id) + 1 if begin and begin.id in places else 0
    shown = found[first : first + limit]
    more = first + limit < len(found)
    after = After(_BEGINNING, _place(shown[-1].text)) if more else None
    following = cursors.write(caller.out.vault, caller.clinic_id, question, after) if after else None
    return Page(items=[_shown(one) for one in shown], next_cursor=following)


@router.get("/approvals/{locale}/{text}")
def read(caller: AtDoor, locale: InPath, text: InPath) -> ApprovalFull:
    """The exact words of one text, with what the checker says of them."""
    with caller.out.sessions() as session:
        spoken = caller.out.speakers.view(session, caller.clinic(session), caller.out.words)
        return _full(session, caller, spoken, _text(session, caller, locale, text))


@router.post("/approvals", status_code=201, response_model=ApprovalFull)
def approve(caller: AtDoor, given: ApprovalIn, repeat: IdempotencyKey = None) -> Response:
    """Approve exact words; patients get them from now on, and what waited for them goes out. Approving what is approved
    already changes nothing."""

    def act(session: Session) -> Answer:
        out, clinic = caller.out, caller.clinic(session)
        by = Reviewer(given.reviewer, given.role, key_id=caller.key.id)
        try:
            review(session, clinic.id, clinic.demo, out.words, out.bench,
                   [Read(given.locale, given.text, given.digest)], by, out.clock())  # fmt: skip
        except Changed:
            raise Trouble(409, "These words are others by now. Read them anew.", "body.digest") from None
        except NotFound:
            raise Trouble(422, NO_TEXT, "body.text") from None
        spoken = out.speakers.anew(session, clinic, out.words)
        return said(_full(session, caller, spoken, _text(session, caller, given.locale, given.text)), 201)

    return caller.change(act)


@router.post("/approvals/withdraw", response_model=ApprovalFull)
def take_back(caller: AtDoor, given: WithdrawalIn, repeat: IdempotencyKey = None) -> Response:
    """Take back every approval of a text, of its earlier words too."""

    def act(session: Session) -> Answer:
        out, clinic = caller.out, caller.clinic(session)
        try:
            text = _text(session, caller, given.locale, given.text)
        except NotFound:
            raise Trouble(422, NO_TEXT, "body.text") from None
        by = reviewer(Reviewer(given.reviewer, given.role, key_id=caller.key.id), clinic.demo)
        withdraw(session, clinic.id, given.locale, given.text, by, out.clock())
        return said(_full(session, caller, out.speakers.anew(session, clinic, out.words), text))

    return caller.change(act)


def _text(session: Session, caller: Caller, locale: str, key: str) -> Text:
    for one in every(session, caller.clinic_id, caller.clinic(session).locale, caller.out.words, [locale]):
        if one.key == key:
            return one
    raise NotFound("no such text")


def _full(session: Session, caller: Caller, spoken: Spoken, text: Text) -> ApprovalFull:
    found = _objections(session, caller, text)
    [stand] = stands(session, caller.clinic_id, spoken, caller.out.bench, [text])
    units = [
        UnitOut(key=unit.key, source=unit.source, plural=unit.plural, forms=list(unit.forms),
                placeholders=list(unit.names),
                errors=[f"{one.what} {one.remedy}" for one in found.get(unit.key, ()) if one.blocking])
        for unit in text.units
    ]  # fmt: skip
    return ApprovalFull(**_shown(stand).model_dump(exclude={"decision"}), decision=_shown(stand).decision, units=units)


def _objections(session: Session, caller: Caller, text: Text) -> Mapping[str, tuple[Fault, ...]]:
    bench = caller.out.bench
    if not text.key.startswith(OWN):
        return objections(bench.shelf(text.locale), text)
    return {text.key: objected(bench.grounds().house, text, caller.clinic(session).locale)}


def _shown(one: Stand) -> ApprovalOut:
    made = one.decision
    decision = DecisionOut(
        approved=made.approved, reviewer=made.reviewer, role=made.reviewer_role, demo=made.basis == "demo", at=made.at
    ) if made else None  # fmt: skip
    return ApprovalOut(
        locale=one.text.locale, text=one.text.key, state=one.state, digest=one.text.digest.hex(), decision=decision,
        signed_by=f"{one.signature.reviewer}, {one.signature.role}" if one.signature else None,
    )  # fmt: skip


def _place(text: Text) -> UUID:
    """What a cursor names a text by: pages go on from there also when texts have come or gone."""
    return uuid5(_PLACES, f"{text.locale}/{text.key}")
